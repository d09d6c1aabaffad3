"""A small school with a bit of everything a search may ask for, and the same search by looking at every row."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from datetime import UTC, datetime
from random import Random
from typing import Any

from tests.makers import Attendee, make_meeting

NAMES = (
    "Ada Lovelace",
    "ΠΑΠΑΔΟΠΟΥΛΟΣ Γεώργιος",
    "Παπαδοπούλου Μαρία",
    "Jürgen Müller",
    "Li Wei",
    "欧阳 娜",
    "Ada King",
    "",
)
KINDS = ("user", "user", "user", "user", "guest", "dial-in")
CLASSES = ("Algebra", "Ιστορία", "Algebra II", "Logic")
COURSES = (("", ""), ("12", "Άλγεβρα 1"), ("15", "History"), ("21", ""))
SITES = ("https://one.example.org", "https://two.example.org")
ORGANISATIONS = (0, 0, 3)
GROUPS = ("g1", "g2")
DAYS = ("2026-03-27", "2026-03-28", "2026-03-29", "2026-03-30", "2026-10-24", "2026-10-25", "2026-10-26", "2026-11-20")


def make_school(seed: int, *, meetings: int = 24, organisations: tuple[int, ...] = (0,)) -> None:
    """Meetings round both changes of the clocks in Europe, some at one instant, some still running."""
    chance = Random(seed)
    for number in range(meetings):
        course, label = chance.choice(COURSES)
        people = {one.uid: one for one in (_attendee(chance) for _ in range(chance.randrange(7)))}
        make_meeting(
            *people.values(),
            name=chance.choice(CLASSES),
            internal=f"internal-{number}",
            server=chance.choice(("bbb1", "bbb2")),
            site=chance.choice(SITES),
            day=chance.choice(DAYS),
            began=f"{chance.choice((0, 1, 2, 9, 21, 22)):02}:{chance.choice((0, 30)):02}",
            ended=None if chance.random() < 0.1 else "23:30",
            settles=chance.choice((None, "23:40")),
            course=course,
            label=label,
            organisation=chance.choice(organisations),
            group=chance.choice(("", "", *GROUPS)),
            activity=chance.choice(("", "rooms", "more")),
        )


def _attendee(chance: Random) -> Attendee:
    start = chance.choice((0, 10, 20))
    counts: dict[str, int | tuple[int, bool]] = {
        name: chance.choice((0, 0, 1, 5)) for name in ("chats", "raise_hands", "emojis", "poll_answers", "cameras")
    }
    return Attendee(
        name=chance.choice(NAMES),
        uid=str(chance.randrange(9)),
        role=chance.choice(("VIEWER", "VIEWER", "MODERATOR")),
        kind=chance.choice(KINDS),
        proved=((f"23:0{start // 10}", f"23:{chance.choice((5, 15, 25)):02}"),),
        possible=((f"23:0{start // 10}", chance.choice((None, "23:29", "23:29"))),),
        counts=counts | {"talk_ms": chance.choice((0, 60_000))},
    )


# --- the same search, row by row --------------------------------------------------------------------------------------


def all_rows() -> list[Any]:
    """Every attendance with its meeting, course and person."""
    from rollcall.store.derived import Attendance

    return list(Attendance.objects.select_related("summary__meeting", "summary__course", "person"))


def all_meetings() -> list[Any]:
    """Every meeting."""
    from rollcall.store.derived import Summary

    return list(Summary.objects.select_related("meeting", "course"))


def means_meeting(wanted: Any, summary: Any) -> bool:
    """Whether a filter's conditions on meetings hold."""
    from rollcall.store.searching import state_of

    course = summary.course
    return all(
        (
            wanted.organisation in {None, summary.organisation},
            is_within(wanted.bounds, summary),
            wanted.since is None or summary.started_at >= wanted.since,
            wanted.until is None or summary.started_at < wanted.until,
            _at_clock(wanted, summary.started_at),
            wanted.server in {"", summary.pool_name},
            wanted.site in {"", summary.site},
            wanted.state in {None, state_of(summary, as_of=wanted.as_of)},
            not wanted.meeting.strip() or _is_named(wanted.meeting, summary),
            not wanted.course.strip() or (course is not None and _is_course(wanted.course, course)),
        )
    )


def is_within(bounds: Any, summary: Any) -> bool:
    """Whether a meeting is inside of what somebody may see."""
    return all(
        (
            bounds.site in {"", summary.site},
            bounds.course is None or (summary.course is not None and bytes(summary.course.key) == bounds.course),
            bounds.groups is None or _is_of_groups(bounds.groups, summary),
        )
    )


def _is_of_groups(groups: frozenset[str], summary: Any) -> bool:
    if summary.group_id:
        return summary.group_id in groups
    return not any(one.group_id for one in all_meetings() if bytes(one.activity_key) == bytes(summary.activity_key))


def _at_clock(wanted: Any, at: int) -> bool:
    local = datetime.fromtimestamp(at / 1000, UTC).astimezone(wanted.zone)
    minute, day = 60 * local.hour + local.minute, local.weekday()
    if wanted.hour_from is not None or wanted.hour_to is not None:
        begins, ends = wanted.hour_from or 0, 1440 if wanted.hour_to is None else wanted.hour_to
        if ends > 1440:
            ends -= 1440
        is_of_yesterday = begins >= ends > minute and minute < begins
        if not (begins <= minute < ends if begins < ends else minute >= begins or minute < ends):
            return False
        day = (day - is_of_yesterday) % 7
    return not wanted.weekdays or day in wanted.weekdays


def _has(query: str, folded: str) -> bool:
    from rollcall.store.names import matches, search_terms

    return matches(search_terms(query), folded)


def _is_named(text: str, summary: Any) -> bool:
    is_the_id = text.strip() in {summary.external_meeting_id, summary.meeting.internal_meeting_id}
    return is_the_id or _has(text, summary.name_key)


def _is_course(text: str, course: Any) -> bool:
    text = text.strip()
    if len(text) == 32:
        return bool(bytes(course.key).hex() == text)
    return text == course.context_id or _has(text, course.labels_key)


def means_row(wanted: Any, row: Any) -> bool:
    """Whether all of a filter's conditions hold."""
    person = row.person
    least = ("chats", "raise_hands", "emojis", "poll_answers", "cameras", "talk_ms")
    return all(
        (
            means_meeting(wanted, row.summary),
            wanted.role in {"", row.role},
            wanted.kind in {"", row.kind},
            not wanted.name or _has(wanted.name, person.names_key),
            not wanted.user or (person.is_user and person.external_user_id == wanted.user),
            wanted.person in {None, bytes(person.key)},
            wanted.bounds.person is None or (person.is_user and bytes(person.key) == wanted.bounds.person),
            wanted.min_ms is None or row.proved_ms >= wanted.min_ms,
            wanted.max_ms is None or (row.possible_ms is not None and row.possible_ms <= wanted.max_ms),
            wanted.min_share is None or (row.share is not None and row.share >= wanted.min_share),
            wanted.max_share is None or (row.share is not None and row.share <= wanted.max_share),
            all(getattr(row, name) >= getattr(wanted, name) for name in least),
        )
    )


def has_rows_asked(wanted: Any) -> bool:
    """Whether a filter asks for some people or attendances, not for all of a meeting."""
    names = ("name", "user", "person", "role", "kind", "chats", "raise_hands", "emojis", "poll_answers", "cameras")
    bounds = (wanted.min_ms, wanted.max_ms, wanted.min_share, wanted.max_share)
    return any(getattr(wanted, name) for name in (*names, "talk_ms")) or any(
        one is not None for one in (*bounds, wanted.bounds.person)
    )


def in_order(rows: Iterable[Any], columns: tuple[str, ...], *, is_descending: bool) -> list[Any]:
    """Sorted as a list is, unknown values before all others."""

    def key(row: Any) -> tuple[Any, ...]:
        values = (functools.reduce(_step, column.split("__"), row) for column in columns)
        return tuple((value is not None, _comparable(value)) for value in values)

    return sorted(rows, key=key, reverse=is_descending)


def _step(row: Any, name: str) -> Any:
    return None if row is None else getattr(row, name)


def _comparable(value: Any) -> Any:
    return 0 if value is None else bytes(value) if isinstance(value, memoryview) else value
