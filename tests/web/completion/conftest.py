"""A course with an activity of three classes, and who may decide of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from django.contrib.auth.models import User
from django.test import Client

from rollcall.core.activity import ClassVerdict, Held, PersonVerdict, Presence, Verdict
from rollcall.core.policy import MINUTE_MS
from rollcall.derive.rows import FOLD_VERSION
from rollcall.feed.deciding import activity_for
from rollcall.store.completions import Completion
from rollcall.store.derived import Person
from rollcall.store.keys import key_of, person_key
from rollcall.store.names import fold_name
from tests.makers import Attendee, make_meeting, make_organisation, make_platform, make_pool, staff

if TYPE_CHECKING:
    from rollcall.store.decisions import Activity

SITE = "https://moodle.example.org"
NOON = 1_795_348_800_000
"""2026-11-22 12:00 UTC: all classes are over."""
DAYS = ("2026-11-18", "2026-11-19", "2026-11-20")
OURS = {"origin": "http://testserver"}


@dataclass(slots=True)
class Course:
    """The activity by its key in hexadecimal, its meetings, and whose it is."""

    organisation: Any
    meetings: list[Any] = field(default_factory=list)

    @property
    def key(self) -> str:
        return bytes(self.meetings[0].activity_key).hex()

    @property
    def path(self) -> str:
        return f"/activities/{self.key}"

    def activity(self) -> Activity:
        return activity_for(self.organisation.pk, bytes.fromhex(self.key), now=NOON)

    def judge(self, user: str, name: str, verdict: Verdict, **columns: Any) -> Completion:
        """A row as the fold of the activity writes it."""
        detail = PersonVerdict(
            user_id=user,
            computed=verdict,
            verdict=verdict,
            met=(int(verdict is Verdict.MET), int(verdict is not Verdict.NOT_MET)),
            needed=1,
            share=(0, 1000),
            measured=(),
            classes=tuple(self._class(one, verdict) for one in self.meetings),
        )
        told = {
            "organisation": self.organisation.pk,
            "user_key": key_of(user),
            "external_user_id": user,
            "name": name,
            "name_key": fold_name(name),
            "sort_key": fold_name(name).encode(),
            "verdict": verdict.value,
            "computed": verdict.value,
            "detail": msgspec.json.encode(detail),
            "person": Person.objects.filter(key=person_key(SITE, user, self.organisation.pk)).first(),
        }
        return Completion.objects.create(activity=self.activity(), **told | columns)

    @staticmethod
    def _class(summary: Any, verdict: Verdict) -> ClassVerdict:
        return ClassVerdict(
            meetings=(str(summary.meeting_id),),
            began_at=summary.started_at,
            counts=Verdict.MET,
            version=0,
            computed=verdict,
            verdict=verdict,
        )


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("rollcall.store.licensing.now_ms", lambda: NOON)
    return NOON


@pytest.fixture
def course(db: None, noon: int) -> Course:
    """Three classes of one activity, with two people in each."""
    organisation = make_organisation("Upper School")
    make_platform(organisation, SITE, make_pool())
    made = Course(organisation)
    people = (Attendee(name="Ada Byron", uid="501"), Attendee(name="Bob Marley", uid="502"))
    made.meetings = [
        make_meeting(
            *people,
            day=day,
            site=SITE,
            course="7",
            label="Mathematics",
            organisation=organisation.pk,
            activity="algebra",
        )
        for day in DAYS
    ]
    return made


@pytest.fixture
def held(course: Course, monkeypatch: pytest.MonkeyPatch) -> list[Held]:
    """What the classes say: Ada was in all of each, Bob in half, and nobody knows how long Cyd was in the last."""
    found = []
    for number, summary in enumerate(course.meetings):
        begin, end = summary.started_at, summary.started_at + 60 * MINUTE_MS
        whole, half = ((begin, end),), ((begin, begin + 30 * MINUTE_MS),)
        people = {"501": Presence(whole, whole), "502": Presence(half, half)}
        if number == 2:
            people["503"] = Presence(((begin, begin + 1),), whole)
        found.append(
            Held(
                meeting=str(summary.meeting_id),
                began_at=begin,
                first_join=(begin, begin),
                last_leave=(end, end),
                ended=(end, end),
                attendees=(len(people), len(people)),
                people=people,
            )
        )
        type(summary).objects.filter(pk=summary.pk).update(fold_version=FOLD_VERSION)
    for place in ("rollcall.derive.activity.held_of", "rollcall.web.completion.classes.held_of"):
        monkeypatch.setattr(place, lambda _organisation, _key: found)
    return found


@pytest.fixture
def teacher(course: Course) -> Client:
    """Whoever decides: here an account of the organisation."""
    client = Client(headers={"accept": "text/html"})
    client.force_login(staff(User, "grace", course.organisation))
    return client
