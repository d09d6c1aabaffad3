"""Refold a family: read its log, fold, replace what was derived. The only place that writes derived rows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import Case, F, Min, Value, When

from rollcall.core.meeting import fold_meeting
from rollcall.derive.directory import (
    enter_course,
    enter_people,
    lock_courses,
    note_changed,
    recount,
    recount_courses,
)
from rollcall.derive.ownership import owner_of
from rollcall.derive.rows import Rows, rows_of
from rollcall.feed.append import adopt
from rollcall.feed.demanding import demand_named
from rollcall.store.completions import Evidence
from rollcall.store.derived import Attendance, Orphan, Seen, Summary
from rollcall.store.facts import Fact, Meeting
from rollcall.store.keys import key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rollcall.core.meeting import FoldedRoom
    from rollcall.derive.log import Log

ROWS_AT_ONCE = 100
RUNNING_MS = 60_000
"""So often at most the verdicts of an activity follow a class that still runs…"""
OVER_MS = 2_000
"""…and so soon one that is over, with what else comes at its end."""
_TRIES = 3
_OF_COURSE = ("course_id", "context_label", "started_at")


def refold(root: int, log: Log) -> bool:
    """Bring the derived rows of the family whose root has this primary key up to its log; False if overtaken."""
    meeting = Meeting.objects.select_related("pool").filter(pk=root, root__isnull=True).first()
    if meeting is None:
        return False
    seen = meeting.appended
    rooms = Meeting.objects.filter(root_id=root).order_by("pk").values_list("pk", "is_refused")
    family = [(root, meeting.is_refused), *rooms]
    members = [pk for pk, _ in family]
    log.forget(pk for pk, is_refused in family if is_refused)  # what is cached may be kept no more
    events = log.events(members)
    folded = fold_meeting(events, root=meeting.internal_meeting_id) if events else None
    owner = owner_of(meeting.pool, folded) if folded else None
    rows = rows_of(folded, meeting.pool.name, owner, _heard_at(members)) if folded and owner else None

    def is_owned_so() -> bool:
        return folded is None or owner_of(meeting.pool, folded) == owner

    touched = _store(meeting, members, rows, folded.rooms[0] if folded else None, seen=seen, is_right=is_owned_so)
    if touched is None:
        return False
    if folded is not None:
        # After the commit: of a room and its class folded at one moment, one at least then sees the other.
        for child, parent in _find_families(meeting, folded.rooms[0]):
            adopt(child, parent)
    recount(touched)
    if folded is not None and folded.is_over():
        log.forget(members)
    return True


def _heard_at(members: Iterable[int]) -> int:
    """When the first fact of a family was received (epoch ms)."""
    first = Fact.objects.filter(meeting_id__in=members, seq=1).aggregate(at=Min("received_at"))
    return first["at"] or 0


def _store(
    meeting: Meeting,
    members: list[int],
    rows: Rows | None,
    root: FoldedRoom | None,
    *,
    seen: int,
    is_right: Callable[[], bool],
) -> set[int | None] | None:
    """Replace what was derived in one transaction; return whose rows changed, None if another fold is newer.

    The same where it is somebody else's by now (`is_right`): it stays due.
    """
    for attempt in range(_TRIES):
        if rows is not None:
            enter(rows)
        try:
            with transaction.atomic():
                if not advance(meeting.pk, folded=seen):
                    return None
                if not is_right():
                    transaction.set_rollback(True)
                    return None
                _demand_activities(members, rows)
                touched = replace_derived(meeting.pk, members, rows)
                if root is not None:
                    _note_families(meeting, root)
                return touched
        except IntegrityError:
            # Between the two somebody was taken out of the directory, having had no row left: they are entered again.
            if attempt == _TRIES - 1:
                raise
    return None


def _demand_activities(members: list[int], rows: Rows | None) -> None:
    """The activity that the meeting is one of, and the one that it was one of until now, are to be judged anew."""
    before = Summary.objects.filter(meeting_id__in=members).values_list("organisation", "activity_key")
    owned = {(organisation, bytes(key)) for organisation, key in before}
    if rows is not None:
        owned.add((rows.summary["organisation"], rows.summary["activity_key"]))
    is_over = rows is None or rows.summary["ended_possible_at"] is not None
    demand_named(owned, within_ms=OVER_MS if is_over else RUNNING_MS)


def advance(root: int, *, folded: int) -> bool:
    """True for the one worker whose fold is newer than what is stored. What has come meanwhile stays due."""
    return (
        Meeting.objects.filter(pk=root, root__isnull=True, folded__lt=folded).update(
            folded=folded,
            folded_at=time.time_ns() // 1_000_000,
            due_at=Case(When(appended__gt=folded, then=F("due_at")), default=Value(None)),
        )
        == 1
    )


def enter(rows: Rows) -> None:
    """See to it that everybody in these rows, and their course, have an entry in the directories, and name it."""
    people = enter_people(rows.people.values())
    for key, columns in rows.attendance.items():
        columns["person_id"] = people[rows.people[key]["key"]]
    rows.summary["course_id"] = enter_course(rows.course)


def replace_derived(root: int, members: Iterable[int], rows: Rows | None) -> set[int | None]:
    """Store the rows; return whose they are. Of the attendance only what differs is written: most does not change."""
    gone = Summary.objects.filter(meeting_id__in=[member for member in members if member != root or rows is None])
    courses: set[int | None] = set(gone.values_list("course", flat=True))
    held = {bytes(row["attendee_key"]): row for row in Attendance.objects.filter(summary__meeting=root).values()}
    wanted = rows.attendance if rows else {}
    stale = [row for key, row in held.items() if not _is_same(row, wanted.get(key))]
    fresh = {key: columns for key, columns in wanted.items() if key not in held or not _is_same(held[key], columns)}
    left = set(Attendance.objects.filter(summary__in=gone).values_list("person", flat=True))
    touched = {row["person_id"] for row in (*stale, *fresh.values())} | left
    note_changed(touched)
    gone.delete()
    if rows is not None:
        summary, changed = _store_summary(root, rows.summary)
        courses |= changed
        _store_evidence(summary, rows.evidence)
        Attendance.objects.filter(pk__in=[row["id"] for row in stale]).delete()
        new = (Attendance(summary_id=summary, attendee_key=key, **columns) for key, columns in fresh.items())
        Attendance.objects.bulk_create(new, batch_size=ROWS_AT_ONCE)
    recount_courses(courses)
    return touched


def _store_summary(root: int, columns: Mapping[str, Any]) -> tuple[int, set[int | None]]:
    """Its primary key, and the courses of which something is to be said anew: locked before the row that is of them."""
    held = Summary.objects.filter(meeting_id=root).values("pk", *_OF_COURSE).first()
    is_same = held is not None and all(held[name] == columns[name] for name in _OF_COURSE)
    courses = set() if is_same else {columns["course_id"], held and held["course_id"]}
    lock_courses(courses)
    if held is None:
        return Summary.objects.create(meeting_id=root, **columns).pk, courses
    Summary.objects.filter(pk=held["pk"]).update(**columns)
    return held["pk"], courses


def _store_evidence(summary: int, columns: Mapping[str, Any]) -> None:
    held = Evidence.objects.filter(summary_id=summary)
    row = held.values(*columns).first()
    if row is None:
        Evidence.objects.create(summary_id=summary, **columns)
    elif not _is_same(row, columns):
        held.update(**columns)


def _is_same(row: Mapping[str, Any], columns: Mapping[str, Any] | None) -> bool:
    """Whether a stored row has these values; drivers give bytes as memoryviews, which compare equal."""
    return columns is not None and all(row[name] == value for name, value in columns.items())


def _note_families(meeting: Meeting, root: FoldedRoom) -> None:
    """Remember who was in the root, or whom a room without a parent points to.

    Before bbb-webhooks 3 nothing names a breakout room's parent but its people, whose ids begin with the connection
    they have in the parent meeting.
    """
    if root.parent_participants:
        pointed = Orphan.objects.filter(meeting=meeting).values_list("parent_participant_key", flat=True)
        wanted = sorted(_keys(root.parent_participants) - {bytes(key) for key in pointed})
        Orphan.objects.bulk_create([Orphan(meeting=meeting, parent_participant_key=key) for key in wanted])
    else:
        seen = Seen.objects.filter(meeting=meeting).values_list("participant_key", flat=True)
        present = sorted(_keys(root.participants) - {bytes(key) for key in seen})
        Seen.objects.bulk_create([Seen(meeting=meeting, participant_key=key) for key in present])


def _find_families(meeting: Meeting, root: FoldedRoom) -> list[tuple[int, int]]:
    """(child, parent) wherever a room's people were seen in a meeting of the same pool."""
    if root.parent_participants:
        parents = Seen.objects.filter(meeting__pool_id=meeting.pool_id)
        found = parents.filter(participant_key__in=_keys(root.parent_participants))
        pairs = {(meeting.pk, parent) for parent in found.values_list("meeting_id", flat=True)}
    else:
        # Rooms without a parent are few, people of a class many: ask for all of the former.
        orphans = Orphan.objects.filter(meeting__pool_id=meeting.pool_id, meeting__root__isnull=True)
        present = _keys(root.participants)
        pairs = {
            (child, meeting.pk)
            for child, key in orphans.values_list("meeting_id", "parent_participant_key")
            if bytes(key) in present
        }
    return sorted((child, parent) for child, parent in pairs if child != parent)


def _keys(participants: Iterable[str]) -> set[bytes]:
    return {key_of(participant) for participant in participants}
