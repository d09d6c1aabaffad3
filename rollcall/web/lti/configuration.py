"""Manual registration: every value that an LMS asks for, to copy; for operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from rollcall.core.access import Area
from rollcall.lti import addresses, messages, registration
from rollcall.reports.access import require
from rollcall.web.lti.registering import reasons

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_GET
def configuration(request: HttpRequest) -> HttpResponse:
    """Field by field, as Moodle names them."""
    require(request, area=Area.MANAGE)
    context = {"values": values(), "reasons": reasons(messages.SCOPES, has_groups=True), "page": "platforms"}
    return render(request, "lti_configuration.html", context)


def values() -> list[tuple[str, str]]:
    """(field, value): the fields of “Configure a tool manually”, in Moodle's order."""
    launch = addresses.address(addresses.LAUNCH)
    return [
        (_("Tool name"), registration.NAME),
        (_("Tool URL"), launch),
        (_("LTI version"), "LTI 1.3"),
        (_("Public key type"), _("Keyset URL")),
        (_("Public keyset"), addresses.address(addresses.KEYS)),
        (_("Initiate login URL"), addresses.address(addresses.LOGIN)),
        (_("Redirection URI(s)"), launch),
        (_("Custom parameters"), f"groups=${registration.GROUPS}"),
        (_("Tool configuration usage"), _("Show in activity chooser and as a preconfigured tool")),
        (_("Default launch container"), _("Embed, without blocks")),
        (_("Supports Deep Linking (Content-Item Message)"), _("Yes")),
        (_("Content Selection URL"), launch),
        (_("IMS LTI Assignment and Grade Services"), _("Use this service for grade sync and column management")),
        (_("IMS LTI Names and Role Provisioning"), _("Use this service to retrieve members' information")),
        (_("Tool Settings"), _("Do not use this service")),
        (_("Share launcher's name with tool"), _("Never, or Always if names are wanted")),
        (_("Share launcher's email with tool"), _("Never")),
        (_("Accept grades from the tool"), _("Delegate to teacher")),
    ]
