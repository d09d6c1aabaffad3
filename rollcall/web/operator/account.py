"""An account about itself: its password, and where it is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.core.cache import cache
from django.http import Http404
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from rollcall.core.errors import RollcallError
from rollcall.reports import words
from rollcall.reports.access import known_reader
from rollcall.store.accounts import StaffSession
from rollcall.store.organisations import Organisation
from rollcall.store.staff_sessions import end_sessions, session_of, sessions_of
from rollcall.web.operator.noting import go, note, said
from rollcall.web.sign_in import count_try, has_tried_too_often, tries_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Who one is here, where one is signed in, and the form for another password."""
    return render(request, "account.html", _shown(request, _user(request)))


@sensitive_post_parameters()
@require_POST
def password(request: HttpRequest) -> HttpResponse:
    """Another password, for whoever knows the old one; every other session is ended."""
    user = _user(request)
    tries = tries_of(request, user.get_username())
    if has_tried_too_often(tries):
        return render(request, "account.html", _shown(request, user) | {"must_wait": True}, status=429)
    form = PasswordChangeForm(user, request.POST)
    if not form.is_valid():
        if "old_password" in form.errors:
            count_try(tries)
        return render(request, "account.html", _shown(request, user) | {"form": form}, status=400)
    cache.delete_many(tries[:1])
    form.save()
    end_sessions(user, but=session_of(request))
    update_session_auth_hash(request, user)
    _note(request)
    return go("/account", "password")


@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """One of one's own sessions is over; whoever is in it is out with the next page."""
    user = _user(request)
    found = StaffSession.objects.filter(user=user, pk=pk).first()
    if found is None:
        raise Http404(_("There is no such session."))
    found.delete()
    _note(request)
    return go("/account", "signed-out")


@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    """All but this one."""
    end_sessions(_user(request), but=session_of(request))
    _note(request)
    return go("/account", "others-out")


def _user(request: HttpRequest) -> User:
    """Whoever has an account; a launch brings none."""
    if not request.user.is_authenticated:
        raise RollcallError(_("You may not see this page."), code="forbidden", status=403)
    return request.user


def _note(request: HttpRequest) -> None:
    reader = known_reader(request)
    if reader is not None:
        note(reader, "account", reader.organisation)


def _shown(request: HttpRequest, user: User) -> dict[str, Any]:
    zone, here = timezone.get_current_timezone(), session_of(request)
    reader = known_reader(request)
    owner = Organisation.objects.filter(pk=reader.organisation).first() if reader and reader.organisation else None
    return {
        "page": "account",
        "account_name": user.get_username(),
        "owner": owner,
        "is_operator": reader is not None and reader.organisation is None,
        "has_password": user.has_usable_password(),
        "sessions": [
            {
                "pk": one.pk,
                "made": words.day_and_clock(one.made_at, zone),
                "seen": words.day_and_clock(one.seen_at, zone),
                "is_here": here is not None and one.pk == here.pk,
            }
            for one in sessions_of(user)
        ],
        "said": said(request),
        "form": PasswordChangeForm(user),
    }
