"""One Moodle at one address, a class of some thirty with every kind of person, and a worker that judges and sends."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from random import Random
from typing import TYPE_CHECKING, Any, Final

from rollcall.bbb.documents import keep_recording
from rollcall.bbb.sightings import FactsOf
from rollcall.core.deliveries import Way
from rollcall.core.policy import MINUTE_MS
from rollcall.deliveries.completions.choosing import choices
from rollcall.derive import rebuild
from rollcall.derive.activity import demand_all, refold_activity
from rollcall.feed.append import append
from rollcall.feed.deciding import By, activity_for, decide
from rollcall.moodle.service_user import sealed_for
from rollcall.simulate.classes import internal_meeting_id
from rollcall.simulate.eras import ERAS
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.recording import recordings
from rollcall.simulate.recording_xml import to_xml
from rollcall.simulate.relay import relay
from rollcall.simulate.truth import Ending, Meeting, Person, Stay, Truth
from rollcall.store.completions import Completion
from rollcall.store.derived import Summary
from rollcall.store.keys import key_of
from rollcall.store.owed import CompletionTarget, MoodleService, Owed
from rollcall.store.platforms import Member, Platform, Teacher
from tests import makers, moodle, moodle_web_services
from tests.deliveries.completions.course_world import course_at, enrol, link_in, on, send
from tests.deliveries.world import SECRET, Clock, connect
from tests.derive.log import arrivals_of, fold_everything
from tests.lti import service_standin
from tests.lti.asked_platform import key_pair
from tests.lti.service_standin import learner
from tests.makers import at
from tests.serving import on_a_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.feed.feed import Arrival
    from rollcall.store.decisions import Activity

COURSE, INSTANCE, COLUMN = "2", 1, 2
SEED: Final = "a" * 40
TESS: Final = By("tess", "instructor", "she said so")


# -- the LMS ----------------------------------------------------------------------------------------------------------


@dataclass
class Lms:
    """The three stand-ins of one Moodle: its gradebook, its web services, its receiver of meeting events."""

    gradebook: service_standin.Site
    services: moodle_web_services.Site
    receiver: moodle.Moodle
    base: str = ""

    def requests(self) -> int:
        """How many have come in, by whatever way."""
        return len(self.gradebook.requests) + len(self.services.requests) + len(self.receiver.requests)

    def graded(self) -> dict[str, float]:
        """Who has which grade, as everybody sees it."""
        seen = {user: self.gradebook.seen(COLUMN, user) for _, user in self.gradebook.grades}
        return {user: grade for user, grade in seen.items() if grade is not None}


class _Front(BaseHTTPRequestHandler):
    """Hands each request on to the stand-in that its path is of."""

    ways: tuple[tuple[str, type[BaseHTTPRequestHandler]], ...]

    def do_POST(self) -> None:
        handler: Any = next(one for path, one in self.ways if self.path.startswith(path))
        self.__class__ = handler
        getattr(self, f"do_{self.command}")()

    do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815 - the library's names


@contextmanager
def one_lms(clock: Clock) -> Iterator[Lms]:
    """A Moodle of its own while the block lasts, on the clock of the test."""
    gradebook = service_standin.Site(
        keys={"kid-1": key_pair().private_key.public_key()}, clock=lambda: clock.now / 1000
    )
    module = moodle_web_services.Module(3, seed=SEED)
    services = moodle_web_services.Site(activities={INSTANCE: module})
    activity = moodle.Activity(SEED, rules={"attendance": 1})
    receiver = moodle.Moodle(SECRET, {INSTANCE: activity}, clock=lambda: clock.now / 1000)
    ways = (
        (moodle_web_services.PATH, moodle_web_services.answering(services)),
        (moodle.PATH, moodle.answering(receiver)),
        ("/", service_standin.answering(gradebook)),
    )
    with on_a_port(type("Front", (_Front,), {"ways": ways})) as port:
        base = f"http://127.0.0.1:{port}"
        gradebook.base = services.base = receiver.base = base
        yield Lms(gradebook, services, receiver, base)


# -- the class --------------------------------------------------------------------------------------------------------

Part = tuple[str, float, float]
"""A session: its participant, from which minute to which; one that begins with r is in the breakout room."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One person: what is special of them, when they were there, what the LMS ends with by each way.

    `verdict` is that of the fold; `grade`, `by_services`, `by_rule` what the gradebook shows (None: nothing), whether
    the activity is complete by web services, and by Moodle's own rule.
    """

    user: str
    name: str
    parts: tuple[Part, ...]
    verdict: str
    grade: float | None = None
    by_services: bool = False
    by_rule: bool = False
    role: str = "VIEWER"
    enrolled: bool | None = True

    @property
    def person(self) -> Person:
        return Person(
            self.user,
            self.name,
            self.role,
            is_guest=self.user.startswith("gl-"),
            is_dial_in=self.user.startswith("v_"),
        )


def _met(user: str, name: str, *parts: Part) -> Kind:
    return Kind(user, name, parts, "met", 100, by_services=True, by_rule=True)


def _not_met(user: str, name: str, *parts: Part) -> Kind:
    return Kind(user, name, parts, "not-met")


WHOLE: Final = ("a", 0.2, 60)
DARK: Final = (34.95, 35.05)
"""In these minutes no webhook was heard."""

KINDS: Final = (
    Kind("3", "Tess Teacher", (("a", 0.1, 60),), "met", role="MODERATOR", enrolled=None),
    _met("4", "Ana Always", WHOLE),
    _met("5", "Jo Just", ("a", 14.8, 60)),
    _not_met("6", "Ned Nearly", ("a", 15.2, 60)),
    _not_met("7", "Ben Brief", ("a", 1, 21)),
    _met("8", "Two Tabs", ("a", 1, 31), ("b", 20, 51)),
    _not_met("9", "Same Tabs", ("a", 1, 31), ("b", 1.5, 31)),
    _met("10", "Rae Reconnects", ("a", 1, 20), ("a", 21, 51)),
    _met("11", "Ron Returns", ("a", 1, 25), ("b", 30, 53)),
    Kind("12", "Dora Dark", (("a", 1, 35),), "cannot-tell"),
    _met("13", "Bea Breakout", ("a", 1, 20), ("r", 20, 40), ("a", 40, 50)),
    _met("14", "Παπαδοπούλου Ελένη", WHOLE),
    _not_met("15", "أميرة حسن", ("a", 1, 21)),
    _met("16", "李小龍 🎓", WHOLE),
    _not_met("17", "नेहा <b>शर्मा</b>", ("a", 1, 21)),
    _not_met("18", "Val Visits", ("a", 3, 4)),
    Kind("19", "Nora Not Enrolled", (WHOLE,), "met", enrolled=None),
    Kind("20", "Lee Left", (WHOLE,), "met", enrolled=False),
    Kind("21", "Nan Non-editing", (WHOLE,), "met", by_rule=True),
    Kind("32", "Nat Non-editing", (WHOLE,), "met"),
    _not_met("22", "Ivy Invisible"),
    Kind("23", "Hal By Hand", (WHOLE,), "met", 100, by_services=True, by_rule=True),
    Kind("24", "Ole Overridden", (WHOLE,), "met", 0, by_rule=True),
    Kind("25", "Lou Locked", (WHOLE,), "met", by_services=True, by_rule=True),
    Kind("26", "Gil Graded", (WHOLE,), "met", 50, by_services=True, by_rule=True),
    _met("27", "Cora Corrected", ("a", 1, 11)),
    Kind("28", "Cyd Corrected", (WHOLE,), "not-met"),
    Kind("0031", "Zoe Zeros", (WHOLE,), "met"),
    Kind("1e3", "Exa Exponent", (WHOLE,), "met"),
    _not_met("31", "Dee Double", ("a", 1, 21)),
    _met("2147483647", "Max Number", WHOLE),
    Kind("gl-guest-1", "Gus Guest", (WHOLE,), "", enrolled=None),
    Kind("v_caller", "+30 2310 555 123", (WHOLE,), "", enrolled=None),
)
BY_USER: Final = {kind.user: kind for kind in KINDS}
LEARNERS: Final = [kind for kind in KINDS if kind.enrolled]
NON_EDITING: Final = ("21", "32")


def held(base: str, begins_at: int, kinds: tuple[Kind, ...] = KINDS) -> Truth:
    """The class that began then, as it was."""
    external = f"{SEED}-{COURSE}-{INSTANCE}[0]"
    internal = internal_meeting_id(external, begins_at)
    metadata = (
        ("bbb-origin", "Moodle"),
        ("bbb-origin-server-name", base.partition("//")[2]),
        ("bbb-context-id", COURSE),
        ("bbb-context-name", "Algebra"),
        ("bbb-context-label", "ALG"),
        ("analytics-callback-url", f"{base}{moodle.PATH}?action=meeting_events&bigbluebuttonbn={INSTANCE}"),
    )
    told: dict[str, Any] = {"metadata": metadata, "acts": (), "ending": Ending.LAST_LEFT}
    root = Meeting(
        internal_meeting_id=internal,
        external_meeting_id=external,
        name="Algebra",
        created_at=begins_at,
        ended_at=begins_at + 61 * MINUTE_MS,
        stays=_stays(kinds, begins_at, in_room=False),
        voice_bridge="70001",
        **told,
    )
    in_room = _stays(kinds, begins_at, in_room=True)
    if not in_room:
        return Truth(root)
    opens = begins_at + 19 * MINUTE_MS
    of_room = f"{internal[:40]}-{opens}"
    room = Meeting(
        internal_meeting_id=internal_meeting_id(of_room, opens),
        external_meeting_id=of_room,
        name="Algebra (Room 1)",
        created_at=opens,
        ended_at=begins_at + 41 * MINUTE_MS,
        stays=in_room,
        voice_bridge="700011",
        parent=internal,
        sequence=1,
        **told,
    )
    return Truth(root, (room,))


def _stays(kinds: tuple[Kind, ...], begins_at: int, *, in_room: bool) -> tuple[Stay, ...]:
    found = [
        Stay(
            person=kind.person,
            participant=_participant(kind, tab),
            external_user_id=_external(kind, tab),
            joined_at=begins_at + round(start * MINUTE_MS),
            left_at=begins_at + round(end * MINUTE_MS),
            is_announced=True,
        )
        for kind in kinds
        for tab, start, end in kind.parts
        if (tab == "r") is in_room
    ]
    return tuple(sorted(found, key=lambda stay: (stay.joined_at, stay.participant)))


def _participant(kind: Kind, tab: str) -> str:
    return kind.user if kind.person.is_dial_in else f"w_{key_of(kind.user, tab).hex()[:12]}"


def _external(kind: Kind, tab: str) -> str:
    """In a room it names who they are in the class."""
    if kind.person.is_dial_in:
        return ""
    return f"{_participant(kind, 'a')}-1" if tab == "r" else kind.user


# -- Rollcall ---------------------------------------------------------------------------------------------------------


@dataclass
class World:
    """The activity, its LMS, and a worker."""

    lms: Lms
    clock: Clock
    pool: Any
    platform: Platform

    @property
    def key(self) -> bytes:
        return bytes(Summary.objects.order_by("pk").values_list("activity_key", flat=True)[0])

    def activity(self) -> Activity:
        return activity_for(self.platform.organisation_id, self.key, now=self.clock.now)

    def hear(self, *, begins_at: int = at("10:00"), dark: tuple[float, float] | None = DARK) -> Truth:
        """A class by its webhooks, all of them but those of some seconds in the dark."""
        truth = held(self.lms.base, begins_at)
        heard, found = relay(truth, GENERATIONS["3.5.0"], Random(1)), []
        if dark is not None:
            start, end = (begins_at + round(minute * MINUTE_MS) for minute in dark)
            heard = [one for one in heard if not start <= one.happened_at < end]
            ours = FactsOf(self.pool.pk, self.pool.name)
            found = [ours.blind(truth.root.internal_meeting_id, start, end, "downtime", end)]
        self._take([*arrivals_of(self.pool, heard), *found])
        return truth

    def record(self, truth: Truth, *, received_at: int | None = None) -> None:
        """The whole events.xml of the class and of its rooms."""
        now = self.clock.now if received_at is None else received_at
        files = recordings(truth, ERAS["3.0"], Random(1)).values()
        told = [
            keep_recording(BytesIO(to_xml(one)), self.pool.name, received_at=now, pool=self.pool.pk) for one in files
        ]
        self._take([one.arrival for one in told])

    @staticmethod
    def _take(arrivals: list[Arrival]) -> None:
        append(arrivals)
        fold_everything()

    def decide(self, *what: Any) -> None:
        for one in what:
            decide(self.activity(), one, TESS, now=self.clock.now)

    def go_on(self, ticks: int = 3) -> None:
        """Judge what is due, and send what is owed."""
        self.judge()
        send(self.clock, ticks)

    def judge(self) -> None:
        assert refold_activity(self.activity().pk, now=self.clock.now)

    def rebuild(self) -> None:
        """All meetings and all activities anew."""
        rebuild.demand()
        fold_everything()
        demand_all()
        self.judge()

    def switch_on(self, *ways: Way, **more: Any) -> list[CompletionTarget]:
        """Each way with what is offered for it first."""
        activity = self.activity()
        keys = [next(one.key for one in choices(activity) if one.way is way) for way in ways or tuple(Way)]
        return [on(activity, key, self.clock.now, **{"from_at": 0, **more}) for key in keys]

    def verdicts(self) -> dict[str, str]:
        return dict(Completion.objects.values_list("external_user_id", "verdict"))

    def states(self, way: Way) -> dict[str, tuple[str, str]]:
        """By user: state and reason of what is owed by this way."""
        rows = Owed.objects.filter(target__receiver__way=way)
        return {user: (state, why) for user, state, why in rows.values_list("external_user_id", "state", "reason")}

    def row(self, user: str, way: Way) -> Owed:
        return Owed.objects.get(external_user_id=user, target__receiver__way=way)

    def done(self, way: Way) -> set[str]:
        """Whom the LMS has by this way as done."""
        if way is Way.AGS:
            return {user for user, grade in self.lms.graded().items() if grade == 100}
        if way is Way.MOODLE:
            return {str(user) for user in self.lms.services.completed(INSTANCE)}
        return {str(user) for user in self.lms.receiver.completed(INSTANCE)}


def open_world(lms: Lms, clock: Clock) -> World:
    """An organisation with this LMS, whose course has a roster and a column, and who may write its completion."""
    pool = makers.make_pool()
    connect(pool, SECRET)
    platform = makers.make_platform(makers.make_organisation(), lms.base, pool, client_id="tool")
    Platform.objects.filter(pk=platform.pk).update(token_url=f"{lms.base}/mod/lti/token.php", product="moodle")
    course = course_at(lms.gradebook)
    link_in(course, lms.gradebook, COLUMN, None)
    enrol(course, **{f"_{kind.user}": True for kind in LEARNERS}, _3=False, _20=True)
    Member.objects.filter(user_id="20").update(until_at=at("09:30"))
    # Moodle's roster calls both non-editing teachers learners; this one has come to Rollcall, as an instructor.
    Teacher.objects.create(context=course, user_id="32", user_key=key_of("32"), came_at=at("09:00"))
    MoodleService.objects.create(
        platform=platform,
        sealed=sealed_for(platform, moodle_web_services.TOKEN),
        user_id=str(moodle_web_services.OURS),
        added_at=0,
    )
    _fill(lms)
    return World(lms, clock, pool, platform)


def _fill(lms: Lms) -> None:
    """Who is a student there, and what people have decided by hand before."""
    students = [kind.user for kind in LEARNERS if kind.user.isdecimal() and kind.user not in NON_EDITING]
    lms.gradebook.members = [learner(user) for user in students]
    lms.services.users |= {int(user) for user in (*students, *NON_EDITING, "3", "19", "20")}
    lms.services.students = {int(user) for user in students}
    lms.services.by_hand(23, 1)
    lms.services.by_hand(24, 0)
    lms.gradebook.override(COLUMN, "24", 0)
    lms.gradebook.override(COLUMN, "26", 50)
    lms.gradebook.locked_for.add((COLUMN, "25"))
