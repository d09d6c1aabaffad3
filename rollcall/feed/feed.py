"""The one seam between one machine and many: how facts reach the log and how workers are woken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Belonging(NamedTuple):
    """Where a message says that its meeting belongs: the site, and the activity (its site, course and instance)."""

    site: str
    activity: tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One happening, redacted and ready to be kept. Times are epoch ms.

    `meeting` is the internal meeting id in pool `pool` (its primary key); `digest` is BLAKE2b-128 over the pool's name
    and the kept bytes. `parent` is the parent's internal meeting id where this message names one; `is_end` asks for
    a fold at once. `belongs_to` is in a message that tells it, for what may have been switched off.
    """

    pool: int
    meeting: str
    source: str
    kind: str
    at: int
    received_at: int
    digest: bytes
    payload: bytes
    identity: bytes | None = None
    parent: str | None = None
    is_end: bool = False
    belongs_to: Belonging | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A genuine message that could not be read: only its measure is kept (see store.facts.SetAside)."""

    pool: int
    received_at: int
    length: int
    digest: bytes
    regime: str
    error: str


class Feed(Protocol):
    """Carries arrivals to the log."""

    async def publish(self, arrivals: Sequence[Arrival | Unreadable]) -> None:
        """Return once every arrival is durable (or was already held); raise errors.Unavailable if one may not be."""
        ...

    async def close(self) -> None:
        """Finish what is in flight and refuse the rest."""
        ...
