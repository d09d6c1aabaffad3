"""The first page of somebody whom a launch sends to what is not there yet: theirs, and empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from rollcall.reports import access
from rollcall.reports.completion import verdicts_shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse

    from rollcall.reports.completion import ShownVerdict


def own_record(request: HttpRequest, key: str) -> HttpResponse | None:
    """For whoever has the key, and was in no meeting of the course; None for anybody else's."""
    if access.inside(request).bounds.person != bytes.fromhex(key):
        return None
    told = _("You were not seen in a class of this course yet.")
    then = _("What you attend stands here a moment after you have joined.")
    reader, zone = access.reader_of(request), timezone.get_current_timezone()
    verdicts = verdicts_shown(request, reader.user_id, reader.site, zone)
    return _page(request, _("Your attendance"), told, then, verdicts)


def own_course(request: HttpRequest, key: str) -> HttpResponse | None:
    """For whoever sees nothing but the course of this key, of which nothing was heard."""
    if access.inside(request).bounds.course != bytes.fromhex(key):
        return None
    told = _("No class of this course has been heard of yet.")
    return _page(request, _("Course"), told, _("Its people and meetings stand here as soon as one of them begins."))


def _page(
    request: HttpRequest, title: str, told: str, then: str, verdicts: Sequence[ShownVerdict] = ()
) -> HttpResponse:
    context = {"title": title, "told": told, "then": then, "verdicts": verdicts}
    return render(request, "nothing_yet.html", context)
