"""The named queries answer the same on every database."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.makers import Attendee, at, make_fact, make_meeting

pytestmark = pytest.mark.usefixtures("database")

ADA = Attendee(name="Ada Lovelace", uid="7")
PAPADOPOULOS = Attendee(name="ΠΑΠΑΔΟΠΟΥΛΟΣ Γεώργιος", uid="8")
PAPADOPOULOU = Attendee(name="Παπαδοπούλου Μαρία", uid="9")
MULLER = Attendee(name="Jürgen Müller", uid="10")


def names(summaries: list[Any]) -> list[str]:
    return [summary.name for summary in summaries]


def found(**wanted: Any) -> list[str]:
    from rollcall.store.searching import Filter, each_meeting

    return names(list(each_meeting(Filter(**wanted))))


def people(**wanted: Any) -> list[Any]:
    from rollcall.store.searching import Filter, every

    return list(every("people", Filter(**wanted)))


def test_meetings_are_found_by_each_filter_and_by_all_together() -> None:
    from rollcall.store.reading import State

    make_meeting(ADA, name="Algebra", day="2026-11-18", server="bbb1")
    make_meeting(MULLER, name="Ιστορία", day="2026-11-19", server="bbb2")
    make_meeting(ADA, MULLER, name="Algebra II", day="2026-11-20", ended=None)

    assert found() == ["Algebra", "Ιστορία", "Algebra II"]
    assert found(name="lovelace ADA") == ["Algebra", "Algebra II"]
    assert found(name="mueller") == ["Ιστορία", "Algebra II"]
    assert found(meeting="istoria") == ["Ιστορία"]
    assert found(meeting="ext-algebra ii") == ["Algebra II"]
    assert found(server="bbb2") == ["Ιστορία"]
    assert found(since=at("10:00", "2026-11-19"), until=at("10:00", "2026-11-20")) == ["Ιστορία"]
    assert found(state=State.RUNNING) == ["Algebra II"]
    assert found(state=State.ENDED, as_of=at("11:09", "2026-11-19")) == ["Ιστορία"]
    assert found(state=State.SETTLED, as_of=at("11:10", "2026-11-19")) == ["Algebra", "Ιστορία"]
    assert found(name="muller", meeting="algebra", server="bbb1", state=State.RUNNING) == ["Algebra II"]


@pytest.mark.parametrize("query", ["???", "%", "_", "zzz"])
def test_a_query_that_names_nobody_finds_nobody(query: str) -> None:
    make_meeting(ADA)

    assert found(name=query) == []
    assert people(name=query) == []


def test_a_name_must_be_one_persons() -> None:
    make_meeting(Attendee(name="Ada Miller", uid="1"), Attendee(name="Emmy Lovelace", uid="2"))

    assert found(name="ada lovelace") == []


@pytest.mark.parametrize("way", ["sorted", "walked"])
def test_pages_hold_every_meeting_once_though_others_arrive_between(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollcall.store.searching import Filter, page, scope

    if way == "walked":
        monkeypatch.setattr(scope, "MOST", 0)
    for number in range(7):
        make_meeting(name=f"M{number}", began="10:00" if number % 2 else "11:00", day=f"2026-11-{10 + number // 2}")
    before = names(page("meetings", Filter()).rows)

    seen: list[str] = []
    after = ""
    for number in itertools.count():
        here = page("meetings", Filter(), limit=2, after=after)
        seen += names(here.rows)
        if not here.after:
            break
        after = here.after
        make_meeting(name=f"new {number}", day="2026-11-25")
    assert seen == before
    back = page("meetings", Filter(), before=after, limit=3)
    assert names(back.rows) == before[2:5]


def test_meetings_that_began_together_are_in_the_order_of_their_ids() -> None:
    for internal in ("b-1", "a-1", "c-1"):
        make_meeting(name=internal, internal=internal)

    assert found() == ["a-1", "b-1", "c-1"]


def test_a_person_is_of_one_site() -> None:
    from rollcall.store.searching import Filter, person

    make_meeting(ADA, site="https://one.example.org", day="2026-11-18")
    make_meeting(ADA, site="https://one.example.org", day="2026-11-19")
    make_meeting(Attendee(name="Ada Miller", uid="7"), site="https://two.example.org", day="2026-11-20")

    both = people()

    assert [(one.name, one.site, one.meetings) for one in both] == [
        ("Ada Lovelace", "https://one.example.org", 2),
        ("Ada Miller", "https://two.example.org", 1),
    ]
    assert both[0].proved_ms == 2 * both[1].proved_ms
    assert person(both[0].key, Filter()) == both[0]
    assert people(name="miller") == both[1:]


def test_a_renamed_person_keeps_all_meetings_and_the_latest_name() -> None:
    make_meeting(ADA, day="2026-11-18")
    make_meeting(Attendee(name="Ada King", uid="7"), day="2026-11-19")

    for query in ("lovelace", "king"):
        assert [(one.name, one.meetings) for one in people(name=query)] == [("Ada King", 2)]


def test_totals_are_unknown_while_the_person_is_in() -> None:
    make_meeting(ADA, day="2026-11-18")
    make_meeting(Attendee(uid="7", proved=(("10:00", "10:05"),), possible=(("10:00", None),), end="open"), ended=None)

    (ada,) = people()
    assert ada.possible_ms is None
    assert ada.proved_ms == at("10:58:30") - at("10:02:11") + 5 * 60_000


def test_guests_and_callers_are_nobody_elsewhere() -> None:
    make_meeting(Attendee(kind="guest"), Attendee(kind="dial-in"), Attendee(kind="connection"))

    assert people() == []


def test_the_history_of_a_person_goes_backwards() -> None:
    from rollcall.store.searching import Filter, page

    for day in ("2026-11-18", "2026-11-19", "2026-11-20"):
        make_meeting(ADA, MULLER, name=day, day=day)
    wanted = Filter(person=people(name="ada")[0].key)

    first = page("attendances", wanted, limit=2)
    rest = page("attendances", wanted, limit=2, after=first.after)
    assert [one.summary.name for one in (*first.rows, *rest.rows)] == ["2026-11-20", "2026-11-19", "2026-11-18"]


def test_the_people_of_a_meeting_stand_by_name_whatever_the_script() -> None:
    from rollcall.store.reading import attendees

    summary = make_meeting(PAPADOPOULOU, MULLER, PAPADOPOULOS, ADA)

    assert [one.external_user_id for one in attendees(summary)] == ["7", "10", "8", "9"]


def test_a_rooms_page_is_the_meetings() -> None:
    from rollcall.store import reading
    from rollcall.store.facts import Meeting
    from rollcall.store.keys import meeting_key

    summary = make_meeting(ADA)
    room = Meeting.objects.create(
        pool=summary.meeting.pool, key=meeting_key("room"), internal_meeting_id="room", root=summary.meeting
    )

    for pk in (summary.meeting_id, room.pk):
        shown = reading.meeting(pk)
        assert shown is not None
        assert shown.pk == summary.pk
    assert reading.meeting(room.pk + 1) is None
    assert reading.meeting(10**30) is None


def test_facts_are_paged_by_time_over_all_rooms() -> None:
    from rollcall.store.facts import Meeting
    from rollcall.store.keys import meeting_key
    from rollcall.store.reading import FactCursor, facts

    summary = make_meeting(ADA)
    room = Meeting.objects.create(
        pool=summary.meeting.pool, key=meeting_key("room"), internal_meeting_id="room", root=summary.meeting
    )
    for seq, (meeting, clock) in enumerate(
        [(room, "10:05"), (summary.meeting, "10:01"), (room, "10:01"), (summary.meeting, "10:09")]
    ):
        make_fact(meeting, seq, "user-joined", at(clock))

    first = facts(summary, limit=2)
    last = first[-1]
    rest = facts(summary, limit=9, after=FactCursor.of(last))
    assert [one.at for one in first] == [at("10:01")] * 2
    assert [one.at for one in rest] == [at("10:05"), at("10:09")]
