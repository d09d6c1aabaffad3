"""fold_activity(): the classes of an activity, its roster and its policy become a verdict for each person.

Every rule here is a sum or a comparison of intervals. A verdict is MET when it would be so in the worst case that the
evidence allows, NOT_MET when it would not even be so in the best one, and else CANNOT_TELL.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from rollcall.core.classes import blocks_of
from rollcall.core.counting import Counting
from rollcall.core.held import EXACTLY_NONE, NOBODY_KNOWS, Correction, Count, Decided, Held, Hours, Presence
from rollcall.core.policy import WHOLE, Scope
from rollcall.core.rows import Rows
from rollcall.core.summing import Summing
from rollcall.core.verdicts import (
    MET,
    NOT_MET,
    ClassVerdict,
    Doubt,
    Measured,
    PersonVerdict,
    Verdict,
    agreed,
)
from rollcall.core.ways import Ways, ways_by_version, ways_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rollcall.core.classes import Class
    from rollcall.core.policy import Policy

__all__ = [
    "EXACTLY_NONE",
    "NOBODY_KNOWS",
    "ClassVerdict",
    "Correction",
    "Count",
    "Decided",
    "Doubt",
    "Held",
    "Hours",
    "Measured",
    "PersonVerdict",
    "Presence",
    "Verdict",
    "fold_activity",
]


def fold_activity(held: Sequence[Held], roster: Sequence[str], decided: Decided) -> dict[str, PersonVerdict]:
    """By user id, everybody of the roster, whoever was in a class that a policy judges, and whoever was corrected.

    The order of `held` and of `roster` changes nothing. Empty without a policy in force for any class.
    """
    blocks = [judged for block in blocks_of(held, decided) if (judged := block.judged()).groupings[0]]
    if not blocks:
        return {}
    classes = dict.fromkeys(one for block in blocks for one in block.all_classes())
    places = {one: at for at, one in enumerate(classes)}
    corrections = _corrections(decided.corrections)
    users = sorted({*roster, *corrections, *_present(classes)})
    questions = _questions(decided.versions, ways_by_version(blocks, places))

    @cache
    def counted() -> Rows:
        return Rows(blocks, places, None)

    def fold(policy: Policy, ways: Ways) -> Counting | Summing:
        if policy.scope is Scope.SUMMED:
            return Summing(Rows(blocks, places, policy), ways, policy)
        # Where nothing else is asked counts are bounded block by block, and exactly so.
        is_only = len(questions) == 1
        return Counting(counted(), ways_of(blocks, places, most=1) if is_only else ways, policy)

    folds = [fold(policy, ways) for policy, ways in questions]
    folded = [{user: _person(one, user, corrections.get(user, ())) for user in users} for one in folds]
    return folded[0] if len(folded) == 1 else _agreed(folded)


def _questions(versions: Sequence[Policy], governed: Mapping[int, Ways]) -> list[tuple[Policy, Ways]]:
    """What is asked in which ways, the latest version first: those that ask the same are asked once.

    Of more than three numbers of classes needed in all the same ways the latest, the least and the most say it all.
    """
    asked: dict[object, tuple[Policy, list[Ways]]] = {}
    for version, ways in governed.items():
        policy = versions[version]
        what = policy.needed if policy.scope is Scope.CLASSES else (tuple(policy.conditions), policy.join)
        asked.setdefault(what, (policy, []))[1].append(ways)
    needed = [what for what in asked if isinstance(what, int)]
    if len({id(ways) for ways in governed.values()}) == 1:
        said = {*needed[:1], min(needed, default=0), max(needed, default=0)}
        asked = {what: one for what, one in asked.items() if what in said or not isinstance(what, int)}
    return [(policy, _together(ways)) for policy, ways in asked.values()]


def _together(ways: Sequence[Ways]) -> Ways:
    if all(one is ways[0] for one in ways):
        return ways[0]
    return Ways(tuple(way for one in ways for way in one.chosen))


def _corrections(corrections: Iterable[Correction]) -> dict[str, list[Correction]]:
    """By person, in the order of their making."""
    found: defaultdict[str, list[Correction]] = defaultdict(list)
    for correction in sorted(corrections, key=lambda one: one.seq):
        found[correction.user_id].append(correction)
    return dict(found)


def _present(classes: Iterable[Class]) -> set[str]:
    return {user for one in classes for held in one.held for user in held.people}


def _person(fold: Counting | Summing, user: str, corrections: Sequence[Correction]) -> PersonVerdict:
    return _corrected(fold.person(user, corrections), corrections) if corrections else fold.person(user, ())


def _corrected(person: PersonVerdict, corrections: Sequence[Correction]) -> PersonVerdict:
    """With the last word about the whole activity, if there was one: that is all of it, or nothing."""
    word = next((one for one in reversed(corrections) if not one.meeting), None)
    if word is None:
        return person
    share = {MET: (WHOLE, WHOLE), NOT_MET: (0, 0)}.get(word.verdict, person.share)
    return replace(
        person,
        verdict=word.verdict,
        share=share,
        correction=word.seq,
        settles_at=None,
        without_history=word.verdict,
    )


def _agreed(folded: Sequence[Mapping[str, PersonVerdict]]) -> dict[str, PersonVerdict]:
    """Only what is so under each version that may be the one to ask."""
    return {user: _agreed_of([one[user] for one in folded]) for user in folded[0]}


def _agreed_of(people: Sequence[PersonVerdict]) -> PersonVerdict:
    """One person, shown as under the latest version; or under one by which they have not met, if there is."""
    shown = next((one for one in people if one.verdict is not MET), people[0])
    return replace(
        shown,
        computed=agreed([one.computed for one in people]),
        verdict=agreed([one.verdict for one in people]),
        share=(min(one.share[0] for one in people), max(one.share[1] for one in people)),
        without_history=agreed([one.without_history for one in people]),
    )
