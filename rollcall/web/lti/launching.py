"""The addresses of LTI 1.3: where a launch begins, where it comes back, and the keys that Rollcall signs with."""

from __future__ import annotations

import hashlib
import time
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponseRedirect, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from rollcall.api.rate import used_in_minute
from rollcall.core.access import Role
from rollcall.lti import keys, launch, login, visits
from rollcall.lti.entering import enter
from rollcall.lti.messages import Message
from rollcall.lti.refusals import refused
from rollcall.outgoing.addresses import is_public
from rollcall.reports.addresses import person_page
from rollcall.store.auditing import Action, write
from rollcall.store.keys import person_key
from rollcall.store.licensing import Standing, licensed
from rollcall.web.lti import choosing
from rollcall.web.lti.showing import require_licence, told_in_a_page
from rollcall.web.sign_in import address_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from rollcall.lti.claims import Launched
    from rollcall.store.platforms import Platform

MOST_IN_A_MINUTE: Final = 1200
"""Of one network: behind one address there may be a school whose classes all begin at eight."""

_OF_ONE_SUBSCRIBER: Final = 64
"""Bits of an IPv6 address that whoever has it cannot choose."""


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "POST"])
@told_in_a_page
def begin(request: HttpRequest) -> HttpResponse:
    """The platform says that somebody is coming; their browser is sent back there for a token."""
    _count(request)
    form = request.POST if request.method == "POST" else request.GET
    return HttpResponseRedirect(login.begin(dict(form.lists()), _now()))


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "POST"])
@told_in_a_page
def arrive(request: HttpRequest) -> HttpResponse:
    """The token: whoever it names is let in, or may choose what an activity shows."""
    now = _now()
    launched = launch.receive(dict(request.POST.lists()), now, may_enter=_require_licence)
    _note(launched, now)
    if launched.message is Message.DEEP_LINK:
        require_licence(launched.platform, launched.language)
        return choosing.page(request, launched, now)
    visit, secret = visits.begin(launched, now)
    return enter(request, visit, secret, _licence_page(launched) or _review_page(launched) or visits.first_page(visit))


@login_not_required
@require_GET
def key_set(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Rollcall's public keys, for whoever verifies what it signed."""
    return JsonResponse(keys.key_set(), headers={"Cache-Control": f"public, max-age={keys.CACHED_SECONDS}"})


def _count(request: HttpRequest) -> None:
    """Each is a row that waits, and anybody may begin one. The address is not kept in clear.

    A private address is not counted: it may be that of a proxy, before which everybody stands.
    """
    try:
        address = ip_address(address_of(request))
    except ValueError:
        return
    if not is_public(address):
        return
    bits = _OF_ONE_SUBSCRIBER if address.version == 6 else address.max_prefixlen
    network = ip_network((address, bits), strict=False)
    who = hashlib.sha256(str(network).encode()).hexdigest()
    if used_in_minute(f"lti:login:{who}", _now() // 1000) > MOST_IN_A_MINUTE:
        raise refused("too-many-launches")


def _require_licence(platform: Platform, language: str, role: Role) -> None:
    """An administrator comes in all the same, to read of the licence; of anything else each page asks again."""
    if role is not Role.ADMINISTRATOR:
        require_licence(platform, language)


def _licence_page(launched: Launched) -> str:
    """Where an administrator is led while no licence is in force; blank where one is."""
    standing = licensed(launched.platform.organisation_id).standing
    return "" if standing is Standing.IN_FORCE else "/licence"


def _review_page(launched: Launched) -> str:
    """From the gradebook a teacher comes to look at one person; blank for whoever comes otherwise."""
    if not launched.for_user:
        return ""
    of = launched.platform
    return person_page(person_key(of.site, launched.for_user, of.organisation_id))


def _note(launched: Launched, now: int) -> None:
    platform = launched.platform
    write(
        now,
        Action.LAUNCHED,
        None,
        actor=launched.user_id,
        role=launched.role.value,
        organisation=platform.organisation_id,
        platform=platform.pk,
    )


def _now() -> int:
    return time.time_ns() // 1_000_000
