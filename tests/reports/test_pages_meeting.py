"""The page of one meeting."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.makers import Attendee, make_meeting
from tests.reports.browsing import ADA, cells_of, rows_of, text_of

pytestmark = pytest.mark.django_db


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
    page: Any, django_assert_max_num_queries: Any, count: int
) -> None:
    summary = make_meeting(*[Attendee(name=f"N{number}", uid=str(number)) for number in range(count)])

    # Session, account (2), organisations (2), meeting with its course, people, relay, audit log (3); eight to say why
    # no record came, and one for the first page of a process. No roster, nor who usually comes: it has no course.
    with django_assert_max_num_queries(20):
        page(f"/meetings/{summary.meeting_id}")


@pytest.mark.parametrize("path", ["/meetings", "/attendances", "/people", "/courses"])
def test_lists_take_about_as_many_queries_for_40_rows_as_for_two(page: Any, path: str) -> None:
    taken = []
    for first, end in ((0, 2), (2, 40)):
        for number in range(first, end):
            one = Attendee(name=f"N{number}", uid=str(number))
            make_meeting(one, name=f"M{number}", day=f"2026-{number % 12 + 1:02}-01", course=f"c{number}")
        with CaptureQueriesContext(connection) as queries:
            page(f"{path}?meeting=m")
        taken.append(len(queries))
    assert taken[1] <= taken[0] + 4  # none by the row; what comes to more may be counted in portions


def test_a_meeting_that_is_not_there_says_so(page: Any) -> None:
    for address in (
        "/meetings/1",
        f"/meetings/{10**40}",
        "/meetings/1/facts",
        "/meetings/1.json",
        "/people/" + "0" * 32,
    ):
        page(address, status=404)
