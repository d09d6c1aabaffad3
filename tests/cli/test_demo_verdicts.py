"""The demo's teachers have asked something of their classes, and one of them knew better than what was measured."""

from __future__ import annotations

import pytest

from rollcall.cli import run
from rollcall.cli.demo_verdicts import decide_all
from rollcall.derive.activity import refold_activity
from rollcall.store.completions import Completion
from rollcall.store.decisions import Activity, Decision
from tests.makers import Attendee, at, make_meeting, make_organisation

pytestmark = pytest.mark.django_db

NOW = at("12:00")


def make_classes() -> int:
    organisation: int = make_organisation().pk
    people = [Attendee(name="Ada", uid="1"), Attendee(name="Bob", uid="2")]
    for day in ("2026-11-08", "2026-11-15", "2026-11-22"):
        make_meeting(*people, name="Logic", course="47", label="Logic (LOG)", day=day, organisation=organisation)
    make_meeting(*people, name="Algebra", course="12", label="Algebra (ALG1)", organisation=organisation)
    return organisation


def test_policies_are_published_once_and_judge_everybody() -> None:
    organisation = make_classes()
    decide_all("demo", organisation, NOW)
    decide_all("demo", organisation, NOW + 1)

    assert Activity.objects.count() == 2
    assert list(Decision.objects.filter(activity__label="Logic").order_by("seq").values_list("kind", flat=True)) == [
        *("policy", "hours", "switch", "correction")
    ]
    for activity in Activity.objects.all():
        assert refold_activity(activity.pk, now=NOW)
    assert Completion.objects.filter(activity__label="Logic").count() == 2
    assert Completion.objects.filter(is_corrected=True).count() == 1


def test_a_person_is_explained_with_their_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    organisation = make_classes()
    decide_all("demo", organisation, NOW)
    for activity in Activity.objects.all():
        refold_activity(activity.pk, now=NOW)

    assert run(["explain", "algebra", "1"]) == 0

    told = capsys.readouterr().out
    assert "This class: Was there. Time attended: " in told
    assert "The activity: Not met yet. Time attended: " in told
