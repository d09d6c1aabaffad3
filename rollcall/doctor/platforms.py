"""Whether launches of an LMS can be taken: its keys, its deployments, its servers, and its name in meetings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from rollcall.core.errors import Misconfigured
from rollcall.doctor.findings import Finding, Level, fault, minutes_ago, warning
from rollcall.lti import addresses, platform_keys
from rollcall.lti.trouble import told
from rollcall.moodle.checking import lacks
from rollcall.moodle.service_user import examine
from rollcall.moodle.trouble import told as moodle_told
from rollcall.store.derived import Summary
from rollcall.store.owed import MoodleService
from rollcall.store.platforms import Platform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.moodle.checking import Checked

_SITES_NAMED: Final = 3


def check_all(now: int) -> list[Finding]:
    """Each that is not removed, without asking it anything: what the last fetch of its keys has left behind."""
    platforms = Platform.objects.filter(removed_at=None).order_by("pk")
    return [finding for platform in platforms for finding in check(platform, now, asks=False)]


def check(platform: Platform, now: int, *, asks: bool = True) -> list[Finding]:
    """What is wrong with one, in sentences. With `asks` its keys are fetched now (`now` is epoch ms)."""
    about = platform.site
    found = [*_address(about), *_keys(platform, now, asks=asks), *_deployments(platform), *_meetings(platform)]
    found += _web_services(platform, asks=asks, now=now)
    if asks and platform.token_trouble:  # the doctor tells of it with the rosters
        sentence, hint = told(platform.token_trouble)
        found.append(warning(about, f"No access token: {sentence}", hint))
    if platform.launched_at is None:
        found.append(Finding(about, "Nobody has come from there yet."))
    else:
        found.append(Finding(about, f"The last launch was {minutes_ago(now - platform.launched_at)}."))
    return found


def findings_of(about: str, found: Checked) -> list[Finding]:
    """What a test of Moodle's web services has found, with each thing that is missing."""
    told_first = [_administrator(about)] if found.is_administrator else []
    if found.trouble and not found.missing:
        sentence, hint = moodle_told(found.trouble, found.detail)
        return [*told_first, Finding(about, sentence, hint, Level.FAULT)]
    lacking = [
        Finding(about, f"Missing: {one.name}, {one.purpose}.", one.todo, Level.FAULT) for one in lacks(found.missing)
    ]
    if lacking:
        return [*told_first, *lacking]
    if not found.was_tried:
        untried = "The token is good. Rights could not be tried: no class of this Moodle has met yet."
        return [*told_first, warning(about, untried, "Test it again after the first class.")]
    return [*told_first, Finding(about, f"Completion can be read and set, by user {found.user_id} there.")]


def _administrator(about: str) -> Finding:
    return warning(
        about,
        "The token is an administrator's: whoever got hold of it could do everything there.",
        "Make a user of its own in Moodle, with the role of docs/moodle-web-services.md.",
    )


def _web_services(platform: Platform, *, asks: bool, now: int) -> Iterator[Finding]:
    """Nothing is said of an LMS that has none."""
    service = MoodleService.objects.filter(platform=platform).select_related("platform").first()
    if service is None:
        return
    if asks:
        yield from findings_of(platform.site, examine(service, now=now))
    elif service.trouble:
        sentence, hint = moodle_told(service.trouble)
        yield warning(platform.site, sentence, f"{hint} rollcall platform moodle check {platform.pk}".strip())


def _address(about: str) -> Iterator[Finding]:
    try:
        base = addresses.base()
    except Misconfigured as error:
        yield fault(about, error)
        return
    if not base.startswith("https://"):
        yield warning(
            about,
            f"Rollcall's own address is {base}: without https browsers keep no cookie of it inside of an LMS.",
            "Set ROLLCALL_URL to an address with https.",
        )


def _keys(platform: Platform, now: int, *, asks: bool) -> Iterator[Finding]:
    about = platform.site
    if platform.public_key:
        yield Finding(about, "It signs with the public key that was given.")
        return
    if asks:
        platform_keys.fetch(platform, now)
    if platform.keys_trouble:
        yield Finding(
            about,
            f"Its keys cannot be fetched from {platform.keys_url}.",
            " ".join(told(platform.keys_trouble)).strip(),
            level=Level.FAULT,
        )
    elif platform.keys:
        count = len(json.loads(platform.keys)["keys"])
        yield Finding(about, "It publishes one key." if count == 1 else f"It publishes {count} keys.")


def _deployments(platform: Platform) -> Iterator[Finding]:
    if not platform.deployments.exists():
        yield Finding(
            platform.site,
            "No deployment is known, so every launch is refused.",
            f"Add the deployment id that the LMS shows: rollcall platform deployment add {platform.pk} ID",
            level=Level.FAULT,
        )


def _meetings(platform: Platform) -> Iterator[Finding]:
    """Whether its name is what meetings call it: …/moodle and moodle.example are two sites."""
    pools = list(platform.pools.values_list("name", flat=True))
    if not pools:
        yield warning(
            platform.site,
            "No server is attached to it, so no meeting is its own.",
            f"Attach those that its classes are held on: rollcall platform attach {platform.pk} SERVER",
        )
        return
    of_pools = Summary.objects.filter(pool_name__in=pools)
    if of_pools.filter(site__in=[platform.site, platform.host]).exists():
        return
    others = list(of_pools.order_by("site").values_list("site", flat=True).distinct()[:_SITES_NAMED])
    if others:
        yield warning(
            platform.site,
            "No meeting on its servers names this site.",
            f"Meetings there name: {', '.join(others)}. Where that is this LMS, register it with --site.",
        )
