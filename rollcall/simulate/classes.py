"""Makes classes up, with their whole truth, from a random.Random: the same seed gives the same class."""

# ruff: noqa: S324  # BigBlueButton and Moodle make their ids with SHA-1

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha1
from itertools import chain
from typing import TYPE_CHECKING

from rollcall.simulate.acting import act_out, choose_leading, run_meeting
from rollcall.simulate.names import invent_names
from rollcall.simulate.truth import Ending, Meeting, Person, Stay, Truth

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

SECOND = 1_000
MINUTE = 60_000
AUDIT_MS = 10_000  # BigBlueButton announces leaves on a grid of ten seconds
AFTER_LAST_LEFT_MS = MINUTE
STARTS_AT = 1_795_309_400_000
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What kind of class. Chances are per student; `cast` gives the people, else they are made up.

    `liveliness` is how many things a student does in ten minutes, on average.
    """

    starts_at: int = STARTS_AT
    minutes: int = 45
    people: int = 12
    cast: tuple[Person, ...] = ()
    name: str = "Εισαγωγή στην Άλγεβρα"
    origin: str = "moodle.example.org"
    course: int = 42
    instance: int = 7
    group: int = 0
    label: str = "ALG101"
    ending: Ending | None = None
    rooms: int | None = None
    guests: int = 1
    dial_ins: int = 1
    without_ids: int = 0
    liveliness: float = 2.0
    arrive_within_ms: int = 5 * MINUTE
    late: float = 0.15
    early: float = 0.15
    reconnects: float = 0.2
    two_tabs: float = 0.1
    absent: float = 0.0


def make_class(rng: Random, plan: Plan | None = None) -> Truth:
    """One class with its breakout rooms."""
    return _Director(rng, plan or Plan()).stage()


def make_cast(rng: Random, people: int, *, first_id: int = 3) -> tuple[Person, ...]:
    """So many made-up people with Moodle's small numbers as ids, the first one the teacher."""
    names = invent_names(rng, people)
    return tuple(Person(str(first_id + n), name, "VIEWER" if n else "MODERATOR") for n, name in enumerate(names))


def external_meeting_id(origin: str, course: int, instance: int, group: int = 0) -> str:
    """As Moodle makes it: a hash that stays with the activity, course, instance, and the group in brackets."""
    return f"{sha1(f'{origin}/{course}/{instance}'.encode()).hexdigest()}-{course}-{instance}[{group}]"


def internal_meeting_id(external: str, created_at: int) -> str:
    """As BigBlueButton makes it."""
    return f"{sha1(external.encode()).hexdigest()}-{created_at}"


def moodle_metadata(plan: Plan) -> tuple[tuple[str, str], ...]:
    """What Moodle's activity sends with `create`, in its order."""
    base = f"https://{plan.origin}/mod/bigbluebuttonbn/bbb_broker.php"
    return (
        ("bbb-origin", "Moodle"),
        ("bbb-origin-version", "4.5.6 (Build: 20260810)"),
        ("bbb-origin-server-name", plan.origin),
        ("bbb-origin-server-common-name", ""),
        ("bbb-origin-tag", "moodle-mod_bigbluebuttonbn (2024100700)"),
        ("bbb-context", plan.name),
        ("bbb-context-id", str(plan.course)),
        ("bbb-context-name", plan.name),
        ("bbb-context-label", plan.label),
        ("bbb-recording-name", plan.name),
        ("bbb-recording-description", ""),
        ("bbb-recording-tags", ""),
        ("bn-recording-status", '{"email":{"\\"CANARY-creator\\" <CANARY-creator@example.org>":""},"context":"1"}'),
        ("bbb-recording-ready-url", f"{base}?action=recording_ready&bigbluebuttonbn={plan.instance}"),
        ("analytics-callback-url", f"{base}?action=meeting_events&bigbluebuttonbn={plan.instance}"),
    )


@dataclass
class _Director:
    rng: Random
    plan: Plan
    taken: set[str] = field(default_factory=set)

    def stage(self) -> Truth:
        plan, rng = self.plan, self.rng
        self.start = plan.starts_at
        self.end = plan.starts_at + plan.minutes * MINUTE + rng.randrange(AUDIT_MS)
        self.grid = rng.randrange(AUDIT_MS)
        self.ending = plan.ending or rng.choice(tuple(Ending))
        external = external_meeting_id(plan.origin, plan.course, plan.instance, plan.group)
        internal = internal_meeting_id(external, self.start)
        stays = self.stays()
        if self.ending is Ending.LAST_LEFT:
            self.end = max((stay.left_at for stay in stays), default=self.start + 4 * MINUTE) + AFTER_LAST_LEFT_MS
        root = Meeting(
            internal_meeting_id=internal,
            external_meeting_id=external,
            name=plan.name,
            metadata=moodle_metadata(plan),
            created_at=self.start,
            ended_at=self.end,
            ending=self.ending,
            stays=stays,
            acts=(),
            voice_bridge=str(rng.randrange(10_000, 99_999)),
        )
        rooms = tuple(self.rooms(root))
        leading = choose_leading(rng, chain.from_iterable(meeting.stays for meeting in (root, *rooms)))
        root = replace(root, acts=run_meeting(rng, root, plan.liveliness, leading))
        acted = (replace(room, acts=act_out(rng, room, plan.liveliness, leading)) for room in rooms)
        return Truth(root, tuple(acted))

    def stays(self) -> tuple[Stay, ...]:
        found = list(chain.from_iterable(self.come(person) for person in self.cast()))
        return tuple(sorted(found, key=lambda stay: (stay.joined_at, stay.participant)))

    def cast(self) -> Iterable[Person]:
        plan, rng = self.plan, self.rng
        given = plan.cast or make_cast(rng, plan.people)
        yield from (one for one in given if one.role == "MODERATOR" or rng.random() >= plan.absent)
        extra = iter(invent_names(rng, plan.guests + plan.without_ids))
        for _ in range(plan.guests):
            yield Person(f"gl-guest-{self.random_id(8)}", next(extra), is_guest=True)
        for _ in range(plan.without_ids):
            yield Person(self.participant("w_"), next(extra))
        for _ in range(plan.dial_ins):
            yield Person(self.participant("v_"), f"+30 2310 555 {rng.randrange(1000):03}", is_dial_in=True)

    def come(self, person: Person) -> list[Stay]:
        """Every session of one person: mostly one, sometimes interrupted, sometimes twice at once."""
        came, went = self.arrives(person), self.leaves(person)
        if went - came < 30 * SECOND:
            came = max(self.start + 1, went - 5 * MINUTE)
        if person.is_dial_in:
            return [self.stay(person, person.key, came, went)]
        first = person.key if person.key.startswith("w_") else self.participant("w_")
        spans = self.interrupted(person, first, came, went)
        if person.role != "MODERATOR" and not person.key.startswith("w_") and self.rng.random() < self.plan.two_tabs:
            opened = self.rng.randrange(came, max(came + 1, went - 30 * SECOND))
            closed = self.on_grid(self.rng.randrange(opened + 20 * SECOND, went + 20 * SECOND))
            spans.append((self.participant("w_"), opened, went if closed > went - 5 * SECOND else closed))
        return [self.stay(person, participant, start, end) for participant, start, end in spans if start < end]

    def interrupted(self, person: Person, participant: str, came: int, went: int) -> list[tuple[str, int, int]]:
        """One span, or two when the connection broke: back as the same participant, or as a new one."""
        room = went - came - 4 * MINUTE
        if room <= 0 or person.role == "MODERATOR" or self.rng.random() >= self.plan.reconnects:
            return [(participant, came, went)]
        broke = self.on_grid(came + MINUTE + self.rng.randrange(room))
        back = broke + self.rng.randrange(2 * SECOND, 2 * MINUTE)
        keeps_id = person.key == participant or self.rng.random() < 0.5
        return [(participant, came, broke), (participant if keeps_id else self.participant("w_"), back, went)]

    def arrives(self, person: Person) -> int:
        length = self.end - self.start
        if person.role == "MODERATOR":
            return self.start + self.rng.randrange(400, 4 * SECOND)
        if self.rng.random() < self.plan.late:
            return self.start + self.rng.randrange(length // 10, length // 2 + 1)
        return self.start + 1 + self.rng.randrange(min(self.plan.arrive_within_ms, length // 3))

    def leaves(self, person: Person) -> int:
        length = self.end - self.start
        if person.role != "MODERATOR" and self.rng.random() < self.plan.early:
            return self.on_grid(self.start + self.rng.randrange(length // 2, length - length // 10))
        if self.ending is Ending.LAST_LEFT:
            return self.on_grid(self.end - self.rng.randrange(min(3 * MINUTE, length // 5)))
        return self.end

    def on_grid(self, at: int) -> int:
        """The moment the audit notices that somebody went."""
        return min(at + (self.grid - at) % AUDIT_MS, self.end)

    def stay(self, person: Person, participant: str, start: int, end: int) -> Stay:
        return Stay(
            person=person,
            participant=participant,
            external_user_id="" if person.is_dial_in else person.key,
            joined_at=start,
            left_at=end,
            is_announced=end < self.end or self.ending is Ending.LAST_LEFT,
        )

    def rooms(self, root: Meeting) -> Iterable[Meeting]:
        count = self.plan.rooms if self.plan.rooms is not None else self.rng.choice((0, 0, 0, 2, 3))
        length = root.ended_at - root.created_at
        if not count or length < 8 * MINUTE:
            return
        opens = root.created_at + length // 3
        closes = min(opens + length // 4 + self.rng.randrange(MINUTE), root.ended_at)
        members = [stay for stay in root.present(opens) if _goes_to_rooms(stay)]
        for number in range(1, count + 1):
            yield self.room(root, number, (opens + number * 3, closes), members[number - 1 :: count])

    def room(self, root: Meeting, number: int, hours: tuple[int, int], members: Sequence[Stay]) -> Meeting:
        opens, closes = hours
        text = f"{root.internal_meeting_id}-{opens}-{number - 1}"
        external = f"{sha1(text.encode()).hexdigest()}-{opens}"
        return Meeting(
            internal_meeting_id=internal_meeting_id(external, opens),
            external_meeting_id=external,
            name=f"{root.name} (Room {number})",
            metadata=root.metadata,
            created_at=opens,
            ended_at=closes,
            ending=Ending.TIME_OVER,
            stays=tuple(self.enters(member, number, hours) for member in members),
            acts=(),
            voice_bridge=f"{root.voice_bridge}{number}",
            parent=root.internal_meeting_id,
            sequence=number,
        )

    def enters(self, member: Stay, number: int, hours: tuple[int, int]) -> Stay:
        opens, closes = hours
        joined = opens + self.rng.randrange(2 * SECOND, 30 * SECOND)
        leaves_early = self.rng.random() < 0.2
        left = self.on_grid(self.rng.randrange(joined + SECOND, closes)) if leaves_early else closes
        return Stay(
            person=member.person,
            participant=self.participant("w_"),
            external_user_id=f"{member.participant}-{number}",
            joined_at=joined,
            left_at=min(left, closes),
            is_announced=left < closes,
        )

    def participant(self, prefix: str) -> str:
        return f"{prefix}{self.random_id(12)}"

    def random_id(self, length: int) -> str:
        while True:
            made = "".join(self.rng.choices(LETTERS, k=length))
            if made not in self.taken:
                self.taken.add(made)
                return made


def _goes_to_rooms(stay: Stay) -> bool:
    return stay.person.role != "MODERATOR" and not stay.person.is_dial_in
