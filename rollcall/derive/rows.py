"""A folded meeting as the rows of store/derived.py: values only, the same bytes for the same facts."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rollcall.core.engagement import UNSEEN, Engagement
from rollcall.core.evidence import LIVE
from rollcall.core.intervals import OPEN
from rollcall.core.people import USER
from rollcall.core.signs import NO_SIGNS
from rollcall.core.witnesses import CALLBACK, RECORDING
from rollcall.derive.held import held_from, pack
from rollcall.store.derived import SEARCHED
from rollcall.store.keys import course_key, guests_key, key_of, person_key
from rollcall.store.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rollcall.core.attendance import Attendance
    from rollcall.core.events import MeetingRecorded, MeetingReported
    from rollcall.core.evidence import Session
    from rollcall.core.intervals import Span
    from rollcall.core.meeting import FoldedMeeting, FoldedRoom, Note
    from rollcall.derive.ownership import Owner

FOLD_VERSION = 5
"""Raise it when the same facts would fold to other rows: every meeting is then folded again by itself."""

ACTIVITY_VERSION = 1
"""The same where the same evidence would come to other verdicts: every activity is then judged again by itself."""

COUNTED: Final = tuple(field.name for field in fields(Engagement))

_encoder = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True)
class Rows:
    """Column values of one Summary, and of its Attendance rows by attendee key.

    `people` are the entries of the directory by which each attendee is found, `course` that of the course, each with
    its key; they stand for the columns `person_id` and `course_id`, which only the database knows. `evidence` is what
    the meeting says to the policy of its activity.
    """

    summary: dict[str, Any]
    attendance: dict[bytes, dict[str, Any]]
    people: dict[bytes, dict[str, Any]]
    course: dict[str, Any] | None
    evidence: dict[str, Any]


def rows_of(folded: FoldedMeeting, pool: str, owner: Owner, heard_at: int) -> Rows:
    """Everything a family's pages show, and what its activity is judged by. `heard_at`: the first fact was received."""
    summary = _summary(folded, pool, owner)
    people = {key_of(*attendance.key): _entry(attendance, owner) for attendance in folded.attendances}
    return Rows(
        summary=summary,
        attendance=dict(_attendance(attendance, folded, owner) for attendance in folded.attendances),
        people=people,
        course=_course(owner, summary["context_id"]),
        evidence={name: summary[name] for name in ("organisation", "activity_key", "started_at")}
        | {"packed": pack(held_from(folded), heard_at)},
    )


def _entry(attendance: Attendance, owner: Owner) -> dict[str, Any]:
    """Who this is in the directory: a user of the LMS, or whoever had this name there without an identity."""
    organisation, site = owner
    if attendance.key.kind == USER and attendance.external_user_id:
        known = attendance.external_user_id
        return {
            "key": person_key(site, known, organisation),
            "is_user": True,
            "organisation": organisation,
            "site": site,
            "external_user_id": known,
            "external_key": key_of(known),
        }
    name_key = fold_name(attendance.name)
    names = {"names_key": name_key, "sort_key": sort_key(name_key, key_of(site, "", name_key))}
    nobody = {"is_user": False, "organisation": organisation, "site": site}
    unknown = {"external_user_id": "", "external_key": key_of("")}
    return {"key": guests_key(site, name_key, organisation)} | nobody | unknown | names


def _course_name(metadata: Mapping[str, str]) -> str:
    """Its full name with its short one: "Introduction to Logic (LOG)", so that it is found and known by either."""
    full = (metadata.get("bbb-context-name") or metadata.get("bbb-context") or "").strip()
    short = (metadata.get("bbb-context-label") or "").strip()
    return f"{full} ({short})" if full and short and full != short else full or short


def _course(owner: Owner, context_id: str) -> dict[str, Any] | None:
    if not context_id:
        return None
    key = course_key(owner.site, context_id, owner.organisation)
    return {"key": key, "organisation": owner.organisation, "site": owner.site, "context_id": context_id}


def sort_key(name_key: str, key: bytes) -> bytes:
    """The order of people: by folded name, and of one name by key."""
    return order_of(name_key) + b"\0" + key


def order_of(name_key: str) -> bytes:
    """The order of what has a name, the same on every database; those alike in the beginning are of one place."""
    return name_key.encode()[:60]


def _summary(folded: FoldedMeeting, pool: str, owner: Owner) -> dict[str, Any]:
    activity = folded.activity(pool)
    activity_site = owner.site if activity.site == folded.site(pool) else activity.site
    name_key = fold_name(folded.name)
    return {
        "pool_name": pool,
        "external_meeting_id": folded.external_meeting_id,
        "external_key": key_of(folded.external_meeting_id),
        "name": folded.name,
        "name_key": name_key,
        "sort_key": order_of(name_key),
        "organisation": owner.organisation,
        "site": owner.site,
        "site_key": key_of(owner.site),
        "context_id": folded.metadata.get("bbb-context-id") or activity.course,
        "context_label": _course_name(folded.metadata),
        "activity_key": key_of(activity_site, activity.course, activity.instance),
        "group_id": activity.group,
        "started_at": folded.started_at,
        "ended_proved_at": folded.ran_until,
        "ended_possible_at": folded.ended_at,
        "settles_at": folded.settles_at,
        "record": folded.record,
        "unwitnessed_ms": folded.coverage[0],
        "witnessed_once_ms": folded.coverage[1],
        "witnessed_twice_ms": folded.coverage[2],
        "attendees": len(folded.attendances),
        "present": sum(attendance.is_open() for attendance in folded.attendances),
        "person_ms": sum(attendance.proved_ms() for attendance in folded.attendances),
        "length_ms": None if folded.ended_at is None else folded.ended_at - folded.started_at,
        "fold_version": FOLD_VERSION,
        "detail": _encoder.encode(
            {
                "meetings": [_room(room) for room in folded.rooms],
                "blind": folded.blind,
                "notes": [_note(note) for note in folded.notes],
                "length": folded.length,
                "coverage": folded.coverage,
                "disagreements": folded.disagreements,
                "changes": folded.changes,
            }
        ),
    }


def _room(room: FoldedRoom) -> dict[str, Any]:
    return {
        "meeting": room.meeting,
        "name": room.name,
        "is_breakout": room.is_breakout,
        "created_at": room.created_at,
        "started_at": room.started_at,
        "ended_at": (room.ran_until, room.ended_at),
        "end_reason": room.end_reason,
        "witnesses": {
            "webhooks": _heard(room.webhooks),
            "polls": _heard(room.polls),
            "callback": room.callback and _callback(room.callback, room.reported),
            "recording": room.recording and _recording(room.recording),
        },
    }


def _heard(told: tuple[int, int, int] | None) -> dict[str, int] | None:
    return None if told is None else {"count": told[0], "first_at": told[1], "last_at": told[2]}


def _callback(head: MeetingReported, attendees: int) -> dict[str, Any]:
    return {
        "form": head.form,
        "generation": head.generation,
        "attendees": attendees,
        "at": head.at,
        "finish_at": head.finish_at,
    }


def _recording(head: MeetingRecorded) -> dict[str, Any]:
    return {
        "is_whole": head.is_whole,
        "damage": head.damage,
        "blank_events": head.blank_events,
        "events": head.events,
        "at": head.at,
        "last_at": head.last_at,
        "end_reason": head.end_reason,
        "version": head.version,
    }


def _note(note: Note) -> dict[str, Any]:
    return {
        "code": note.code,
        "meeting": note.meeting,
        "participant": note.participant or None,
        "at": note.at,
        "count": note.count,
    }


def _attendance(attendance: Attendance, folded: FoldedMeeting, owner: Owner) -> tuple[bytes, dict[str, Any]]:
    key = key_of(*attendance.key)
    name_key = fold_name(attendance.name)
    possible = attendance.possible
    return key, {
        "sort_key": sort_key(name_key, key),
        "organisation": owner.organisation,
        "started_at": folded.started_at,
        "kind": attendance.key.kind,
        "external_user_id": attendance.external_user_id,
        "name": attendance.name,
        "name_key": name_key,
        "role": attendance.role,
        "first_in_at": possible[0][0] if possible else None,
        "last_out_at": None if attendance.is_open() or not possible else possible[-1][1],
        "is_present": attendance.is_open(),
        "proved_ms": attendance.proved_ms(),
        "possible_ms": attendance.possible_ms(),
        "share": _share(attendance.proved_ms(), folded.length[1]),
        **{name: getattr(attendance.engagement, name).seen for name in SEARCHED},
        "detail": _encoder.encode(
            {
                "proved": attendance.proved,
                "possible": _spans(possible),
                "sessions": [_session(session) for session in attendance.sessions],
                "engagement": _engagement(attendance.engagement),
                "witnesses": _witnesses(attendance, folded.live.get(attendance.key)),
            }
            | ({} if attendance.signs == NO_SIGNS else {"signs": attendance.signs})
        ),
    }


def _share(proved_ms: int, longest_ms: int | None) -> int | None:
    """Thousandths of the class's longest length, rounded down: never more than was attended."""
    return min(1000, 1000 * proved_ms // longest_ms) if longest_ms else None


def _witnesses(attendance: Attendance, live: tuple[int, int | None] | None) -> dict[str, Any]:
    """What each witness says of the person's time, as [proved, possible] ms; null: it says nothing."""
    whole = attendance.proved_ms(), attendance.possible_ms()
    best = {session.witness for session in attendance.sessions}
    return {
        "live": whole if best <= {LIVE} and best else live,
        **{name: whole if best == {name} else None for name in (CALLBACK, RECORDING)},
    }


def _span(span: Span) -> tuple[int, int | None]:
    return span[0], None if span[1] == OPEN else span[1]


def _spans(spans: Iterable[Span]) -> list[tuple[int, int | None]]:
    return [_span(span) for span in spans]


def _session(session: Session) -> dict[str, Any]:
    return {
        "meeting": session.meeting,
        "participant": session.participant,
        "joined_at": session.joined_at,
        "left_at": session.left_at,
        "proved": session.proved,
        "possible": _span(session.possible),
        "start": session.start,
        "end": session.end,
        "witness": session.witness,
    }


def _engagement(engagement: Engagement) -> dict[str, Any]:
    """What was counted; what is left out was not seen, though there may have been some."""
    counted = ((name, getattr(engagement, name)) for name in COUNTED)
    return {name: {"seen": count.seen, "is_exact": count.is_exact} for name, count in counted if count != UNSEEN}
