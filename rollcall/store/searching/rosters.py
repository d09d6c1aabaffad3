"""The roster of a course, as far as an LMS told it: who was enrolled while a meeting lasted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db.models import Exists, OuterRef

from rollcall.core.roster import Enrolled, Enrolment, Stay, enrolment
from rollcall.store.derived import UNCLAIMED, Attendance, Course, Person, Summary
from rollcall.store.keys import course_key, key_of, person_key
from rollcall.store.names import fold_name
from rollcall.store.platforms import Context, Member, Teacher
from rollcall.store.searching.scope import Scope
from rollcall.store.searching.wanted import EVERYTHING, Bounds

if TYPE_CHECKING:
    from rollcall.store.searching.wanted import Filter, Inside

_IN_A_STATEMENT: Final = 500
_MOST_MISSED: Final = 200


@dataclass(frozen=True, slots=True)
class OnRoster:
    """Somebody who is or was on the roster of a course, with all their stays, the oldest first.

    `name` is what is known of them: as the LMS shares it, else as they were called in meetings; it may be blank. `key`
    is that of their page, None if they were in no meeting at all.
    """

    user_id: str
    name: str
    key: bytes | None
    is_learner: bool
    stays: tuple[Stay, ...]

    @property
    def left_at(self) -> int | None:
        """The reading that no longer had them; None while they are on it."""
        return self.stays[-1].until_at

    def enrolment(self, summary: Summary) -> Enrolment:
        """Whether they were enrolled while this meeting lasted."""
        end = summary.ended_possible_at or summary.ended_proved_at or summary.started_at
        return enrolment(self.stays, summary.started_at, max(end, summary.started_at))


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody who was ever seen on it, by name. `read_at` is the last whole reading, `first_at` the first."""

    read_at: int
    first_at: int
    people: tuple[OnRoster, ...]
    by_user: Mapping[str, OnRoster] = field(default_factory=dict)

    def expected(self) -> Iterable[OnRoster]:
        """The learners: whoever teaches, by the roster or by having come as an instructor, is nobody's absentee."""
        return (one for one in self.people if one.is_learner)

    def standing(self, user_id: str) -> Enrolment:
        """How somebody stands today."""
        one = self.by_user.get(user_id)
        if one is None:
            return Enrolment.NOT_ENROLLED
        return Enrolment.ENROLLED if one.left_at is None else Enrolment.LEFT


def roster_of(course: Course | None, user_id: str = "", *, inside: Inside = EVERYTHING) -> Roster | None:
    """What is known of a course's roster; None where no LMS offers it, or nobody has launched from the course yet.

    With a `user_id` only that one is read. Whoever was in no meeting `inside` has no page there, and no name that was
    told in another: who was in meetings of another course is not told.
    """
    if course is None or course.organisation == UNCLAIMED:
        return None
    context = _context(course)
    if context is None or context.roster_at is None:
        return None
    stays: defaultdict[str, list[Stay]] = defaultdict(list)
    members = Member.objects.filter(context=context, **({"user_key": key_of(user_id)} if user_id else {}))
    for member in members.order_by("from_at", "pk"):
        who = Enrolled(member.user_id, member.name, member.is_instructor, member.is_learner)
        stays[member.user_id].append(Stay(who, member.from_at, member.until_at, member.absent_at, member.seen_at))
    if not stays:
        return None
    teachers = set(Teacher.objects.filter(context=context).values_list("user_id", flat=True))
    known = _known(course, stays, inside)
    people = [_on_roster(user, tuple(mine), known.get(user), user in teachers) for user, mine in stays.items()]
    people.sort(key=lambda one: (fold_name(one.name) or "\uffff", len(one.user_id), one.user_id))
    first_at = min(mine[0].from_at for mine in stays.values())
    return Roster(context.roster_at, first_at, tuple(people), {one.user_id: one for one in people})


class Missed(NamedTuple):
    """A meeting in which somebody was expected and not seen, of whom it is certain or not that they were enrolled."""

    summary: Summary
    who: OnRoster
    has_others: bool


def missed_by(key: bytes, wanted: Filter) -> list[Missed]:
    """The meetings of a filter that somebody missed in courses on whose roster they are, the newest first.

    Rooms of groups are left out, for no roster tells who is in which. So is everything for somebody who sees only one
    person's meetings, or only some groups': that a meeting was held at all is then not theirs to know.
    """
    person = Person.objects.filter(key=key, is_user=True).first()
    if person is None or wanted.bounds.person is not None or wanted.bounds.groups is not None:
        return []
    entries = {course.pk: entry for course, entry in _entries(person) if entry.is_learner}
    attended = Attendance.objects.filter(person=person, summary=OuterRef("pk"))
    scope = Scope(replace(wanted, person=None))
    if scope.of_rows:  # asked of attendances, and these are none
        return []
    found = scope.tested_meetings().filter(course__in=list(entries), group_id="", ended_possible_at__isnull=False)
    found = found.exclude(Exists(attended)).select_related("meeting").order_by("-started_at", "-pk")
    missed = [(one, entries[one.course_id]) for one in found[:_MOST_MISSED] if one.course_id is not None]
    missed = [(one, who) for one, who in missed if who.enrolment(one) in {Enrolment.ENROLLED, Enrolment.PERHAPS}]
    with_others = others_in(one for one, _who in missed)
    return [Missed(one, who, one.pk in with_others) for one, who in missed]


def _entries(person: Person) -> Iterator[tuple[Course, OnRoster]]:
    """The courses of their LMS on whose roster they are or were, with how they stand there."""
    stays = Member.objects.filter(
        user_key=person.external_key,
        context__platform__organisation=person.organisation,
        context__platform__site_key=key_of(person.site),
    )
    ids = set(stays.values_list("context__context_id", flat=True))
    keys = [course_key(person.site, one, person.organisation) for one in ids]
    for course in Course.objects.filter(key__in=keys):
        roster = roster_of(course, person.external_user_id)
        if roster is not None and person.external_user_id in roster.by_user:
            yield course, roster.by_user[person.external_user_id]


def _context(course: Course) -> Context | None:
    """Of one LMS that is registered twice, the registration whose roster was read last."""
    found = Context.objects.filter(
        platform__organisation=course.organisation,
        platform__site_key=key_of(course.site),
        key=key_of(course.context_id),
    )
    return found.exclude(roster_at=None).order_by("-roster_at", "pk").first()


def _known(course: Course, users: Iterable[str], inside: Inside) -> dict[str, Person]:
    """Those of them who were in any meeting of the LMS that is inside."""
    keys = [person_key(course.site, user, course.organisation) for user in users]
    people = Person.objects.filter(is_user=True)
    if inside.bounds != Bounds(site=inside.bounds.site):
        meetings = Scope(inside.filter()).tested_meetings()
        people = people.filter(Exists(Attendance.objects.filter(person=OuterRef("pk"), summary__in=meetings)))
    found: dict[str, Person] = {}
    for begin in range(0, len(keys), _IN_A_STATEMENT):
        for person in people.filter(key__in=keys[begin : begin + _IN_A_STATEMENT]):
            found[person.external_user_id] = person
    return found


def _on_roster(user: str, stays: tuple[Stay, ...], person: Person | None, is_teacher: bool) -> OnRoster:  # noqa: FBT001
    last = stays[-1].who
    name = last.name.strip() or (person.name.strip() if person else "")
    is_expected = last.is_learner and not is_teacher and not any(stay.who.is_instructor for stay in stays)
    return OnRoster(user, name, bytes(person.key) if person else None, is_expected, stays)


def seen_in(meetings: Iterable[Summary]) -> set[str]:
    """The users of the LMS who were in any of these meetings, by id."""
    users = Attendance.objects.filter(kind="user").values_list("external_user_id", flat=True)
    return {user for part in _portions(meetings) for user in users.filter(summary__in=part).distinct()}


def others_in(meetings: Iterable[Summary]) -> set[int]:
    """Those of these meetings in which there were guests or telephone callers, by the ids of their summaries."""
    ids = Attendance.objects.exclude(kind="user").values_list("summary_id", flat=True)
    return {pk for part in _portions(meetings) for pk in ids.filter(summary__in=part).distinct()}


def _portions(meetings: Iterable[Summary]) -> Iterator[list[int]]:
    ids = [summary.pk for summary in meetings]
    return (ids[begin : begin + _IN_A_STATEMENT] for begin in range(0, len(ids), _IN_A_STATEMENT))
