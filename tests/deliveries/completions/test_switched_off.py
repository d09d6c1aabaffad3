"""What is owed to a target that was switched off is on its way nowhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from rollcall.cli import run
from rollcall.core.deliveries import Way
from rollcall.doctor import completions
from rollcall.doctor.findings import Level
from rollcall.store.owed import CompletionTarget, Receiver
from rollcall.store.owed_reading import health_of, rows_of
from rollcall.store.searching.completions import completions_page
from rollcall.store.searching.wanted import Filter
from tests.deliveries.completions.outbox_world import make_target, owe, row_of

if TYPE_CHECKING:
    from tests.deliveries.world import Clock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receiver(clock: Clock) -> Receiver:
    """In trouble, with a row that was due when its target was switched off."""
    target = make_target()
    owe(target, "7", now=clock)
    CompletionTarget.objects.filter(pk=target.pk).update(is_on=False)
    Receiver.objects.update(trouble="unreachable", paused_until=2**52)
    return Receiver.objects.get()


def test_it_is_not_on_its_way(receiver: Receiver) -> None:
    (health,) = health_of([receiver])

    assert (health.states, health.wants_a_person) == ({}, 0)
    assert rows_of(receiver, "due", limit=9) == []


def test_no_report_says_that_it_is_to_be_sent(receiver: Receiver) -> None:
    (row,) = completions_page(Filter(), limit=9).rows

    assert receiver.trouble
    assert row.owed == ()
    assert not completions_page(Filter(delivery="due"), limit=9).rows


@pytest.mark.usefixtures("receiver")
def test_the_command_line_lists_it_only_with_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "list", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert run(["completion", "list", "--all"]) == 0
    assert "switched off" in capsys.readouterr().out


@pytest.mark.usefixtures("receiver")
def test_nobody_is_told_that_it_is_sent_within_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "retry", str(row_of("7").pk)]) == 1
    assert "switched off" in capsys.readouterr().err


@pytest.mark.usefixtures("receiver")
def test_trouble_that_keeps_nothing_is_no_fault_and_says_what_to_do() -> None:
    (found,) = completions.check()

    assert (found.level, bool(found.hint)) == (Level.WARNING, True)


def test_the_list_names_the_lms_the_way_and_the_state(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    owe(make_target(Way.MOODLE), "7", now=clock)

    assert run(["completion", "list"]) == 0
    out = capsys.readouterr().out
    assert "to be sent" in out
    assert "Completion in Moodle" in out
    assert "moodle.example" in out
