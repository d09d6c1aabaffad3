"""Meetings that no platform owns, by pool and site, and the operator's word for whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction
from django.db.models import Count, Max
from django.utils.translation import gettext as _

from rollcall.core.errors import Refused
from rollcall.store.connections import Pool
from rollcall.store.derived import UNCLAIMED, Summary
from rollcall.store.keys import key_of
from rollcall.store.organisations import Claim
from rollcall.store.owning import of_platforms

if TYPE_CHECKING:
    from rollcall.store.organisations import Organisation
    from rollcall.store.platforms import Platform

LONGEST_SITE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """The meetings of one site on one pool that are nobody's; `last_at` is when the latest began (epoch ms)."""

    pool: str
    site: str
    meetings: int
    last_at: int


def unclaimed(*, first: int = 0, most: int | None = None) -> list[Unclaimed]:
    """What is there to be claimed, the latest first; from the place `first` on, at most so many."""
    found = (
        Summary.objects.filter(organisation=UNCLAIMED)
        .order_by()
        .values_list("pool_name", "site")
        .annotate(meetings=Count("pk"), last_at=Max("started_at"))
        .order_by("-last_at", "pool_name", "site")
    )
    return [Unclaimed(*row) for row in found[first : None if most is None else first + most]]


def find_pool(name: str) -> Pool:
    """The pool of this name; Refused names those there are."""
    if found := Pool.objects.filter(name=name).first():
        return found
    known = ", ".join(repr(one) for one in Pool.objects.order_by("name").values_list("name", flat=True)[:20])
    raise Refused(
        _("There is no server %(name)s.") % {"name": repr(name)},
        code="no-such-server",
        hint=_("There are: %(names)s.") % {"names": known} if known else _("There is none yet."),
    )


def set_claim(
    pool: Pool, site: str, organisation: Organisation, platform: Platform | None, *, by: str, now: int
) -> set[str]:
    """Remember whose they are; return the sites whose meetings are to be folded again, none if nothing changed."""
    _check(pool, site, organisation, platform)
    values = {"organisation": organisation, "platform": platform}
    try:
        with transaction.atomic():
            # Its platform, which it need not have, is read by itself: PostgreSQL locks nothing that may be missing.
            held = Claim.objects.select_for_update().filter(pool=pool, site_key=key_of(site)).first()
            if held is None:
                held = Claim.objects.create(
                    pool=pool, site=site, site_key=key_of(site), claimed_at=now, claimed_by=by, **values
                )
                return sites_of(held)
            if (held.organisation_id, held.platform_id) == (organisation.pk, platform and platform.pk):
                return set()
            before = sites_of(held)
            held.organisation, held.platform, held.claimed_at, held.claimed_by = organisation, platform, now, by
            held.save()
            return before | sites_of(held)
    except IntegrityError:  # somebody else was first
        return set_claim(pool, site, organisation, platform, by=by, now=now)


def drop_claim(claim: Claim) -> set[str]:
    """Forget it; return the sites whose meetings are to be folded again."""
    sites = sites_of(claim)
    claim.delete()
    return sites


def sites_of(claim: Claim) -> set[str]:
    """Under which sites the meetings of a claim may stand."""
    return {claim.site, *([claim.platform.site] if claim.platform else [])}


def _check(pool: Pool, site: str, organisation: Organisation, platform: Platform | None) -> None:
    if not site or len(site) > LONGEST_SITE:
        raise Refused(_("Say which site: as the list of unclaimed meetings names it."), code="bad-site")
    if platform is not None and platform.organisation_id != organisation.pk:
        raise Refused(
            _("This platform is not one of %(name)s.") % {"name": organisation.name},
            code="foreign-platform",
            hint=_("Take one of its own platforms, or none."),
        )
    if of_platforms(pool, site) is not None:
        raise Refused(
            _("The meetings of this site on this server are a platform's already."),
            code="owned",
            hint=_("A claim is only for what no attached platform owns. Detach the platform from the server first."),
        )
