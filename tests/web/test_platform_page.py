"""The page of an LMS: the token of its web services, given, tested and forgotten; for whom, and what it never tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from rollcall.core.access import Role
from rollcall.core.deliveries import Way
from rollcall.store import licensing
from rollcall.store.audit import AuditEntry
from rollcall.store.owed import MoodleService, Receiver
from rollcall.web.operator.platforms import MOST_TESTS
from tests import makers
from tests.moodle_web_services import OURS as OUR_USER
from tests.moodle_web_services import READS, TOKEN, Site, web_services
from tests.web.visiting import OURS, Frame, begun, make_platform

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("ROLLCALL_LMS_HOSTS", "127.0.0.1")
    cache.clear()
    with web_services() as running:
        yield running


@pytest.fixture
def platform(site: Site) -> Any:
    return makers.make_platform(makers.make_organisation(), site.base)


@pytest.fixture
def client(django_user_model: Any, platform: Any) -> Client:
    client = Client()
    client.force_login(makers.staff(django_user_model, "bo", platform.organisation))
    return client


def page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def give(client: Client, platform: Any, token: str = TOKEN) -> Any:
    return client.post(f"/platforms/{platform.pk}/moodle/give", {"token": token})


def test_a_token_is_given_tested_and_forgotten(client: Client, platform: Any) -> None:
    shown = page(client, f"/platforms/{platform.pk}")
    assert "no token for this Moodle yet" in shown
    assert "<details open>" in shown
    shown = page(client, give(client, platform)["Location"])
    assert "Rights are tried as soon as a class has met" in shown
    assert "The token works." in shown
    assert (MoodleService.objects.get().user_id, TOKEN in shown) == (str(OUR_USER), False)
    assert "The token is good" in page(client, client.post(f"/platforms/{platform.pk}/moodle/test")["Location"])
    assert "Revoke it in Moodle" in page(client, client.post(f"/platforms/{platform.pk}/moodle/forget")["Location"])
    assert not MoodleService.objects.exists()
    assert [one.subject for one in AuditEntry.objects.filter(action="changed")] == ["platform"] * 2


def test_what_is_missing_is_named_with_what_to_do(client: Client, platform: Any, site: Site) -> None:
    from tests.moodle_services.conftest import met

    met(platform)
    site.rights.discard(READS)
    shown = page(client, give(client, platform)["Location"])
    assert "see below what is wrong" in shown
    assert re.search(rf"{READS}</code></th>.*to read other people.*completion.*Define roles", shown)
    site.rights.add(READS)
    shown = page(client, client.post(f"/platforms/{platform.pk}/moodle/test")["Location"])
    assert "completion can be read and set" in shown
    assert "What is missing" not in shown


def test_a_token_that_does_not_work_is_refused_and_told_nobody(client: Client, platform: Any) -> None:
    wrong = "deadbeef" * 4
    answer = give(client, platform, wrong)
    assert (answer.status_code, wrong in answer.content.decode()) == (400, False)
    assert "Moodle does not know the token" in answer.content.decode()
    assert not MoodleService.objects.exists()
    assert give(client, platform, "<script>").status_code == 400
    assert client.post(f"/platforms/{platform.pk}/moodle/test").status_code == 400
    assert client.post(f"/platforms/{platform.pk}/moodle/forget").status_code == 400


def test_nobody_may_have_it_tested_for_ever(client: Client, platform: Any, site: Site) -> None:
    for _ in range(MOST_TESTS):
        give(client, platform)
    assert give(client, platform).status_code == 429
    assert client.post(f"/platforms/{platform.pk}/moodle/test").status_code == 429
    assert len(site.requests) == MOST_TESTS


def test_an_administrators_token_is_warned_of(client: Client, platform: Any, site: Site) -> None:
    site.is_administrator = True
    assert "Better make a user for Rollcall alone" in page(client, give(client, platform)["Location"])


def test_what_waits_is_said_with_the_reason(client: Client, platform: Any) -> None:
    give(client, platform)
    later = licensing.now_ms() + 600_000
    Receiver.objects.create(
        platform=platform, way=Way.MOODLE, paused_until=later, trouble="busy", trouble_phrase="429 <b>"
    )
    shown = page(client, f"/platforms/{platform.pk}")
    assert "What is to be delivered waits until" in shown
    assert f'href="/deliveries/{Receiver.objects.get().pk}"' in shown
    assert "(429 &lt;b&gt;)" in shown


def test_an_lms_that_is_well_is_said_to_be_well(client: Client, platform: Any) -> None:
    shown = page(client, "/licence")
    assert "well</span>" in shown
    assert "trouble</span>" not in shown


def test_the_administrator_of_the_lms_does_it_from_inside_of_it(site: Site) -> None:
    inside = make_platform(site.base)
    visit, secret = begun(inside, Role.ADMINISTRATOR)
    frame = Frame(visit, secret)
    assert f'href="{frame.prefix}/platforms/{inside.pk}"' in frame.get("/licence").content.decode()
    answer = frame.post(f"/platforms/{inside.pk}/moodle/give", {"token": TOKEN}, **OURS)
    assert answer.status_code == 303
    assert answer["Location"].startswith(f"{frame.prefix}/platforms/{inside.pk}?said=")
    shown = frame.get(f"/platforms/{inside.pk}").content.decode()
    assert f'action="{frame.prefix}/platforms/{inside.pk}/moodle/test"' in shown
    assert MoodleService.objects.get().platform == inside


def test_a_form_of_another_site_gives_no_token(client: Client, platform: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert give(strict, platform).status_code == 403
    assert not MoodleService.objects.exists()


def test_one_that_is_removed_has_no_page_and_no_link(client: Client, platform: Any) -> None:
    assert f"/platforms/{platform.pk}" in page(client, "/licence")
    type(platform).objects.update(removed_at=1)
    page(client, f"/platforms/{platform.pk}", 404)
    assert give(client, platform).status_code == 404
