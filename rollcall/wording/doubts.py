"""Why something is not certain, in a sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_noop

from rollcall.wording import times
from rollcall.wording.translating import gettext as _

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from rollcall.core.verdicts import Doubt

CAUSES: Final = {
    "no-polls": gettext_noop("the server did not answer"),
    "unreachable": gettext_noop("the server did not answer"),
    "hook-missing": gettext_noop("the server had lost our webhook"),
    "hooks-silent": gettext_noop("the server's webhooks were silent"),
    "no-webhooks": gettext_noop("the server has no webhooks"),
    "downtime": gettext_noop("Rollcall was not running"),
    "not-watched": gettext_noop("Rollcall was not yet watching this server"),
}
"""Why messages may be missing."""

_TIMED: Final = {
    "uncertain": gettext_noop("From %(start)s to %(end)s nothing tells for certain who was there."),
    "away": gettext_noop("Not there from %(start)s to %(end)s."),
    "open": gettext_noop("Perhaps still there since %(start)s."),
}
_OTHERS: Final = {
    "to-come": gettext_noop("The class is not over yet."),
    "counts": gettext_noop("Not all that was done has been told."),
    "no-hours": gettext_noop("When the class should have begun and ended was not entered: a teacher can enter it."),
    "length": gettext_noop("How long the class lasted is not exactly known."),
    "grouping": gettext_noop("Whether it was a class of its own is not certain."),
    "before-policy": gettext_noop("It began before anything was asked for."),
    "switched-off": gettext_noop("A teacher has switched it off."),
    "short": gettext_noop("It was too short."),
    "few": gettext_noop("Too few people were there."),
    "may-be-short": gettext_noop("It may have been too short."),
    "may-be-few": gettext_noop("There may have been too few people."),
}
CODES: Final = frozenset({*CAUSES, *_TIMED, *_OTHERS})
"""All that have words."""


RUNNING: Final = frozenset({"to-come", "open"})
"""Of these a class has one while it runs."""
_UNTIL_IT_IS_OVER: Final = frozenset({"may-be-short", "may-be-few", "length"})


def worth_saying(doubts: Sequence[Doubt]) -> list[Doubt]:
    """That a class may be too short goes without saying while it runs."""
    is_running = any(one.code in RUNNING for one in doubts)
    return [one for one in doubts if not (is_running and one.code in _UNTIL_IT_IS_OVER)]


def cause(code: str) -> str:
    """Why messages may be missing."""
    return _(CAUSES.get(code, code))


def blind(start: int, end: int | None, code: str, zone: tzinfo) -> str:
    """One time in which webhooks may have been lost."""
    words = {"start": times.clock(start, zone), "end": times.clock(end, zone), "cause": cause(code)}
    if end is None:
        return _("Since %(start)s messages may be missing: %(cause)s.") % words
    return _("From %(start)s to %(end)s messages may be missing: %(cause)s.") % words


def doubt_sentence(one: Doubt, zone: tzinfo) -> str:
    """Why something is not certain, or not met; a code that has no words yet is shown as it is."""
    if one.start is None:
        return _(_OTHERS.get(one.code, one.code))
    if one.code in CAUSES:
        return blind(one.start, one.end, one.code, zone)
    words = {"start": times.clock(one.start, zone), "end": times.clock(one.end, zone)}
    return _(_TIMED.get(one.code, one.code)) % words
