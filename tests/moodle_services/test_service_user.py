"""The token: sealed, tested before it is kept, found for an activity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import override_settings

from rollcall.core.deliveries import Way
from rollcall.core.errors import Refused
from rollcall.deliveries.completions import by_moodle
from rollcall.deliveries.driver import Outcome, Result
from rollcall.derive import platforms
from rollcall.moodle import service_user
from rollcall.moodle.service_user import examine, forget, give, opened, samples_of, service_for, why_not
from rollcall.store.decisions import Activity
from rollcall.store.keys import key_of
from rollcall.store.owed import CompletionTarget, MoodleService, Owed, Owing, Receiver
from rollcall.store.sealing import WrongKey, unseal
from tests.moodle_services.conftest import met
from tests.moodle_web_services import OURS, SEED, SITE_INFO, TOKEN, Site

if TYPE_CHECKING:
    from rollcall.store.platforms import Platform

pytestmark = pytest.mark.django_db
NOW = 1_000_000


def make_activity(platform: Platform, **columns: object) -> Activity:
    about = {"site": platform.site, "context_id": "2", "instance": "1"} | columns
    key = key_of(platform.site, "2", "1")
    return Activity.objects.create(organisation=platform.organisation_id, key=key, made_at=0, **about)


def make_target(platform: Platform) -> CompletionTarget:
    receiver = Receiver.objects.create(platform=platform, way=Way.MOODLE, paused_until=NOW * 9, failures=3)
    activity = make_activity(platform)
    return CompletionTarget.objects.create(activity=activity, receiver=receiver, added_at=0, paused_until=NOW * 9)


def test_a_token_is_kept_sealed_with_what_was_found(platform: Platform) -> None:
    found = give(platform, f" {TOKEN}\n", now=NOW)
    service = MoodleService.objects.get()
    assert (service.user_id, service.checked_at, service.trouble) == (str(OURS), NOW, "")
    assert TOKEN.encode() not in bytes(service.sealed)
    assert opened(platform, service).token == TOKEN
    assert found.was_tried
    with pytest.raises(WrongKey):
        unseal(service.sealed)


@pytest.mark.parametrize("token", ["", "short", "two words here", "x" * 200, "a\nb" * 8, "тoken-in-other-letters"])
def test_what_is_no_token_is_not_sent_anywhere(platform: Platform, site: Site, token: str) -> None:
    with pytest.raises(Refused, match="no token"):
        give(platform, token, now=NOW)
    assert not site.requests


def test_a_token_that_does_not_work_is_not_kept_and_the_old_one_stays(platform: Platform, site: Site) -> None:
    give(platform, TOKEN, now=NOW)
    with pytest.raises(Refused) as refused:
        give(platform, "0" * 32, now=NOW + 1)
    assert (refused.value.code, "0" * 32 in f"{refused.value}{refused.value.hint}") == ("bad-token", False)
    site.faults.append((SITE_INFO, 500))
    with pytest.raises(Refused):
        give(platform, TOKEN, now=NOW + 2)
    assert opened(platform, MoodleService.objects.get()).token == TOKEN


def test_a_token_that_lacks_rights_is_kept_and_says_so(platform: Platform, site: Site) -> None:
    site.rights.clear()
    assert give(platform, TOKEN, now=NOW).missing == ("moodle/course:view",)
    service = MoodleService.objects.get()
    assert (service.trouble, service.missing) == ("missing-rights", "moodle/course:view")


def test_a_test_that_goes_well_takes_up_what_waits(platform: Platform, site: Site) -> None:
    site.rights.clear()
    target = make_target(platform)
    Owed.objects.create(
        target=target, user_key=bytes(16), external_user_id="4", wanted="done", reasons=b"", wanted_at=0,
        state=Owing.DUE, due_at=NOW * 9,
    )  # fmt: skip
    give(platform, TOKEN, now=NOW)
    service = MoodleService.objects.select_related("platform").get()
    Receiver.objects.update(paused_until=NOW * 9)
    Owed.objects.update(due_at=NOW * 9)
    assert examine(service, now=NOW + 1).trouble == "missing-rights"
    assert Receiver.objects.get().paused_until == NOW * 9
    site.rights = {"moodle/course:view", "mod/bigbluebuttonbn:view", "report/progress:view"}
    site.rights.add("moodle/course:overridecompletion")
    assert examine(service, now=NOW + 2).trouble == ""
    assert (Receiver.objects.get().paused_until, Owed.objects.get().due_at) == (0, NOW + 2)
    assert (service.trouble, service.missing, service.checked_at) == ("", "", NOW + 2)


def test_a_test_while_moodle_is_down_forgets_nothing_that_was_known(platform: Platform, site: Site) -> None:
    give(platform, TOKEN, now=NOW)
    service = MoodleService.objects.select_related("platform").get()
    site.faults.append(("", 500))
    assert examine(service, now=NOW + 1).trouble == "failed"
    assert (service.user_id, service.release, service.trouble) == (str(OURS), "4.5.6 (Build: 20250811)", "failed")


def test_a_token_sealed_with_another_key_is_a_named_trouble(platform: Platform) -> None:
    give(platform, TOKEN, now=NOW)
    service = MoodleService.objects.select_related("platform").get()
    with override_settings(SECRET_KEY="another"):
        assert examine(service, now=NOW).trouble == "wrong-secret-key"
        assert by_moodle.make(make_target(platform), None) == Outcome(Result.RECEIVER, "wrong-secret-key")  # type: ignore[arg-type]


def test_a_token_does_not_go_with_the_registration_to_another_address(platform: Platform, site: Site) -> None:
    give(platform, TOKEN, now=NOW)
    target = make_target(platform)
    asked = len(site.requests)
    platform.site = f"{site.base}/elsewhere"
    platform.save()
    service = MoodleService.objects.select_related("platform").get()
    assert examine(service, now=NOW).trouble == "other-site"
    target.refresh_from_db()
    assert by_moodle.make(target, None) == Outcome(Result.RECEIVER, "other-site")  # type: ignore[arg-type]
    assert why_not(target.activity) in {"other-site", "no-platform"}
    assert len(site.requests) == asked


def test_a_target_without_a_token_or_a_moodle_activity_says_so(platform: Platform) -> None:
    target = make_target(platform)
    assert by_moodle.make(target, None) == Outcome(Result.RECEIVER, "no-token")  # type: ignore[arg-type]
    target.activity.instance = ""
    assert by_moodle.make(target, None) == Outcome(Result.TARGET, "no-moodle-activity")  # type: ignore[arg-type]


def test_an_lms_that_is_removed_has_no_token_any_more(platform: Platform) -> None:
    give(platform, TOKEN, now=NOW)
    platforms.remove(platform, now=NOW)
    assert not MoodleService.objects.exists()
    assert not forget(platform)


def test_whether_an_activity_can_be_completed_so_and_why_not(platform: Platform, site: Site) -> None:
    activity = make_activity(platform)
    assert (why_not(activity), service_for(activity)) == ("no-token", None)
    site.rights.clear()
    give(platform, TOKEN, now=NOW)
    assert why_not(activity) == "missing-rights"
    for passing in ("", "unreachable", "busy", "maintenance"):
        MoodleService.objects.update(trouble=passing)
        assert why_not(activity) == ""
    assert service_for(activity) == MoodleService.objects.get()
    for columns, code in (
        ({"instance": ""}, "no-moodle-activity"),
        ({"site": "https://other.example"}, "no-platform"),
        ({"organisation": platform.organisation_id + 1}, "no-platform"),
    ):
        for name, value in columns.items():
            setattr(activity, name, value)
        assert why_not(activity) == code
        activity = Activity.objects.get()


def test_where_meetings_name_the_host_alone_the_platform_of_that_host_is_meant(platform: Platform) -> None:
    give(platform, TOKEN, now=NOW)
    activity = make_activity(platform, site=platform.host)
    assert why_not(activity) == ""
    platform.site = platform.host
    assert service_user.address_of(platform) == platform.issuer


def test_what_is_tried_are_the_latest_activities_of_this_moodle(platform: Platform) -> None:
    met(platform, "w_guest", "6", course=2, instance=9, day="2026-11-21")
    met(platform, course=3, instance=4, day="2026-11-19")
    met(platform, "5", course=3, instance=4, day="2026-11-18")
    met(platform, "w_guest", course=3, instance=7, day="2026-11-22")
    assert samples_of(platform) == [("2", "9", "6"), ("2", "1", "4"), ("3", "4", "4")]


def test_the_seed_is_what_the_ids_of_meetings_begin_with(platform: Platform) -> None:
    from rollcall.store.derived import Summary

    activity = make_activity(platform)
    Summary.objects.update(activity_key=activity.key)
    assert service_user.seeds_of(activity) == {SEED}
    Summary.objects.update(external_meeting_id="no-moodle")
    assert service_user.seeds_of(activity) == frozenset()
