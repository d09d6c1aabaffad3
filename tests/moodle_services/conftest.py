from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests import makers
from tests.makers import Attendee
from tests.moodle_web_services import SEED, Site, web_services

if TYPE_CHECKING:
    from rollcall.store.platforms import Platform


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A Moodle on this machine, which the operator allows."""
    monkeypatch.setenv("ROLLCALL_LMS_HOSTS", "127.0.0.1")
    with web_services() as running:
        yield running


@pytest.fixture
def platform(site: Site, db: None) -> Platform:
    """The same, registered, with a class that one person came to."""
    platform: Platform = makers.make_platform(makers.make_organisation(), site.base)
    met(platform)
    return platform


def met(platform: Platform, *people: str, course: int = 2, instance: int = 1, day: str = makers.DAY) -> None:
    """A class of an activity of this Moodle."""
    external = f"{SEED}-{course}-{instance}[0]"
    attendees = [Attendee(name=f"Person {one}", uid=one) for one in people or ("4",)]
    summary = makers.make_meeting(
        *attendees, site=platform.site, organisation=platform.organisation_id, day=day, internal=f"{external}-{day}"
    )
    type(summary).objects.filter(pk=summary.pk).update(external_meeting_id=external)
