"""Whose the meetings of a site on a pool are: the platform's that has this site there, else as an operator claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rollcall.store.derived import UNCLAIMED
from rollcall.store.fields import storable
from rollcall.store.keys import key_of
from rollcall.store.organisations import Claim
from rollcall.store.platforms import Platform

if TYPE_CHECKING:
    from rollcall.store.connections import Pool


class Owner(NamedTuple):
    """An organisation, and the site whose course and users the meeting is read with."""

    organisation: int
    site: str


def owner_of_site(pool: Pool | int, site: str) -> Owner:
    """Who owns the meetings of a site, as their facts tell it, on a pool.

    What a meeting says of its site is whatever its LMS wrote, so that only platforms the operator attached to this pool
    are asked. The whole site must be equal: …/moodle is not …/moodle2. A site that is a bare host (all that
    `bbb-origin-server-name` tells) is a platform's if just one of them has it; failing that, the operator's claim
    counts. A platform that was removed still owns what was its own, until it is detached from the pool.
    """
    if (owner := of_platforms(pool, site)) is not None:
        return owner
    claim = Claim.objects.filter(pool=pool, site_key=key_of(site)).select_related("platform").first()
    if claim is not None:
        return Owner(claim.organisation_id, claim.platform.site if claim.platform else site)
    return Owner(UNCLAIMED, site)


def of_platforms(pool: Pool | int, site: str) -> Owner | None:
    """The same by the platforms alone; None where they do not tell."""
    platforms = Platform.objects.filter(pools=pool).order_by("pk")
    equal = set(platforms.filter(site_key=key_of(site)).values_list("organisation", flat=True))
    if len(equal) == 1:
        return Owner(equal.pop(), site)
    if not equal and "/" not in site:
        of_host = set(platforms.filter(host=storable(site.lower())).values_list("organisation", "site"))
        if len(of_host) == 1:
            return Owner(*of_host.pop())
    return None
