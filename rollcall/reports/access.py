"""Who may see what. Every view asks here and nowhere else; who asks was decided by rollcall.web.readers."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from rollcall.core.access import Area, Reader, Role, may
from rollcall.core.errors import RollcallError
from rollcall.reports.licence_words import refusal
from rollcall.store.keys import course_key, person_key
from rollcall.store.licensing import Standing, licensed
from rollcall.store.searching import Bounds, Inside, organisations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest

    from rollcall.reports.tables.report import Report
    from rollcall.store.licensing import Licensed

AREAS: Final[Mapping[str, Area]] = MappingProxyType(
    {
        "person": Area.OWN,
        "facts-of-person": Area.OWN,
        "servers": Area.SERVERS,
        "coverage": Area.SERVERS,
        "audit": Area.AUDIT,
        "completion": Area.VERDICTS,
    }
)
"""What each report is a part of; all others are LISTS."""

_ATTRIBUTE: Final = "reader"
_LICENSED: Final = "licensed"
_INSIDE: Final = "inside"


def area_of(report: Report | None) -> Area:
    """What a report is a part of; None is any list."""
    return AREAS.get(report.name, Area.LISTS) if report else Area.LISTS


def let_in(request: HttpRequest, reader: Reader | None) -> None:
    """Say who asks; None is nobody. What was found of whoever was thought to ask before is forgotten."""
    setattr(request, _ATTRIBUTE, reader)
    for found in (_LICENSED, _INSIDE):
        setattr(request, found, None)


def is_let_in(request: HttpRequest) -> bool:
    """Whether it is known who asks."""
    return known_reader(request) is not None


def known_reader(request: HttpRequest) -> Reader | None:
    """Who asks, None for nobody."""
    found: Reader | None = getattr(request, _ATTRIBUTE, None)
    return found


def reader_of(request: HttpRequest) -> Reader:
    """Who asks; an error with the status 403 where it is nobody."""
    reader = known_reader(request)
    if reader is None:
        raise RollcallError(
            _("You are not signed in."), code="signed-out", hint=_("Sign in and try again."), status=403
        )
    return reader


def require(request: HttpRequest, report: Report | None = None, *, area: Area | None = None) -> Reader:
    """Whoever asks, if this is for them and their organisation's licence is in force; else an error that says so.

    What a report is about (a meeting, a person) is looked for inside of the reader's bounds, by reports.subjects.
    """
    reader = reader_of(request)
    area = area or area_of(report)
    if not may(reader, area):
        raise RollcallError(
            _("You may not see this page."),
            code="forbidden",
            status=403,
            hint=_("Ask whoever runs Rollcall for access."),
        )
    setattr(request, _LICENSED, require_licence(reader, area))
    return reader


def licensed_of(request: HttpRequest) -> Licensed | None:
    """How the reader's organisation stands, as it was found when this was asked for; None for an operator."""
    found: Licensed | None = getattr(request, _LICENSED, None)
    return found


def require_licence(reader: Reader, area: Area = Area.LISTS) -> Licensed | None:
    """That the reader's organisation may see its records just now; of its licence it may always read."""
    if reader.organisation is None or area is Area.LICENCE:
        return None
    standing = licensed(reader.organisation)
    if standing.standing is not Standing.IN_FORCE:
        raise refusal(reader.organisation, standing)
    return standing


def inside(request: HttpRequest, report: Report | None = None) -> Inside:
    """Inside which organisation and bounds whoever asks sees anything of a report."""
    reader = reader_of(request)
    if area_of(report) is Area.AUDIT:
        return Inside(reader.organisation)  # much in the log is about no organisation, and the operator's alone
    found: Inside | None = getattr(request, _INSIDE, None)
    if found is None:
        found = inside_of(reader)
        setattr(request, _INSIDE, found)
    return found


def inside_of(reader: Reader) -> Inside:
    """The same for one who is known."""
    organisation = reader.organisation
    if organisation is None:
        # Inside of one organisation more is answered from an index; many an operator has only one.
        known = organisations()
        return Inside(known[0] if len(known) == 1 else None)
    of = (reader.site, reader.context_id, organisation)
    match reader.role:
        case Role.LEARNER:
            own = person_key(reader.site, reader.user_id, organisation)
            return Inside(organisation, Bounds(course=course_key(*of), person=own))
        case Role.INSTRUCTOR:
            return Inside(organisation, Bounds(course=course_key(*of), groups=reader.groups))
        case Role.ADMINISTRATOR:
            return Inside(organisation, Bounds(site=reader.site))
        case _:
            return Inside(organisation)
