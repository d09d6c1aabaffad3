"""Which participants are one person, and which site and activity a meeting belongs to. Ids only, never names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

USER, GUEST, DIAL_IN, CONNECTION = "user", "guest", "dial-in", "connection"

MOODLE_PATH: Final = "/mod/bigbluebuttonbn/"
MOODLE_MEETING: Final = re.compile(r"^(.+)-([0-9]+)-([0-9]+)(?:\[([0-9]{0,20})\])?$", re.DOTALL)
_BREAKOUT_USER: Final = re.compile(r"^(w_[0-9A-Za-z]+)-[0-9]+$")


class AttendeeKey(NamedTuple):
    """One person within one family. Only a USER has an LMS identity and is the same person in another meeting."""

    kind: str
    id: str


def attendee_key(participant: str, external_user_id: str | None, *, is_guest: bool) -> AttendeeKey:
    """Who a participant is, from what BigBlueButton said of it: callers, guests and people without a user id apart."""
    if participant.startswith("v_"):
        return AttendeeKey(DIAL_IN, participant)
    if not external_user_id or external_user_id == participant:
        return AttendeeKey(GUEST if is_guest else CONNECTION, participant)
    return AttendeeKey(GUEST if is_guest else USER, external_user_id)


def parent_participant(external_user_id: str) -> str | None:
    """The connection in the parent meeting that a breakout room's user id names (`w_…-3`), else None."""
    found = _BREAKOUT_USER.match(external_user_id)
    return found.group(1) if found else None


def site_of(metadata: Mapping[str, str], pool: str) -> str:
    """The LMS a meeting belongs to: its address where a Moodle URL tells it, else its host, else the pool."""
    for key in ("analytics-callback-url", "bbb-recording-ready-url", "bn-recording-ready-url"):
        before, found, _ = metadata.get(key, "").partition(MOODLE_PATH)
        if found and before:
            return before
    return metadata.get("bbb-origin-server-name", "").lower() or f"pool:{pool}"


@dataclass(frozen=True, slots=True)
class Activity:
    """What a series of meetings belongs to. In Moodle (site, course, instance), all groups together.

    `group` is whose room this one of them is, blank for everybody's; it is no part of the key.
    """

    site: str
    course: str
    instance: str
    group: str = ""

    def key(self) -> str:
        """One text that no other activity has."""
        return f"{self.site}\0{self.course}\0{self.instance}"


def activity_of(external_meeting_id: str, metadata: Mapping[str, str], pool: str) -> Activity:
    """From Moodle's `SEED-COURSE-INSTANCE[GROUP]`; elsewhere the external meeting id itself, within its pool."""
    site = site_of(metadata, pool)
    is_moodle = metadata.get("bbb-origin", "").casefold() == "moodle" or site.startswith(("http://", "https://"))
    found = MOODLE_MEETING.match(external_meeting_id) if is_moodle else None
    if found is None:
        return Activity(f"pool:{pool}", "", external_meeting_id)
    group = (found.group(4) or "").lstrip("0")
    return Activity(site, found.group(2), found.group(3), group)
