"""What the doctor says of rosters."""

from __future__ import annotations

from typing import Any

import pytest

from rollcall.doctor import rosters
from rollcall.doctor.findings import Level
from rollcall.lti import refreshing
from rollcall.store.platforms import Platform
from tests.lti.asked_platform import DAY_MS, HOUR_MS, make_context
from tests.lti.service_standin import Site
from tests.makers import at

pytestmark = pytest.mark.django_db
NOW = at("12:00")


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(refreshing, "now_ms", lambda: NOW)
    return Site(base="https://moodle.example.org")


def test_without_an_lms_there_is_nothing_to_say() -> None:
    assert rosters.check() == []


@pytest.mark.parametrize(
    ("course", "platform", "level", "sentence"),
    [
        ({"roster_at": NOW - HOUR_MS}, {}, Level.FINE, "read 60 minutes ago"),
        ({}, {}, Level.FINE, "No roster has been read yet"),
        (
            {"roster_trouble": "gone 404 Not Found"},
            {},
            Level.WARNING,
            "no such course, or no such column. (404 Not Found)",
        ),
        ({"roster_due_at": NOW - 4 * DAY_MS}, {}, Level.WARNING, "due days ago: 1"),
        ({}, {"token_trouble": "keys-unreachable 404"}, Level.FAULT, "its page for errors"),
        ({"roster_due_at": None, "roster_trouble": "gone"}, {}, Level.FINE, "No roster"),
    ],
)
def test_one_that_cannot_be_read_is_told_with_what_to_do(
    site: Site, course: dict[str, Any], platform: dict[str, Any], level: Level, sentence: str
) -> None:
    make_context(site, **course)
    Platform.objects.update(**platform)
    (finding,) = rosters.check()
    assert finding.level is level
    assert sentence in finding.sentence
    assert finding.hint or level is Level.FINE
