"""Claims as they are made and taken back: what changes hands is folded again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.derive.rebuild import demand_sites
from rollcall.store.claiming import drop_claim, set_claim

if TYPE_CHECKING:
    from rollcall.store.connections import Pool
    from rollcall.store.organisations import Claim, Organisation
    from rollcall.store.platforms import Platform


def claim(pool: Pool, site: str, organisation: Organisation, platform: Platform | None, *, by: str, now: int) -> int:
    """Give the meetings of a site on a pool to an organisation; return how many are folded again."""
    return demand_sites(set_claim(pool, site, organisation, platform, by=by, now=now))


def release(held: Claim) -> int:
    """Take it back; return how many meetings are folded again."""
    return demand_sites(drop_claim(held))
