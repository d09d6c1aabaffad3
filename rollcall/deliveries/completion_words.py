"""Completion in words: one sentence about one person's verdict, the same for everybody who may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from django.utils.translation import gettext_noop, ngettext

from rollcall.core.activity import PersonVerdict, Verdict
from rollcall.core.intervals import OPEN
from rollcall.wording import formatting, times
from rollcall.wording.doubts import doubt_sentence
from rollcall.wording.measuring import measured_sentence
from rollcall.wording.translating import gettext as _

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from rollcall.core.activity import ClassVerdict, Doubt, Measured

DOUBTS_SAID: Final = 2
"""Who wants all of them looks at the class."""

VERDICTS: Final = {
    Verdict.MET: gettext_noop("met"),
    Verdict.NOT_MET: gettext_noop("not met"),
    Verdict.CANNOT_TELL: gettext_noop("cannot tell"),
}

_detail = msgspec.json.Decoder(PersonVerdict)


def verdict_from(detail: bytes) -> PersonVerdict:
    """What stands in Completion.detail and in Owed.reasons."""
    return _detail.decode(detail)


def verdict_word(verdict: Verdict | str) -> str:
    """For a cell: met, not met, cannot tell."""
    return _(VERDICTS[Verdict(verdict)])


def without_policy() -> str:
    """Of an activity for which nobody has said what counts."""
    return _("Nobody has set yet what counts as attended here.")


def sentence(detail: bytes, zone: tzinfo) -> str:
    """Why somebody has met, or has not met yet, what an activity asks: from Completion.detail or Owed.reasons."""
    return sentence_of(verdict_from(detail), zone)


def sentence_of(one: PersonVerdict, zone: tzinfo) -> str:
    """The same of a verdict that was just made."""
    computed = " ".join(_of_activity(one, zone))
    return computed if one.correction is None else _corrected(one.verdict, computed)


def class_sentence(one: ClassVerdict, zone: tzinfo) -> str:
    """The same of one class."""
    computed = " ".join(_of_class(one, zone))
    return computed if one.correction is None else _corrected(one.verdict, computed)


def _corrected(verdict: Verdict, computed: str) -> str:
    told = {
        Verdict.MET: _("A teacher has set this to met. Measured: %(computed)s"),
        Verdict.NOT_MET: _("A teacher has set this to not met. Measured: %(computed)s"),
        Verdict.CANNOT_TELL: _("A teacher has set this to cannot tell. Measured: %(computed)s"),
    }
    return told[verdict] % {"computed": computed}


# --- the activity -----------------------------------------------------------------------------------------------------


def _of_activity(one: PersonVerdict, zone: tzinfo) -> Iterator[str]:
    """Sentence by sentence, corrections of the whole activity left aside."""
    counting = [each for each in one.classes if each.counts is not Verdict.NOT_MET]
    yield _head(one.computed)
    if one.measured:
        yield from _measured(one.computed, one.measured, zone)
    elif one.needed == 1 and len(counting) == 1:
        yield from _about_class(counting[0], zone)
        return
    else:
        yield _classes(one)
    if one.computed is Verdict.CANNOT_TELL:
        yield from _doubts([doubt for each in counting for doubt in each.doubts], zone)
        yield _settles(one.settles_at, zone)


def _head(verdict: Verdict) -> str:
    return {
        Verdict.MET: _("Met."),
        Verdict.NOT_MET: _("Not met yet."),
        Verdict.CANNOT_TELL: _("Cannot tell yet."),
    }[verdict]


def _classes(one: PersonVerdict) -> str:
    """How many classes are met, of how many."""
    low, high = one.met
    words = {"met": _several(low, high), "needed": formatting.number(one.needed)}
    if one.computed is not Verdict.NOT_MET:
        told = ngettext(
            "Classes attended: %(met)s (%(needed)s needed).", "Classes attended: %(met)s (%(needed)s needed).", high
        )
        return told % words
    words["missing"] = _several(one.needed - high, one.needed - low)
    return _("Classes attended: %(met)s of %(needed)s needed, %(missing)s missing.") % words


def _several(low: int, high: int) -> str:
    least, most = formatting.number(low), formatting.number(high)
    return least if low == high else formatting.interval(least, most)


def _settles(settles_at: int | None, zone: tzinfo) -> str:
    if settles_at is None:
        return _("No further record is expected: a teacher can decide.")
    if settles_at >= OPEN:
        return _("The class is not over yet.")
    told = _("A record of the class may settle it until %(time)s; a teacher can decide at any time.")
    return told % {"time": times.day_and_clock(settles_at, zone)}


# --- one class --------------------------------------------------------------------------------------------------------


def _of_class(one: ClassVerdict, zone: tzinfo) -> Iterator[str]:
    if one.counts is Verdict.NOT_MET:
        yield _("This class does not count.")
        yield from _doubts(one.doubts, zone)
        return
    yield _CLASS_HEADS[one.computed]()
    yield from _about_class(one, zone)


def _about_class(one: ClassVerdict, zone: tzinfo) -> Iterator[str]:
    yield from _measured(one.computed, one.measured, zone)
    if one.computed is Verdict.CANNOT_TELL:
        yield from _doubts(one.doubts, zone)


_CLASS_HEADS: Final = {
    Verdict.MET: lambda: _("Met."),
    Verdict.NOT_MET: lambda: _("Not met."),
    Verdict.CANNOT_TELL: lambda: _("Cannot tell yet."),
}


def _measured(verdict: Verdict, measured: Sequence[Measured], zone: tzinfo) -> Iterator[str]:
    """Of the conditions those that have decided it."""
    for one in measured:
        if one.verdict is verdict:
            yield measured_sentence(one, zone)


def _doubts(doubts: Sequence[Doubt], zone: tzinfo) -> Iterator[str]:
    for one in list(dict.fromkeys(doubts))[:DOUBTS_SAID]:
        yield doubt_sentence(one, zone)
