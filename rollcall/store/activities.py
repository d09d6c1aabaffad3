"""The activities of one course that have had a meeting, by what their last one was called."""

from __future__ import annotations

from typing import Final, NamedTuple

from rollcall.store.derived import Summary
from rollcall.store.keys import course_key

LATEST: Final = 1000
"""Meetings that are looked at: a course that has more than these has had its activities in them."""


class KnownActivity(NamedTuple):
    """`key` is Summary.activity_key in hexadecimal; `last_at` is when its last meeting began (epoch ms)."""

    key: str
    name: str
    last_at: int


def activities_of(organisation: int, site: str, context_id: str) -> list[KnownActivity]:
    """Those of this course, the one that met last first."""
    found = Summary.objects.filter(course__key=course_key(site, context_id, organisation)).order_by("-started_at")
    known: dict[str, KnownActivity] = {}
    for key, name, at in found.values_list("activity_key", "name", "started_at")[:LATEST]:
        hexed = bytes(key).hex()
        known.setdefault(hexed, KnownActivity(hexed, name, at))
    return list(known.values())
