"""Registration URLs that work once: made by the operator, used up by an LMS that has registered Rollcall."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from django.db import transaction

from rollcall.derive import platforms
from rollcall.lti import addresses
from rollcall.lti.refusals import refused
from rollcall.store.keys import key_of
from rollcall.store.limits import require_room
from rollcall.store.platforms import Invitation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollcall.lti.registration import Registration
    from rollcall.store.connections import Pool
    from rollcall.store.organisations import Organisation
    from rollcall.store.platforms import Platform

LIFETIME_MS: Final = 24 * 3_600_000

BY: Final = "registration"
"""Who is named in the audit log: the administrator of the LMS has no name here."""


def invite(organisation: Organisation, pools: Sequence[Pool], *, now: int) -> str:
    """The address to give to the administrator of the LMS; only its digest is kept."""
    base = addresses.address(addresses.REGISTER)
    require_room(organisation, pools)
    token = secrets.token_urlsafe(32)
    made = Invitation.objects.create(
        organisation=organisation, key=key_of(token), made_at=now, expires_at=now + LIFETIME_MS
    )
    made.pools.set(pools)
    return base + token


def open_invitation(token: str, now: int) -> Invitation:
    """The invitation, if it can still be used; LaunchRefused otherwise."""
    found = Invitation.objects.filter(key=key_of(token)).select_related("organisation").first()
    if found is None:
        raise refused("invitation-unknown")
    if found.used_at is not None:
        raise refused("invitation-used")
    if now >= found.expires_at:
        raise refused("invitation-expired")
    return found


def accept(invitation: Invitation, answered: Registration, *, now: int) -> Platform:
    """Keep what the LMS answered; the invitation is used with it, or neither happens."""
    with transaction.atomic():
        if not Invitation.objects.filter(pk=invitation.pk, used_at=None).update(used_at=now):
            raise refused("invitation-used")
        pools = list(invitation.pools.all())
        platform = platforms.add(invitation.organisation, answered, pools, now=now, by=BY)
        Invitation.objects.filter(pk=invitation.pk).update(platform=platform)
    return platform
