"""A school that is not there: two Moodle sites with equal user ids on one server, courses, and weeks of classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple

from rollcall.simulate.archive import CALLBACK, EVENTS
from rollcall.simulate.classes import MINUTE, Plan, make_cast
from rollcall.simulate.damage import Damage, truncate, undamaged
from rollcall.simulate.faults import Fault, invent_leaves_twice, lose, miss_leaves
from rollcall.simulate.names import KNOWN
from rollcall.simulate.sendings import Sending
from rollcall.simulate.truth import Ending, Person

DAY_MS = 24 * 60 * MINUTE
WEEK_MS = 7 * DAY_MS
FIRST_MONDAY = 4 * DAY_MS  # the epoch began on a Thursday

NORTH, SOUTH = "moodle.north.example", "learn.south.example"
SIZES = {NORTH: 36, SOUTH: 28}
TEACHERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One course with its weekly class. `weekday` counts from Monday, `starts` minutes from midnight UTC.

    So many of its site's first students are in it for certain.
    """

    site: str
    number: int
    label: str
    name: str
    weekday: int
    starts: int
    minutes: int
    rooms: int | None = None
    guests: int = 0
    dial_ins: int = 0
    for_certain: int = 0


COURSES = (
    Course(site=NORTH, number=12, label="ALG1", name="Εισαγωγή στην Άλγεβρα", weekday=0, starts=540, minutes=45),
    Course(site=NORTH, number=15, label="BOT", name="Вступ до ботаніки", weekday=1, starts=600, minutes=45, dial_ins=1),
    Course(site=NORTH, number=21, label="AK2", name="Einführung in die Akustik", weekday=2, starts=810, minutes=90),
    Course(site=NORTH, number=33, label="VID", name="Historia del vidrio", weekday=3, starts=660, minutes=50, rooms=3),
    Course(site=SOUTH, number=12, label="AST", name="مبادئ علم الفلك", weekday=1, starts=720, minutes=45, guests=2),
    Course(site=SOUTH, number=40, label="LIN", name="线性代数入门", weekday=4, starts=480, minutes=60, rooms=2),
    Course(
        site=NORTH,
        number=47,
        label="LOG",
        name="Introduction to Logic",
        weekday=4,
        starts=600,
        minutes=45,
        for_certain=len(KNOWN),
    ),
)


@dataclass(frozen=True, slots=True)
class School:
    """Who is in which course, the teacher first. User ids are small numbers on each site, equal on both."""

    casts: dict[tuple[str, int], tuple[Person, ...]]

    def cast(self, course: Course) -> tuple[Person, ...]:
        """The people of a course."""
        return self.casts[course.site, course.number]

    def students(self) -> int:
        """How many there are, each counted on their own site."""
        return len({(site, one.key) for (site, _), cast in self.casts.items() for one in cast if one.role == "VIEWER"})


def make_school(rng: Random) -> School:
    """The same school for a seed."""
    casts: dict[tuple[str, int], tuple[Person, ...]] = {}
    for site, size in SIZES.items():
        people = make_cast(rng, size + TEACHERS)
        teachers, students = people[:TEACHERS], people[TEACHERS:]
        if site == NORTH:
            known = (replace(one, name=name) for one, name in zip(students, KNOWN, strict=False))
            students = (*known, *students[len(KNOWN) :])
        for number, course in enumerate(course for course in COURSES if course.site == site):
            first, others = students[: course.for_certain], students[course.for_certain :]
            taught = (*first, *rng.sample(others, k=size // 2 - len(first)))
            teacher = replace(teachers[number % TEACHERS], role="MODERATOR")
            casts[site, course.number] = (teacher, *taught)
    return School(casts)


class Held(NamedTuple):
    """One class of the past: what went wrong with its webhooks, and which records were left of it, how damaged."""

    plan: Plan
    faults: tuple[Fault, ...] = ()
    records: tuple[str, ...] = ()
    damage: Damage = undamaged
    has_polls: bool = True


WEEKS_WITH_RECORDS = 3  # since then the server keeps its events


def past_classes(rng: Random, school: School, *, before: int, weeks: int) -> Iterator[Held]:
    """Every class of so many weeks, the oldest first. Of the last weeks there are records, of each week other ones."""
    monday = (before - FIRST_MONDAY) // WEEK_MS * WEEK_MS + FIRST_MONDAY
    for week in range(weeks, -1, -1):
        for number, course in enumerate(sorted(COURSES, key=lambda course: (course.weekday, course.starts))):
            at = monday - week * WEEK_MS + course.weekday * DAY_MS + course.starts * MINUTE
            if at + (course.minutes + 30) * MINUTE < before:
                plan = _plan(rng, school, course, at + rng.randrange(-3 * MINUTE, 2 * MINUTE))
                held = Held(plan, _faults(rng))
                yield _recorded(held, number + week) if week < WEEKS_WITH_RECORDS else held


def _recorded(held: Held, number: int) -> Held:
    """Each of what a page may have to show: all witnesses, agreeing and not, a cut file, a late old record, none."""
    match number % len(COURSES):
        case 0 | 4:
            return held._replace(faults=(), records=(EVENTS, CALLBACK))
        case 1:
            return held._replace(faults=(_leaves_missing,), records=(EVENTS, CALLBACK))
        case 2:
            return held._replace(faults=(_leaves_missing,), records=(CALLBACK,))
        case 3:
            return held._replace(records=(EVENTS,), damage=truncate)
        case 5:
            return held._replace(faults=(_some_missing,), has_polls=False)
        case _:
            return held


def _leaves_missing(sent: Sequence[Sending], rng: Random) -> list[Sending]:
    return miss_leaves(sent, rng, 0.4)


def _some_missing(sent: Sequence[Sending], rng: Random) -> list[Sending]:
    return lose(sent, rng, 0.06)


def _plan(rng: Random, school: School, course: Course, starts_at: int) -> Plan:
    return Plan(
        starts_at=starts_at,
        minutes=course.minutes + rng.randrange(-2, 4),
        cast=school.cast(course),
        name=course.name,
        origin=course.site,
        course=course.number,
        instance=100 + course.number,
        label=course.label,
        rooms=course.rooms if rng.random() < 0.6 else 0,
        guests=course.guests,
        dial_ins=course.dial_ins,
        ending=rng.choice((Ending.BY_MODERATOR, Ending.BY_MODERATOR, Ending.LAST_LEFT)),
        absent=0.18,
        liveliness=0.8,
    )


def _faults(rng: Random) -> tuple[Fault, ...]:
    """Most classes went well; in some a few leaves, or a few of all messages, were lost."""
    match rng.randrange(8):
        case 0:
            return (lambda sent, chance: miss_leaves(sent, chance, 0.3),)
        case 1:
            return (lambda sent, chance: lose(sent, chance, 0.03),)
        case 2:
            return (invent_leaves_twice,)
    return ()


def running_class(rng: Random, school: School, number: int, starts_at: int) -> Plan:
    """A restless class that begins now: somebody comes, goes, speaks or writes every few seconds."""
    course = COURSES[number % len(COURSES)]
    return replace(
        _plan(rng, school, course, starts_at),
        minutes=40,
        rooms=0,
        guests=1,
        dial_ins=1,
        ending=Ending.BY_MODERATOR,
        arrive_within_ms=MINUTE // 2,
        late=0.35,
        early=0.3,
        reconnects=0.6,
        two_tabs=0.2,
        liveliness=9.0,
    )
