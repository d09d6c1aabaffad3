"""The meetings that are nobody's, and the form that says whose they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.http import Http404
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rollcall.core.access import Area
from rollcall.core.errors import Refused
from rollcall.derive.claims import claim, release
from rollcall.reports import words
from rollcall.reports.access import require
from rollcall.store import licensing
from rollcall.store.claiming import find_pool, unclaimed
from rollcall.store.fields import storable
from rollcall.store.organisations import Claim, Organisation
from rollcall.store.platforms import Platform
from rollcall.web.operator.noting import go, note, page_number, said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

    from rollcall.core.access import Reader

AT_ONCE: Final = 100
_OWNER: Final = re.compile(r"([0-9]{1,18})(?:-([0-9]{1,18}))?")


@require_safe
def unclaimed_page(request: HttpRequest) -> HttpResponse:
    """By server and site, the latest first, a hundred at a time."""
    require(request, area=Area.MANAGE)
    return render(request, "unclaimed.html", _shown(request))


@require_http_methods(["GET", "HEAD", "POST"])
def claim_page(request: HttpRequest) -> HttpResponse:
    """Whose the meetings of one site on one server are to be."""
    reader = require(request, area=Area.MANAGE)
    asked = request.POST if request.method == "POST" else request.GET
    refused = None
    if request.method == "POST":
        try:
            return _claim(asked, reader)
        except Refused as error:
            refused = error
    context = _form(asked.get("pool", ""), asked.get("site", ""), asked.get("owner", ""))
    return render(request, "claim.html", context | {"refused": refused}, status=refused.status if refused else 200)


@require_POST
def remove_claim(request: HttpRequest, pk: int) -> HttpResponse:
    """The meetings are nobody's again."""
    reader = require(request, area=Area.MANAGE)
    held = Claim.objects.select_related("platform").filter(pk=pk).first()
    if held is None:
        raise Http404(_("There is no such claim."))
    organisation = held.organisation_id
    release(held)
    note(reader, "claim", organisation)
    return go(f"/organisations/{organisation}", "released")


def _claim(typed: Mapping[str, str], reader: Reader) -> HttpResponse:
    pool, site = find_pool(typed.get("pool", "")), typed.get("site", "")
    owner, platform = _owner(typed.get("owner", ""))
    claim(pool, site, owner, platform, by=reader.name, now=licensing.now_ms())
    note(reader, "claim", owner.pk)
    return go("/unclaimed", "claimed")


def _owner(typed: str) -> tuple[Organisation, Platform | None]:
    """As the form's choices are numbered: `5` is an organisation, `5-7` one of its platforms too."""
    numbers = _OWNER.fullmatch(typed)
    found = Organisation.objects.filter(pk=int(numbers[1])).first() if numbers else None
    if numbers is None or found is None:
        raise Refused(_("Choose whose they are."), code="no-such-organisation")
    if not numbers[2]:
        return found, None
    platform = Platform.objects.filter(pk=int(numbers[2]), organisation=found).first()
    if platform is None:
        raise Refused(_("There is no such platform."), code="no-such-platform")
    return found, platform


def _form(pool: str, site: str, chosen: str) -> dict[str, Any]:
    choices: dict[str, list[tuple[str, str]]] = {}
    numbers = {}
    for pk, name in Organisation.objects.order_by("name").values_list("pk", "name"):
        numbers[pk], choices[name] = name, [(str(pk), words.site(site))]
    platforms = Platform.objects.filter(removed_at=None).order_by("site", "pk")
    for pk, organisation, named in platforms.values_list("pk", "organisation", "site"):
        choices[numbers[organisation]].append((f"{organisation}-{pk}", words.site(named)))
    return {
        "page": "unclaimed",
        "pool": pool,
        "site": site,
        "shown": words.site(site),
        "choices": list(choices.items()),
        "chosen": chosen,
    }


def _shown(request: HttpRequest) -> dict[str, Any]:
    number, zone = page_number(request), timezone.get_current_timezone()
    found = unclaimed(first=(number - 1) * AT_ONCE, most=AT_ONCE + 1)
    return {
        "page": "unclaimed",
        "sites": [
            {
                "pool": one.pool,
                "shown": words.site(one.site),
                "address": "/unclaimed/claim?" + urlencode({"pool": one.pool, "site": storable(one.site)}),
                "meetings": one.meetings,
                "last": words.day_and_clock(one.last_at, zone),
            }
            for one in found[:AT_ONCE]
        ],
        "said": said(request),
        "first": "/unclaimed",
        "is_first": number == 1,
        "newer": f"/unclaimed?page={number - 1}" if number > 1 else "",
        "older": f"/unclaimed?page={number + 1}" if len(found) > AT_ONCE else "",
    }
