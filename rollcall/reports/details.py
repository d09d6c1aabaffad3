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


UNSEEN = Count()
"""None was seen, though there may have been some: it is not known."""


class Engagement(msgspec.Struct, frozen=True):
    """What one person did; durations (`…_ms`) are milliseconds."""

    chats: Count = Count()
    raise_hands: Count = Count()
    emojis: Count = Count()
    poll_answers: Count = Count()
    cameras: Count = Count()
    talks: Count = Count()
    talk_ms: Count = Count()
    away_ms: Count = Count()
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
    witness: str = ""


Times = tuple[int, int | None]
"""How long, in ms: at least, at most (None: still growing)."""


class Said(msgspec.Struct, frozen=True):
    """One person's time as each witness alone would have it: all that was heard live, the callback, events.xml."""

    live: Times | None = None
    callback: Times | None = None
    recording: Times | None = None


class AttendanceDetail(msgspec.Struct, frozen=True):
    """Attendance.detail."""

    proved: tuple[Span, ...] = ()
    possible: tuple[OpenSpan, ...] = ()
    sessions: tuple[Session, ...] = ()
    engagement: Engagement = Engagement()
    witnesses: Said = Said()


class Heard(msgspec.Struct, frozen=True):
    """What came while the meeting ran: how often, from when to when."""

    count: int
    first_at: int
    last_at: int


class Reported(msgspec.Struct, frozen=True):
    """The analytics callback: of so many people, from `at` to `finish_at`."""

    form: str = "callback"
    generation: str = ""
    attendees: int = 0
    at: int | None = None
    finish_at: int | None = None


class Recorded(msgspec.Struct, frozen=True):
    """An events.xml; `damage` is a code, blank for none."""

    is_whole: bool = False
    damage: str = ""
    blank_events: int = 0
    events: int = 0
    last_at: int | None = None
    end_reason: str | None = None
    version: str | None = None


class Witnesses(msgspec.Struct, frozen=True):
    """What each witness told of one meeting; None: it did not come."""

    webhooks: Heard | None = None
    polls: Heard | None = None
    callback: Reported | None = None
    recording: Recorded | None = None


class Room(msgspec.Struct, frozen=True):
    """One meeting of the family; `ended_at` is between the two."""

    meeting: str
    name: str = ""
    is_breakout: bool = False
    created_at: int | None = None
    started_at: int | None = None
    ended_at: tuple[int | None, int | None] = (None, None)
    witnesses: Witnesses = Witnesses()


class Disagreement(msgspec.Struct, frozen=True):
    """What a witness said otherwise than a better one: `who` as (kind, id) and `at` go together, one entry each."""

    code: str
    meeting: str
    witness: str
    against: str
    who: tuple[tuple[str, str], ...] = ()
    at: tuple[int, ...] = ()


class Change(msgspec.Struct, frozen=True):
    """What a record changed for one person, (kind, id)."""

    who: tuple[str, str]
    by: str
    before: Times
    after: Times


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
    disagreements: tuple[Disagreement, ...] = ()
    changes: tuple[Change, ...] = ()


class _Proved(msgspec.Struct, frozen=True):
    """The part of Attendance.detail that files of millions of rows read."""

    proved: tuple[Span, ...] = ()


_ATTENDANCE = msgspec.json.Decoder(AttendanceDetail)
_PROVED = msgspec.json.Decoder(_Proved)
_SUMMARY = msgspec.json.Decoder(SummaryDetail)


def attendance_detail(kept: bytes | memoryview) -> AttendanceDetail:
    """Read Attendance.detail."""
    return _ATTENDANCE.decode(kept)


def proved_spans(kept: bytes | memoryview) -> tuple[Span, ...]:
    """Attendance.detail.proved, without the rest of it."""
    return _PROVED.decode(kept).proved


def summary_detail(kept: bytes | memoryview) -> SummaryDetail:
    """Read Summary.detail."""
    return _SUMMARY.decode(kept)
