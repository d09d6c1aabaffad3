"""`rollcall simulate --bulk`: years of classes written as rows, without the facts they would have come from."""

from __future__ import annotations

import json
import sys
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Any

from django.core.management.color import no_style
from django.db import connection

from rollcall.cli.bulk_tables import tables_of
from rollcall.core.errors import Refused
from rollcall.core.people import DIAL_IN, GUEST, USER
from rollcall.derive.rows import FOLD_VERSION, order_of, sort_key
from rollcall.simulate import bulk
from rollcall.simulate.bulk_presence import BITS, Hours, make_acts, presence
from rollcall.store.connections import Pool
from rollcall.store.derived import SEARCHED, Attendance, Course, Orphan, Person, Seen, Summary
from rollcall.store.facts import Fact, Meeting
from rollcall.store.keys import course_key, guests_key, key_of, meeting_key, person_key
from rollcall.store.names import fold_name
from rollcall.store.organisations import Licence, Organisation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rollcall.cli.bulk_tables import Tables
    from rollcall.simulate.bulk_presence import Presence

CLASSES_AT_ONCE = 2_500
SETTLES_AFTER_MS = 600_000
WAYS_TO_TAKE_PART = 1024


def _columns(text: str) -> tuple[str, ...]:
    return tuple(text.split())


MEETING = _columns(
    "id pool_id key internal_meeting_id is_parent_told last_seq appended folded folded_at watched_until is_over"
    " is_refused"
)
SUMMARY = _columns(
    "id meeting_id pool_name external_meeting_id external_key name name_key site site_key context_id context_label"
    " organisation course_id activity_key group_id started_at ended_proved_at ended_possible_at settles_at record"
    " unwitnessed_ms witnessed_once_ms witnessed_twice_ms attendees present person_ms fold_version sort_key length_ms"
    " detail"
)
_WHO = _columns("attendee_key sort_key person_id organisation kind external_user_id name name_key role")
_THERE = _columns("first_in_at last_out_at is_present proved_ms possible_ms share detail")
ATTENDANCE = (*_WHO, *SEARCHED, "summary_id", "started_at", *_THERE)
PERSON = _columns(
    "id key is_user organisation site external_user_id external_key name sort_key names_key"
    " meetings proved_ms possible_ms open share chats raise_hands emojis poll_answers cameras talk_ms"
    " first_at last_at"
)
COURSE = _columns("id key organisation site context_id label sort_key labels_key meetings last_at")

folded_name = lru_cache(maxsize=200_000)(fold_name)


def make_bulk(size: bulk.Size) -> str:
    """Empty a database of what an earlier run made, and fill it; refuse one that is in real use. What there is now."""
    require_unused()
    pools = {name: Pool.objects.get_or_create(name=name)[0].pk for name in bulk.SERVERS}
    plan = bulk.make_plan(size)
    _enter_organisations({site.organisation for site in plan.sites})
    tables = tables_of((Attendance, Summary, Person, Course, Seen, Orphan, Fact, Meeting))
    with tables.open():
        filling = Filling(plan, size, pools)
        for count in filling.classes(tables):
            print(f"\r{count:,} of {len(plan.meetings):,} meetings", end="", file=sys.stderr, flush=True)
        filling.directories(tables)
        print("\nindexes …", file=sys.stderr, flush=True)
    attendances, people = sum(one.people for one in plan.meetings), len(plan.people)
    return f"{attendances:,} attendances of {people:,} people in {len(plan.meetings):,} meetings"


def _enter_organisations(numbers: Iterable[int]) -> None:
    """With a licence each, so that whoever signs in for one sees what is its."""
    for number in sorted(numbers):
        Organisation.objects.get_or_create(pk=number, defaults={"name": f"Organisation {number}", "added_at": 0})
        Licence.objects.get_or_create(organisation_id=number, defaults={"starts_at": 0, "added_at": 0})
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Organisation]):
            cursor.execute(statement)


def require_unused() -> None:
    """These rows are of no facts: among real ones nobody could tell them apart."""
    if Fact.objects.exists() or Meeting.objects.exclude(pool__name__in=bulk.SERVERS).exists():
        raise Refused(
            "This database has real meetings.", hint="Name an empty data folder or database: --data, ROLLCALL_DATA."
        )


class Tally:
    """What each person comes to, over all their classes."""

    def __init__(self, people: int) -> None:
        self.meetings = [0] * people
        self.proved = [0] * people
        self.possible = [0] * people
        self.open = [0] * people
        self.shares = [0] * people
        self.shared = [0] * people
        self.did = [[0] * people for _ in SEARCHED]
        self.first: list[int | None] = [None] * people
        self.last: list[int | None] = [None] * people

    def add(self, person: int, at: int, there: Presence, did: Sequence[int]) -> None:
        """One class; they come in the order of time."""
        _, _, _, proved, possible, share, _ = there
        if not self.meetings[person]:
            self.first[person] = at
        self.meetings[person] += 1
        self.last[person] = at
        self.proved[person] += proved
        if possible is None:
            self.open[person] += 1
        else:
            self.possible[person] += possible
        if share is not None:
            self.shares[person] += share
            self.shared[person] += 1
        if any(did):
            for column, count in zip(self.did, did, strict=True):
                column[person] += count

    def of(self, person: int) -> tuple[int | None, ...]:
        """In the order of the columns of PERSON."""
        sums = (column[person] for column in (self.meetings, self.proved, self.possible, self.open))
        share = self.shares[person] // self.shared[person] if self.shared[person] else None
        return (*sums, share, *(column[person] for column in self.did), self.first[person], self.last[person])


class Filling:
    """The plan becoming rows, class by class."""

    def __init__(self, plan: bulk.Plan, size: bulk.Size, pools: dict[str, int]) -> None:
        self._plan, self._size, self._pools = plan, size, pools
        self._rng = Random(size.seed + 1)  # noqa: S311  # a seed must repeat
        self._acts = make_acts(self._rng, WAYS_TO_TAKE_PART)
        self._tally = Tally(len(plan.people))
        self._renamed = sorted((one.renamed_at, number) for number, one in enumerate(plan.people) if one.earlier)
        self._met_before = [0] * len(plan.people)
        self._who = [self._user(number, one.earlier or one.name) for number, one in enumerate(plan.people)]
        self._strangers: dict[tuple[int, str], tuple[int, str]] = {}
        self._classes = [0] * len(plan.courses)
        self._last_class = [0] * len(plan.courses)

    # --- classes ---

    def classes(self, tables: Tables) -> Iterator[int]:
        """Meetings, summaries and attendances; yields how many meetings there are so far."""
        meetings: list[tuple[Any, ...]] = []
        summaries: list[tuple[Any, ...]] = []
        attendance: list[tuple[Any, ...]] = []
        for number, one in enumerate(self._plan.meetings, 1):
            meeting, summary = self._class(number, one, attendance)
            meetings.append(meeting)
            summaries.append(summary)
            if number % CLASSES_AT_ONCE == 0 or number == len(self._plan.meetings):
                tables.add(Meeting, MEETING, meetings)
                tables.add(Summary, SUMMARY, summaries)
                tables.add(Attendance, ATTENDANCE, attendance)
                for rows in (meetings, summaries, attendance):
                    rows.clear()
                yield number

    def _class(
        self, number: int, one: bulk.Planned, attendance: list[tuple[Any, ...]]
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        rng, course, at = self._rng, self._plan.courses[one.course], one.starts_at
        self._rename(at)
        is_running = at >= self._size.until - bulk.BEGAN_LATELY
        internal = f"{course.meeting}-{at}"
        first = at + rng.randrange(2_000, 90_000)
        last = self._size.until if is_running else at + course.minutes * bulk.MINUTE + rng.randrange(-180_000, 240_000)
        hours = Hours(internal.encode(), first, last, is_running)
        before = len(attendance)
        self._attend(number, one, hours, attendance)
        rows = attendance[before:]
        person_ms = sum(row[_PROVED] for row in rows)
        end = None if is_running else last + rng.randrange(1_000, 60_000)
        self._classes[one.course] += 1
        self._last_class[one.course] = at
        pool = self._pools[course.server]
        meeting = (number, pool, meeting_key(internal), internal, False, 0, 0, 0, end, 0, not is_running, False)
        return meeting, self._summary(number, one, hours, end, len(rows), person_ms)

    def _attend(self, number: int, one: bulk.Planned, hours: Hours, attendance: list[tuple[Any, ...]]) -> None:
        rng, course, at = self._rng, self._plan.courses[one.course], one.starts_at
        bits_of, who, acts, tally = rng.getrandbits, self._who, self._acts, self._tally
        guests = bulk.visitors(rng, one.people)
        bits = 0  # the teacher is there from the first moment to the last
        for person in bulk.who_came(rng, course, one.people - guests):
            did, kept = acts[bits >> 40 & 1023]
            there = presence(bits, hours, kept)
            tally.add(person, at, there, did)
            attendance.append((*who[person], *did, number, at, *there))
            bits = bits_of(BITS)
        for _ in range(guests):
            bits = bits_of(BITS)
            did, kept = acts[bits >> 40 & 1023]
            attendance.append((*self._stranger(course.site, bits), *did, number, at, *presence(bits, hours, kept)))

    def _summary(
        self, number: int, one: bulk.Planned, hours: Hours, end: int | None, people: int, person_ms: int
    ) -> tuple[Any, ...]:
        course, at = self._plan.courses[one.course], one.starts_at
        site, instance = course.site, str(course.number + 1)
        external = f"{course.meeting}-{instance}-{instance}[0]"
        record = "" if end is None else ("", "callback", "recording", "recording")[self._rng.randrange(4)]
        length = (end or self._size.until) - at
        unseen = length // 10 if self._rng.randrange(20) == 0 else 0
        coverage = (unseen, 0, length - unseen) if record else (unseen, length - unseen, 0)
        return (
            *(number, number, course.server, external, key_of(external)),
            *(course.title, folded_name(course.title), site.name, key_of(site.name)),
            *(instance, course.label, site.organisation, course.number + 1),
            *(key_of(site.name, instance, instance), "", at, end, end, None if end is None else end + SETTLES_AFTER_MS),
            *(record, *coverage, people, people if end is None else 0, person_ms, FOLD_VERSION),
            *(order_of(folded_name(course.title)), None if end is None else end - at),
            _summary_detail(course.title, at, hours, end, coverage),
        )

    # --- who ---

    def _user(self, number: int, name: str) -> tuple[Any, ...]:
        """The columns of _WHO that stay the same in each of somebody's classes."""
        one = self._plan.people[number]
        key, name_key = key_of(USER, one.external_user_id), folded_name(name)
        role = "MODERATOR" if number - one.site.first < one.site.teachers else "VIEWER"
        who = (USER, one.external_user_id, name, name_key, role)
        return (key, sort_key(name_key, key), number + 1, one.site.organisation, *who)

    def _rename(self, at: int) -> None:
        while self._renamed and self._renamed[0][0] <= at:
            _, number = self._renamed.pop(0)
            self._met_before[number] = self._tally.meetings[number]
            self._who[number] = self._user(number, self._plan.people[number].name)

    def _stranger(self, site: bulk.Site, bits: int) -> tuple[Any, ...]:
        """A guest, or a caller who has no name."""
        kind = DIAL_IN if bits % 6 == 0 else GUEST
        name = "" if kind == DIAL_IN else site.invent_name(self._rng)
        participant = f"{'v' if kind == DIAL_IN else 'w'}_{bits >> 16:012x}"
        external = "" if kind == DIAL_IN else f"gl-guest-{bits & 0xFFFFFFFF:08x}"
        key, name_key = key_of(kind, external or participant), folded_name(name)
        known = len(self._plan.people) + len(self._strangers) + 1
        person, _ = self._strangers.setdefault((site.number, name_key), (known, name))
        return key, sort_key(name_key, key), person, site.organisation, kind, external, name, name_key, "VIEWER"

    # --- directories ---

    def directories(self, tables: Tables) -> None:
        """People and courses, with what they came to; who was in no class stands nowhere."""
        seen = (number for number, meetings in enumerate(self._tally.meetings) if meetings)
        tables.add(Person, PERSON, [self._person(number) for number in seen])
        tables.add(
            Person, PERSON, [_unknown(self._plan.sites[site], *who) for (site, _), who in self._strangers.items()]
        )
        held = (course for course in self._plan.courses if self._classes[course.number])
        tables.add(Course, COURSE, [self._course(course) for course in held])

    def _person(self, number: int) -> tuple[Any, ...]:
        one, total = self._plan.people[number], self._tally.of(number)
        before, meetings = self._met_before[number], self._tally.meetings[number]
        names = [one.earlier or one.name] if before == meetings and one.earlier else [one.name]
        if one.earlier and 0 < before < meetings:
            names.append(one.earlier)
        external, site = one.external_user_id, one.site
        key = person_key(site.name, external, site.organisation)
        folded = [folded_name(name) for name in names]
        names_key = "\n".join(sorted(set(folded) - {""}))
        identity = (number + 1, key, True, site.organisation, site.name, external, key_of(external))
        return (*identity, names[0], sort_key(folded[0], key), names_key, *total)

    def _course(self, course: bulk.Course) -> tuple[Any, ...]:
        context, site, folded = str(course.number + 1), course.site, folded_name(course.label)
        key = course_key(site.name, context, site.organisation)
        identity = (course.number + 1, key, site.organisation, site.name, context)
        total = self._classes[course.number], self._last_class[course.number]
        return (*identity, course.label, order_of(folded or folded_name(context)), folded, *total)


_PROVED = ATTENDANCE.index("proved_ms")
_NOTHING = Tally(1).of(0)
"""What an entry comes to that is nobody's."""


def _unknown(site: bulk.Site, number: int, name: str) -> tuple[Any, ...]:
    """All who had this name at a site without being a user of it."""
    name_key = folded_name(name)
    key = guests_key(site.name, name_key, site.organisation)
    who = (number, key, False, site.organisation, site.name, "", key_of(""))
    return (*who, "", sort_key(name_key, key), name_key, *_NOTHING)


def _summary_detail(title: str, at: int, hours: Hours, end: int | None, coverage: tuple[int, int, int]) -> bytes:
    meeting = {
        "created_at": at,
        "end_reason": None,
        "ended_at": (end, end),
        "is_breakout": False,
        "meeting": hours.meeting.decode(),
        "name": title,
        "started_at": at,
        "witnesses": {
            "callback": None,
            "polls": None,
            "recording": None,
            "webhooks": {"count": 99, "first_at": at, "last_at": hours.last},
        },
    }
    length = (hours.length, None if hours.is_running else hours.length)
    kept = {"blind": [], "changes": [], "coverage": coverage, "disagreements": [], "length": length}
    return json.dumps(kept | {"meetings": [meeting], "notes": []}, separators=(",", ":"), ensure_ascii=False).encode()
