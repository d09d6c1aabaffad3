"""One condition as it was found, in a sentence: how much there is of what is needed, and how much is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_noop

from rollcall.core.policy import OF_HOURS, Quantity
from rollcall.core.verdicts import Verdict
from rollcall.wording import formatting, policies, times
from rollcall.wording.translating import gettext as _

if TYPE_CHECKING:
    from datetime import tzinfo

    from rollcall.core.verdicts import Measured

WHAT: Final = {
    Quantity.TIME: gettext_noop("Time attended"),
    Quantity.SHARE: gettext_noop("Share attended"),
    Quantity.WHOLE_MINUTES: gettext_noop("Whole minutes attended"),
    Quantity.CHATS: gettext_noop("Chat messages"),
    Quantity.TALKS: gettext_noop("Times talked"),
    Quantity.RAISED_HANDS: gettext_noop("Raised hands"),
    Quantity.REACTIONS: gettext_noop("Reactions"),
    Quantity.POLL_ANSWERS: gettext_noop("Poll answers"),
    Quantity.TALK_TIME: gettext_noop("Time talked"),
}
"""Each as it stands before a colon."""

_OF_TIME: Final = frozenset({Quantity.TIME, Quantity.TALK_TIME})


def measured_sentence(one: Measured, zone: tzinfo, *, is_so_far: bool = False) -> str:
    """Time attended: 38:10 of 45:00 needed, 6:50 missing. Of a class that is summed with others there is no need.

    `is_so_far`: what is open is open only because a class runs.
    """
    if one.quantity in OF_HOURS:
        if not one.needed:
            return _("Being there on time cannot be told without the hours of the class.")
        return _present_by(one, zone) if one.quantity is Quantity.PRESENT_BY else _present_until(one, zone)
    low, high, needed = _as_shown(one)
    words = {
        "what": _(WHAT[one.quantity]),
        "have": _so_far(one.quantity, low) if high is None and is_so_far else _text(one.quantity, low, high),
        "needed": _text(one.quantity, needed, needed),
    }
    if not one.needed:
        return _("%(what)s: %(have)s.") % words
    if one.verdict is Verdict.NOT_MET and high is not None:
        words["missing"] = _text(one.quantity, needed - high, needed - low)
        return _("%(what)s: %(have)s of %(needed)s needed, %(missing)s missing.") % words
    return _("%(what)s: %(have)s (%(needed)s needed).") % words


def _as_shown(one: Measured) -> tuple[int, int | None, int]:
    """What is read of [low, high] and of what is needed: seconds, thousandths or a number."""
    low, high, needed = one.low or 0, one.high, one.needed
    if one.quantity is Quantity.SHARE and not needed % 10:
        return low // 10 * 10, high and high // 10 * 10, needed
    if one.quantity not in _OF_TIME:
        return low, high, needed
    shown_high = None if high is None else _seconds(high, needed)
    return _seconds(low, needed), shown_high, times.seconds(needed)


def _seconds(ms: int, needed: int) -> int:
    """Rounded as everywhere, but what falls short by less than a second does not read as if it were enough."""
    return times.seconds(ms) if ms >= needed else min(times.seconds(ms), max(times.seconds(needed) - 1, 0))


def _text(quantity: Quantity, low: int, high: int | None) -> str:
    if high is None:
        return _("%(time)s or more") % {"time": _one(quantity, low)}
    if quantity is Quantity.SHARE and not (low % 10 or high % 10):
        return formatting.percent(low // 10, high // 10)
    return _one(quantity, low) if low == high else formatting.interval(_one(quantity, low), _one(quantity, high))


def _so_far(quantity: Quantity, low: int) -> str:
    return _("%(time)s so far") % {"time": _one(quantity, low)}


def _one(quantity: Quantity, shown: int) -> str:
    if quantity in _OF_TIME:
        return times.duration(shown * 1000)
    return policies.share(shown) if quantity is Quantity.SHARE else formatting.number(shown)


def _present_by(one: Measured, zone: tzinfo) -> str:
    """Of it `low` is the latest moment at which the person came, `high` the earliest."""
    words = {"needed": times.clock(one.needed, zone), "earliest": times.clock(one.high, zone)}
    if one.verdict is Verdict.MET:
        return _("There by %(needed)s, as needed.") % words
    if one.high is None:
        return _("Not there; needed by %(needed)s.") % words
    if one.low is None or one.low != one.high:
        return _("Came at %(earliest)s or later; needed by %(needed)s.") % words
    return _("Came at %(earliest)s; needed by %(needed)s.") % words


def _present_until(one: Measured, zone: tzinfo) -> str:
    """Of it `low` is the earliest moment at which the person went, `high` the latest."""
    words = {"needed": times.clock(one.needed, zone), "latest": times.clock(one.high, zone)}
    if one.verdict is Verdict.MET:
        return _("There until %(needed)s, as needed.") % words
    if one.high is None:
        return _("Not there; needed until %(needed)s.") % words
    if one.low is None or one.low != one.high:
        return _("Went at %(latest)s or earlier; needed until %(needed)s.") % words
    return _("Went at %(latest)s; needed until %(needed)s.") % words
