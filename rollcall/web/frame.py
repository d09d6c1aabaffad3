"""What every page's frame shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from rollcall.reports import formatting
from rollcall.web.files import version
from rollcall.web.languages import menu

if TYPE_CHECKING:
    from django.http import HttpRequest


def frame(request: HttpRequest) -> dict[str, object]:  # noqa: ARG001 - Django's signature
    """For each template: the zone of its times, the languages, and by what browsers tell new files from old."""
    return {
        "zone": timezone.get_current_timezone_name(),
        "as_of": formatting.date_and_time(timezone.localtime()),
        "languages": menu(),
        "version": version(),
    }
