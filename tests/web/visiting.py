"""Visits for tests of pages: somebody whom a launch let in, and a client that keeps cookies or does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.test import Client

from rollcall.core.access import Role
from rollcall.lti import entering, visits
from rollcall.lti.claims import Launched
from rollcall.lti.messages import Message
from rollcall.store.keys import key_of
from rollcall.store.platforms import Context, Platform, Visit
from tests.lti.standin import StandIn

if TYPE_CHECKING:
    from django.http import HttpResponse

SITE = "https://moodle.example.org"
OURS = {"origin": "http://testserver"}


def make_platform(site: str = SITE, **columns: Any) -> Platform:
    """A registered LMS, whose organisation has a licence."""
    return StandIn(issuer=site).register(product="moodle", **columns)


def launch(platform: Platform, role: Role = Role.INSTRUCTOR, course: str = "7", **changes: Any) -> Launched:
    """Who has come from there."""
    context, _ = Context.objects.get_or_create(
        platform=platform, key=key_of(course), defaults={"context_id": course, "launched_at": 0}
    )
    told: dict[str, Any] = {
        "platform": platform,
        "deployment": platform.deployments.get(),
        "message": Message.RESOURCE,
        "user_id": "4",
        "role": role,
        "context": context,
        "link": None,
        "target": "",
        "custom": {},
        "groups": None,
        "language": "",
        "return_url": "",
        "name": "",
        "deep_link": None,
        "memberships_url": "",
        "line_items_url": "",
        "line_item_url": "",
        "grade_scopes": (),
        "for_user": "",
    }
    return Launched(**told | changes)


def begun(platform: Platform, role: Role = Role.INSTRUCTOR, **changes: Any) -> tuple[Visit, str]:
    """Their visit, and what stands in the cookie of it."""
    return visits.begin(launch(platform, role, **changes), visits.clock())


def entered(visit: Visit, secret: str, to: str = "/meetings", cookie: str = "") -> HttpResponse:
    """What a launch answers a browser that has this cookie already."""
    request = HttpRequest()
    request.COOKIES = {entering.COOKIE: cookie} if cookie else {}
    return entering.enter(request, visit, secret, to)


def cookie_of(response: HttpResponse) -> str:
    """What is in the cookie that it sets."""
    return response.headers["Set-Cookie"].partition(";")[0].partition("=")[2]


class Frame:
    """A frame in which a visit goes on, in a browser that sends this cookie back, or none."""

    def __init__(self, visit: Visit, secret: str = "") -> None:
        self.client = Client(raise_request_exception=False)
        if secret:
            self.client.cookies[entering.COOKIE] = secret
            visits.cookie_came_back(visit)
            self.prefix = f"/in/{visits.name(visit)}"
        else:
            self.prefix = f"/in/{visits.token(visit, visits.clock())}"

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(self.prefix + path, headers=headers)

    def post(self, path: str, form: dict[str, str], **headers: str) -> Any:
        return self.client.post(self.prefix + path, form, headers=headers)


def path_of(response: Any) -> str:
    """Where it leads."""
    return str(urlsplit(response["Location"]).path)
