"""The pages, asked for as a browser without scripts would."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from django.test import Client
from lxml import html

from tests.makers import Attendee, at, make_meeting

pytestmark = pytest.mark.django_db

ADA = Attendee(name="Ada Lovelace", uid="7")
PAPADOPOULOS = Attendee(name="ΠΑΠΑΔΟΠΟΥΛΟΣ Γεώργιος", uid="8")


@pytest.fixture
def page(django_user_model: Any) -> Any:
    """Ask for an address, signed in; the answer as a tree of elements, with its status."""
    client = Client()
    client.force_login(django_user_model.objects.create_user("teacher"))

    def get(address: str, *, status: int = 200, **headers: str) -> Any:
        response = client.get(address, headers=headers)
        assert response.status_code == status, response.content.decode()[:2000]
        return html.fromstring(response.content)

    get.client = client  # type: ignore[attr-defined]
    return get


def rows_of(tree: Any) -> list[str]:
    """The first cell of each row."""
    return [" ".join(cell.text_content().split()) for cell in tree.xpath("//table/tbody/tr/th")]


def cells_of(tree: Any, row: str) -> dict[str, str]:
    (found,) = [
        tr for tr in tree.xpath("//table/tbody/tr[th]") if " ".join(tr.xpath("th")[0].text_content().split()) == row
    ]
    return {td.get("data-label"): " ".join(td.text_content().split()) for td in found.xpath("td")}


def text_of(tree: Any) -> str:
    return " ".join(tree.xpath("//main")[0].text_content().split())


# --- meetings ---------------------------------------------------------------------------------------------------------


def test_the_list_of_meetings_tells_running_ended_and_settled(page: Any) -> None:
    make_meeting(ADA, name="Past", day="2026-11-18")
    make_meeting(ADA, name="Late messages may come", settles="23:59:59", day="2100-11-18")
    make_meeting(
        Attendee(proved=(), possible=(("10:00", None),)), Attendee(uid="8"), name="Now", day="2100-11-19", ended=None
    )

    tree = page("/meetings")

    assert rows_of(tree) == ["Now", "Late messages may come", "Past"]
    assert cells_of(tree, "Now")["State"] == "running, 1 in"
    assert cells_of(tree, "Late messages may come")["State"] == "ended"
    assert cells_of(tree, "Past") == {
        "State": "settled",
        "Began": "Wed 18 Nov 2026, 10:00",
        "Ended": "11:00",
        "People": "1",
        "Server": "bbb1",
    }


@pytest.mark.parametrize("name", ["papadopoulos", "Παπαδόπουλος", "ΠΑΠΑΔΟΠΟΥΛΟΣ", "georgios papad"])
@pytest.mark.parametrize("path", ["/meetings", "/people"])
def test_a_name_is_found_however_it_is_typed(page: Any, path: str, name: str) -> None:
    make_meeting(PAPADOPOULOS, name="Logic")
    make_meeting(ADA, name="Algebra")

    assert rows_of(page(f"{path}?name={name}")) == (["Logic"] if path == "/meetings" else ["ΠΑΠΑΔΟΠΟΥΛΟΣ Γεώργιος"])


def test_the_form_shows_what_was_asked_for(page: Any) -> None:
    make_meeting(ADA, server="bbb2")
    tree = page("/meetings?name=ada&from=2026-11-01&to=2026-11-30&server=bbb2&meeting=alg&state=settled")

    form = tree.forms[1]
    assert dict(form.fields) == {
        "name": "ada",
        "from": "2026-11-01",
        "to": "2026-11-30",
        "server": "bbb2",
        "meeting": "alg",
        "state": "settled",
    }
    assert rows_of(tree) == ["Algebra"]
    assert form.method == "GET"


def test_files_keep_the_filters(page: Any) -> None:
    make_meeting(ADA, name="Algebra")
    make_meeting(PAPADOPOULOS, name="Logic")

    tree = page("/meetings?name=ada&after=99999999999999-1")
    links = [link for link in tree.xpath("//a/@href") if re.search(r"\.(csv|json)", link)]

    assert [urlsplit(link).path for link in links] == [
        "/meetings.csv",
        "/meetings.json",
        "/attendance.csv",
        "/attendance.json",
    ]
    assert all(parse_qs(urlsplit(link).query) == {"name": ["ada"]} for link in links)
    for link in links:
        response = page.client.get(link)
        assert response.status_code == 200
        assert b"Algebra" in response.content
        assert b"Logic" not in response.content
        assert "attachment" in response["Content-Disposition"]


def test_a_day_is_the_readers(page: Any) -> None:
    make_meeting(ADA, name="Late", day="2026-11-20", began="23:30", ended="23:45")

    assert rows_of(page("/meetings?from=2026-11-20&to=2026-11-20")) == ["Late"]
    page.client.cookies["zone"] = "Europe/Athens"
    assert rows_of(page("/meetings?from=2026-11-21&to=2026-11-21")) == ["Late"]
    tree = page("/meetings")
    assert cells_of(tree, "Late")["Began"] == "Sat 21 Nov 2026, 01:30"
    assert "Times are those of Europe/Athens." in tree.xpath("//footer")[0].text_content()


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from=2026-13-01", "“2026-13-01” is not a date."),
        ("to=yesterday", "“yesterday” is not a date."),
        ("from=2026-11-20&to=2026-11-19", "“From” is later than “to”"),
        ("state=asleep", "There is no state “asleep”."),
        ("nmae=ada", "There is no filter “nmae”."),
        ("name=" + "x" * 201, "is too long."),
        ("server=%00", "has a character that no text has."),
        ("name=" + "+".join(f"n{number}" for number in range(13)), "is too long."),
        ("after=1-x", "no place in the list"),
        ("after=1", "no place in the list"),
        (f"after={10**30}-1", "no place in the list"),
    ],
)
@pytest.mark.parametrize("path", ["/meetings", "/people"])
def test_a_wrong_filter_is_refused_in_a_sentence_beside_the_form(
    page: Any, path: str, query: str, sentence: str
) -> None:
    tree = page(f"{path}?{query}", status=400)

    assert sentence in tree.xpath("//*[@role='alert']")[0].text_content()
    assert tree.xpath("//form[@role='search']")


def test_a_wrong_filter_is_refused_to_a_program_as_json(page: Any) -> None:
    response = page.client.get("/meetings.json?from=soon")

    assert response.status_code == 400
    assert json.loads(response.content) == {
        "code": "not-a-date",
        "message": "“soon” is not a date.",
        "hint": "Write a date as 2026-11-22, or with a time as 2026-11-22T10:30.",
    }


def test_pages_follow_each_other_both_ways(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollcall.reports import views

    monkeypatch.setattr(views, "PAGE", 3)
    for day in range(10, 18):
        make_meeting(ADA, name=f"M{day}", day=f"2026-11-{day}")
    tree = page("/meetings?name=ada")
    seen = rows_of(tree)
    while links := tree.xpath("//a[@rel='next']/@href"):
        make_meeting(name="newer, but not Ada's", day="2026-12-01")
        tree = page("/meetings" + links[0])
        seen += rows_of(tree)
    assert seen == [f"M{day}" for day in range(17, 9, -1)]
    assert rows_of(page("/meetings" + tree.xpath("//a[@rel='prev']/@href")[0])) == ["M14", "M13", "M12"]


def test_an_empty_house_says_what_will_come_and_an_empty_search_that_nothing_is_like_that(page: Any) -> None:
    assert "No meeting has been heard of yet." in text_of(page("/meetings"))
    assert "No meeting is like that." in text_of(page("/meetings?name=zzz"))
    assert "Nobody has been in a meeting yet." in text_of(page("/people"))
    assert "No BigBlueButton server is connected yet." in text_of(page("/servers"))


def test_a_list_asks_for_itself_again_while_it_may_change(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollcall.reports import views

    def asks(address: str) -> list[str]:
        return list(page(address).xpath("//*[@id='results'][@hx-trigger='every 5s']/@hx-get"))

    assert asks("/meetings") == ["/meetings"]  # the first one may come any moment
    monkeypatch.setattr(views, "PAGE", 1)
    for day in (18, 19, 20):
        make_meeting(ADA, name=f"M{day}", day=f"2026-11-{day}", ended=None if day == 18 else "11:00")
    assert asks("/meetings?name=ada") == ["/meetings?name=ada"]
    (second,) = page("/meetings").xpath("//a[@rel='next']/@href")
    (third,) = page(f"/meetings{second}").xpath("//a[@rel='next']/@href")
    assert asks(f"/meetings{second}") == []  # nothing runs there
    assert asks(f"/meetings{third}") == [f"/meetings{third}"]


# --- one meeting ------------------------------------------------------------------------------------------------------


def test_a_row_tells_in_out_time_share_and_engagement(page: Any) -> None:
    summary = make_meeting(
        Attendee(
            name="Ada Lovelace",
            role="MODERATOR",
            proved=(("10:00", "11:00"),),
            counts={"chats": (3, True), "raise_hands": 2, "emojis": 0},
        ),
        Attendee(
            name="José Núñez",
            uid="8",
            kind="guest",
            proved=(("10:10", "10:40"),),
            possible=(("10:05", "10:43:30"),),
            start="first-sighting",
            end="absent",
        ),
    )
    tree = page(f"/meetings/{summary.meeting_id}")

    assert rows_of(tree) == ["Ada Lovelace", "José Núñez"]
    ada, jose = cells_of(tree, "Ada Lovelace"), cells_of(tree, "José Núñez")
    assert (ada["Role"], ada["In"], ada["Out"], ada["Time"], ada["Share"]) == (
        "moderator",
        "10:00:00",
        "11:00:00",
        "1:00:00",
        "100%",
    )
    assert (ada["Chats"], ada["Hands"]) == ("3", "2+ or more")
    assert "Reactions" not in ada
    assert (jose["Role"], jose["In"], jose["Out"]) == ("viewer, guest", "by 10:10:00", "10:40:00 or later")
    assert jose["Time"] == "30:00–38:30"
    assert jose["Share"] == "50–64%"


def test_what_is_less_than_a_shown_second_from_certain_is_shown_as_certain(page: Any) -> None:
    summary = make_meeting(
        Attendee(
            proved=(("10:00:00.100", "10:59:59.800"),),
            possible=(("09:59:59.900", "11:00"),),
            start="first-sign",
            end="meeting-ended",
        )
    )
    ada = cells_of(page(f"/meetings/{summary.meeting_id}"), "Ada Lovelace")
    assert (ada["In"], ada["Out"]) == ("10:00:00", "11:00:00")


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [
        ("joined", "left", "Joined at 10:05:00. Left at 10:43:30."),
        ("first-sign", "left", "No join was heard. First active at 10:10:00; may have been there since 10:05:00."),
        (
            "first-sighting",
            "left",
            "No join was heard. First listed as in at 10:10:00; may have been there since 10:05:00.",
        ),
        ("unknown", "left", "No join and no activity was heard; may have been there since 10:05:00."),
        ("joined", "absent", "Last certain at 10:40:00; no longer listed as in at 10:43:30."),
        ("joined", "rejoined", "the same connection joined again at 10:43:30; last certain at 10:40:00."),
        ("joined", "last-sign", "Last certain at 10:40:00; may have stayed until 10:43:30."),
        ("joined", "meeting-ended", "before the meeting ended at 10:43:30; last certain at 10:40:00."),
        ("joined", "abducted", "Joined at 10:05:00. abducted"),
    ],
)
def test_a_row_opens_into_why(page: Any, start: str, end: str, sentence: str) -> None:
    one = Attendee(proved=(("10:10", "10:40"),), possible=(("10:05", "10:43:30"),), start=start, end=end)
    tree = page(f"/meetings/{make_meeting(one).meeting_id}")

    assert sentence in text_of(tree)
    assert tree.xpath("//details/summary")


def test_somebody_who_stays_to_the_end_was_there_until_the_end(page: Any) -> None:
    tree = page(f"/meetings/{make_meeting(Attendee(proved=(('10:05', '11:00'),), end='meeting-ended')).meeting_id}")

    assert "Joined at 10:05:00. There until the meeting ended at 11:00:00." in text_of(tree)


def test_a_meetings_page_says_the_id_that_the_server_knows_it_by(page: Any) -> None:
    tree = page(f"/meetings/{make_meeting(ADA, internal='m-1').meeting_id}")

    assert tree.xpath("//dt[.='Internal meeting id']/following-sibling::dd//text()") == ["m-1"]


def test_a_running_meeting_says_who_is_in(page: Any) -> None:
    summary = make_meeting(
        Attendee(name="Ada", proved=(("10:00", "10:10"),), possible=(("10:00", None),), end="open"),
        Attendee(name="Emmy", uid="8", proved=(("10:00", "10:10"),)),
        ended=None,
        day="2026-11-20",
    )
    tree = page(f"/meetings/{summary.meeting_id}")

    assert cells_of(tree, "Ada")["Out"] == "still in"
    assert cells_of(tree, "Ada")["Time"].endswith("so far")
    assert cells_of(tree, "Emmy")["Time"] == "10:00"
    assert "Share" not in cells_of(tree, "Ada")
    assert tree.xpath("//*[@id='live']/@data-watch") == [f"/meetings/{summary.meeting_id}/watch"]
    assert not page(f"/meetings/{make_meeting().meeting_id}").xpath("//*[@id='live']/@data-watch")


@pytest.mark.parametrize(
    ("proved_ms", "so_far_ms", "said"),
    [
        (40_000, 79_000, "0:40–1:19 so far"),
        (40_000, 42_500, "0:40–0:43 so far"),
        (40_000, 42_000, "0:40 so far"),
        (0, 30_000, "0:00–0:30 so far"),
    ],
)
def test_what_is_only_possible_so_far_is_never_shown_as_proved(proved_ms: int, so_far_ms: int, said: str) -> None:
    from rollcall.reports import words
    from rollcall.reports.rows import Bounds

    assert words.bounds(Bounds(proved_ms, None, so_far_ms)) == said


def test_doubts_are_told_once_and_only_to_whom_they_matter(page: Any) -> None:
    summary = make_meeting(
        Attendee(name="Sure", proved=(("10:00", "11:00"),)),
        Attendee(
            name="Unsure", uid="8", proved=(("10:00", "10:20"), ("10:26", "11:00")), possible=(("10:00", "11:00"),)
        ),
        blind=(("10:20", "10:25", "downtime"),),
        notes=({"code": "no-leave", "meeting": "", "count": 3}, {"code": "blind", "meeting": "", "count": 300000}),
    )
    tree = page(f"/meetings/{summary.meeting_id}")
    sentence = "From 10:20:00 to 10:25:00 messages may be missing: Rollcall was not running."

    doubts = [one.text_content() for one in tree.xpath("//details[@class='doubts']//li")]
    assert doubts == [sentence, "No leave was heard of 3 connections before the end."]
    of_each = [one.text_content() for one in tree.xpath("//tr[@class='why']")]
    assert [sentence in one for one in of_each] == [False, True]


def test_one_connection_is_not_several() -> None:
    from rollcall.reports import words
    from rollcall.reports.details import Note

    assert words.notes([Note("no-join", count=1), Note("emoji-without-value"), Note("emoji-without-value")]) == [
        "No join was heard of 1 connection.",
        "2 reactions came without saying which.",
    ]


def test_breakout_sessions_name_their_room(page: Any) -> None:
    from rollcall.store.derived import Attendance, Summary

    summary = make_meeting(ADA)
    detail = msgspec.json.decode(summary.detail)
    detail["meetings"].append({"meeting": "room-1", "name": "Group <1>", "is_breakout": True})
    Summary.objects.update(detail=msgspec.json.encode(detail))
    row = Attendance.objects.get()
    detail = msgspec.json.decode(row.detail)
    detail["sessions"].append(dict(detail["sessions"][0], meeting="room-1"))
    Attendance.objects.update(detail=msgspec.json.encode(detail))

    tree = page(f"/meetings/{summary.meeting_id}")

    assert [li.text_content() for li in tree.xpath("//tr[@class='why']//ol/li")] == [
        "Joined at 10:02:11. Left at 10:58:30.",
        "Group <1>: Joined at 10:02:11. Left at 10:58:30.",
    ]


def test_what_fell_on_the_next_day_says_so(page: Any) -> None:
    summary = make_meeting(Attendee(proved=(("23:30", "+1 00:10"),)), began="23:30", ended="+1 00:15")

    assert cells_of(page(f"/meetings/{summary.meeting_id}"), "Ada Lovelace")["Out"] == "00:10:00 (+1)"


def test_a_large_class_has_several_pages(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollcall.reports import meeting_page

    monkeypatch.setattr(meeting_page, "PAGE", 4)
    people = [Attendee(name=f"N{number:02}", uid=str(number)) for number in range(10)]
    summary = make_meeting(*people)
    address = f"/meetings/{summary.meeting_id}"

    tree = page(address)
    seen = rows_of(tree)
    while links := tree.xpath("//a[@rel='next']/@href"):
        tree = page(address + links[0])
        seen += rows_of(tree)
    assert seen == [one.name for one in people]
    page(f"{address}?after={'0' * 32}", status=400)


@pytest.mark.parametrize("count", [1, 300])
def test_a_meetings_page_takes_as_many_queries_for_one_person_as_for_300(
    page: Any, django_assert_num_queries: Any, count: int
) -> None:
    summary = make_meeting(*[Attendee(name=f"N{number}", uid=str(number)) for number in range(count)])

    # Session, account, meeting, people, relay; nine to say why no record came.
    with django_assert_num_queries(14):
        page(f"/meetings/{summary.meeting_id}")


@pytest.mark.parametrize("count", [1, 40])
def test_lists_take_as_many_queries_for_one_row_as_for_40(
    page: Any, django_assert_num_queries: Any, count: int
) -> None:
    for number in range(count):
        make_meeting(
            Attendee(name=f"N{number}", uid=str(number)), name=f"M{number}", day=f"2026-{number % 12 + 1:02}-01"
        )

    with django_assert_num_queries(4):  # session, account, meetings, servers
        page("/meetings?name=n&meeting=m")
    with django_assert_num_queries(5):  # and the names
        page("/people?name=n&meeting=m")


def test_a_meeting_that_is_not_there_says_so(page: Any) -> None:
    for address in (
        "/meetings/1",
        f"/meetings/{10**40}",
        "/meetings/1/facts",
        "/meetings/1.json",
        "/people/" + "0" * 32,
    ):
        page(address, status=404)


# --- people -----------------------------------------------------------------------------------------------------------


def test_two_sites_with_equal_ids_never_mix(page: Any) -> None:
    make_meeting(ADA, site="https://one.example.org", name="One")
    make_meeting(Attendee(name="Ada Lovelace", uid="7"), site="https://two.example.org", name="Two")

    tree = page("/people")
    links = tree.xpath("//tbody/tr/th/a/@href")

    assert len(set(links)) == 2
    assert sorted(row for link in links for row in rows_of(page(link))) == ["One", "Two"]
    for link in links:
        assert len(rows_of(page(link))) == 1
        assert "7" not in urlsplit(link).path.replace("/people/", "")[:0]


def test_a_persons_page_has_all_their_meetings_and_totals(page: Any) -> None:
    make_meeting(ADA, PAPADOPOULOS, name="Algebra", day="2026-11-18", length=(3_600_000, 3_600_000))
    make_meeting(ADA, name="Logic", day="2026-11-19", length=(3_379_000, 3_600_000))

    (link,) = page("/people?name=ada").xpath("//tbody/tr/th/a/@href")
    tree = page(link)

    assert rows_of(tree) == ["Logic", "Algebra"]
    assert cells_of(tree, "Logic")["Share"] == "94–100%"
    assert "1:52:38" in text_of(tree)
    assert "https://moodle.example.org" in text_of(tree)
    assert "Ada" not in link
    for kind in ("csv", "json"):
        response = page.client.get(f"{link}.{kind}")
        assert response.content.count(b"Logic") == 1


def test_a_long_site_is_broken_at_its_dots(page: Any) -> None:
    make_meeting(ADA)

    (site,) = page("/people").xpath("//td[@data-label='Site']")
    assert site.text_content() == "moodle.example.org"
    assert len(site.xpath(".//wbr")) == 2


def test_people_are_paged_without_their_names_in_the_address(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollcall.reports import views

    monkeypatch.setattr(views, "PAGE", 2)
    make_meeting(*[Attendee(name=f"N{number}", uid=f"u{number}") for number in range(5)])
    tree = page("/people")
    seen = rows_of(tree)
    while links := tree.xpath("//a[@rel='next']/@href"):
        assert not re.search("n[0-9]|u[0-9]", links[0])
        tree = page("/people" + links[0])
        seen += rows_of(tree)
    assert seen == ["N0", "N1", "N2", "N3", "N4"]


# --- servers and facts ------------------------------------------------------------------------------------------------


def test_a_server_in_trouble_says_which(page: Any) -> None:
    from rollcall.store.connections import Server

    make_meeting(ADA)
    Server.objects.update(
        trouble="The shared secret is wrong. Compare it with bbb-conf --secret.", polled_at=at("10:00")
    )

    cells = cells_of(page("/servers"), "bbb1https://bbb1.example.org/bigbluebutton/api/")
    assert cells["State"] == "trouble The shared secret is wrong. Compare it with bbb-conf --secret."
    assert cells["Last answered"] == "Fri 20 Nov 2026, 10:00"
    assert cells["Last webhook"] == "–"


def _mapped(kind: str, clock: str, participant: str | None = None, **user: Any) -> bytes:
    attributes: dict[str, Any] = {"meeting": {"internal-meeting-id": "m-1"}}
    if participant:
        attributes["user"] = {"internal-user-id": participant, **user}
    return msgspec.json.encode({"data": {"attributes": attributes, "event": {"ts": at(clock)}, "id": kind}})


def test_the_facts_of_a_person_are_theirs_with_source_and_receipt(page: Any) -> None:
    from rollcall.store.facts import Fact
    from rollcall.store.keys import meeting_key

    summary = make_meeting(ADA, PAPADOPOULOS, internal="m-1")
    mine, other = "w_000000000000", "w_000000000001"
    listed = {"kind": "meeting-listed", "at": at("10:30"), "meeting": "m-1", "present": [[0, 2], [1, 1]], "info": {}}
    identity = msgspec.json.encode({"0": ["7", "Ada Lovelace", "VIEWER"], "1": ["8", "Γ", "VIEWER"]})
    log = [
        ("mapped", "meeting-created", "10:00", _mapped("meeting-created", "10:00"), None),
        ("mapped", "user-joined", "10:02:11", _mapped("user-joined", "10:02:11", mine), None),
        ("mapped", "user-joined", "10:03", _mapped("user-joined", "10:03", other), None),
        ("poll", "meeting-listed", "10:30", msgspec.json.encode(listed), identity),
        (
            "mapped",
            "user-raise-hand-changed",
            "10:40",
            _mapped("user-raise-hand-changed", "10:40", mine, **{"raise-hand": True}),
            None,
        ),
        ("mapped", "user-left", "10:58:30", _mapped("user-left", "10:58:30", mine), None),
        ("mapped", "meeting-ended", "11:00", _mapped("meeting-ended", "11:00"), None),
    ]
    for seq, (source, kind, clock, payload, who) in enumerate(log):
        Fact.objects.create(
            meeting=summary.meeting,
            seq=seq,
            digest=meeting_key(str(seq)),
            source=source,
            kind=kind,
            at=at(clock),
            received_at=at(clock) + 2000,
            payload=payload,
            identity=who,
        )

    tree = page(f"/meetings/{summary.meeting_id}")
    links = [link for link in tree.xpath("//tr[@class='why'][1]//a/@href") if "facts" in link]
    facts = page(links[0])

    cells = "th | td[not(details)] | td/details/summary"
    lines = [[" ".join(cell.text_content().split()) for cell in tr.xpath(cells)] for tr in facts.xpath("//tbody/tr")]
    assert [line[1] for line in lines] == [
        "the meeting was created",
        "joined",
        "the server listed them 2 times",
        "hand up",
        "left",
        "the meeting ended",
    ]
    assert lines[1][:5] == ["2026-11-20 10:02:11", "joined", mine, "webhook", "2026-11-20 10:02:13"]
    assert other not in facts.text_content()
    everything = page(f"/meetings/{summary.meeting_id}/facts")
    assert len(everything.xpath("//tbody/tr")) == len(log)
    assert "the server listed 3 people" in everything.text_content()
    for tree in (facts, everything):
        (title,), (heading,) = tree.xpath("//title/text()"), tree.xpath("//h1")
        assert title == f"{' '.join(heading.text_content().split())} · Rollcall"


def test_every_kind_that_is_kept_has_words() -> None:
    from rollcall.bbb.redact import MAPPED
    from rollcall.reports.facts import _NOTICED, _WHAT

    assert set(MAPPED) <= {*_NOTICED, *_WHAT}


def test_every_fact_of_a_long_class_is_on_some_page(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollcall.reports import views
    from rollcall.store.facts import Fact
    from rollcall.store.keys import meeting_key

    monkeypatch.setattr(views, "FACTS_PAGE", 3)
    summary = make_meeting(internal="m-1")
    for seq in range(8):
        Fact.objects.create(
            meeting=summary.meeting,
            seq=seq,
            digest=meeting_key(str(seq)),
            source="mapped",
            kind="user-joined",
            at=at("10:00"),
            received_at=at("10:00"),
            payload=_mapped("user-joined", "10:00", f"w_{seq}"),
        )
    address = f"/meetings/{summary.meeting_id}/facts"
    tree = page(address)
    seen = tree.xpath("//tbody/tr/td[2]//text()")
    while links := tree.xpath("//a[@rel='next']/@href"):
        tree = page(address + links[0])
        seen += tree.xpath("//tbody/tr/td[2]//text()")
    assert seen == [f"w_{seq}" for seq in range(8)]


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_facts_and_servers_are_files_too_and_their_pages_link_them(
    page: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    from rollcall.reports import views
    from rollcall.store.facts import Fact
    from rollcall.store.keys import meeting_key

    monkeypatch.setattr(views, "FACTS_PAGE", 3)
    summary = make_meeting(ADA, internal="m-1")
    for seq in range(7):
        Fact.objects.create(
            meeting=summary.meeting,
            seq=seq,
            digest=meeting_key(str(seq)),
            source="mapped",
            kind="user-joined",
            at=at("10:00"),
            received_at=at("10:01"),
            payload=_mapped("user-joined", "10:00", "w_000000000000" if seq == 0 else f"w_{seq}"),
        )
    whole = f"/meetings/{summary.meeting_id}/facts"
    (mine,) = [link for link in page(whole[:-6]).xpath("//tr[@class='why']//a/@href") if "facts" in link]

    said = {}
    for address in (whole, mine, "/servers"):
        assert f"{address}.{kind}" in page(address).xpath("//a/@href")
        response = page.client.get(f"{address}.{kind}")
        assert response.status_code == 200
        said[address] = response.content.decode()

    begins = '"kind":"user-joined"' if kind == "json" else "2026-11-20 10:00:00,joined,user-joined"
    assert [said[address].count(begins) for address in (whole, mine)] == [7, 1]
    assert "bbb1.example.org" in said["/servers"]
    if kind == "json":
        (first, *_) = json.loads(said[mine])["facts"]
        assert (first["at"], first["received_at"], first["source"]) == (at("10:00"), at("10:01"), "mapped")
        assert json.loads(said["/servers"])["rollcall"] == "servers/1"


# --- the frame --------------------------------------------------------------------------------------------------------


def test_every_page_has_its_landmarks_and_one_heading(page: Any) -> None:
    summary = make_meeting(ADA)
    key = page("/people").xpath("//tbody/tr/th/a/@href")[0]
    for address in ("/meetings", f"/meetings/{summary.meeting_id}", "/people", key, "/servers"):
        tree = page(address)
        assert len(tree.xpath("//main")) == len(tree.xpath("//h1")) == len(tree.xpath("//header")) == 1
        assert tree.xpath("//html/@lang") == ["en"]
        assert tree.xpath("//title/text()")[0].endswith("· Rollcall")
        labelled = set(tree.xpath("//label/@for"))
        assert all(
            field.get("id") in labelled for field in tree.xpath("//main//input[@type!='hidden'] | //main//select")
        )
        assert not tree.xpath("//*[@style] | //style | //script[not(@src)] | //*[starts-with(name(@*), 'on')]")
        assert not tree.xpath("//@src[contains(., '//')] | //link/@href[contains(., '//')]")
