"""Whose a meeting is: the organisation whose platform's site it names, among the platforms attached to its pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rollcall.store.derived import UNCLAIMED
from rollcall.store.keys import key_of
from rollcall.store.organisations import Claim
from rollcall.store.platforms import Platform

if TYPE_CHECKING:
    from rollcall.core.meeting import FoldedMeeting
    from rollcall.store.connections import Pool


class Owner(NamedTuple):
    """An organisation, and the site whose course and users the meeting is read with."""

    organisation: int
    site: str


def owner_of(pool: Pool, folded: FoldedMeeting) -> Owner:
    """Who owns a meeting.

    What a meeting says of its site is whatever its LMS wrote, so that only platforms the operator attached to this pool
    are asked. The whole site must be equal: …/moodle is not …/moodle2. A site that is a bare host (all that
    `bbb-origin-server-name` tells) is a platform's if just one of them has it; failing that, the operator's claim
    counts. A platform that was removed still owns what was its own, until it is detached from the pool.
    """
    return owner_of_site(pool, folded.site(pool.name))


def owner_of_site(pool: Pool, site: str) -> Owner:
    """The same for a site as the facts tell it."""
    platforms = Platform.objects.filter(pools=pool).order_by("pk")
    equal = set(platforms.filter(site_key=key_of(site)).values_list("organisation", flat=True))
    if len(equal) == 1:
        return Owner(equal.pop(), site)
    if not equal and "/" not in site:
        of_host = set(platforms.filter(host=site.lower()).values_list("organisation", "site"))
        if len(of_host) == 1:
            return Owner(*of_host.pop())
    claim = Claim.objects.filter(pool=pool, site_key=key_of(site)).select_related("platform").first()
    if claim is not None:
        return Owner(claim.organisation_id, claim.platform.site if claim.platform else site)
    return Owner(UNCLAIMED, site)
