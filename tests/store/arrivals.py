"""Arrivals with real defaults, for tests of the log."""

from __future__ import annotations

import json
from typing import Any

from rollcall.feed.feed import Arrival, Unreadable
from rollcall.store.connections import Pool
from rollcall.store.facts import Fact, Meeting
from rollcall.store.keys import fact_digest, meeting_key

NOON = 1_795_262_400_000
LESSON = "183f0bf3a0982a127bdb8161e0c44eb696b3e75c-1795262400000"


def make_pool(name: str = "school") -> Pool:
    """A BigBlueButton server's name space."""
    return Pool.objects.create(name=name)


def joined(pool: Pool, participant: str = "w_ada", meeting: str = LESSON, **given: Any) -> Arrival:
    """One happening, which differs by participant and meeting."""
    payload = json.dumps({"kind": "user-joined", "meeting": meeting, "participant": participant}).encode()
    identity = json.dumps({"external_user_id": "7", "name": "Ada"}).encode()
    whole: dict[str, Any] = {
        "pool": pool.pk,
        "meeting": meeting,
        "source": "mapped",
        "kind": "user-joined",
        "at": NOON,
        "received_at": NOON + 40,
        "digest": fact_digest(pool.name, payload, identity),
        "payload": payload,
        "identity": identity,
    }
    return Arrival(**(whole | given))


def unreadable(pool: Pool, text: str = "?") -> Unreadable:
    """Something genuine that is no JSON."""
    return Unreadable(pool.pk, NOON, len(text), fact_digest(pool.name, text.encode(), None), "bearer", "DecodeError")


def meeting(pool: Pool, internal_meeting_id: str = LESSON) -> Meeting:
    """The row of a meeting, found as the log finds it."""
    return Meeting.objects.get(pool=pool, key=meeting_key(internal_meeting_id))


def log_of(row: Meeting) -> list[bytes]:
    """The payloads of a meeting in the order of their seq, which has no gaps and ends where the counter stands."""
    facts = list(Fact.objects.filter(meeting=row).order_by("seq"))
    assert [fact.seq for fact in facts] == list(range(1, row.last_seq + 1))
    assert len({bytes(fact.digest) for fact in facts}) == len(facts)
    return [bytes(fact.payload) for fact in facts]
