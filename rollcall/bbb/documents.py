"""Whole records of a meeting, as BigBlueButton leaves them behind: each becomes one fact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rollcall.bbb import callback_kept, recording_kept
from rollcall.bbb.belonging import belongs_to
from rollcall.bbb.callback_kept import CallbackBody, decode_callback
from rollcall.bbb.delivery import TOO_DEEP, read_json
from rollcall.bbb.packed import pack, pack_identity, too_large
from rollcall.bbb.recording import Recording
from rollcall.bbb.recording_kept import Rows, decode_recording
from rollcall.bbb.redact import NotUnderstood, parent_of
from rollcall.core.events import Source
from rollcall.feed.append import LONGEST_BYTES
from rollcall.feed.feed import Arrival
from rollcall.store.keys import fact_digest

if TYPE_CHECKING:
    from rollcall.bbb.recording import Readable

__all__ = ["Document", "NoMeeting", "decode_callback", "decode_recording", "keep_callback", "keep_recording"]

EVENTS_XML, ANALYTICS_CALLBACK, DATA_JSON = "events-xml", "analytics-callback", "data-json"


class NoMeeting(NotUnderstood):
    """A body that does not say of which meeting it is, but when one of which external id began (epoch ms)."""

    def __init__(self, told: CallbackBody) -> None:
        super().__init__(
            "it names no internal meeting id; data.json never does: its folder does, or ?meeting=… in the address"
        )
        self.external_meeting_id = told.external_meeting_id
        self.start = told.start


@dataclass(frozen=True, slots=True)
class Document:
    """A record that can be kept, and what there is to say of it; `events` counts what was kept."""

    arrival: Arrival
    events: int
    is_whole: bool = True
    damage: str = ""
    blank_events: int = 0
    odd_events: int = 0


def keep_recording(stream: Readable, pool_name: str, *, received_at: int, pool: int) -> Document:
    """What is kept of events.xml, not compressed; of a damaged one what stands before the damage.

    NotUnderstood if it is none, Refused if it holds more than can be kept.
    """
    recording = Recording(stream)
    rows = Rows()
    rows.read(recording)
    head = recording_kept.head_of(recording, rows)
    payload, digest = rows.close(head)
    identity, people = pack_identity(rows.people)
    _refuse_too_much(payload, identity)
    arrival = Arrival(
        pool=pool,
        meeting=head["meeting"],
        source=Source.RECORDING,
        kind=EVENTS_XML,
        at=head["first_at"],
        received_at=received_at,
        digest=fact_digest(pool_name, digest, people),
        payload=payload,
        identity=identity,
        parent=parent_of(head.get("parent"), head["meeting"]),
        is_end=True,
        belongs_to=belongs_to(head.get("external_meeting_id"), head.get("metadata", {}), pool_name),
    )
    return Document(
        arrival, rows.count, recording.is_whole(), recording.damage, recording.blank_events, recording.odd_events
    )


def keep_callback(body: bytes, pool_name: str, *, received_at: int, pool: int, meeting: str = "") -> Document:
    """What is kept of an analytics callback or of data.json, which does not say its internal meeting id: `meeting`.

    NotUnderstood if it is neither, Refused if it holds more than can be kept.
    """
    try:
        told = CallbackBody(read_json(body), meeting)
    except RecursionError:
        raise NotUnderstood(TOO_DEEP) from None
    if not told.meeting:
        raise NoMeeting(told)
    payload, digest = pack(told.payload)
    identity, people = pack_identity(told.people)
    _refuse_too_much(payload, identity)
    arrival = Arrival(
        pool=pool,
        meeting=told.meeting,
        source=Source.CALLBACK,
        kind=ANALYTICS_CALLBACK if told.payload["form"] == callback_kept.CALLBACK else DATA_JSON,
        at=told.start,
        received_at=received_at,
        digest=fact_digest(pool_name, digest, people),
        payload=payload,
        identity=identity,
        is_end=True,
        belongs_to=belongs_to(told.external_meeting_id, told.metadata, pool_name),
    )
    return Document(arrival, callback_kept.edges(told.payload))


def _refuse_too_much(payload: bytes, identity: bytes | None) -> None:
    if len(payload) + len(identity or b"") > LONGEST_BYTES:
        raise too_large(f"over {LONGEST_BYTES >> 20} MiB compressed")
