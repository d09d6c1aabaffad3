"""Why something is not certain, in a sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_noop

from rollcall.wording import times
from rollcall.wording.translating import gettext as _

if TYPE_CHECKING:
    from datetime import tzinfo

    from rollcall.core.activity import Doubt

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

SENTENCES: Final = {
    "no-hours": gettext_noop("The hours of the class were not entered: a teacher can enter them."),
}


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
    """One of them; a code that has no words yet is shown as it is."""
    if one.code in CAUSES and one.start is not None:
        return blind(one.start, one.end, one.code, zone)
    return _(SENTENCES.get(one.code, one.code))
