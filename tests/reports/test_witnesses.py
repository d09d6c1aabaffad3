"""The page of a meeting says who witnessed it, who is missing and why, and where they do not agree."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from rollcall.reports import rows
from rollcall.reports.witnesses import Block, block
from rollcall.store import reading
from rollcall.store.connections import Server
from tests.reports.three_witnesses import WITNESSES, class_of, keep

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = {"webhooks": "webhooks", "polls": "polls", "callback": "analytics callback", "recording": "events.xml"}


def shown(summary: Any, *, later_ms: int = 30 * 86_400_000) -> Block:
    people = reading.attendees(summary)
    group = rows.meeting_group(summary, people, as_of=summary.started_at + later_ms)
    found = block(group.subject, people, zone=timezone.get_default_timezone())
    assert found is not None
    return found


def test_all_four_are_there() -> None:
    found = shown(keep(class_of(), *WITNESSES))
    assert [line.standing for line in found.lines] == ["whole"] * 4
    assert found.missing == ""
    assert found.cause is None
    assert "Settled: a whole events.xml is in" in found.settled
    assert any("came on" in sentence for sentence in found.lines[3].sentences)
    assert found.coverage_sentence.startswith("100 %") or found.coverage_sentence.startswith(">99 %")


@pytest.mark.parametrize("missing", WITNESSES)
def test_whichever_is_missing_is_named_with_the_likely_cause(missing: str) -> None:
    found = shown(keep(class_of(), *(name for name in WITNESSES if name != missing)))
    assert found.missing == NAMES[missing]
    (line,) = [line for line in found.lines if line.standing == "missing"]
    assert line.name == NAMES[missing]
    assert line.sentences


def test_without_any_record_the_cause_is_said_even_where_the_block_is_folded() -> None:
    found = shown(keep(class_of(), "webhooks", "polls"))
    assert found.missing == "analytics callback, events.xml"
    assert found.cause is not None
    assert found.cause.sentence
    assert found.cause.mend


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
    assert found.changed is not None
    assert found.changed.sentence.startswith("events.xml changed ")
    assert all("→" in person for person in found.changed.people)


def test_the_rooms_are_told_with_their_own_witnesses() -> None:
    found = shown(keep(class_of(rooms=2), "webhooks", "recording"))
    assert len(found.rooms) == 2
    assert all("webhooks, events.xml" in room.sentence for room in found.rooms)


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
    group = rows.meeting_group(summary, people, as_of=summary.started_at)
    zone = timezone.get_default_timezone()
    return str(attendees_to_html(group.rows[:1], rows.ATTENDEE_COLUMNS, zone, caption=""))


def test_talk_time_is_known_from_a_file_and_not_known_without_one_and_never_0() -> None:
    assert "Not known: talk time, time away." in engagement_line(keep(class_of(), "webhooks"))
    told = engagement_line(keep(class_of(days=1), "webhooks", "recording"))
    assert "talk time: " in told
    assert "Not known" not in told
