"""Staff sign in with a password, or once with a link that `rollcall user` and `rollcall demo` print."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model, login, logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.core import signing
from django.core.cache import cache
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from rollcall.core.errors import Refused
from rollcall.store import auditing
from rollcall.store.accounts import Account
from rollcall.store.auditing import Action
from rollcall.store.counting import count
from rollcall.store.fields import storable
from rollcall.web.readers import reader_of_user
from rollcall.web.staff_sessions import now_ms

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest

LINK_SECONDS = 600

_SALT = "rollcall.web.sign_in"
_BACKEND = "django.contrib.auth.backends.ModelBackend"
_TRIES = 10
_TRIES_SECONDS = 300

# --- by password ------------------------------------------------------------------------------------------------------


@login_not_required
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def login_page(request: HttpRequest) -> HttpResponse:
    """The form. After ten wrong passwords an account, and an address, waits for five minutes."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(_next(request))
    if request.method != "POST":
        return _form(request, AuthenticationForm(request))
    tries = tries_of(request, request.POST.get("username", ""))
    if has_tried_too_often(tries):
        return _form(request, AuthenticationForm(request), status=429)
    form = AuthenticationForm(request, data=request.POST)
    if not form.is_valid():
        count_try(tries)
        _note_failure(request.POST.get("username", ""))
        return _form(request, form)
    cache.delete_many(tries[:1])
    _sign_in(request, form.get_user())
    return HttpResponseRedirect(_next(request))


@require_POST
def logout_page(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return HttpResponseRedirect("/login")


def _form(request: HttpRequest, form: AuthenticationForm, *, status: int = 200) -> HttpResponse:
    form.fields["username"].widget.attrs["class"] = form.fields["password"].widget.attrs["class"] = "form-control"
    context = {"form": form, "next": _next(request), "must_wait": status != 200}
    return render(request, "login.html", context, status=status)


def _next(request: HttpRequest) -> str:
    """Where the person was going, if that is a page of ours."""
    asked = request.POST.get("next") or request.GET.get("next") or "/"
    is_ours = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    return asked if is_ours else "/"


def tries_of(request: HttpRequest, name: str) -> list[str]:
    """Under what wrong passwords are counted: the account and the address, neither of which is kept in clear."""
    who = (name.casefold(), address_of(request))
    return [f"login:{kind}:{hashlib.sha256(one.encode()).hexdigest()}" for kind, one in zip("na", who, strict=True)]


def address_of(request: HttpRequest) -> str:
    """Who asks: behind a proxy on this machine the last address it added, which nobody outside can choose."""
    address: str = request.META.get("REMOTE_ADDR", "")
    if address in {"127.0.0.1", "::1", ""}:
        return str(request.META.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip() or address
    return address


def has_tried_too_often(keys: list[str]) -> bool:
    """Whether one of them has to wait."""
    return any(cache.get(key, 0) >= _TRIES for key in keys)


def count_try(keys: list[str]) -> None:
    """One wrong password more."""
    for key in keys:
        count(key, _TRIES_SECONDS)


def _sign_in(request: HttpRequest, user: User, *, backend: str | None = None) -> None:
    login(request, user, backend=backend)
    reader = reader_of_user(user)
    about = {} if reader else {"actor": user.get_username()}
    auditing.write(now_ms(), Action.SIGNED_IN, reader, subject="account", **about)


def _note_failure(name: str) -> None:
    """By the name that was typed only if it is an account's: people type their passwords there too."""
    user = get_user_model().objects.filter(username=storable(name)).first()
    account = Account.objects.filter(user=user).first() if user else None
    auditing.write(
        now_ms(),
        Action.SIGN_IN_FAILED,
        None,
        subject="account",
        actor=user.get_username() if user else "?",
        organisation=account and account.organisation_id,
    )


# --- by link ----------------------------------------------------------------------------------------------------------


def make_link(user: User) -> str:
    """The path of a link that signs this user in: once, within ten minutes.

    It is signed over the last login and the password, so that any login with it, another link or the password ends it,
    and nothing has to be kept of it.
    """
    return "/login/link/" + signing.dumps([user.pk, _stamp(user)], salt=_SALT)


def _stamp(user: User) -> str:
    last = user.last_login.isoformat() if user.last_login else ""
    return salted_hmac(_SALT, f"{user.pk}\0{user.password}\0{last}").hexdigest()[:32]


@login_not_required
@require_GET
def use_link(request: HttpRequest, token: str) -> HttpResponse:
    """Sign the bearer in, unless the link is used, old or not ours. A browser that only looks ahead does not use it."""
    if "prefetch" in request.headers.get("Sec-Purpose", "") or request.headers.get("Purpose") == "prefetch":
        return HttpResponse(status=503)
    user = _user_of(token)
    if user is None:
        raise Refused(
            _("This link has been used or is too old."),
            code="link-used",
            status=403,
            hint=_("Sign in with your password, or ask for a new link (rollcall user link NAME)."),
        )
    _sign_in(request, user, backend=_BACKEND)
    return HttpResponseRedirect("/")


def _user_of(token: str) -> User | None:
    """Whom the link signs in, and the link is used: of two who come with it at once, one is first."""
    try:
        pk, stamp = signing.loads(token, salt=_SALT, max_age=LINK_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    users = get_user_model().objects.filter(pk=pk, is_active=True)
    user = users.first()
    if user is None or not constant_time_compare(stamp, _stamp(user)):
        return None
    is_first = users.filter(last_login=user.last_login).update(last_login=timezone.now())
    return user if is_first else None
