"""What another policy would come to on the classes there have been, beside the present one: before it is published."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rollcall.core.activity import PersonVerdict, Verdict
from rollcall.core.classes import classes_of
from rollcall.derive.activity import gather, unread
from rollcall.derive.standing import called
from rollcall.feed.deciding import told_by_meetings
from rollcall.store.decisions import Activity
from rollcall.store.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rollcall.core.classes import Class
    from rollcall.core.policy import Policy
    from rollcall.derive.activity import Gathered


@dataclass(frozen=True, slots=True)
class Previewed:
    """One person: the verdict as it is and as it would be (`verdict`), None where no policy judges them."""

    user_id: str
    name: str
    before: Verdict | None
    after: Verdict | None
    verdict: PersonVerdict | None


@dataclass(frozen=True, slots=True)
class PreviewedClass:
    """One class under the proposed policy (`version` None: that would not judge it), and how many come to what."""

    meetings: tuple[str, ...]
    began_at: int
    counts: Verdict
    version: int | None
    has_hours: bool = False
    met: int = 0
    not_met: int = 0
    cannot_tell: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """Everybody whose verdict is told to the LMS, by name, and all classes, the newest last.

    `unread` are meetings that have not been folded since an upgrade and are not in it yet.
    """

    people: tuple[Previewed, ...]
    classes: tuple[PreviewedClass, ...]
    unread: int

    def gains(self) -> tuple[Previewed, ...]:
        """Who would have met it and has not now."""
        return self._those(lambda one: one.after is Verdict.MET and one.before is not Verdict.MET)

    def loses(self) -> tuple[Previewed, ...]:
        """Who has met it and would not have, certainly or perhaps."""
        return self._those(lambda one: one.before is Verdict.MET and one.after is not Verdict.MET)

    def unsure(self) -> tuple[Previewed, ...]:
        """Of whom it could not be told."""
        return self._those(lambda one: one.after is Verdict.CANNOT_TELL)

    def counts(self) -> Mapping[Verdict, int]:
        """How many would come to what."""
        found = Counter(one.after for one in self.people if one.after is not None)
        return {verdict: found[verdict] for verdict in Verdict}

    def _those(self, is_one: Callable[[Previewed], bool]) -> tuple[Previewed, ...]:
        return tuple(filter(is_one, self.people))


def preview(organisation: int, key: bytes, proposed: Policy, *, is_from_start: bool = True) -> Preview:
    """What comes of publishing this policy now, on the classes there have been. Nothing is written.

    `is_from_start` judges all of them by it, whenever it begins; else only those that began since then.
    """
    activity = _activity(organisation, key)
    now = gather(activity)
    version = replace(proposed, starts_at=0) if is_from_start else proposed
    then = replace(now, decided=replace(now.decided, versions=(*now.decided.versions, version)))
    before, after = now.judge(), then.judge()
    return Preview(
        people=_people(activity, now, before, after),
        classes=_classes(then, after),
        unread=len(unread(organisation, key)),
    )


def counting(organisation: int, key: bytes, proposed: Policy) -> int:
    """How many of the classes there have been would count under this policy, those that may included."""
    now = gather(_activity(organisation, key))
    judged = replace(now.decided, versions=(replace(proposed, starts_at=0),))
    return sum(one.counts is not Verdict.NOT_MET for one in classes_of(now.held, judged))


def _activity(organisation: int, key: bytes) -> Activity:
    """As it is kept, else as it would be."""
    known = Activity.objects.filter(organisation=organisation, key=key).first()
    told = told_by_meetings(organisation, key) or {}
    return known or Activity(organisation=organisation, key=key, made_at=0, **told)


def _people(
    activity: Activity,
    gathered: Gathered,
    before: Mapping[str, PersonVerdict],
    after: Mapping[str, PersonVerdict],
) -> tuple[Previewed, ...]:
    users = [user for user in {*before, *after} if not gathered.standing.why_not(user)]
    names = called(activity, gathered.standing, users)
    people = [
        Previewed(
            user_id=user,
            name=names[user].name,
            before=before[user].verdict if user in before else None,
            after=after[user].verdict if user in after else None,
            verdict=after.get(user),
        )
        for user in users
    ]
    return tuple(sorted(people, key=lambda one: (fold_name(one.name) or "\uffff", len(one.user_id), one.user_id)))


def _classes(gathered: Gathered, after: Mapping[str, PersonVerdict]) -> tuple[PreviewedClass, ...]:
    told = (one for user, one in after.items() if not gathered.standing.why_not(user))
    counted = Counter((of_it.meetings, of_it.verdict) for one in told for of_it in one.classes)
    return tuple(_class(one, counted) for one in classes_of(gathered.held, gathered.decided))


def _class(one: Class, counted: Mapping[tuple[tuple[str, ...], Verdict], int]) -> PreviewedClass:
    return PreviewedClass(
        meetings=one.meetings,
        began_at=one.began_at,
        counts=one.counts,
        version=one.version,
        has_hours=one.hours is not None,
        met=counted[one.meetings, Verdict.MET],
        not_met=counted[one.meetings, Verdict.NOT_MET],
        cannot_tell=counted[one.meetings, Verdict.CANNOT_TELL],
    )
