"""A teacher chooses what an activity shows: the page, and what is sent back to the LMS."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import jwt
import pytest
from django.test import Client

from rollcall.lti import deep_linking, keys, messages
from rollcall.lti.deep_linking import Choosing, Item
from rollcall.lti.refusals import LaunchRefused
from rollcall.store.derived import Course, Summary
from rollcall.store.keys import course_key
from rollcall.store.platforms import Platform
from tests import makers
from tests.lti.captured import captured
from tests.lti.standin import LAUNCH, NOW, StandIn
from tests.lti.test_refused_launches import DEEP, SETTINGS

pytestmark = pytest.mark.django_db


def page(client: Client, stand_in: StandIn, **changes: Any) -> Any:
    """What a teacher sees after the launch."""
    now = time.time_ns() // 1_000_000
    form = {name: values[0] for name, values in stand_in.initiation().items()}
    asked = stand_in.authenticate(client.post("/lti/login", form)["Location"])
    claims = stand_in.claims(asked.nonce, now, **(DEEP | {"deep_linking_settings": SETTINGS} | changes))
    form = {"id_token": stand_in.sign(claims), "state": asked.state}
    return client.post("/lti/launch", form, HTTP_ACCEPT_LANGUAGE="en")


def sealed_in(response: Any) -> str:
    found = re.search(r'name="sealed" value="([^"]+)"', response.content.decode())
    assert found
    return found[1]


def read(response: Any, **expected: Any) -> dict[str, Any]:
    """The token of the page, as the LMS reads it: by the published key."""
    found = re.search(r'name="JWT" value="([^"]+)"', response.content.decode())
    assert found
    token = found[1]
    ours = {one["kid"]: jwt.PyJWK(one) for one in keys.key_set()["keys"]}
    key = ours[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(token, key, algorithms=["RS256"], audience="https://moodle.example", **expected)
    return claims


@pytest.fixture
def stand_in() -> StandIn:
    here = StandIn()
    here.register(keys_fetched_at=time.time_ns() // 1_000_000)
    return here


def had_class(platform: Platform, context_id: str = "2", name: str = "Algebra", instance: str = "7") -> str:
    """A class of a course, and the key of its activity."""
    summary = makers.make_meeting(name=name, site=platform.site)
    course = Course.objects.get_or_create(
        key=course_key(platform.site, context_id, platform.organisation_id),
        defaults={"site": platform.site, "context_id": context_id},
    )[0]
    key = (instance * 16)[:16].encode()
    Summary.objects.filter(pk=summary.pk).update(course=course, activity_key=key)
    return key.hex()


def test_the_whole_course_is_chosen_without_a_column(client: Client, stand_in: StandIn) -> None:
    response = client.post("/lti/choose", {"sealed": sealed_in(page(client, stand_in)), "language": "en"})
    claims = read(response)
    assert claims["iss"] == stand_in.client_id
    assert claims[messages.MESSAGE_TYPE] == "LtiDeepLinkingResponse"
    assert claims[messages.DEPLOYMENT_ID] == "1"
    assert messages.DATA not in claims
    (item,) = claims[messages.CONTENT_ITEMS]
    assert item == {"type": "ltiResourceLink", "title": "Attendance in BigBlueButton", "url": LAUNCH, "custom": {}}
    assert "form-action 'self' https://moodle.example;" in response["Content-Security-Policy"]
    assert f'action="{SETTINGS["deep_link_return_url"].replace("&", "&amp;")}"' in response.content.decode()


def test_one_activity_is_chosen_with_a_column_and_the_data_goes_back(client: Client, stand_in: StandIn) -> None:
    activity = had_class(Platform.objects.get())
    settings = SETTINGS | {"data": "theirs"}
    form = {"sealed": sealed_in(page(client, stand_in, deep_linking_settings=settings)), "activity": activity}
    claims = read(client.post("/lti/choose", form | {"column": "yes", "language": "en"}))
    (item,) = claims[messages.CONTENT_ITEMS]
    assert item["title"] == "Attendance: Algebra"
    assert item["custom"] == {"activity": activity}
    assert item["lineItem"] == {
        "label": "Attendance: Algebra",
        "scoreMaximum": 100,
        "resourceId": activity,
        "tag": "attendance",
    }
    assert claims[messages.DATA] == "theirs"


def test_the_page_shows_the_activities_of_this_course_alone(client: Client, stand_in: StandIn) -> None:
    platform = Platform.objects.get()
    had_class(platform)
    had_class(platform, "3", "Secret class", "8")
    shown = page(client, stand_in).content.decode()
    assert ("Algebra" in shown, "Secret class" in shown) == (True, False)


def test_the_activity_of_another_course_cannot_be_chosen(client: Client, stand_in: StandIn) -> None:
    other = had_class(Platform.objects.get(), "3", "Secret class", "8")
    form = {"sealed": sealed_in(page(client, stand_in)), "activity": other}
    response = client.post("/lti/choose", form)
    assert response.status_code == 400
    assert "Secret class" not in response.content.decode()


def test_where_no_column_is_taken_none_is_offered_or_sent(client: Client, stand_in: StandIn) -> None:
    shown = page(client, stand_in, deep_linking_settings=SETTINGS | {"accept_lineitem": False})
    assert 'name="column"' not in shown.content.decode()
    claims = read(client.post("/lti/choose", {"sealed": sealed_in(shown), "column": "yes"}))
    assert "lineItem" not in claims[messages.CONTENT_ITEMS][0]


def test_the_language_of_the_launch_is_that_of_page_and_title(client: Client, stand_in: StandIn) -> None:
    shown = page(client, stand_in, launch_presentation={"locale": "ar"})
    assert 'lang="ar" dir="rtl"' in shown.content.decode()
    assert 'name="language" value="ar"' in shown.content.decode()


def test_the_session_key_of_the_lms_stands_nowhere_to_be_read(client: Client, stand_in: StandIn) -> None:
    assert "ZP0N4CgX2H" not in page(client, stand_in).content.decode()


@pytest.mark.parametrize("sealed", ["", "x", "gAAAAAB", "ä"])
def test_what_was_not_sealed_here_opens_nothing(client: Client, stand_in: StandIn, sealed: str) -> None:
    assert client.post("/lti/choose", {"sealed": sealed}).status_code == 400


def test_other_secrets_that_are_sealed_are_no_choice() -> None:
    from rollcall.store.sealing import seal

    with pytest.raises(LaunchRefused):
        deep_linking.opened(seal("[]").decode(), NOW)


def test_a_page_left_open_too_long_is_refused() -> None:
    waiting = Choosing(1, "1", "2", "https://moodle.example/", None, accepts_line_item=True, until=NOW)
    text = deep_linking.sealed(waiting)
    assert deep_linking.opened(text, NOW - 1) == waiting
    with pytest.raises(LaunchRefused):
        deep_linking.opened(text, NOW)


def test_a_platform_that_was_removed_is_sent_nothing(client: Client, stand_in: StandIn) -> None:
    sealed = sealed_in(page(client, stand_in))
    Platform.objects.update(removed_at=NOW)
    assert client.post("/lti/choose", {"sealed": sealed}).status_code == 400


def test_what_moodle_was_seen_to_need_is_there(stand_in: StandIn) -> None:
    """Every claim of the response that a running Moodle took stands in ours too."""
    seen = captured("lti-deep-linking")["responses"][0]["jwt_claims_sent"]
    waiting = Choosing(1, "1", "2", "https://moodle.example/", None, accepts_line_item=True, until=NOW)
    token = deep_linking.response(waiting, Platform.objects.get(), [Item("Attendance", has_column=True)], NOW)
    ours = json.loads(jwt.utils.base64url_decode(token.split(".")[1]))
    assert set(seen) <= set(ours)
    item, theirs = ours[messages.CONTENT_ITEMS][0], seen[messages.CONTENT_ITEMS][0]
    assert set(item) - {"text"} <= set(theirs)
    assert set(item["lineItem"]) <= set(theirs["lineItem"])
