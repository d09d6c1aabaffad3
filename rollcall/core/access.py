"""Who may see what: may(who, what). Inside what it is allowed, everybody is held to the bounds of their Reader."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Role(StrEnum):
    """As what somebody comes. The first three hold accounts or tokens here, the others come from an LMS."""

    OPERATOR = "operator"  # whoever runs Rollcall: everything, the unclaimed too
    STAFF = "staff"  # an account of one organisation
    PROGRAM = "program"  # a token of one organisation
    ADMINISTRATOR = "administrator"  # of one LMS
    INSTRUCTOR = "instructor"  # of one course of it
    LEARNER = "learner"  # sees their own record in one course


class Area(StrEnum):
    """What there is to be seen or done."""

    LISTS = "lists"  # whatever shows several people: lists, totals, a meeting, a course, its facts
    OWN = "own"  # one person's record: the totals, the meetings, the facts of it
    SERVERS = "servers"  # BigBlueButton servers, coverage
    AUDIT = "audit"  # who looked at what
    LICENCE = "licence"  # the organisation's licence and platforms, to read
    VERDICTS = "verdicts"  # policies of activities, and everybody's verdicts
    DECIDE = "decide"  # policies, hours, corrections, targets of an activity: to change them
    DELIVERIES = "deliveries"  # what is owed to an LMS, and how it answers
    MANAGE = "manage"  # organisations, licences, claims, platforms of all


_OF_ACCOUNTS: Final = frozenset({Role.OPERATOR, Role.STAFF})
_OF_COURSES: Final = _OF_ACCOUNTS | {Role.PROGRAM, Role.ADMINISTRATOR, Role.INSTRUCTOR}

MAY: Final[Mapping[Area, frozenset[Role]]] = MappingProxyType(
    {
        Area.LISTS: _OF_COURSES,
        Area.OWN: frozenset(Role),
        Area.SERVERS: frozenset({Role.OPERATOR}),
        Area.AUDIT: _OF_ACCOUNTS | {Role.PROGRAM},
        Area.LICENCE: _OF_ACCOUNTS | {Role.PROGRAM, Role.ADMINISTRATOR},
        Area.VERDICTS: _OF_COURSES,
        Area.DECIDE: _OF_COURSES - {Role.PROGRAM},
        Area.DELIVERIES: _OF_ACCOUNTS | {Role.ADMINISTRATOR},
        Area.MANAGE: frozenset({Role.OPERATOR}),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody who asks, and inside what: `organisation` None is all of them, and is the operator's alone.

    From an LMS: its `site`; the `context_id` of the course (blank for an administrator); the `user_id` of a learner,
    who sees no other; the `groups` whose rooms are seen, None for all. `name` is by whom it is told in the audit log:
    an account's name, a token's, or the user id in the LMS.
    """

    role: Role
    name: str
    organisation: int | None = None
    site: str = ""
    context_id: str = ""
    user_id: str = ""
    groups: frozenset[str] | None = None

    def __post_init__(self) -> None:
        """ValueError for one who would see more than their role allows."""
        is_bound = {
            Role.OPERATOR: self.organisation is None,
            Role.ADMINISTRATOR: bool(self.organisation and self.site),
            Role.INSTRUCTOR: bool(self.organisation and self.site and self.context_id),
            Role.LEARNER: bool(self.organisation and self.site and self.context_id and self.user_id),
        }
        if not is_bound.get(self.role, bool(self.organisation)):
            raise ValueError(f"a reader of the role {self.role} without its bounds")

    @property
    def is_from_lms(self) -> bool:
        """Whether the reader came by a launch."""
        return bool(self.site)


def may(reader: Reader, area: Area) -> bool:
    """Whether this is anything for the reader at all; of what is not, nothing is said, not even that it is there.

    Who sees only some groups of a course decides nothing about its activities, which are everybody's.
    """
    return reader.role in MAY[area] and (area is not Area.DECIDE or reader.groups is None)
