"""Activities of which the truth is known, under random policies, from the wire to the verdicts that are kept.

Each verdict is that of tests.whole.every_truth, which shares no rule with the fold; none that is certain is untrue;
with a whole record of every meeting all are certain; and none that was certain is ever taken back by later evidence.
ROLLCALL_ACTIVITIES=5000 plays so many.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from rollcall.core.activity import fold_activity
from rollcall.core.held import Decided
from rollcall.core.roster import Enrolled
from rollcall.core.verdicts import Verdict
from rollcall.derive.activity import gather, refold_activity
from rollcall.feed.deciding import By, Switch, Word, activity_for, decide
from rollcall.lti import roster
from rollcall.store.completions import Completion
from rollcall.store.decisions import Activity
from rollcall.store.derived import Summary
from rollcall.store.facts import Meeting
from rollcall.store.keys import key_of
from rollcall.store.platforms import Context
from tests.derive.log import append_and_fold
from tests.makers import make_organisation, make_platform, make_pool
from tests.whole.activities import COURSE, ORIGIN, Deciding, make_meetings, told_of, truly
from tests.whole.every_truth import TooMany, judge, known_of

if TYPE_CHECKING:
    from collections.abc import Iterator


pytestmark = pytest.mark.django_db

ACTIVITIES, AT_ONCE = int(os.environ.get("ROLLCALL_ACTIVITIES", "100")), 10
MORE_POLICIES: Final = 4
STAGES: Final = ("callback", "damaged", "callback+damaged")
"""What may come between what is told while a class runs and its whole record."""
ABSENT: Final = "999"
NOW: Final = 1_800_000_000_000
TEACHER: Final = By("anna", "instructor")
CERTAIN: Final = (Verdict.MET, Verdict.NOT_MET)


class School(NamedTuple):
    """Where the activities are held."""

    organisation: Any
    pool: Any

    @classmethod
    def opened(cls) -> School:
        """With a roster that names somebody who never comes."""
        organisation, pool = make_organisation(), make_pool()
        platform = make_platform(organisation, f"https://{ORIGIN}", pool)
        course = Context.objects.create(
            platform=platform, key=key_of(str(COURSE)), context_id=str(COURSE), launched_at=0
        )
        people = {user: Enrolled(user, "", is_learner=True) for user in ("4", "5", ABSENT)}
        roster.keep(course.pk, people | {"3": Enrolled("3", "", is_instructor=True)}, NOW)
        return cls(organisation, pool)


@dataclass
class Played:
    """One activity, as its evidence comes in; `wrong` says in a line each what must not be."""

    seed: int
    school: School
    wrong: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    before: dict[tuple[int, str], Verdict] = field(default_factory=dict)

    def play(self) -> None:
        rng = Random(self.seed)
        era, self.truths = make_meetings(rng, self.seed + 1)
        told = [told_of(rng, truth, era, self.school.pool) for truth in self.truths]
        activity: Activity | None = None
        for stage in ("live", rng.choice(STAGES), "whole"):
            append_and_fold(arrival for one in told for name in stage.split("+") for arrival in getattr(one, name))
            activity = activity or self.begin(rng)
            if activity is None:
                continue
            assert refold_activity(activity.pk, now=NOW)
            self.check(stage, activity)

    def begin(self, rng: Random) -> Activity | None:
        """What is decided of it, once one of its meetings is known to be of this organisation."""
        organisation = self.school.organisation.pk
        owned = Summary.objects.filter(organisation=organisation, context_id=str(COURSE)).order_by("-pk")
        keys = owned.exclude(activity_key__in=Activity.objects.values("key")).values_list("activity_key", flat=True)
        key = keys.first()
        if key is None:
            return None
        numbers = dict(Meeting.objects.values_list("internal_meeting_id", "pk"))
        self.names = [str(numbers[truth.root.internal_meeting_id]) for truth in self.truths]
        self.true = [truly(truth, name) for truth, name in zip(self.truths, self.names, strict=True)]
        self.people = sorted({user for truth in self.truths for user in truth.people if user.isdigit()})
        meetings = [(name, one.started_at, one.ended_at) for name, one in zip(self.names, self.truths, strict=True)]
        deciding = Deciding(rng, meetings, self.people)
        self.decided = [deciding.decided() for _ in range(1 + MORE_POLICIES)]
        activity = activity_for(organisation, bytes(key), now=NOW)
        for what in _words(self.decided[0]):
            decide(activity, what, TEACHER, now=NOW)
        return activity

    def check(self, stage: str, activity: Activity) -> None:
        """All that is promised, after each stage, for what was decided and for other policies."""
        gathered = gather(activity)
        known = [known_of(one) for one in gathered.held]
        kept = dict(Completion.objects.filter(activity=activity).values_list("external_user_id", "verdict"))
        for number, decided in enumerate(self.decided):
            if number:
                folded = fold_activity(gathered.held, sorted(gathered.standing.learners), decided)
                found = {user: one.verdict for user, one in folded.items()}
            else:
                found = {user: Verdict(verdict) for user, verdict in kept.items()}
            for user in {*self.people, ABSENT} & found.keys():
                self.check_one(stage, number, user, found[user], known)

    def check_one(self, stage: str, number: int, user: str, verdict: Verdict, known: list[Any]) -> None:
        decided, about = self.decided[number], f"{self.seed}/{number} {stage} {user}"
        self.seen[f"{stage} {verdict}"] += 1
        try:
            tried, true = judge(known, decided, user), judge(self.true, decided, user)
        except TooMany:
            self.seen["too many"] += 1
            return
        if verdict is not tried:
            self.wrong.append(f"{about}: {verdict}, and {tried} by every truth")
        if true is Verdict.CANNOT_TELL:  # it hangs on a second, or on whether two guests were one
            self.seen["nobody can tell"] += 1
            return
        if len(known) < len(self.true):  # that there was another class can be told by nobody yet
            self.seen["not all heard of"] += 1
            return
        if {verdict, true} == set(CERTAIN):
            self.wrong.append(f"{about}: {verdict}, and truly {true}")
        if stage == "whole" and verdict is Verdict.CANNOT_TELL:
            self.wrong.append(f"{about}: never certain, and truly {true}")
        before = self.before.get((number, user))
        if before in CERTAIN and verdict is not before:
            self.wrong.append(f"{about}: {before} before, then {verdict} (truly {true})")
        self.before[number, user] = verdict


def _words(decided: Decided) -> Iterator[Any]:
    yield from decided.versions
    yield from decided.hours
    yield from (Switch(meeting, is_on=False) for meeting in decided.switched_off)
    yield from (Word(one.user_id, one.verdict, one.meeting) for one in decided.corrections)


@pytest.mark.parametrize("first", range(0, ACTIVITIES, AT_ONCE))
def test_verdicts_are_those_of_every_truth_and_never_untrue(first: int) -> None:
    school, wrong = School.opened(), []
    for seed in range(first, first + AT_ONCE):
        played = Played(seed, school)
        played.play()
        wrong += played.wrong
    assert not wrong, "\n".join(wrong)
