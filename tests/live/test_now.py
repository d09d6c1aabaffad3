"""Who is in now, their signs, who has just joined and left; and the page that shows it."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from rollcall.live import now_html, snapshot
from rollcall.live.fragment import change
from rollcall.live.now import JUST_MS, Now, read_now
from rollcall.live.wire import change_chunk, whole_chunk
from rollcall.store import reading
from tests.live.watching import ada, come, running, sign
from tests.makers import Attendee, at, make_meeting, operator

pytestmark = pytest.mark.django_db(transaction=True)

UTC = ZoneInfo("UTC")
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<!--live-room-->",
    "\u202eevil\u202c",
    "=cmd()|' /C calc'!A0",
    "a\r\n\r\nevent: done\r\ndata: x",
    "x" * 10_240,
)


def ben(*possible: tuple[str, str | None], name: str = "Ben", **more: Any) -> Attendee:
    proved = tuple((start, end or start) for start, end in possible)
    given: dict[str, Any] = {"end": "left" if possible[-1][1] else "open"} | more
    return Attendee(name=name, uid=name, proved=proved, possible=possible, **given)


def now_of(*others: Attendee, as_of: str = "10:20") -> Now:
    summary = running(*others)
    return read_now(reading.attendees(summary), as_of=at(as_of))


def html_of(summary: Any, as_of: str = "10:20") -> str:
    return now_html.fragment(summary, as_of=at(as_of), zone=UTC).html()


def test_who_is_in_and_who_has_been() -> None:
    now = now_of(ben(("10:01", "10:05")), ben(("10:06", "10:08"), name="Cyd"), ben(("10:10", None), name="Dee"))
    assert [one.name for one in now.present] == ["Ada", "Dee"]
    assert (now.everybody, now.peak) == (4, 2)


def test_who_goes_makes_room_for_who_comes_at_the_same_instant() -> None:
    assert now_of(ben(("10:01", "10:05")), ben(("10:05", "10:08"), name="Cyd")).peak == 2


def test_just_now_is_five_minutes_and_the_newest_comes_first() -> None:
    assert JUST_MS == 5 * 60_000
    now = now_of(
        ben(("10:01", "10:15")),
        ben(("10:01", "10:15:01"), name="Cyd"),
        ben(("10:03", "10:04"), ("10:18", None), name="Dee"),
    )
    assert [(one.name, one.has_joined) for one in now.moves] == [("Dee", True), ("Cyd", False)]


def test_a_join_or_leave_that_was_not_heard_is_told_by_what_is_certain() -> None:
    listed = Attendee(
        name="Cyd", uid="9", proved=(("10:18", "10:18"),), possible=(("10:00", None),), start="first-sign", end="open"
    )
    summary = running(ben(("10:16", "10:19"), end="absent"), listed)
    assert [(one.name, one.is_told) for one in read_now(reading.attendees(summary), as_of=at("10:20")).moves] == [
        ("Ben", False),
        ("Cyd", False),
    ]
    shown = html_of(summary)
    assert "in by 10:18:00" in shown
    assert "last seen 10:19:00" in shown


def test_signs_are_shown_with_the_time_they_began() -> None:
    summary = running(ben(("10:10", None)))
    sign(summary, hand_at=at("10:12:30"), camera_at=at("10:11"), away_at=None)
    sign(summary, "Ben", hand_at=at("10:12:00"))
    now = read_now(reading.attendees(summary), as_of=at("10:20"))
    assert [one.name for one in now.hands] == ["Ben", "Ada"]
    assert now.cameras == 1
    shown = html_of(summary)
    assert "Hand up since 10:12:30" in shown
    assert "Camera on since 10:11:00" in shown
    assert "Away" not in shown


def test_everybody_at_once_is_a_number() -> None:
    shown = html_of(running(*(ben(("10:16", None), name=f"Ben {number}") for number in range(40))))
    assert "and 20 more" in shown
    assert shown.count('class="joined"') == now_html.MOST_MOVES


def test_what_keeps_something_from_being_seen_is_said() -> None:
    from rollcall.store.derived import Summary

    summary = running(blind=(("10:15", "10:16", "hook-missing"),))
    assert "messages may be missing" not in html_of(summary)
    detail = bytes(summary.detail).replace(str(at("10:16")).encode(), b"null")
    Summary.objects.update(detail=detail)
    shown = html_of(reading.meeting(summary.meeting_id))
    assert "Since 10:15:00 messages may be missing: the server had lost our webhook." in shown


@pytest.mark.parametrize("form", snapshot.FORMS)
def test_names_from_outside_are_text(form: str) -> None:
    summary = running(*(ben(("10:16", None), name=name) for name in HOSTILE))
    taken = snapshot.take(snapshot.View(summary.meeting_id, UTC, "en", form))
    assert taken is not None
    shown = taken.html()
    assert "<script" not in shown
    assert "<img" not in shown
    assert "&lt;script&gt;" in shown
    assert "&lt;!--live-room--&gt;" in shown


def test_a_name_starts_no_event_of_its_own() -> None:
    summary = running()
    old = now_html.fragment(summary, as_of=at("10:20"), zone=UTC)
    come(summary, *HOSTILE)
    new = now_html.fragment(summary, as_of=at("10:20"), zone=UTC)
    found = change(old, new, now_html.news(old, new))
    assert found is not None
    for chunk in (whole_chunk(new), change_chunk(found, is_last=False)):
        assert [line for line in chunk.plain.splitlines() if line.startswith(b"event: done")] == []
        assert chunk.plain.count(b"\n\n") == 1


def test_what_is_read_out_names_few_and_counts_many() -> None:
    summary = running(ben(("10:16", None)))
    old = now_html.fragment(summary, as_of=at("10:20"), zone=UTC)
    come(summary, "Cyd", "")
    few = now_html.news(old, now_html.fragment(summary, as_of=at("10:20"), zone=UTC))
    assert sorted(few) == ["(no name) joined.", "Cyd joined."]
    come(summary, *"EFGHIJ")
    new = now_html.fragment(summary, as_of=at("10:20"), zone=UTC)
    assert now_html.news(old, new) == ["8 people joined."]
    assert now_html.news(new, old) == ["8 people left."]


def test_of_a_server_that_is_silent_nobody_knows_who_is_in() -> None:
    from rollcall.store.connections import Server

    summary = running()
    Server.objects.update(polled_at=at("10:15"), arrived_at=at("10:16"))

    def shown(clock: str) -> str:
        return now_html.fragment(summary, as_of=at(clock), zone=UTC).html()

    assert "Nothing has been heard of the server" not in shown("10:18")
    assert "Nothing has been heard of the server since" in shown("10:46")


# --- the page ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def signed_in(client: Client, django_user_model: Any) -> Client:
    client.force_login(operator(django_user_model, "teacher"))
    return client


def test_the_page_shows_the_class_without_scripts(signed_in: Client) -> None:
    summary = running()
    shown = signed_in.get(f"/meetings/{summary.meeting_id}/live").content.decode()
    assert "Ada" in shown
    assert f'data-watch="/meetings/{summary.meeting_id}/watch?form=live"' in shown
    assert "<!--live" not in shown


def test_only_a_running_class_is_live(signed_in: Client, client: Client) -> None:
    over = make_meeting(ada())
    answer = signed_in.get(f"/meetings/{over.meeting_id}/live")
    assert (answer.status_code, answer["Location"]) == (302, f"/meetings/{over.meeting_id}")
    assert signed_in.get(f"/meetings/{over.meeting_id + 1}/live").status_code == 404
    client.logout()
    assert client.get(f"/meetings/{over.meeting_id}/live").status_code == 302


def test_a_room_is_watched_with_its_class(signed_in: Client) -> None:
    from rollcall.store.derived import Summary
    from rollcall.store.facts import Meeting

    summary, room = running(), running(began="10:05")
    Meeting.objects.filter(pk=room.meeting_id).update(root=summary.meeting_id)
    Summary.objects.filter(pk=room.pk).delete()
    answer = signed_in.get(f"/meetings/{room.meeting_id}/live")
    assert answer["Location"] == f"/meetings/{summary.meeting_id}/live"


def test_the_page_asks_the_database_no_more_for_many(signed_in: Client, django_assert_max_num_queries: Any) -> None:
    summary = running(*(ben(("10:16", None), name=f"Ben {number}") for number in range(60)))
    signed_in.get(f"/meetings/{summary.meeting_id}/live")  # the first page of a process asks one thing more
    # Session, account (2), staff session; the organisations (2); the meeting and its people; the audit log (2).
    with django_assert_max_num_queries(9):
        signed_in.get(f"/meetings/{summary.meeting_id}/live")
