"""One LMS: whether completion can be set in it by its web services, and what is missing for that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.http import Http404
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from rollcall.core.access import Area, Role
from rollcall.core.deliveries import Way
from rollcall.core.errors import Refused
from rollcall.moodle import service_user
from rollcall.moodle.asking import FUNCTIONS
from rollcall.moodle.checking import CAPABILITIES, lacks
from rollcall.moodle.trouble import Trouble, told
from rollcall.reports import words
from rollcall.reports.access import reader_of, require
from rollcall.store import licensing
from rollcall.store.counting import count
from rollcall.store.keys import key_of
from rollcall.store.owed import MoodleService, Receiver
from rollcall.store.platforms import Platform
from rollcall.web.operator.noting import go, note, said

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from rollcall.core.access import Reader
    from rollcall.moodle.checking import Checked

MOST_TESTS: Final = 20
_TESTS_SECONDS: Final = 300


@require_safe
def platform(request: HttpRequest, pk: int) -> HttpResponse:
    """What is known of its web services, the test of them, and a form for the token."""
    reader = require(request, area=Area.DELIVERIES)
    return render(request, "platform.html", _shown(request, _found(reader, pk)))


@require_POST
@sensitive_post_parameters("token")
@sensitive_variables("token")
def give(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a token, once it has shown that it is one of this Moodle."""
    reader = require(request, area=Area.DELIVERIES)
    found, token = _found(reader, pk), request.POST.get("token", "")
    try:
        _require_patience(pk)
        checked = service_user.give(found, token, now=licensing.now_ms())
    except Refused as error:
        return _refused(request, found, error)
    note(reader, "platform", found.organisation_id, platform=pk)
    return go(f"/platforms/{pk}", "administrator" if checked.is_administrator else _tested(checked))


@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Test the connection now."""
    found = _found(require(request, area=Area.DELIVERIES), pk)
    service = MoodleService.objects.filter(platform=found).select_related("platform").first()
    try:
        if service is None:
            raise _no_token()
        _require_patience(pk)
    except Refused as error:
        return _refused(request, found, error)
    return go(f"/platforms/{pk}", _tested(service_user.examine(service, now=licensing.now_ms())))


@require_POST
def forget(request: HttpRequest, pk: int) -> HttpResponse:
    """Give up the token."""
    reader = require(request, area=Area.DELIVERIES)
    found = _found(reader, pk)
    if not service_user.forget(found):
        return _refused(request, found, _no_token())
    note(reader, "platform", found.organisation_id, platform=pk)
    return go(f"/platforms/{pk}", "forgotten")


def _found(reader: Reader, pk: int) -> Platform:
    """One inside of the reader's bounds; another is as good as none."""
    known = Platform.objects.filter(pk=pk, removed_at=None)
    if reader.organisation is not None:
        known = known.filter(organisation=reader.organisation)
    if reader.site:
        known = known.filter(site_key=key_of(reader.site))
    found = known.select_related("organisation").first()
    if found is None:
        raise Http404(_("There is no such LMS."))
    return found


def _require_patience(pk: int) -> None:
    """A few calls of another machine for each press of a button, and a thread that waits for them."""
    if count(f"moodle-tests-{pk}", _TESTS_SECONDS) > MOST_TESTS:
        raise Refused(
            _("The connection was tested too often just now."),
            code="too-many",
            status=429,
            hint=_("Try again in a few minutes."),
        )


def _no_token() -> Refused:
    sentence, hint = told(Trouble.NO_TOKEN)
    return Refused(sentence, code=Trouble.NO_TOKEN, hint=hint)


def _refused(request: HttpRequest, found: Platform, error: Refused) -> HttpResponse:
    return render(request, "platform.html", _shown(request, found) | {"refused": error}, status=error.status)


def _tested(checked: Checked) -> str:
    if checked.trouble:
        return "tested-badly"
    return "tested" if checked.was_tried else "not-tried"


# --- what is shown ----------------------------------------------------------------------------------------------------


def _shown(request: HttpRequest, found: Platform) -> dict[str, Any]:
    zone = timezone.get_current_timezone()
    service = MoodleService.objects.filter(platform=found).first()
    receiver = Receiver.objects.filter(platform=found, way=Way.MOODLE).first()
    is_operator = reader_of(request).role is Role.OPERATOR
    return {
        "page": "organisations" if is_operator else "licence",
        "way": found.organisation if is_operator else None,
        "platform": found,
        "address": service_user.address_of(found),
        "service": service,
        "checked": words.day_and_clock(service.checked_at, zone) if service else "",
        "trouble": told(service.trouble) if service and service.trouble else None,
        "missing": lacks(service.missing.split()) if service else [],
        "waits": _waits(receiver) if receiver and receiver.paused_until > licensing.now_ms() else None,
        "receiver": receiver,
        "functions": lacks(FUNCTIONS),
        "capabilities": lacks(CAPABILITIES),
        "said": said(request),
    }


def _waits(receiver: Receiver) -> tuple[str, str, str]:
    """Since when nothing was delivered to it, and why."""
    until = words.day_and_clock(receiver.paused_until, timezone.get_current_timezone())
    return until, *told(receiver.trouble, receiver.trouble_phrase)
