"""By what capture may be switched off: which site and activity a message says that its meeting belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from rollcall.bbb.payloads import decode
from rollcall.core.events import MeetingCreated
from rollcall.core.people import activity_of, site_of
from rollcall.feed.feed import Belonging

if TYPE_CHECKING:
    from collections.abc import Mapping

_read = msgspec.json.Decoder().decode


def belongs_to(external_meeting_id: str | None, metadata: Mapping[str, str], pool_name: str) -> Belonging | None:
    """Where the fold will find that it belongs, before it asks whose that is; None where nothing is told."""
    if not external_meeting_id and not metadata:
        return None
    activity = activity_of(external_meeting_id or "", metadata, pool_name)
    return Belonging(site_of(metadata, pool_name), (activity.site, activity.course, activity.instance))


def belonging_told(source: str, payload: bytes, pool_name: str) -> Belonging | None:
    """The same, of the webhook that tells of a meeting's creation."""
    for event in decode(source, b"", payload, None):
        if isinstance(event, MeetingCreated):
            return belongs_to(event.external_meeting_id, dict(event.metadata), pool_name)
    return None


def belonging_listed(info: bytes, pool_name: str) -> Belonging | None:
    """The same, of what an answer of getMeetings says of a meeting."""
    told = _read(info)
    return belongs_to(told.get("external_meeting_id"), told.get("metadata") or {}, pool_name)
