"""A small school, and programs that read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache
from django.test import Client

from tests.makers import Attendee, make_meeting

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1_763_640_000_000


@pytest.fixture
def school(db: None) -> Any:
    cache.clear()
    people = [Attendee(), Attendee(name="Ανθή Δημοπούλη", uid="8"), Attendee(name="Guest", kind="guest", uid="g")]
    make_meeting(*people, name="Logic", day="2026-11-19", course="c1", label="Mathematics")
    return make_meeting(*people, name="Algebra", day="2026-11-20", course="c1", label="Mathematics")


@pytest.fixture
def program(school: Any) -> Callable[..., Client]:
    """A client with a token of its own; without an organisation it reads everything."""
    from rollcall.store import tokens

    def make(*scopes: str, organisation: Any = None, **times: int) -> Client:
        now = times.pop("now", NOW)
        _, text = tokens.make(organisation, "program", scopes, now=now, **times)
        return Client(headers={"Authorization": f"Bearer {text}"})

    return make
