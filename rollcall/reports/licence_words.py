"""What is said to somebody whose organisation has no licence in force, in a sentence, and whom to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from rollcall.core.errors import RollcallError
from rollcall.reports import words
from rollcall.reports.translating import gettext as _
from rollcall.reports.visible import visible
from rollcall.store.licensing import Standing
from rollcall.store.organisations import Organisation

if TYPE_CHECKING:
    from rollcall.store.licensing import Licensed


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
