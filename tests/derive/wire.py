"""A simulated class on its way from the wire to the fold, without a server or a database between."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from typing import TYPE_CHECKING

from rollcall.bbb.payloads import decode
from rollcall.bbb.redact import redact
from rollcall.core.events import Listed, MeetingListed, MeetingMissing, Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollcall.core.events import Anything
    from rollcall.simulate.sendings import Sending
    from rollcall.simulate.truth import Meeting, Truth

ROUND_MS = 30_000


def events_of(sendings: Iterable[Sending]) -> list[Anything]:
    """What the log would hold of these deliveries: redacted, each fact once, decoded."""
    kept = (redact(element) for sending in sendings for element in sending.elements)
    facts = {fact_bytes(one.payload, one.identity): one for one in kept if one is not None}
    return [event for digest, one in facts.items() for event in decode(one.source, digest, one.payload, one.identity)]


def fact_bytes(payload: bytes, identity: bytes | None) -> bytes:
    """A digest as good as the log's."""
    return blake2b(payload + b"\0" + (identity or b""), digest_size=16).digest()


def polls_of(truth: Truth, *, phase_ms: int = 11_321) -> list[Anything]:
    """Every answer of getMeetings, for the class and each of its breakout rooms."""
    found: list[Anything] = []
    for meeting in truth.meetings:
        times = range(truth.started_at + phase_ms, truth.ended_at + 3 * ROUND_MS, ROUND_MS)
        found += [_poll(meeting, at) for at in times if meeting.created_at <= at]
    return found


def _poll(meeting: Meeting, at: int) -> Anything:
    stamped = at // 1_000 * 1_000
    digest = fact_bytes(f"{meeting.internal_meeting_id} {stamped}".encode(), None)
    about = {"meeting": meeting.internal_meeting_id, "at": stamped, "source": Source.POLL, "digest": digest}
    if not meeting.runs(at):
        return MeetingMissing(**about)  # type: ignore[arg-type]  # each value has its type
    counts = Counter(stay.external_user_id for stay in meeting.present(at) if not stay.person.is_dial_in)
    names = {stay.external_user_id: stay.person for stay in meeting.stays}
    return MeetingListed(
        **about,  # type: ignore[arg-type]  # each value has its type
        present=tuple(
            Listed(external_user_id=who, count=count, name=names[who].name, role=names[who].role)
            for who, count in sorted(counts.items())
        ),
        external_meeting_id=meeting.external_meeting_id,
        name=meeting.name,
        is_breakout=meeting.parent is not None,
        parent=meeting.parent,
        created_at=meeting.created_at,
        metadata=meeting.metadata,
    )
