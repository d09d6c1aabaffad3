"""The gradebook's client beside an LMS that answers as a running Moodle did."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.lti import grades, tokens
from rollcall.lti.grades import Column, Gradebook, NotOurs, Outcome, Result, Score, next_second, with_path
from rollcall.lti.trouble import ServiceTrouble, Trouble
from tests.lti.asked_platform import Clock, client_of, with_tokens
from tests.lti.service_standin import ITEM, SCORE, Site, instructor, learner
from tests.makers import at

T = TypeVar("T")
NOW = at("12:00")


@pytest.fixture
def site(site: Site) -> Site:
    site.members = [learner("4"), learner("5"), instructor("3")]
    for number, link in ((2, "1"), (3, "2")):
        site.columns[number] = {
            "id": site.column_url(number),
            "label": f"L{link}",
            "scoreMaximum": 100,
            "resourceId": "",
            "tag": "",
            "resourceLinkId": link,
            "ltiLinkId": link,
        }
    return site


def on(site: Site, work: Callable[[Gradebook], Awaitable[T]], *scopes: str) -> T:
    granted = frozenset(scopes or (grades.READ_SCOPE, grades.MANAGE_SCOPE, grades.RESULT_SCOPE, grades.SCORE_SCOPE))
    return with_tokens(lambda held: work(Gradebook(held, client_of(site), site.columns_url, granted)), Clock())


def score(user: str = "4", given: float | None = 75, at: int = NOW, **more: Any) -> Score:
    return Score(user, given, 100, at, **more)


def post(site: Site, one: Score, column: int = 2) -> Outcome:
    return on(site, lambda book: book.post(site.column_url(column), one)).outcome


def test_columns_are_listed_to_the_end_through_links_that_are_written_badly(site: Site) -> None:
    site.pages = 1
    found = on(site, lambda book: book.columns())
    assert [(one.label, one.link_id, one.maximum) for one in found] == [("L1", "1", 100), ("L2", "2", 100)]
    asked = site.asked("/lineitems")
    assert [one.query for one in asked] == [
        {"type_id": "1", "limit": "500"},
        {"type_id": "1", "limit": "2", "from": "1"},
    ]


def test_results_are_not_asked_for_in_pages_on_which_moodle_breaks_down(site: Site) -> None:
    assert post(site, score()) is Outcome.ACCEPTED
    assert [one.score for one in on(site, lambda book: book.results(site.column_url(2)))] == [75]
    assert [one.query for one in site.asked("/results")] == [{"type_id": "1"}]


def test_results_are_read_to_the_end_where_the_lms_makes_pages_of_its_own(site: Site) -> None:
    further = site.column_url(2).replace("/lineitem?", "/lineitem/results?page=2&")
    row = {"id": "x", "userId": "9", "resultScore": 5, "resultMaximum": 10}

    def first(*_: Any) -> tuple[int, bytes, str, dict[str, str]]:
        return 200, json.dumps([row]).encode(), grades.RESULTS, {"Link": f'<{further}>; rel="next"'}

    post(site, score())
    site.faults = [("/results", first)]
    assert [one.user_id for one in on(site, lambda book: book.results(site.column_url(2)))] == ["9", "4"]


def test_of_what_moodle_repeats_nothing_is_kept(site: Site) -> None:
    told = on(site, lambda book: book.post(site.column_url(2), score("3", comment="Met.")))
    assert (told.outcome, told.phrase) == (Outcome.NOT_GRADED, "Incorrect score received")


def test_columns_are_found_by_their_marks_also_where_the_lms_knows_no_filter(site: Site) -> None:
    everything = json.dumps(list(site.columns.values())).encode()
    assert len(on(site, lambda book: book.columns(link_id="2"))) == 1
    site.faults = [("/lineitems", lambda *_: (200, everything, ITEM, {}))]
    assert [one.label for one in on(site, lambda book: book.columns(link_id="2"))] == ["L2"]


@pytest.mark.parametrize(("scopes", "asked"), [((), "lineitem.readonly"), ((grades.MANAGE_SCOPE,), "lineitem")])
def test_reading_asks_for_no_more_than_it_needs(site: Site, scopes: tuple[str, ...], asked: str) -> None:
    on(site, lambda book: book.columns(), *scopes)
    assert {scope.rpartition("/")[2] for held in site.tokens.values() for scope in held} == {asked}


def test_a_column_is_made_changed_and_taken_away_if_it_is_ours(site: Site) -> None:
    made = on(site, lambda book: book.make(Column("Attendance", 60, resource_id="bbb-2", tag="attendance")))
    assert made == Column("Attendance", 60, site.column_url(4), "bbb-2", "attendance")
    renamed = Column("Attended", 100, made.url, "bbb-2", "attendance")
    assert on(site, lambda book: book.change(renamed, is_ours=True)) == renamed
    assert on(site, lambda book: book.column(made.url)).label == "Attended"
    on(site, lambda book: book.remove(made, is_ours=True))
    assert 4 not in site.columns
    on(site, lambda book: book.remove(made, is_ours=True))


def test_a_column_for_a_link_names_it(site: Site) -> None:
    on(site, lambda book: book.make(Column("Talk time", 10, link_id="2")))
    assert json.loads(site.asked("/lineitems")[0].body)["resourceLinkId"] == "2"


def test_a_column_that_is_not_ours_is_left_as_it_is(site: Site) -> None:
    column = on(site, lambda book: book.column(site.column_url(2)))
    for change in (lambda book: book.change(column, is_ours=False), lambda book: book.remove(column, is_ours=False)):
        with pytest.raises(NotOurs):
            on(site, change)
    assert {one.method for one in site.requests if "lineitem" in one.path} == {"GET"}


def test_a_score_arrives_with_the_words_that_count(site: Site) -> None:
    assert post(site, score(comment="42:10 of 48:00")) is Outcome.ACCEPTED
    (request,) = site.asked("/scores")
    assert request.headers["content-type"] == SCORE
    assert request.query == {"type_id": "1"}
    assert json.loads(request.body) == {
        "userId": "4",
        "timestamp": "2026-11-20T12:00:00Z",
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "scoreGiven": 75,
        "scoreMaximum": 100,
        "comment": "42:10 of 48:00",
    }
    results = on(site, lambda book: book.results(site.column_url(2)))
    assert results == [Result("4", 75, 100, "42:10 of 48:00", NOW)]


def test_no_score_empties_the_grade_and_forgets_its_time(site: Site) -> None:
    post(site, score())
    assert post(site, score(given=None, at=NOW + 1000)) is Outcome.ACCEPTED
    assert on(site, lambda book: book.results(site.column_url(2), "4")) == [Result("4", None, 100, "", None)]
    assert post(site, score(at=NOW - 1000)) is Outcome.ACCEPTED


def test_what_a_teacher_has_overridden_takes_scores_and_shows_none(site: Site) -> None:
    post(site, score())
    site.override(2, "4", 33)
    assert post(site, score(given=90, at=NOW + 1000)) is Outcome.ACCEPTED
    assert on(site, lambda book: book.results(site.column_url(2), "4")) == [Result("4", 33, 100, "", NOW + 1000)]


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("{base}/mod/lti/services.php/2/lineitems/2/lineitem?type_id=77", Outcome.UNAUTHORIZED),
        ("{base}/mod/lti/services.php/2/lineitems/99/lineitem?type_id=1", Outcome.GONE),
    ],
)
def test_another_registration_and_a_column_that_is_gone(site: Site, url: str, wanted: Outcome) -> None:
    told = on(site, lambda book: book.post(url.format(base=site.base), score()))
    assert told.outcome is wanted


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        (score(at=NOW), Outcome.CONFLICT),
        (score(at=NOW - 1000), Outcome.CONFLICT),
        (score(at=NOW + 999), Outcome.CONFLICT),
        (score(at=NOW + 1000), Outcome.ACCEPTED),
        (score("3", at=NOW + 1000), Outcome.NOT_GRADED),
        (score("99999", at=NOW + 1000), Outcome.NOT_GRADED),
    ],
)
def test_what_came_of_a_score_has_a_name(site: Site, one: Score, wanted: Outcome) -> None:
    post(site, score(at=NOW))
    assert post(site, one) is wanted


def test_a_locked_column_is_told_apart_from_one_that_is_gone(site: Site) -> None:
    site.locked.add(2)
    assert post(site, score()) is Outcome.LOCKED


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        (204, Outcome.ACCEPTED),
        (400, Outcome.REFUSED),
        (403, Outcome.FORBIDDEN),
        (404, Outcome.GONE),
        (409, Outcome.CONFLICT),
        (410, Outcome.GONE),
        (415, Outcome.REFUSED),
        (422, Outcome.NOT_GRADED),
        (429, Outcome.LATER),
        (500, Outcome.LOCKED),
        (302, Outcome.MOVED),
        (502, Outcome.FAILED),
        (503, Outcome.LATER),
    ],
)
def test_each_status_has_its_meaning_and_the_phrase_is_kept(site: Site, status: int, wanted: Outcome) -> None:
    site.faults = [("/scores", status)]
    told = on(site, lambda book: book.post(site.column_url(2), score()))
    assert (told.outcome, told.status) == (wanted, status)
    assert told.phrase


@pytest.mark.parametrize(("status", "wanted"), [(200, Outcome.PAGE), (500, Outcome.FAILED), (503, Outcome.LATER)])
def test_a_page_for_people_is_no_answer_of_a_gradebook(site: Site, status: int, wanted: Outcome) -> None:
    page = b"\n<!DOCTYPE html><title>Maintenance</title>"
    site.faults = [("/scores", lambda *_: (status, page, "text/html", {"Retry-After": "90"}))]
    told = on(site, lambda book: book.post(site.column_url(2), score()))
    assert (told.outcome, told.retry_after_ms) == (wanted, 90_000)


def test_replies_are_shown_to_whoever_wants_their_headers(site: Site) -> None:
    heard: list[str] = []
    granted = frozenset({grades.READ_SCOPE})

    async def ask(held: tokens.Tokens) -> object:
        book = Gradebook(held, client_of(site), site.columns_url, granted, lambda one: heard.append(one.phrase))
        return await book.columns()

    with_tokens(ask, Clock())
    assert heard == ["OK"]


def test_the_phrase_is_all_that_explains_a_refusal(site: Site) -> None:
    post(site, score())
    told = on(site, lambda book: book.post(site.column_url(2), score()))
    assert told.phrase == "Refusing score with an earlier timestamp for item 2 and user 4"


def test_a_token_that_is_never_taken_is_told(site: Site) -> None:
    site.faults = [("/scores", 401), ("/scores", 401)]
    assert post(site, score()) is Outcome.UNAUTHORIZED
    assert len(site.asked("token.php")) == 2


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"{}", b"17", b"[17]", b'[{"id":5}]', b'[{"id":"x","scoreMaximum":"many"}]', b'[{"id":"x"}]'],
)
def test_what_is_no_list_of_columns_is_told_as_such(site: Site, content: bytes) -> None:
    site.faults = [("/lineitems", lambda *_: (200, content, "text/html", {}))]
    with pytest.raises(ServiceTrouble) as caught:
        on(site, lambda book: book.columns())
    assert caught.value.trouble is Trouble.NOT_GRADES


def test_the_column_of_the_course_total_has_no_label(site: Site) -> None:
    site.columns[1] = {"id": site.column_url(1), "label": None, "scoreMaximum": 600, "tag": ""}
    assert on(site, lambda book: book.column(site.column_url(1))).label == ""


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ({"userId": "4"}, Result("4", None, None)),
        ({"userId": 4, "resultScore": "33", "resultMaximum": 100.0}, Result("4", 33, 100)),
        ({"userId": "4", "resultScore": float("nan")}, Result("4", None, None)),
        ({"userId": "4", "timestamp": "2026-11-20T12:00:00"}, Result("4", None, None, "", NOW)),
        ({"userId": "4", "timestamp": "2026-11-20T13:00:00.9+01:00"}, Result("4", None, None, "", NOW)),
        ({"userId": "4", "timestamp": 17}, Result("4", None, None)),
    ],
)
def test_a_result_is_read_as_far_as_it_is_told(site: Site, told: dict[str, Any], wanted: Result) -> None:
    site.faults = [("/results", lambda *_: (200, json.dumps([told]).encode(), "text/html", {}))]
    assert on(site, lambda book: book.results(site.column_url(2))) == [wanted]


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://x/2/lineitem?type_id=1", "https://x/2/lineitem/scores?type_id=1"),
        ("https://x/2/lineitem", "https://x/2/lineitem/scores"),
        ("https://x/2/lineitem/?a=b&c", "https://x/2/lineitem/scores?a=b&c"),
    ],
)
def test_the_path_goes_before_the_query(url: str, wanted: str) -> None:
    assert with_path(url, "scores") == wanted


@given(st.integers(0, 2**42), st.none() | st.integers(0, 2**42))
def test_a_second_is_later_than_the_last_and_never_of_the_future(now: int, last: int | None) -> None:
    second = next_second(now, last)
    if second is None:
        assert last is not None
        assert now // 1000 * 1000 <= last
    else:
        assert second % 1000 == 0
        assert second <= now
        assert last is None or second > last


@given(st.lists(st.integers(0, 20_000), max_size=20))
def test_seconds_of_one_column_and_person_only_rise(moments: list[int]) -> None:
    given: list[int] = []
    for now in sorted(moments):
        second = next_second(now, given[-1] if given else None)
        given += [] if second is None else [second]
    assert given == sorted(set(given))
    assert len({second // 1000 for second in given}) == len(given)
