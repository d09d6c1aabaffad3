"""How long an answer asks to be left alone, by its own clock where it tells that: ours may be an hour off."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_MS: Final = 24 * 60 * 60_000


def date_of(header: str | None) -> int | None:
    """A date as headers write it, epoch ms; None for none."""
    try:
        return int(parsedate_to_datetime(header or "").timestamp()) * 1000
    except (ValueError, OverflowError):
        return None


def retry_after_ms(headers: Mapping[str, str]) -> int | None:
    """What Retry-After says, as ms from now, a day at most; None where it says nothing."""
    wanted = headers.get("retry-after") or ""
    if wanted.isascii() and wanted.isdigit():
        return min(int(wanted[:9]) * 1000, LONGEST_MS)
    at = date_of(wanted)
    if at is None:
        return None
    its_now = date_of(headers.get("date"))
    return min(max(at - (time.time_ns() // 1_000_000 if its_now is None else its_now), 0), LONGEST_MS)
