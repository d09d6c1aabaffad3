"""The organisations, as an operator sees and changes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.http import Http404
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rollcall.core.access import Area
from rollcall.core.errors import Refused
from rollcall.lti.trouble import told
from rollcall.reports import licence_words, words
from rollcall.reports.access import require
from rollcall.store import licensing
from rollcall.store.accounts import Account
from rollcall.store.licensing import Standing, standing_of, standings
from rollcall.store.limits import day_of, uses, uses_of
from rollcall.store.organisations import GRACE_MS, Organisation
from rollcall.store.organising import (
    DAY_MS,
    Terms,
    add_licence,
    add_organisation,
    edit_organisation,
    end,
    instant_of,
    resume,
    suspend,
)
from rollcall.web.operator.noting import go, note, page_number, said
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

    from rollcall.store.limits import Use
    from rollcall.store.organisations import Licence
    from rollcall.store.platforms import Platform

AT_ONCE: Final = 100
_LONGEST_NUMBER: Final = 9


@require_http_methods(["GET", "HEAD", "POST"])
def organisations(request: HttpRequest) -> HttpResponse:
    """All of them, a hundred at a time, and a form for one more."""
    reader = require(request, area=Area.MANAGE)
    if request.method != "POST":
        return render(request, "organisations.html", _list(request))
    try:
        added, is_new = add_organisation(
            request.POST.get("name", ""), request.POST.get("contact", ""), now=licensing.now_ms()
        )
    except Refused as error:
        context = _list(request) | {"refused": error, "typed": request.POST.dict()}
        return render(request, "organisations.html", context, status=error.status)
    if is_new:
        note(reader, "organisation", added.pk)
    return go(f"/organisations/{added.pk}", "added" if is_new else "there")


@require_safe
def organisation(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them: its licences, what it has, and the forms that change it."""
    require(request, area=Area.MANAGE)
    return render(request, "organisation.html", _one(request, _found(pk)))


@require_POST
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Another name, or contact."""
    reader, found = require(request, area=Area.MANAGE), _found(pk)
    try:
        edit_organisation(found, name=request.POST.get("name"), contact=request.POST.get("contact"))
    except Refused as error:
        return _refused(request, pk, error)
    note(reader, "organisation", pk)
    return go(f"/organisations/{pk}", "changed")


@require_POST
def licence(request: HttpRequest, pk: int) -> HttpResponse:
    """One licence more."""
    reader, found = require(request, area=Area.MANAGE), _found(pk)
    try:
        _licence, is_new = add_licence(found, _terms(request.POST), now=licensing.now_ms())
    except Refused as error:
        return _refused(request, pk, error)
    if is_new:
        note(reader, "licence", pk)
    return go(f"/organisations/{pk}", "added" if is_new else "there")


@require_POST
def change_licence(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Suspend, resume or end what it has."""
    reader, found = require(request, area=Area.MANAGE), _found(pk)
    now = licensing.now_ms()
    match act:
        case "suspended":
            suspend(found, now=now)
        case "resumed":
            resume(found)
        case _:
            end(found, at=now)
    note(reader, "licence", pk)
    return go(f"/organisations/{pk}", act)


def _found(pk: int) -> Organisation:
    found = Organisation.objects.filter(pk=pk).first()
    if found is None:
        raise Http404(_("There is no such organisation."))
    return found


def _refused(request: HttpRequest, pk: int, error: Refused) -> HttpResponse:
    """The page again, with what is wrong, and what was typed."""
    context = _one(request, _found(pk)) | {"refused": error, "typed": request.POST.dict()}
    return render(request, "organisation.html", context, status=error.status)


# --- what was typed ---------------------------------------------------------------------------------------------------


def _terms(typed: Mapping[str, str]) -> Terms:
    zone = timezone.get_current_timezone()
    since, until = typed.get("from", "").strip(), typed.get("until", "").strip()
    grace = _number(typed.get("grace", ""))
    return Terms(
        starts_at=instant_of(since, zone) if since else day_of(licensing.now_ms(), zone),
        ends_at=instant_of(until, zone, is_last=True) if until else None,
        grace_ms=GRACE_MS if grace is None else grace * DAY_MS,
        platforms=_number(typed.get("platforms", "")),
        pools=_number(typed.get("pools", "")),
        people_a_month=_number(typed.get("people_a_month", "")),
    )


def _number(text: str) -> int | None:
    written = text.strip()
    if not written:
        return None
    if not (written.isascii() and written.isdigit() and len(written) <= _LONGEST_NUMBER):
        raise Refused(
            _("%(text)s is no whole number.") % {"text": repr(visible(written[:50]))},
            code="bad-licence",
            hint=_("A limit is a whole number of zero or more; leave it blank for none."),
        )
    return int(written)


# --- what is shown ----------------------------------------------------------------------------------------------------


def _list(request: HttpRequest) -> dict[str, Any]:
    name, number = request.GET.get("name", "").replace("\0", "").strip(), page_number(request)
    found = Organisation.objects.filter(name__icontains=name) if name else Organisation.objects.all()
    first = (number - 1) * AT_ONCE
    rows = list(found.order_by("name")[first : first + AT_ONCE + 1])
    return {
        "page": "organisations",
        "name": name,
        "organisations": _lines(rows[:AT_ONCE]),
        "count": found.count(),
        "said": said(request),
        "first": _address(name, 1),
        "is_first": number == 1,
        "newer": _address(name, number - 1) if number > 1 else "",
        "older": _address(name, number + 1) if len(rows) > AT_ONCE else "",
        "typed": {},
    }


def _address(name: str, number: int) -> str:
    asked = {"name": name} if name else {}
    return "/organisations?" + urlencode(asked | ({"page": number} if number > 1 else {}))


def _lines(rows: list[Organisation]) -> list[dict[str, Any]]:
    now, zone, pks = licensing.now_ms(), timezone.get_current_timezone(), [one.pk for one in rows]
    standing, used = standings(pks, now), uses_of(pks, now, zone)
    return [
        {
            "pk": one.pk,
            "name": one.name,
            "is_in_force": standing[one.pk].standing is Standing.IN_FORCE,
            "state": licence_words.state(standing[one.pk]),
            "uses": [shown_use(use) for use in used[one.pk]],
            "not_kept": one.not_kept,
        }
        for one in rows
    ]


def shown_use(use: Use) -> dict[str, Any]:
    """How much there is of something, and whether that is nearly too much."""
    told = str(use.used) if use.limit is None else _("%(used)d of %(limit)d") % {"used": use.used, "limit": use.limit}
    return {"told": told, "is_near": use.is_near, "is_over": use.is_over}


def _one(request: HttpRequest, found: Organisation) -> dict[str, Any]:
    now, zone = licensing.now_ms(), timezone.get_current_timezone()
    licences = list(found.licences.order_by("-starts_at", "-pk"))
    standing = standing_of(licences, now)
    accounts = Account.objects.filter(organisation=found).select_related("user").order_by("user__username")
    return {
        "page": "organisations",
        "organisation": found,
        "standing": licence_words.standing(visible(found.name), standing),
        "soon_over": licence_words.soon_over(visible(found.name), standing, now),
        "is_in_force": standing.standing is Standing.IN_FORCE,
        "is_suspended": standing.standing is Standing.SUSPENDED,
        "not_kept": licence_words.not_kept(found, standing, now),
        "uses": [shown_use(use) for use in uses(found.pk, now, zone)],
        "licences": [_licence_line(one, now) for one in licences],
        "platforms": [platform_line(one) for one in found.platforms.prefetch_related("pools").order_by("name", "pk")],
        "accounts": [(one.user.get_username(), _day(one.user.last_login)) for one in accounts],
        "claims": found.claims.select_related("pool", "platform").order_by("pool__name", "site"),
        "said": said(request),
        "typed": {},
    }


def _licence_line(one: Licence, now: int) -> dict[str, Any]:
    zone, limits = timezone.get_current_timezone(), (one.platforms, one.pools, one.people_a_month)
    return {
        "starts": words.day_and_clock(one.starts_at, zone),
        "ends": words.day_and_clock(one.ends_at, zone),
        "state": licence_words.state(standing_of([one], now)),
        "grace": one.grace_ms // DAY_MS,
        "limits": [words.UNKNOWN if limit is None else limit for limit in limits],
    }


def platform_line(one: Platform) -> dict[str, Any]:
    """An LMS, as the pages of its organisation show it."""
    return {
        "pk": one.pk,
        "name": one.name or one.site,
        "site": one.site,
        "pools": ", ".join(sorted(pool.name for pool in one.pools.all())),
        "launched": words.day_and_clock(one.launched_at, timezone.get_current_timezone()),
        "is_removed": one.removed_at is not None,
        "trouble": " ".join(told(one.keys_trouble)).strip(),
    }


def _day(at: datetime | None) -> str:
    return words.day_and_clock(None if at is None else int(at.timestamp() * 1000), timezone.get_current_timezone())
