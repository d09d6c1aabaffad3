"""What is said to somebody whose organisation has no licence in force, in a sentence, and whom to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils import timezone
from django.utils.translation import ngettext

from rollcall.core.errors import RollcallError
from rollcall.reports import words
from rollcall.store.licensing import Standing
from rollcall.store.organisations import Organisation
from rollcall.store.organising import DAY_MS
from rollcall.wording.translating import gettext as _
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from rollcall.store.licensing import Licensed


SPOKEN_OF_DAYS: Final = 30
"""So long before its end a licence is spoken of."""


class Unlicensed(RollcallError):
    """No page and no export; capture goes on."""

    code = "no-licence"
    status = 403


def refusal(organisation: int, licensed: Licensed) -> Unlicensed:
    """The error that a page without a licence is answered with; `code` tells programs which it is."""
    found = Organisation.objects.filter(pk=organisation).first()
    name = visible(found.name) if found else ""
    contact = visible(found.contact) if found else ""
    hint = (
        _("Ask %(contact)s. What happens in class is still recorded.") % {"contact": contact}
        if contact
        else _("Ask whoever runs Rollcall. What happens in class is still recorded.")
    )
    return Unlicensed(sentence(name, licensed), code=f"licence-{licensed.standing}", hint=hint)


def standing(name: str, licensed: Licensed) -> str:
    """How an organisation of this name stands, in a sentence."""
    if licensed.standing is not Standing.IN_FORCE:
        return sentence(name, licensed)
    if licensed.until is None:
        return _("The licence of %(name)s is in force and has no end.") % {"name": name}
    at = words.day_and_clock(licensed.until, timezone.get_current_timezone())
    return _("The licence of %(name)s is in force until %(when)s.") % {"name": name, "when": at}


def state(licensed: Licensed) -> str:
    """The same in a word or two, for a table."""
    at = words.day_and_clock(licensed.until, timezone.get_current_timezone()) if licensed.until else ""
    match licensed.standing:
        case Standing.IN_FORCE:
            return _("in force until %(when)s") % {"when": at} if at else _("in force")
        case Standing.NOT_YET:
            return _("begins on %(when)s") % {"when": at}
        case Standing.SUSPENDED:
            return _("suspended")
        case Standing.ENDED:
            return _("ended on %(when)s") % {"when": at}
        case _:
            return _("no licence")


def not_kept(organisation: Organisation, licensed: Licensed, now: int) -> str:
    """What becomes of the classes of an organisation whose licence has ended; blank where they are kept as ever."""
    until = licensed.captured_until
    if licensed.standing is not Standing.ENDED or until is None:
        return ""
    said = {"when": words.day_and_clock(until, timezone.get_current_timezone()), "count": organisation.not_kept}
    if now < until:
        return _("Its classes are recorded until %(when)s.") % said
    return _("Since %(when)s nothing of its classes is kept. Meetings that came nevertheless: %(count)d.") % said


def days_left(licensed: Licensed, now: int) -> int | None:
    """How many days a licence in force is in force still, begun ones counted; None if it has no end or is in none."""
    if licensed.standing is not Standing.IN_FORCE or licensed.until is None:
        return None
    return -(-(licensed.until - now) // DAY_MS)


def soon_over(name: str, licensed: Licensed, now: int) -> str:
    """That a licence ends in the next weeks; blank if it does not."""
    left = days_left(licensed, now)
    if left is None or left > SPOKEN_OF_DAYS:
        return ""
    at = words.day_and_clock(licensed.until, timezone.get_current_timezone())
    return ngettext(
        "The licence of %(name)s ends within %(count)d day, on %(when)s.",
        "The licence of %(name)s ends within %(count)d days, on %(when)s.",
        left,
    ) % {"name": name, "count": left, "when": at}


def own_soon_over(licensed: Licensed, now: int) -> str:
    """The same to its own people, without its name."""
    left = days_left(licensed, now)
    if left is None or left > SPOKEN_OF_DAYS:
        return ""
    at = words.day_and_clock(licensed.until, timezone.get_current_timezone())
    return ngettext(
        "Your licence ends within %(count)d day, on %(when)s. What happens in class is recorded for a time after it.",
        "Your licence ends within %(count)d days, on %(when)s. What happens in class is recorded for a time after it.",
        left,
    ) % {"count": left, "when": at}


def sentence(name: str, licensed: Licensed) -> str:
    """How an organisation of this name stands, if it has no licence in force."""
    at = words.day_and_clock(licensed.until, timezone.get_current_timezone()) if licensed.until else ""
    said = {"name": name, "when": at}
    match licensed.standing:
        case Standing.NOT_YET:
            return _("The licence of %(name)s begins on %(when)s.") % said
        case Standing.SUSPENDED:
            return _("The licence of %(name)s is suspended.") % said
        case Standing.ENDED:
            return _("The licence of %(name)s ended on %(when)s.") % said
        case _:
            return _("%(name)s has no licence.") % said
