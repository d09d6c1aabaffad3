"""Deep linking: the page on which a teacher chooses what an activity of the LMS shows, and the choice, sent back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from rollcall.lti import deep_linking, framing
from rollcall.lti.deep_linking import Item
from rollcall.lti.refusals import refused
from rollcall.store.activities import activities_of
from rollcall.store.platforms import Platform
from rollcall.web.headers import policy
from rollcall.web.lti.showing import require_licence, told_in_a_page
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from rollcall.lti.claims import Launched

COURSE: Final = "course"


def page(request: HttpRequest, launched: Launched, now: int) -> HttpResponse:
    """What may be chosen: the whole course, or one of its BBB activities; with a column in the gradebook or without."""
    waiting = deep_linking.choosing(launched, now)
    of = launched.platform
    context = {
        "framed": True,
        "sealed": deep_linking.sealed(waiting),
        "activities": activities_of(of.organisation_id, of.site, waiting.context_id),
        "accepts_line_item": waiting.accepts_line_item,
        "language": launched.language,
    }
    return render(request, "lti_choose.html", context)


@csrf_exempt  # what is sealed into the form is what only its page holds
@login_not_required
@require_POST
@told_in_a_page
def choose(request: HttpRequest) -> HttpResponse:
    """Sign what was chosen, on a page that sends itself to the LMS."""
    now = time.time_ns() // 1_000_000
    waiting = deep_linking.opened(request.POST.get("sealed", ""), now)
    platform = Platform.objects.filter(pk=waiting.platform, removed_at=None).first()
    if platform is None:
        raise refused("platform-unknown")
    language = request.POST.get("language", "")
    require_licence(platform, language if language in dict(settings.LANGUAGES) else "")
    item = _chosen(request, platform, waiting.context_id)
    token = deep_linking.response(waiting, platform, [item], now)
    context = {"framed": True, "return_url": waiting.return_url, "token": token}
    response = render(request, "lti_chosen.html", context)
    response["Content-Security-Policy"] = policy(
        framing.origins_of(platform), form_action=framing.origin_of(waiting.return_url)
    )
    return response


def _chosen(request: HttpRequest, platform: Platform, context_id: str) -> Item:
    """What was chosen, if the course has it."""
    activity, has_column = request.POST.get("activity", COURSE), request.POST.get("column") == "yes"
    if activity == COURSE:
        return Item(_("Attendance in BigBlueButton"), has_column=has_column)
    known = {one.key: one for one in activities_of(platform.organisation_id, platform.site, context_id)}
    if activity not in known:
        raise refused("form-malformed")
    name = visible(known[activity].name)
    return Item(_("Attendance: %(name)s") % {"name": name}, activity, has_column)
