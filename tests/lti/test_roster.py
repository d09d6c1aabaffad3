"""Rosters beside an LMS that answers as a running Moodle did: read whole, kept as stays, never believed in part."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rollcall.core.roster import Enrolled
from rollcall.lti import paging, roster
from rollcall.lti.bodies import MOST_BYTES
from rollcall.lti.paging import next_link
from rollcall.lti.tokens import ROSTER_SCOPE, Tokens
from rollcall.lti.trouble import ServiceTrouble, Trouble
from rollcall.outgoing.asking import Question, Reply
from tests.lti.asked_platform import Clock, client_of, make_context, with_tokens
from tests.lti.service_standin import NRPS, Site, instructor, learner, link_to

VOCABULARY = "http://purl.imsglobal.org/vocab/lis/v2/"


@pytest.fixture
def site(site: Site) -> Site:
    site.members = [learner("4"), learner("5"), instructor("3"), learner("6")]
    return site


def read(site: Site, url: str = "") -> dict[str, Enrolled]:
    async def work(held: Tokens) -> dict[str, Enrolled]:
        async def ask(question: Question) -> Reply:
            return await held.call(client_of(site), frozenset({ROSTER_SCOPE}), question)

        return await roster.read(url or site.memberships_url, ask)

    return with_tokens(work, Clock())


def trouble(site: Site) -> ServiceTrouble:
    with pytest.raises(ServiceTrouble) as caught:
        read(site)
    return caught.value


def test_a_roster_is_everybody_with_what_they_are(site: Site) -> None:
    found = read(site)
    assert found["4"] == Enrolled("4", is_learner=True)
    assert found["3"] == Enrolled("3", is_instructor=True)
    assert list(found) == ["4", "5", "3", "6"]
    (request,) = site.asked("/memberships")
    assert request.headers["accept"] == NRPS
    assert request.query == {"limit": "500"}


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_it_is_read_to_its_end_page_by_page(site: Site, size: int) -> None:
    site.pages = size
    assert len(read(site)) == 4
    assert len(site.asked("/memberships")) == -(-4 // size)


def test_without_a_link_a_full_page_is_one_of_several(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster, "each_page", _paged(2))
    site.faults += [("/memberships", _unlinked)] * 3
    assert len(read(site)) == 4
    assert [one.query.get("from") for one in site.asked("/memberships")] == [None, "2", "4"]


def test_a_full_page_of_an_lms_that_knows_no_pages_is_all(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster, "each_page", _paged(4))
    whole = json.dumps({"members": site.members}).encode()
    site.faults += [("/memberships", lambda *_: (200, whole, NRPS, {}))] * 2
    assert len(read(site)) == 4


def _paged(size: int) -> Any:
    return lambda url, ask, members: paging.each_page(url, ask, members, size=size)


def _unlinked(status: int, content: bytes, media: str, _more: dict[str, str]) -> Any:
    return status, content, media, {}


def _linked(**query: str) -> Any:
    def fault(status: int, content: bytes, media: str, more: dict[str, str]) -> Any:
        site = Site(base=json.loads(content)["id"].partition("/mod/")[0])
        return status, content, media, more | link_to(site, **query)

    return fault


@pytest.mark.parametrize(
    ("faults", "wanted"),
    [
        ([_linked(limit="500")], Trouble.CUT_OFF),
        ([_linked(limit="1"), _linked(limit="2"), _linked(limit="1")], Trouble.CUT_OFF),
        ([_linked(a="1"), _linked(a="2")], Trouble.CUT_OFF),
        ([_linked(limit="500", a="1"), 500], Trouble.FAILED),
        ([_linked(limit="500", a="1"), "drop"], Trouble.BROKEN_CONNECTION),
        ([_linked(limit="500", a="1"), 404], Trouble.GONE),
    ],
)
def test_a_roster_that_breaks_off_or_goes_in_a_circle_is_none(site: Site, faults: list[Any], wanted: Trouble) -> None:
    site.faults = [("/memberships", fault) for fault in faults]
    assert trouble(site).trouble is wanted


def test_a_list_without_an_end_is_left(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_PAGES", 3)
    site.pages = 1
    assert trouble(site).trouble is Trouble.CUT_OFF


def test_more_than_any_course_has_is_not_read_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster, "MOST_MEMBERS", 3)
    assert trouble(site).trouble is Trouble.TOO_BIG
    monkeypatch.setattr(roster, "MOST_BYTES", 100)
    assert trouble(site).trouble is Trouble.TOO_BIG


def test_the_token_never_goes_to_another_host(site: Site) -> None:
    def elsewhere(status: int, content: bytes, media: str, _more: Any) -> Any:
        return status, content, media, {"Link": '<https://evil.example.org/?from=2>; rel="next"'}

    site.faults = [("/memberships", elsewhere)]
    found = read(site)
    assert [one.query.get("from") for one in site.asked("/memberships")] == [None, "4"]
    assert len(found) == 4


@pytest.mark.parametrize(
    "content",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"members":{}}',
        b'{"members":[17]}',
        b'{"members":[{}]}',
        b'{"members":[{"user_id":""}]}',
        b'{"members":[{"user_id":true}]}',
        b'{"members":[{"user_id":null}]}',
        b'{"members":[{"user_id":"' + b"x" * 2000 + b'"}]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_roster_is_told_as_such(site: Site, content: bytes) -> None:
    site.faults = [("/memberships", lambda *_: (200, content, "text/html", {}))]
    assert trouble(site).trouble is Trouble.NOT_A_ROSTER


@pytest.mark.parametrize("entry", [b"{},", b"[],", b'{"user_id":"4"},', b'{"user_id":"4","roles":["","",""]},'])
def test_a_page_of_countless_small_things_is_refused_before_they_are_made(site: Site, entry: bytes) -> None:
    content = b'{"members":[' + entry * (MOST_BYTES // len(entry) - 20) + b"{}]}"
    site.faults = [("/memberships", lambda *_: (200, content, NRPS, {}))]
    assert trouble(site).trouble is Trouble.TOO_BIG


def test_as_many_members_as_a_page_has_bytes_for_are_read(site: Site) -> None:
    site.members = [learner(str(number), name=f"Ana Alpha {number}", email="a@example.test") for number in range(9000)]
    site.pages = 9000
    assert len(read(site)) == 9000


@pytest.mark.parametrize(
    ("status", "wanted", "is_of_all"),
    [
        (400, Trouble.WRONG_REQUEST, False),
        (403, Trouble.FORBIDDEN, False),
        (404, Trouble.GONE, False),
        (429, Trouble.BUSY, True),
        (500, Trouble.FAILED, True),
        (503, Trouble.BUSY, True),
    ],
)
def test_a_refusal_is_of_the_course_or_of_the_whole_lms(
    site: Site, status: int, wanted: Trouble, is_of_all: bool
) -> None:
    site.faults = [("/memberships", status)]
    error = trouble(site)
    assert (error.trouble, error.is_of_the_platform) == (wanted, is_of_all)
    assert str(status) in error.detail


@pytest.mark.parametrize(
    ("roles", "is_instructor", "is_learner"),
    [
        (["Learner"], False, True),
        (["Instructor"], True, False),
        (["Learner", "Instructor"], True, True),
        ([VOCABULARY + "membership#Learner"], False, True),
        ([VOCABULARY + "membership#Instructor"], True, False),
        ([VOCABULARY + "membership/Instructor#TeachingAssistant"], True, False),
        ([VOCABULARY + "membership/Learner#NonCreditLearner"], False, True),
        ([VOCABULARY + "institution/person#Student"], False, False),
        ([VOCABULARY + "system/person#Administrator", "Learner"], False, True),
        ([VOCABULARY + "membership#Mentor"], False, False),
        ([], False, False),
        ([17, None, "Learner"], False, True),
        ("Learner", False, False),
    ],
)
def test_roles_come_as_short_words_or_in_full(site: Site, roles: Any, is_instructor: bool, is_learner: bool) -> None:
    site.members = [learner("4") | {"roles": roles}]
    assert read(site)["4"] == Enrolled("4", "", is_instructor, is_learner)


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ({}, ""),
        ({"name": "Ana Alpha", "email": "a@example.test"}, "Ana Alpha"),
        ({"given_name": "Ana", "family_name": "Alpha"}, "Ana Alpha"),
        ({"name": "  ", "given_name": "Ana"}, ""),
        ({"name": 17}, ""),
        ({"name": "x" * 1000}, "x" * 300),
        ({"name": "nul\x00"}, "nul\ufffd"),
    ],
)
def test_a_name_is_kept_if_it_is_shared(site: Site, told: dict[str, Any], wanted: str) -> None:
    site.members = [learner("4", **told)]
    assert read(site)["4"].name == wanted


def test_who_is_not_active_is_not_on_it_and_who_stands_twice_is_one(site: Site) -> None:
    site.members = [
        learner("4"),
        instructor("4"),
        learner("5") | {"status": "Inactive"},
        learner("6") | {"status": VOCABULARY + "status#Deleted"},
        learner("7") | {"status": None},
        learner("8") | {"user_id": 8},
    ]
    assert {user: one.is_instructor for user, one in read(site).items()} == {"4": True, "7": False, "8": False}


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ('<https://x/?a=1&from=2>; rel="next"', "https://x/?a=1&from=2"),
        ("<https://x/?a=1&amp;from=2>; rel=\u201cnext\u201d", "https://x/?a=1&from=2"),
        ("<https://x/?from=2>; rel=â\x80\x9cnextâ\x80\x9d", "https://x/?from=2"),
        ("<https://x/0>; rel=â\x80\x9cfirstâ\x80\x9d, <https://x/2>; rel=â\x80\x9cnextâ\x80\x9d", "https://x/2"),
        ("<https://x/2>; rel=next", "https://x/2"),
        ('<https://x/2>; REL="prev NEXT"', "https://x/2"),
        ('<https://x/2>; title="next"; rel="last"', ""),
        ('<https://x/2>; rel="differences"', ""),
        ("next", ""),
        ("", ""),
        ("<<<>>>; rel=next" * 1000, ""),
    ],
)
def test_links_are_read_as_they_were_meant(header: str, wanted: str) -> None:
    assert next_link([header]) == wanted


# -- what is kept -------------------------------------------------------------------------------------------------


def people(*users: str) -> dict[str, Enrolled]:
    return {user: Enrolled(user, is_learner=True) for user in users}


def stays(context: Any) -> list[tuple[str, int, int | None, int | None, int | None]]:
    rows = context.members.order_by("from_at", "user_id")
    return list(rows.values_list("user_id", "from_at", "until_at", "absent_at", "seen_at"))


@pytest.fixture
def context(db: None) -> Any:
    return make_context(Site(base="https://moodle.example.org"))


@pytest.mark.parametrize("portion", [1, 2, 100])
def test_stays_begin_and_end_with_readings(context: Any, portion: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster, "PORTION", portion)
    for moment, users in ((10, "45"), (20, "456"), (30, "46"), (40, "456")):
        roster.keep(context.pk, people(*users), moment)
    assert stays(context) == [
        ("4", 10, None, None, None),
        ("5", 10, 30, None, 20),
        ("6", 20, None, 10, None),
        ("5", 40, None, 30, None),
    ]
    context.refresh_from_db()
    assert context.roster_at == 40


def test_a_name_that_is_no_longer_shared_is_forgotten(context: Any) -> None:
    roster.keep(context.pk, {"4": Enrolled("4", "Ana", is_learner=True)}, 10)
    assert context.members.get().name == "Ana"
    roster.keep(context.pk, people("4"), 20)
    assert context.members.get().name == ""


def test_that_all_have_left_is_not_believed(context: Any) -> None:
    roster.keep(context.pk, people("4"), 10)
    with pytest.raises(ServiceTrouble) as caught:
        roster.keep(context.pk, {}, 20)
    assert caught.value.trouble is Trouble.EMPTY
    roster.keep(context.pk, people("5"), 30)
    assert stays(context) == [("4", 10, 30, None, 10), ("5", 30, None, 10, None)]


def test_of_a_first_reading_that_was_kept_in_part_nothing_is_told_and_the_next_makes_it_whole(
    context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(context, people(*"456"), 10, monkeypatch)
    context.refresh_from_db()
    assert context.roster_at is None
    assert [one[:2] for one in stays(context)] == [("4", 10)]
    roster.keep(context.pk, people(*"56"), 20)
    assert stays(context) == [("4", 10, 20, None, 10), ("5", 20, None, None, None), ("6", 20, None, None, None)]


def test_two_readings_at_once_leave_what_the_later_one_says(context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    roster.keep(context.pk, people(*"45"), 5)
    cut_off(context, people(*"56"), 20, monkeypatch)
    assert stays(context)[0] == ("4", 5, 20, None, 5)
    roster.keep(context.pk, people(*"47"), 10)
    roster.keep(context.pk, people(*"56"), 20)
    assert [one[0] for one in stays(context) if one[2] is None] == ["5", "6"]
    assert stays(context)[0] == ("4", 5, 20, None, 5)


def cut_off(context: Any, told: dict[str, Enrolled], at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker is killed after the first portion."""

    class Killed(BaseException):
        pass

    def kill(_seconds: float) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(roster, "PORTION", 1)
        patched.setattr(roster.time, "sleep", kill)  # type: ignore[attr-defined]
        with pytest.raises(Killed):
            roster.keep(context.pk, told, at)


def test_an_older_reading_that_ends_later_changes_nothing(context: Any) -> None:
    roster.keep(context.pk, people("4"), 20)
    assert roster.keep(context.pk, people("5"), 15) == 0
    assert stays(context) == [("4", 20, None, None, None)]


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        ({"roster_due_at": None}, 1_000_000),
        ({"roster_due_at": 9_000_000}, 1_000_000),
        ({"roster_due_at": 500_000}, 500_000),
        ({"roster_due_at": 9_000_000, "roster_at": 900_000}, 9_000_000),
        ({"roster_due_at": 9_000_000, "roster_at": 99_999}, 1_000_000),
        ({"roster_due_at": 9_000_000, "roster_failures": 1}, 1_900_000),
        ({"roster_due_at": None, "memberships_url": ""}, None),
    ],
)
def test_a_launch_has_it_read_soon(context: Any, before: dict[str, Any], wanted: int | None) -> None:
    for name, value in before.items():
        setattr(context, name, value)
    context.save()
    roster.wish(context, 1_000_000)
    context.refresh_from_db()
    assert context.roster_due_at == wanted


def test_who_came_as_instructor_is_remembered_once(context: Any) -> None:
    roster.came_as_instructor(context, "3", 5)
    roster.came_as_instructor(context, "3", 9)
    assert list(context.teachers.values_list("user_id", "came_at")) == [("3", 9)]


def test_only_a_learner_is_who_stands_there_so_now(context: Any) -> None:
    told = {"3": Enrolled("3", is_instructor=True), "8": Enrolled("8", is_learner=True)}
    both = Enrolled("9", is_instructor=True, is_learner=True)
    roster.keep(context.pk, told | {"9": both} | people("5"), 10)
    roster.keep(context.pk, told | {"9": both}, 20)
    assert [user for user in ("3", "5", "8", "9", "77") if roster.is_only_learner(context, user)] == ["8"]
