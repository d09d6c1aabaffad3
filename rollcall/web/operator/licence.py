"""One's own licence, to read: for the staff of an organisation and the administrators of its LMSs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from rollcall.core.access import Area
from rollcall.reports import licence_words
from rollcall.reports.access import require
from rollcall.store import licensing
from rollcall.store.keys import key_of
from rollcall.store.licensing import Standing, licensed
from rollcall.store.limits import uses
from rollcall.store.organisations import Organisation
from rollcall.web.operator.organisations import platform_line, shown_use
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_safe
def licence(request: HttpRequest) -> HttpResponse:
    """How it stands, and what there is of what it limits. An LMS's administrator sees no other LMS."""
    reader = require(request, area=Area.LICENCE)
    if reader.organisation is None:
        return HttpResponseRedirect("/organisations")
    now, zone = licensing.now_ms(), timezone.get_current_timezone()
    found = Organisation.objects.get(pk=reader.organisation)
    standing = licensed(found.pk, now)
    platforms = found.platforms.filter(removed_at=None).prefetch_related("pools").order_by("name", "pk")
    others = platforms.none()
    if reader.site:
        own = key_of(reader.site)
        platforms, others = platforms.filter(site_key=own), platforms.exclude(site_key=own)
    context = {
        "page": "licence",
        "organisation": found,
        "standing": licence_words.standing(visible(found.name), standing),
        "soon_over": licence_words.soon_over(visible(found.name), standing, now),
        "is_in_force": standing.standing is Standing.IN_FORCE,
        "not_kept": licence_words.not_kept(found, standing, now),
        # What several LMSs have together tells of the others.
        "uses": [] if others.exists() else [shown_use(use) for use in uses(found.pk, now, zone)],
        "platforms": [platform_line(one) for one in platforms],
    }
    return render(request, "licence.html", context)
