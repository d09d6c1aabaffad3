"""The way to the main pages, as far as they are anything for whoever asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from rollcall.core.access import Area, Role, may
from rollcall.reports.access import inside_of
from rollcall.reports.addresses import person_page

if TYPE_CHECKING:
    from rollcall.core.access import Reader


@dataclass(frozen=True, slots=True)
class Entry:
    """A page: its address, its title, and by what name it says that it is this one."""

    address: str
    title: str
    page: str


def menu_of(reader: Reader | None) -> list[Entry]:
    """What a reader may see; nothing for nobody. An operator finds licences with the organisations."""
    if reader is None:
        return []
    if reader.role is Role.LEARNER:
        return [Entry(person_page(inside_of(reader).bounds.person), _("Your attendance"), "people")]
    entries = _entries()
    if reader.role is Role.OPERATOR:
        entries.pop(Area.LICENCE)
    return [entry for area, pages in entries.items() if may(reader, area) for entry in pages]


def _entries() -> dict[Area, tuple[Entry, ...]]:
    return {
        Area.LISTS: (
            Entry("/", _("Overview"), "overview"),
            Entry("/meetings", _("Meetings"), "meetings"),
            Entry("/attendances", _("Attendance"), "attendances"),
            Entry("/people", _("People"), "people"),
            Entry("/courses", _("Courses"), "courses"),
            Entry("/use", _("Use"), "use"),
        ),
        Area.VERDICTS: (Entry("/activities", _("Completion"), "activities"),),
        Area.DELIVERIES: (Entry("/deliveries", _("Deliveries"), "deliveries"),),
        Area.SERVERS: (Entry("/servers", _("Servers"), "servers"),),
        Area.MANAGE: (Entry("/organisations", _("Organisations"), "organisations"),),
        Area.LICENCE: (Entry("/licence", _("Licence"), "licence"),),
        Area.AUDIT: (Entry("/audit", _("Audit log"), "audit"),),
    }
