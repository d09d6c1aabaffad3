"""The JSON that the folds keep beside a derived row, as typed values (see Summary.detail and Attendance.detail)."""

from __future__ import annotations

import msgspec

Span = tuple[int, int]
OpenSpan = tuple[int, int | None]
"""Half-open, in epoch ms; an end of None is still to come."""


class Count(msgspec.Struct, frozen=True):
    """At least `seen`; exactly so many if a witness that can know it was heard."""

    seen: int = 0
    is_exact: bool = False


class Engagement(msgspec.Struct, frozen=True):
    """What one person did; the two durations are milliseconds."""

    chats: Count = Count()
    raise_hands: Count = Count()
    emojis: Count = Count()
    poll_answers: Count = Count()
    cameras: Count = Count()
    talk_ms: Count = Count()
    camera_ms: Count = Count()


class Session(msgspec.Struct, frozen=True):
    """One stay of one connection; a participant "" was only ever listed. The codes say what each end rests on."""

    meeting: str
    participant: str
    start: str
    end: str
    joined_at: int | None = None
    left_at: int | None = None
    proved: tuple[Span, ...] = ()
    possible: OpenSpan | None = None


class AttendanceDetail(msgspec.Struct, frozen=True):
    """Attendance.detail."""

    proved: tuple[Span, ...] = ()
    possible: tuple[OpenSpan, ...] = ()
    sessions: tuple[Session, ...] = ()
    engagement: Engagement = Engagement()


class Room(msgspec.Struct, frozen=True):
    """One meeting of the family; `ended_at` is between the two."""

    meeting: str
    name: str = ""
    is_breakout: bool = False
    created_at: int | None = None
    started_at: int | None = None
    ended_at: tuple[int | None, int | None] = (None, None)


class Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something odd that the fold met."""

    code: str
    meeting: str = ""
    participant: str | None = None
    at: int | None = None
    count: int | None = None


class SummaryDetail(msgspec.Struct, frozen=True):
    """Summary.detail. `length` is first join to last leave of anybody: at least, at most (None while it runs)."""

    meetings: tuple[Room, ...] = ()
    blind: tuple[tuple[int, int | None, str], ...] = ()
    notes: tuple[Note, ...] = ()
    length: tuple[int, int | None] | None = None


_ATTENDANCE = msgspec.json.Decoder(AttendanceDetail)
_SUMMARY = msgspec.json.Decoder(SummaryDetail)


def attendance_detail(kept: bytes | memoryview) -> AttendanceDetail:
    """Read Attendance.detail."""
    return _ATTENDANCE.decode(kept)


def summary_detail(kept: bytes | memoryview) -> SummaryDetail:
    """Read Summary.detail."""
    return _SUMMARY.decode(kept)
