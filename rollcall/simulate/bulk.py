"""Years of a whole country's classes, in numbers rather than in messages: for measuring how fast reports are.

Only who was where and when, the same for a seed: no webhooks, no facts. What becomes of it is the command's affair.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from math import ceil
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from rollcall.simulate import bulk_names as names
from rollcall.simulate.bulk_names import Stock

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE: Final = 60_000
DAY: Final = 24 * 60 * MINUTE
WEEK: Final = 7 * DAY
FIRST_MONDAY: Final = 4 * DAY  # the epoch began on a Thursday
YEAR_DAYS: Final = 365

SHARES: Final = (0.40, 0.20, 0.12, 0.10, 0.08, 0.05, 0.03, 0.02)
"""How much of everything each organisation has; the first has two sites."""

SERVERS: Final = ("bulk1.example", "bulk2.example", "bulk3.example", "bulk4.example")

TERMS: Final = ((37, 15), (7, 15))
"""Week of the year in which a term begins, and how many it has."""

HOURS: Final = tuple(range(8, 21))
LENGTHS: Final = (45, 45, 50, 60, 90, 90, 120)
RUNNING: Final = 25
OVER: Final = 180 * MINUTE
BEGAN_LATELY: Final = 30 * MINUTE
VISITED: Final = 0.25
TEACHERS, RENAMED = 0.02, 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much there is to be, in so many years that end at `until` (epoch ms)."""

    attendances: int = 10_000_000
    meetings: int = 500_000
    people: int = 300_000
    organisations: int = len(SHARES)
    years: int = 3
    until: int
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Site:
    """One LMS. Organisations count from 1; `first` and `count` tell which of all people are its own.

    `teachers` of them teach.
    """

    number: int
    organisation: int
    name: str
    stocks: tuple[Stock, ...]
    first: int
    count: int
    teachers: int

    def invent_name(self, rng: Random) -> str:
        """As people here are called: mostly in its own script."""
        return rng.choice(self.stocks).name(rng)


@dataclass(frozen=True, slots=True)
class Person:
    """A user of a site. Whoever was renamed had their `earlier` name until `renamed_at`."""

    site: Site
    external_user_id: str
    name: str
    earlier: str = ""
    renamed_at: int = 0


@dataclass(frozen=True, slots=True)
class Course:
    """Weekly classes on one server; `people` are numbers of people, the teacher's first."""

    number: int
    site: Site
    server: str
    label: str
    title: str
    meeting: str
    minutes: int
    people: tuple[int, ...]


class Planned(NamedTuple):
    """One class, and how many come to it."""

    starts_at: int
    course: int
    people: int


@dataclass(slots=True)
class Plan:
    """Everything but who came when: that is drawn class by class."""

    sites: list[Site]
    people: list[Person]
    courses: list[Course]
    meetings: list[Planned] = field(default_factory=list)


# --- sites and people -------------------------------------------------------------------------------------------------

_STOCKS = (
    (names.GREEK, names.GREEK, names.GREEK, names.LATIN, names.CYRILLIC),
    (names.GREEK, names.LATIN, names.ARABIC),
    (names.LATIN, names.LATIN, names.CYRILLIC, names.GREEK),
    (names.CYRILLIC,),
    (names.ARABIC, names.LATIN),
    (names.HAN, names.HAN, names.LATIN),
    (names.DEVANAGARI, names.LATIN),
    (names.HEBREW, names.ARABIC),
    (names.LATIN,),
)


def make_sites(size: Size) -> list[Site]:
    """Of each organisation one, of the first two (three quarters and a quarter of its people)."""
    shares = SHARES[: size.organisations]
    parts = [
        (0, shares[0] * 3 / 4),
        (0, shares[0] / 4),
        *((number, share) for number, share in enumerate(shares) if number),
    ]
    bounds = [round(size.people * part / sum(shares)) for part in accumulate((part for _, part in parts), initial=0)]
    return [
        Site(
            number=number,
            organisation=organisation + 1,
            name=f"https://lms{number + 1}.example",
            stocks=_STOCKS[number],
            first=bounds[number],
            count=bounds[number + 1] - bounds[number],
            teachers=ceil((bounds[number + 1] - bounds[number]) * TEACHERS),
        )
        for number, (organisation, _) in enumerate(parts)
    ]


def make_people(rng: Random, size: Size, sites: list[Site]) -> list[Person]:
    """Each site counts its people from 1, as LMSs do: one id is somebody else elsewhere."""
    return [_person(rng, size, site, number) for site in sites for number in range(1, site.count + 1)]


def _person(rng: Random, size: Size, site: Site, number: int) -> Person:
    name = site.invent_name(rng)
    if rng.random() >= RENAMED:
        return Person(site, str(number), name)
    return Person(
        site, str(number), name, site.invent_name(rng), size.until - rng.randrange(size.years * YEAR_DAYS) * DAY
    )


# --- courses and classes ----------------------------------------------------------------------------------------------

_TITLES = (
    ("ALG", "Εισαγωγή στην Άλγεβρα"),
    ("BOT", "Вступ до ботаніки"),
    ("AKU", "Einführung in die Akustik"),
    ("VID", "Historia del vidrio"),
    ("AST", "مبادئ علم الفلك"),
    ("LIN", "线性代数入门"),
    ("LOG", "Introduction to Logic"),
    ("GEO", "Γεωμετρία του χώρου"),
    ("PHY", "Physics for Everybody"),
    ("CER", "Céramique et couleurs"),
    ("HYD", "Υδραυλική"),
    ("MUS", "Music of Machines"),
)


def terms(size: Size) -> list[list[int]]:
    """The Mondays (epoch ms) of each term's weeks, as far as they lie within the years."""
    since = size.until - size.years * YEAR_DAYS * DAY
    first_year = 1970 + since // (YEAR_DAYS * DAY + DAY // 4) - 1
    found = []
    for year in range(first_year, first_year + size.years + 3):
        january = (year - 1970) * (YEAR_DAYS * DAY + DAY // 4)
        for first, count in sorted(TERMS):
            monday = (january + first * WEEK) // WEEK * WEEK + FIRST_MONDAY
            found.append([at for at in range(monday, monday + count * WEEK, WEEK) if since <= at < size.until])
    return [weeks for weeks in found if weeks]


@dataclass(slots=True)
class _Draft:
    """A course before it is known how many people it takes."""

    site: Site
    base: float
    starts: list[int]


def _drafts(rng: Random, size: Size, sites: list[Site]) -> list[_Draft]:
    """Courses until there are classes enough; the last one is cut off. Most last a term, some all the years."""
    every, wanted, found = terms(size), size.meetings, []
    weights = [site.count for site in sites]
    while wanted > 0:
        first = rng.randrange(len(every))
        span = rng.choices((1, 2, len(every)), (60, 32, 8))[0]
        weeks = [week for term in every[first : first + span] for week in term]
        slots = sorted({_slot(rng) for _ in range(rng.choice((1, 1, 1, 2)))})
        starts = [week + slot for week in weeks for slot in slots if week + slot < size.until - 3 * 60 * MINUTE][
            :wanted
        ]
        size_factor = 20 if rng.random() < 1 / 2000 else 1
        found.append(_Draft(rng.choices(sites, weights)[0], rng.lognormvariate(0.0, 0.8) * size_factor, starts))
        wanted -= len(starts)
    return found


def _slot(rng: Random) -> int:
    """When in the week: rarely on Saturdays, hardly on Sundays."""
    weekday = rng.choices(range(7), (20, 20, 20, 20, 16, 3, 1))[0]
    return weekday * DAY + rng.choice(HOURS) * 60 * MINUTE + rng.choice((0, 0, 15, 30)) * MINUTE


def make_plan(size: Size) -> Plan:
    """The same for a seed, and for another `until` the same at other times."""
    rng = Random(size.seed)
    sites = make_sites(size)
    people = make_people(rng, size, sites)
    drafts = _drafts(rng, size, sites)
    planned = _planned(rng, size, drafts)
    most = [0] * len(drafts)
    for one in planned:
        most[one.course] = max(most[one.course], one.people)
    decks = [_Deck(rng, site) for site in sites]
    courses = [_course(rng, number, draft, most[number], decks) for number, draft in enumerate(drafts)]
    meetings = [one._replace(people=min(one.people, len(courses[one.course].people))) for one in planned]
    return Plan(sites, people, courses, _begun_lately(meetings, size))


def _planned(rng: Random, size: Size, drafts: list[_Draft]) -> list[Planned]:
    """Every class in the order of time, with as many people as make up the whole."""
    starts = sorted(
        (at, course, draft.base * (0.7 + 0.3 * rng.random()))
        for course, draft in enumerate(drafts)
        for at in draft.starts
    )
    whole = sum(weight for _, _, weight in starts)
    bounds = [int(part * size.attendances / whole) for part in accumulate((one[2] for one in starts), initial=0.0)]
    bounds[-1] = size.attendances
    return [Planned(at, course, bounds[number + 1] - bounds[number]) for number, (at, course, _) in enumerate(starts)]


def _begun_lately(meetings: list[Planned], size: Size) -> list[Planned]:
    """A few of the last classes begin within the last half hour: they are running."""
    running = min(RUNNING, len(meetings) // 20)
    if not running:
        return meetings
    lately = [
        one._replace(starts_at=size.until - BEGAN_LATELY + number * MINUTE)
        for number, one in enumerate(meetings[-running:])
    ]
    return meetings[:-running] + lately


class _Deck:
    """Who of a site is put into courses: first everybody once, then some far more often than others."""

    def __init__(self, rng: Random, site: Site) -> None:
        self._rng, self._site = rng, site
        self._students = list(range(site.first + site.teachers, site.first + site.count))
        rng.shuffle(self._students)
        self._dealt = 0

    def deal(self, count: int) -> set[int]:
        count = min(count, len(self._students))
        found = set(self._students[self._dealt : self._dealt + count])
        self._dealt += count
        while len(found) < count:
            found.add(self._students[int(len(self._students) * self._rng.random() ** 1.5)])
        return found

    def teacher(self) -> int:
        """A few teach thousands of classes."""
        return self._site.first + int(self._site.teachers * self._rng.random() ** 4)


def _course(rng: Random, number: int, draft: _Draft, most: int, decks: list[_Deck]) -> Course:
    deck, (label, title) = decks[draft.site.number], rng.choice(_TITLES)
    return Course(
        number=number,
        site=draft.site,
        server=rng.choice(SERVERS),
        label=f"{label}-{number % 977}",
        title=title,
        meeting=f"{rng.getrandbits(160):040x}",
        minutes=rng.choice(LENGTHS),
        people=(deck.teacher(), *sorted(deck.deal(most - 1 if most else 0))),
    )


def visitors(rng: Random, count: int) -> int:
    """How many of so many are guests and callers: of most classes none."""
    return min(rng.randrange(1, 4), count // 3) if rng.random() < VISITED else 0


def who_came(rng: Random, course: Course, count: int) -> Iterator[int]:
    """The teacher, and as many others of the course as make up the number."""
    if count:
        yield course.people[0]
        yield from rng.sample(course.people[1:], count - 1)
