"""The page of a meeting says who witnessed it, who is missing and why, and where they do not agree."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.utils import timezone

from rollcall.reports.meeting_rows import meeting_group
from rollcall.reports.tables.attendees import ATTENDEE_COLUMNS
from rollcall.reports.witnesses import Block, block
from rollcall.store import reading
from rollcall.store.connections import Server
from tests.reports.three_witnesses import WITNESSES, class_of, keep

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = {"webhooks": "webhooks", "polls": "polls", "callback": "analytics callback", "recording": "events.xml"}


def shown(summary: Any, *, later_ms: int = 30 * 86_400_000, runs_it: bool = True) -> Block:
    people = reading.attendees(summary)
    group = meeting_group(summary, people, as_of=summary.started_at + later_ms)
    found = block(group.subject, people, zone=timezone.get_default_timezone(), runs_it=runs_it)
    assert found is not None
    return found


def test_all_four_are_there() -> None:
    found = shown(keep(class_of(), *WITNESSES))
    assert [line.standing for line in found.lines] == ["whole"] * 4
    assert found.missing == ""
    assert found.cause is None
    assert "Settled: a whole events.xml is in" in found.settled
    assert any("came on" in sentence for sentence in found.lines[3].sentences)
    assert found.coverage_sentence.startswith("100%")


@pytest.mark.parametrize(
    ("missing", "cause"),
    [
        ("webhooks", "without-webhooks"),
        ("polls", "without-polls"),
        ("callback", "sent-elsewhere"),
        ("recording", "callback-alone"),
    ],
)
def test_whichever_is_missing_is_named_with_the_likely_cause(missing: str, cause: str) -> None:
    summary = keep(class_of(), *(name for name in WITNESSES if name != missing))
    Server.objects.update(added_at=0, has_hooks=missing != "webhooks", is_polled=missing != "polls")
    found = shown(summary)
    assert found.missing == NAMES[missing]
    (line,) = [line for line in found.lines if line.standing == "missing"]
    assert (line.name, line.code) == (NAMES[missing], cause)
    assert line.sentences


@pytest.mark.parametrize(
    ("changed", "missing", "cause"),
    [
        ({"added_at": 0, "arrived_at": None}, "webhooks", "never-any"),
        ({"added_at": 0, "arrived_at": 1}, "webhooks", "none-of-this-meeting"),
        ({"added_at": 0, "arrived_at": 1}, "polls", "not-listed"),
        ({"added_at": 1_999_999_999_999}, "webhooks", "before-connected"),
        (None, "polls", "not-connected"),
    ],
)
def test_why_nothing_was_heard(changed: dict[str, Any] | None, missing: str, cause: str) -> None:
    summary = keep(class_of(), *(name for name in WITNESSES if name != missing))
    if changed is None:
        Server.objects.all().delete()
    else:
        Server.objects.update(**changed)
    (line,) = [line for line in shown(summary).lines if line.standing == "missing"]
    assert line.code == cause


def test_without_any_record_the_cause_is_said_even_where_the_block_is_folded() -> None:
    found = shown(keep(class_of(), "webhooks", "polls"))
    assert found.missing == "analytics callback, events.xml"
    assert found.cause is not None
    assert found.cause.sentence
    assert found.cause.mend


def test_who_does_not_run_it_is_told_nothing_of_other_meetings_of_the_server() -> None:
    summary = keep(class_of(), "webhooks")
    found = shown(summary, runs_it=False)
    assert found.cause is not None
    assert (found.cause.code, found.cause.mend) == ("lost", "")
    said = " ".join(sentence for line in found.lines if line.standing == "missing" for sentence in line.sentences)
    assert "server" not in f"{found.cause.sentence} {said}"
    assert not any(line.mend for line in found.lines)
    assert found.lines[1].code == "none-of-this-meeting"
    soon = shown(summary, later_ms=45 * 60_000, runs_it=False).cause
    assert soon is not None
    assert soon.may_come


def test_a_record_that_may_still_come_is_not_called_missing() -> None:
    summary = keep(class_of(), "webhooks", "polls")
    Server.objects.update(reported_at=1)
    found = shown(summary, later_ms=45 * 60_000)
    assert found.missing == ""
    assert found.cause is not None
    assert found.cause.may_come


def test_what_webhooks_lost_is_said_in_sentences_with_people_and_times() -> None:
    truth = class_of()
    found = shown(keep(truth, *WITNESSES, without=("user-left",)))
    (one,) = found.disagreements
    assert one.sentence.startswith("Webhooks lost the leave of ")
    assert any(stay.person.name in " ".join((*one.people, *one.rest)) for stay in truth.root.stays)
    assert found.lines[0].standing == "partly"


def test_what_the_record_changed_is_said_for_each_person() -> None:
    found = shown(keep(class_of(), *WITNESSES, without=("user-left",)))
    (changed,) = found.changed
    assert re.fullmatch(r"events\.xml made the time of \d+ people exact\.", changed.sentence)
    assert all("→" in person for person in changed.people)


def change(before: tuple[int, int | None], after: tuple[int, int]) -> dict[str, Any]:
    return {"who": ["user", "7"], "by": "recording", "before": before, "after": after}


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        ([((60_000, 90_000), (70_000, 70_000))], ["events.xml made the time of 1 person exact."]),
        ([((60_000, None), (70_000, 70_000))], ["events.xml made the time of 1 person exact."]),
        ([((60_000, 90_000), (70_000, 80_000))], ["events.xml narrowed the time of 1 person down."]),
        ([((60_000, 90_000), (90_900, 90_900))], ["events.xml made the time of 1 person exact."]),
        (
            [((60_000, 90_000), (70_000, 70_000)), ((60_000, 90_000), (91_000, 91_000)), ((9_000, 9_000), (1, 1))],
            [
                "events.xml changed the time of 2 people: it lies outside of what was known before.",
                "events.xml made the time of 1 person exact.",
            ],
        ),
    ],
)
def test_whose_time_was_wrong_is_told_before_whose_is_better_known(changes: Any, sentences: list[str]) -> None:
    from tests.makers import Attendee, make_meeting

    found = shown(make_meeting(Attendee(), record="recording", changes=tuple(change(*one) for one in changes)))
    assert [one.sentence for one in found.changed] == sentences


def test_what_no_clock_shows_is_no_part_of_the_coverage() -> None:
    from tests.makers import make_meeting

    found = shown(make_meeting(coverage=(999, 400, 3_598_601)))
    assert found.coverage_sentence == "100% (59:59) by two or more"
    assert [(part.begins, part.percent) for part in found.coverage] == [("0.00", "100.00")]


def test_the_rooms_are_told_with_their_own_witnesses() -> None:
    found = shown(keep(class_of(rooms=2), "webhooks", "recording"))
    assert len(found.rooms) == 2
    assert all("webhooks, events.xml" in room.sentence for room in found.rooms)


def test_a_room_named_from_right_to_left_does_not_turn_its_sentence() -> None:
    found = shown(keep(class_of(rooms=1, name="مبادئ علم الفلك"), *WITNESSES, without=("user-left",)))
    name = "\N{FIRST STRONG ISOLATE}مبادئ علم الفلك (Room 1)\N{POP DIRECTIONAL ISOLATE}: "
    assert found.rooms[0].sentence == f"{name}webhooks, polls, events.xml"
    assert any(one.sentence.startswith(f"{name}Webhooks lost ") for one in found.disagreements)


def test_a_running_meeting_waits_for_its_record() -> None:
    from tests.makers import Attendee, make_meeting

    summary = make_meeting(Attendee(possible=(("10:02:11", None),)), ended=None)
    found = shown(summary, later_ms=600_000)
    assert found.missing == ""
    assert [line.standing for line in found.lines] == ["waiting"] * 4
    assert found.settled.startswith("Not settled: the meeting runs")


def engagement_line(summary: Any) -> str:
    from rollcall.reports.to_html import attendees_to_html

    people = reading.attendees(summary)
    group = meeting_group(summary, people, as_of=summary.started_at)
    zone = timezone.get_default_timezone()
    return str(attendees_to_html(group.rows[:1], ATTENDEE_COLUMNS, zone, caption=""))


def test_talk_time_is_known_from_a_file_and_not_known_without_one_and_never_0() -> None:
    assert "Not known: talk time, time away." in engagement_line(keep(class_of(), "webhooks"))
    told = engagement_line(keep(class_of(days=1), "webhooks", "recording"))
    assert "talk time: " in told
    assert "Not known" not in told
