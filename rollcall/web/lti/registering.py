"""Dynamic Registration: what an LMS's administrator sees when they paste the address they were given."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from rollcall.core.errors import RollcallError
from rollcall.derive import invitations
from rollcall.derive.platforms import require_registrable
from rollcall.lti import framing, messages, registration
from rollcall.lti.refusals import refused
from rollcall.web.lti.showing import refused_page

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from rollcall.lti.registration import Configuration


@csrf_exempt  # the address itself is what nobody else knows, and a cookie of ours need not come into a frame
@login_not_required
@require_http_methods(["GET", "POST"])
def register(request: HttpRequest, token: str) -> HttpResponse:
    """Show what will be asked for; register only when the button is pressed."""
    asked = request.POST if request.method == "POST" else request.GET
    address = asked.get("openid_configuration", "")
    try:
        response = _answered(request, token, address, asked.get("registration_token", ""))
    except RollcallError as error:
        response = refused_page(request, error)
    # Before it is registered no LMS is known: the one that sent somebody here may show the page.
    framing.allow(response, [address])
    return response


def _answered(request: HttpRequest, token: str, address: str, registration_token: str) -> HttpResponse:
    now = time.time_ns() // 1_000_000
    invitation = invitations.open_invitation(token, now)
    if not address:
        raise refused("configuration-missing")
    known = registration.configuration_at(address)
    # Before the LMS keeps anything: what it registered could not be taken back from here.
    require_registrable(invitation.organisation, known.issuer, list(invitation.pools.all()))
    if request.method != "POST":
        return render(request, "lti_register.html", _asked(known, address, registration_token))
    with_names = request.POST.get("names") == "yes"
    answered = registration.register(known, registration_token, with_names=with_names)
    platform = invitations.accept(invitation, answered, now=now)
    context = {"platform": platform, "is_moodle": known.product == "moodle", "origin": framing.origin_of(known.issuer)}
    return render(request, "lti_registered.html", context | {"framed": True})


def _asked(known: Configuration, address: str, registration_token: str) -> dict[str, object]:
    return {
        "framed": True,
        "known": known,
        "openid_configuration": address,
        "registration_token": registration_token,
        "reasons": reasons(registration.scopes_for(known), has_groups=bool(registration.custom_for(known))),
    }


def reasons(scopes: tuple[str, ...], *, has_groups: bool) -> list[tuple[str, str]]:
    """What is asked for in the LMS's own words, and why."""
    why = {
        messages.MEMBERS: _(
            "Who is enrolled, to say who never came. User ids and roles; no names unless you share them."
        ),
        messages.LINE_ITEM: _("A column of the gradebook for an activity, where a teacher wants one."),
        messages.LINE_ITEM_READ: _("Which columns of an activity there are."),
        messages.RESULT_READ: _(
            "What stands in Rollcall's own column, so that nothing a teacher has changed is changed back."
        ),
        messages.SCORE: _("The share of the class that somebody attended, into Rollcall's own column."),
    }
    found = [("iss, sub", _("Which LMS and which user id: by these two somebody is found in the classes."))]
    if has_groups:
        found.append((f"${registration.GROUPS}", _("To which groups a teacher belongs, where groups are kept apart.")))
    return found + [(scope.rpartition("/spec/")[2], why[scope]) for scope in scopes]
