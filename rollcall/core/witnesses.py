"""What each witness said of one meeting, told apart: the live ones, and the best of the records made after it.

A record is one document with many events. Of several of a kind the best speaks alone: a whole one before a partial
one, then the one with more events, then the lesser digest, so that the order of arrival decides nothing.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rollcall.core.events import ORDER, AttendeeReported, MeetingRecorded, MeetingReported, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rollcall.core.events import Anything

DOCUMENT_BYTES: Final = 16
"""The digests of all events of one document begin with so many bytes of the document's own."""

WEBHOOKS, POLLS, CALLBACK, RECORDING = "webhooks", "polls", "callback", "recording"
"""The witnesses, as pages name them."""

PARTIAL: Final = "partial"


@dataclass(slots=True)
class Testimony:
    """One meeting's events by witness, each in time order. A recording that is not whole speaks among the live ones."""

    live: list[Anything] = field(default_factory=list)
    recording: MeetingRecorded | None = None
    recorded: list[Anything] = field(default_factory=list)
    callback: MeetingReported | None = None
    attendees: list[AttendeeReported] = field(default_factory=list)

    def has_record(self) -> bool:
        """Whether a document came that can settle anything."""
        return self.callback is not None or self.is_recorded()

    def is_recorded(self) -> bool:
        """Whether a whole events.xml came."""
        return self.recording is not None and self.recording.is_whole

    def best_record(self) -> str:
        """recording, callback, partial (an events.xml that is not whole), or blank."""
        if self.is_recorded():
            return RECORDING
        if self.callback is not None:
            return CALLBACK
        return "" if self.recording is None else PARTIAL


def tell_apart(events: Iterable[Anything]) -> Testimony:
    """The testimony of these events, which are sorted and have no repeats."""
    testimony = Testimony()
    recordings: defaultdict[bytes, list[Anything]] = defaultdict(list)
    callbacks: defaultdict[bytes, list[Anything]] = defaultdict(list)
    recording, callback = Source.RECORDING, Source.CALLBACK
    for event in events:
        source = event.source
        if source is recording:
            recordings[event.digest[:DOCUMENT_BYTES]].append(event)
        elif source is callback:
            callbacks[event.digest[:DOCUMENT_BYTES]].append(event)
        else:
            testimony.live.append(event)
    if recordings:
        _choose_recording(testimony, recordings.values())
    if callbacks:
        _choose_callback(testimony, callbacks.values())
    return testimony


def rank_of_recording(head: MeetingRecorded) -> tuple[bool, int, bytes]:
    """The least of several is the one that speaks."""
    return not head.is_whole, -head.events, head.digest


def rank_of_callback(head: MeetingReported) -> tuple[int, bytes]:
    """The least of several is the one that speaks."""
    return -head.events, head.digest


def _choose_recording(testimony: Testimony, documents: Iterable[list[Anything]]) -> None:
    headed = [(head, told) for told in documents for head in told if isinstance(head, MeetingRecorded)]
    if not headed:
        return
    head, told = min(headed, key=lambda one: rank_of_recording(one[0]))
    testimony.recording = head
    # In the order of the file, which knows of two events in one millisecond which came first.
    rest = (event for event in told if event is not head)
    testimony.recorded = sorted(rest, key=lambda event: (event.at, event.digest))
    if not head.is_whole:
        testimony.live = sorted([*testimony.live, *testimony.recorded], key=ORDER)


def _choose_callback(testimony: Testimony, documents: Iterable[Sequence[Anything]]) -> None:
    headed = [(head, told) for told in documents for head in told if isinstance(head, MeetingReported)]
    if not headed:
        return
    head, told = min(headed, key=lambda one: rank_of_callback(one[0]))
    testimony.callback = head
    testimony.attendees = [event for event in told if isinstance(event, AttendeeReported)]
