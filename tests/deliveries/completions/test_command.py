"""`rollcall completion`, and what the doctor says of deliveries."""

from __future__ import annotations

import json

import pytest

from rollcall.cli import run
from rollcall.core.deliveries import Step, Way
from rollcall.doctor import completions
from rollcall.doctor.findings import Level
from rollcall.store import licensing
from rollcall.store.audit import AuditEntry
from rollcall.store.owed import CompletionTarget, Owing, Receiver
from tests.deliveries.completions.outbox_world import DOWN, Lms, Worker, make_target, owe, row_of, wish
from tests.deliveries.world import Clock

pytestmark = pytest.mark.django_db(transaction=True)
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def target() -> CompletionTarget:
    return make_target()


def test_the_list_says_what_keeps_each(
    lms: Lms, worker: Worker, clock: Clock, target: CompletionTarget, capsys: Capture
) -> None:
    assert run(["completion", "list"]) == 0
    assert "Nothing is owed." in capsys.readouterr().out
    owe(target, "7", "8\x1b[2J", now=clock)
    lms.says = lambda order: DOWN if order.user_id == "7" else None
    worker.work()
    assert run(["completion", "list"]) == 0
    out = capsys.readouterr().out
    assert "Algebra  7" in out
    assert "\x1b" not in out
    assert run(["completion", "list", "--all", "--platform", "moodle.ex", "--activity", "alg", "--format", "json"]) == 0
    rows = {row["person"][0]: row for row in json.loads(capsys.readouterr().out)}
    assert (rows["7"]["state"], rows["8"]["state"]) == ("due", "sent")
    assert rows["7"]["sentence"]


def test_what_a_person_decides(
    lms: Lms, worker: Worker, clock: Clock, target: CompletionTarget, capsys: Capture
) -> None:
    owe(target, "7", wish("8", step=Step.HISTORY), now=clock)
    number = str(row_of("7").pk)
    assert run(["completion", "resend", number]) == 1
    assert run(["completion", "cancel", number]) == 0
    assert row_of("7").state == Owing.CANCELLED
    assert run(["completion", "retry", number]) == 0
    assert run(["completion", "retry"]) == 1
    assert run(["completion", "retry", "--all", "moodle.example"]) == 0
    assert run(["completion", "stop", "moodle.example", "moodle"]) == 0
    assert Receiver.objects.get().is_stopped
    assert run(["completion", "start", "moodle.example", "moodle"]) == 0
    assert not Receiver.objects.get().is_stopped
    assert run(["completion", "start", "moodle.example", "ags"]) == 1
    assert run(["completion", "send-history", "Alg", "--way", "moodle"]) == 0
    assert run(["completion", "send-history", "Geometry"]) == 1
    assert row_of("8").state == Owing.DUE
    assert AuditEntry.objects.filter(subject="delivery", actor="command line").count() == 6
    assert "Verdicts that are sent now: 1." in capsys.readouterr().out


def test_a_name_that_fits_several_is_refused(target: CompletionTarget, clock: Clock, capsys: Capture) -> None:
    owe(target, "7", now=clock)
    make_target(name="Algebra II", site="https://other.moodle.example")
    assert run(["completion", "stop", "moodle.example", "moodle"]) == 1
    assert "https://other.moodle.example" in capsys.readouterr().err
    assert run(["completion", "stop", "other.moodle", "moodle"]) == 0
    assert run(["completion", "send-history", "algebra"]) == 1
    assert "Algebra II" in capsys.readouterr().err


def test_the_doctor_names_each_trouble(
    lms: Lms, worker: Worker, clock: Clock, target: CompletionTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(licensing, "now_ms", clock)
    assert "Verdicts handed over: 0." in completions.check()[0].sentence
    owe(target, "7", now=clock)
    clock.now += completions.LATE_MS + 1
    (late,) = completions.check()
    assert "nobody has tried" in late.sentence
    lms.says = lambda _: DOWN
    worker.work()
    (down,) = completions.check()
    assert down.level is Level.FAULT
    assert "Verdicts that wait: 1." in down.sentence
    Receiver.objects.update(is_stopped=True)
    (stopped,) = completions.check()
    assert "stopped" in stopped.sentence
    Receiver.objects.update(is_stopped=False, trouble="")
    CompletionTarget.objects.update(trouble="gone")
    (found,) = completions.check()
    assert found.about.endswith("Algebra")


def test_each_way_has_a_receiver_of_its_own(clock: Clock) -> None:
    for way in Way:
        make_target(way, name=f"by {way}")
    assert len(completions.check()) == len(Way)
