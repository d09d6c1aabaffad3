"""What every page's frame shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils import timezone

from rollcall.lti import visits
from rollcall.lti.entering import visit_of
from rollcall.reports import formatting
from rollcall.web.files import version
from rollcall.web.languages import menu

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
    }


def _of_visit(visit: Visit) -> dict[str, object]:
    return {"visit": visit, "ticket": visits.ticket(visit, visits.clock()), "course": visits.course_page(visit)}


def is_framed(request: HttpRequest) -> bool:
    """Whether the page stands in an LMS, which has a header and a menu of its own."""
    return bool(getattr(request, _FRAMED, False))


def mark_framed(request: HttpRequest) -> None:
    """Say that it does."""
    setattr(request, _FRAMED, True)
