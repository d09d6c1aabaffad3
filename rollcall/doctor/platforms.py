"""Whether launches of an LMS can be taken: its keys, its deployments, its servers, and its name in meetings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from rollcall.core.errors import Misconfigured
from rollcall.doctor.findings import Finding, Level, fault, minutes_ago, warning
from rollcall.lti import addresses, platform_keys
from rollcall.lti.trouble import told
from rollcall.store.derived import Summary
from rollcall.store.platforms import Platform

if TYPE_CHECKING:
    from collections.abc import Iterator

_SITES_NAMED: Final = 3


def check_all(now: int) -> list[Finding]:
    """Each that is not removed, without asking it anything: what the last fetch of its keys has left behind."""
    platforms = Platform.objects.filter(removed_at=None).order_by("pk")
    return [finding for platform in platforms for finding in check(platform, now, asks=False)]


def check(platform: Platform, now: int, *, asks: bool = True) -> list[Finding]:
    """What is wrong with one, in sentences. With `asks` its keys are fetched now (`now` is epoch ms)."""
    about = platform.site
    found = [*_address(about), *_keys(platform, now, asks=asks), *_deployments(platform), *_meetings(platform)]
    if asks and platform.token_trouble:  # the doctor tells of it with the rosters
        sentence, hint = told(platform.token_trouble)
        found.append(warning(about, f"No access token: {sentence}", hint))
    if platform.launched_at is None:
        found.append(Finding(about, "Nobody has come from there yet."))
    else:
        found.append(Finding(about, f"The last launch was {minutes_ago(now - platform.launched_at)}."))
    return found


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
