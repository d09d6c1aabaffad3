"""What every page's frame shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils import timezone

from rollcall.core.access import Area, may
from rollcall.lti import visits
from rollcall.lti.entering import visit_of
from rollcall.reports import licence_words
from rollcall.reports.access import known_reader, licensed_of
from rollcall.store import licensing
from rollcall.web.files import version
from rollcall.web.languages import menu
from rollcall.web.menu import menu_of
from rollcall.wording import formatting

if TYPE_CHECKING:
    from django.http import HttpRequest

    from rollcall.store.platforms import Visit


_FRAMED: Final = "is_framed"


def frame(request: HttpRequest) -> dict[str, object]:
    """For each template: the zone of its times, the languages, by what browsers tell new files from old, the visit."""
    visit = visit_of(request)
    return (_of_visit(visit) if visit else {}) | {
        "framed": is_framed(request),
        "zone": timezone.get_current_timezone_name(),
        "as_of": formatting.date_and_time(timezone.localtime()),
        "languages": menu(),
        "version": version(),
        "menu": menu_of(known_reader(request)),
        "soon_over_everywhere": _soon_over(request),
    }


def _soon_over(request: HttpRequest) -> str:
    """That the licence ends soon, for those who can do something about it."""
    licensed, reader = licensed_of(request), known_reader(request)
    if licensed is None or reader is None or not may(reader, Area.LICENCE):
        return ""
    return licence_words.own_soon_over(licensed, licensing.now_ms())


def _of_visit(visit: Visit) -> dict[str, object]:
    return {
        "visit": visit,
        "visit_ticket": visits.ticket(visit, visits.clock()),
        "visit_course": visits.course_page(visit),
        "visit_home": visits.first_page(visit),
    }


def is_framed(request: HttpRequest) -> bool:
    """Whether the page stands in an LMS, which has a header and a menu of its own."""
    return bool(getattr(request, _FRAMED, False))


def mark_framed(request: HttpRequest) -> None:
    """Say that it does."""
    setattr(request, _FRAMED, True)
