"""fold_activity(): the classes of an activity, its roster and its policy become a verdict for each person.

Every rule here is a sum or a comparison of intervals. A verdict is MET when it would be so in the worst case that the
evidence allows, NOT_MET when it would not even be so in the best one, and else CANNOT_TELL.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from rollcall.core.classes import blocks_of
from rollcall.core.counting import Counting
from rollcall.core.held import EXACTLY_NONE, NOBODY_KNOWS, Correction, Count, Decided, Held, Hours, Presence
from rollcall.core.policy import WHOLE, Scope
from rollcall.core.summing import Summing
from rollcall.core.verdicts import (
    CANNOT_TELL,
    MET,
    NOT_MET,
    ClassVerdict,
    Doubt,
    Measured,
    PersonVerdict,
    Verdict,
    agreed,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rollcall.core.classes import Block, Class

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
    corrections = _corrections(decided.corrections)
    users = sorted({*roster, *corrections, *_present(blocks)})
    governing = _governing(blocks)
    folded = [_under(version, blocks, users, corrections, decided) for version in governing]
    return folded[0] if len(folded) == 1 else _agreed(folded)


def _corrections(corrections: Iterable[Correction]) -> dict[str, list[Correction]]:
    """By person, in the order of their making."""
    found: defaultdict[str, list[Correction]] = defaultdict(list)
    for correction in sorted(corrections, key=lambda one: one.seq):
        found[correction.user_id].append(correction)
    return dict(found)


def _present(blocks: Iterable[Block]) -> set[str]:
    return {user for block in blocks for one in block.all_classes() for held in one.held for user in held.people}


def _governing(blocks: Sequence[Block]) -> list[int]:
    """The versions that may say of what the conditions are asked: that of the latest class that counts.

    Latest first. Beyond a class that may count any earlier one may be the latest. Where none counts it is the last one.
    """
    found: dict[int, None] = {}
    for block in reversed(blocks):
        is_certain = not block.is_cut
        for grouping in block.groupings:
            is_certain &= _take_latest(grouping, found)
        if is_certain:
            return list(found)
    found[blocks[-1].groupings[0][-1].judged_by] = None
    return list(found)


def _take_latest(grouping: Sequence[Class], found: dict[int, None]) -> bool:
    for one in reversed(grouping):
        if one.counts is not NOT_MET:
            found[one.judged_by] = None
        if one.counts is MET:
            return True
    return False


def _under(
    version: int,
    blocks: Sequence[Block],
    users: Sequence[str],
    corrections: Mapping[str, Sequence[Correction]],
    decided: Decided,
) -> dict[str, PersonVerdict]:
    policy = decided.versions[version]
    if policy.scope is Scope.SUMMED:
        fold: Summing | Counting = Summing(blocks, policy)
    else:
        fold = Counting(blocks, policy)
    return {user: _corrected(fold.person(user, corrections.get(user, ())), corrections.get(user, ())) for user in users}


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
    """Only what is so under each version that may be the one to ask; shown as under the latest."""
    return {
        user: replace(
            person,
            computed=agreed([one[user].computed for one in folded]),
            verdict=agreed([one[user].verdict for one in folded]),
            share=(min(one[user].share[0] for one in folded), max(one[user].share[1] for one in folded)),
            without_history=MET if all(one[user].without_history is MET for one in folded) else CANNOT_TELL,
        )
        for user, person in folded[0].items()
    }
