"""Completion in words: one sentence about one person's verdict, the same for everybody who may see it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec
from django.utils.translation import gettext_noop, ngettext

from rollcall.core.intervals import OPEN
from rollcall.core.verdicts import ClassVerdict, PersonVerdict, Verdict
from rollcall.wording import formatting, times
from rollcall.wording.doubts import RUNNING, doubt_sentence, worth_saying
from rollcall.wording.measuring import measured_sentence
from rollcall.wording.translating import gettext as _

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import tzinfo


DOUBTS_SAID: Final = 2
"""Who wants all of them looks at the class."""

DAYS_SAID: Final = 3
"""Of more the latest."""

_OF_RUNNING: Final = RUNNING | {"away"}

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


def sentence(detail: bytes, zone: tzinfo, *, as_of: int | None = None) -> str:
    """Why somebody has met, or has not met yet, what an activity asks: from Completion.detail or Owed.reasons.

    `as_of` (epoch ms, None: now) tells only whether a record may still be expected.
    """
    return sentence_of(verdict_from(detail), zone, as_of=as_of)


def sentence_of(one: PersonVerdict, zone: tzinfo, *, as_of: int | None = None) -> str:
    """The same of a verdict that was just made."""
    read_at = time.time_ns() // 1_000_000 if as_of is None else as_of
    settled = one.settles_at is None or one.settles_at <= read_at
    shown = replace(one, settles_at=None) if settled else one
    if one.correction is None:
        return _joined(_of_activity(shown, one.verdict, zone))
    return _corrected(one.verdict, _joined(_of_activity(shown, one.computed, zone)))


def class_sentence(one: ClassVerdict, zone: tzinfo) -> str:
    """The same of one class."""
    computed = _joined(_of_class(one, zone))
    return computed if one.correction is None else _corrected(one.verdict, computed)


def _joined(sentences: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(sentences))


def _corrected(verdict: Verdict, computed: str) -> str:
    told = {
        Verdict.MET: _("A teacher has set this to met. Measured: %(computed)s"),
        Verdict.NOT_MET: _("A teacher has set this to not met. Measured: %(computed)s"),
        Verdict.CANNOT_TELL: _("A teacher has left this open. Measured: %(computed)s"),
    }
    return told[verdict] % {"computed": computed}


# --- the activity -----------------------------------------------------------------------------------------------------


def _of_activity(one: PersonVerdict, verdict: Verdict, zone: tzinfo) -> Iterator[str]:
    """Sentence by sentence, a correction of the whole activity left aside."""
    counting = [each for each in one.classes if each.counts is not Verdict.NOT_MET]
    is_of_one = one.needed == 1 and len(counting) == 1 and not one.measured
    if is_of_one and counting[0].correction is not None:
        yield class_sentence(counting[0], zone)
        return
    yield _head(verdict)
    if one.measured:
        yield from _measured(verdict, one, zone)
    elif is_of_one:
        yield from _about_class(counting[0], zone)
    else:
        yield from _classes(one, verdict, counting, zone)
    if any(each.correction is not None for each in one.classes):
        yield _("A teacher has corrected some of the classes.")
    if verdict is Verdict.CANNOT_TELL and one.correction is None:
        yield _settles(one.settles_at, zone)


def _head(verdict: Verdict) -> str:
    return {
        Verdict.MET: _("Met."),
        Verdict.NOT_MET: _("Not met yet."),
        Verdict.CANNOT_TELL: _("Cannot tell yet."),
    }[verdict]


def _classes(one: PersonVerdict, verdict: Verdict, counting: Sequence[ClassVerdict], zone: tzinfo) -> Iterator[str]:
    """How many classes are met, of how many, and which ones are to blame."""
    low, high = one.met
    words = {"met": _several(low, high), "needed": formatting.number(one.needed)}
    if verdict is Verdict.NOT_MET:
        words["missing"] = _several(max(one.needed - high, 0), max(one.needed - low, 0))
        yield _("Classes attended: %(met)s of %(needed)s needed, %(missing)s missing.") % words
    else:
        yield _("Classes attended: %(met)s (%(needed)s needed).") % words
    if verdict is not Verdict.MET:
        missed = _days(Verdict.NOT_MET, counting, zone)
        if missed:
            yield _not_attended(missed)
        unsure = _days(Verdict.CANNOT_TELL, counting, zone)
        if unsure:
            yield _not_certain(unsure)
        yield from _one_doubt(counting, zone)


def _one_doubt(counting: Sequence[ClassVerdict], zone: tzinfo) -> Iterator[str]:
    """What keeps every class that is not certain, where it is the same thing: it can be mended at once."""
    unsure = [each for each in counting if _comes_to(each) is Verdict.CANNOT_TELL]
    if unsure:
        common = [doubt for doubt in worth_saying(unsure[0].doubts) if doubt.start is None]
        shared = [doubt for doubt in common if all(doubt in each.doubts for each in unsure)]
        yield from (doubt_sentence(doubt, zone) for doubt in shared[:1])


def _days(verdict: Verdict, counting: Sequence[ClassVerdict], zone: tzinfo) -> list[str]:
    """Of those classes, the latest last."""
    found = [each for each in counting if _comes_to(each) is verdict]
    return [formatting.short_date(times.moment(each.began_at, zone).date()) for each in found]


def _not_attended(days: Sequence[str]) -> str:
    words, earlier = _latest(days)
    if not earlier:
        return _("Not attended: %(days)s.") % words
    told = ngettext(
        "Not attended: %(days)s and %(number)s earlier class.",
        "Not attended: %(days)s and %(number)s earlier classes.",
        earlier,
    )
    return told % words


def _not_certain(days: Sequence[str]) -> str:
    words, earlier = _latest(days)
    if not earlier:
        return _("Not certain: %(days)s.") % words
    told = ngettext(
        "Not certain: %(days)s and %(number)s earlier class.",
        "Not certain: %(days)s and %(number)s earlier classes.",
        earlier,
    )
    return told % words


def _latest(days: Sequence[str]) -> tuple[dict[str, str], int]:
    """The days that are said, and how many are not."""
    earlier = max(len(days) - DAYS_SAID, 0)
    return {"days": formatting.listed(days[-DAYS_SAID:]), "number": formatting.number(earlier)}, earlier


def _comes_to(one: ClassVerdict) -> Verdict:
    """What a class adds: that it is met is of no use as long as it may not count."""
    return one.counts if one.verdict is Verdict.MET else one.verdict


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
        yield from _doubts(one, zone)
        return
    if _is_summed(one):
        yield _presence(one.computed)
        yield from _measured(Verdict.MET, one, zone)
        yield from _doubts(one, zone)
        return
    yield _class_head(one)
    yield from _about_class(one, zone)


def _is_summed(one: ClassVerdict) -> bool:
    """Whether it is not judged by itself: then nothing is needed of it."""
    return bool(one.measured) and all(not each.needed and each.verdict is Verdict.MET for each in one.measured)


def _presence(verdict: Verdict) -> str:
    return {
        Verdict.MET: _("Was there."),
        Verdict.NOT_MET: _("Was not there."),
        Verdict.CANNOT_TELL: _("Perhaps was there."),
    }[verdict]


def _class_head(one: ClassVerdict) -> str:
    if one.counts is Verdict.CANNOT_TELL and one.computed is Verdict.MET:
        return _("Met, if the class counts, which is not certain.")
    return {
        Verdict.MET: _("Met."),
        Verdict.NOT_MET: _("Not met."),
        Verdict.CANNOT_TELL: _("Cannot tell yet."),
    }[one.computed]


def _about_class(one: ClassVerdict, zone: tzinfo) -> Iterator[str]:
    yield from _measured(one.computed, one, zone)
    yield from _doubts(one, zone)


def _measured(verdict: Verdict, of: ClassVerdict | PersonVerdict, zone: tzinfo) -> Iterator[str]:
    """Of the conditions those that have decided it; if none has by itself, all."""
    chosen = [one for one in of.measured if one.verdict is verdict] or of.measured
    if of.is_any and len(chosen) > 1 and verdict is not Verdict.MET:
        yield _("One of these is enough.")
    for one in chosen:
        yield measured_sentence(one, zone, is_so_far=_is_so_far(of))


def _is_so_far(of: ClassVerdict | PersonVerdict) -> bool:
    """Whether nothing but that a class runs keeps what was measured open."""
    if isinstance(of, ClassVerdict):
        codes = {one.code for one in worth_saying(of.doubts)}
        return bool(codes & RUNNING) and codes <= _OF_RUNNING
    return all(_is_so_far(one) or _is_exact(one) for one in of.classes if one.counts is not Verdict.NOT_MET)


def _is_exact(one: ClassVerdict) -> bool:
    return all(each.low == each.high for each in one.measured)


def _doubts(one: ClassVerdict, zone: tzinfo) -> Iterator[str]:
    return (doubt_sentence(doubt, zone) for doubt in worth_saying(one.doubts)[:DOUBTS_SAID])
