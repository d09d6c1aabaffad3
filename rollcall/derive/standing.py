"""Who belongs to the course of an activity today: its learners, its teachers, and what they are called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from rollcall.store.derived import UNCLAIMED, Person
from rollcall.store.keys import key_of, person_key
from rollcall.store.platforms import Context, Member, Teacher

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rollcall.store.decisions import Activity

_IN_A_STATEMENT: Final = 500


class Called(NamedTuple):
    """A person's entry in the directory, None for whoever was in no meeting, and their name; it may be blank."""

    person: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """The roster as it was last read, of user ids. `has_roster`: one was; else nobody's being a learner is known.

    `learners` are enrolled now and teach nothing; `teachers` taught the course by its roster or came as its instructors
    at any time. `shared` are the names that the LMS shares.
    """

    has_roster: bool = False
    learners: frozenset[str] = frozenset()
    teachers: frozenset[str] = frozenset()
    shared: Mapping[str, str] = field(default_factory=dict)

    def why_not(self, user_id: str) -> str:
        """A code of why nothing of this person is told to the LMS; blank where it is."""
        if user_id in self.teachers:
            return "teacher"
        return "not-enrolled" if self.has_roster and user_id not in self.learners else ""


def standing_of(activity: Activity) -> Standing:
    """Who belongs to the course that an activity is of, as far as its LMS has told."""
    if activity.organisation == UNCLAIMED or not activity.context_id:
        return Standing()
    contexts = list(
        Context.objects.filter(
            platform__organisation=activity.organisation,
            platform__site_key=key_of(activity.site),
            key=key_of(activity.context_id),
        )
    )
    came = Teacher.objects.filter(context__in=contexts).values_list("user_id", flat=True)
    # Of one LMS that is registered twice, the registration whose roster was read last.
    read = max(
        (one for one in contexts if one.roster_at is not None), key=lambda one: (one.roster_at, -one.pk), default=None
    )
    if read is None:
        return Standing(teachers=frozenset(came))
    stays = Member.objects.filter(context=read).order_by("from_at", "pk")
    told = list(stays.values_list("user_id", "name", "is_instructor", "is_learner", "until_at"))
    teachers = frozenset(came) | {user for user, _, is_instructor, _, _ in told if is_instructor}
    enrolled = {user for user, _, _, is_learner, until_at in told if is_learner and until_at is None}
    return Standing(
        has_roster=True,
        learners=frozenset(enrolled - teachers),
        teachers=teachers,
        shared={user: name.strip() for user, name, *_ in told if name.strip()},
    )


def called(activity: Activity, standing: Standing, users: Iterable[str]) -> dict[str, Called]:
    """How these users of the LMS are called: as it says, else as they were in meetings of this organisation."""
    keys = {person_key(activity.site, user, activity.organisation): user for user in users}
    found = dict.fromkeys(keys.values(), Called())
    in_order = sorted(keys)
    for begin in range(0, len(in_order), _IN_A_STATEMENT):
        some = Person.objects.filter(is_user=True, key__in=in_order[begin : begin + _IN_A_STATEMENT])
        for key, pk, name in some.values_list("key", "pk", "name"):
            found[keys[bytes(key)]] = Called(pk, name.strip())
    return {user: Called(one.person, standing.shared.get(user) or one.name) for user, one in found.items()}
