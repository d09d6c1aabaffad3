"""Whose a meeting is: the organisation whose platform's site it names, among the platforms attached to its pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.store.owning import Owner, owner_of_site

if TYPE_CHECKING:
    from rollcall.core.meeting import FoldedMeeting
    from rollcall.store.connections import Pool

__all__ = ["Owner", "owner_of", "owner_of_site"]


def owner_of(pool: Pool, folded: FoldedMeeting) -> Owner:
    """Who owns a meeting, by what its facts tell of its site."""
    return owner_of_site(pool, folded.site(pool.name))
