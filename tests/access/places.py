"""Two organisations whose every text can be told from all others, and who may read which of it.

The two LMSs of the first and the one of the second number their courses and their users alike, as installations of one
product do: whoever is told apart by such a number alone is found out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from rollcall.core.access import Reader, Role
from rollcall.store.keys import course_key, key_of, person_key
from tests.makers import Attendee, at, make_fact, make_meeting, make_organisation, make_platform, make_pool

A1, A2, B1 = ("https://qaone.example.org", "https://qatwo.example.org", "https://qbone.example.org")
NOBODYS = "https://qnobodys.example.org"
FIRST_NUMBER = 770_000
"""Numbers of meetings begin here, so that one in a page is known as one."""

ADA, BOB, CYD, DAN, EVE = "501", "502", "503", "504", "505"
ONE, TWO = "601", "602"
"""Two courses, of each LMS."""
RED, BLUE = "91", "92"
"""Two groups of the first course of the first LMS."""


@dataclass(frozen=True, slots=True)
class Room:
    """Where something was: in which course, as which group's room, with whom.

    The group "*" has everybody's room of an activity in which groups have their own.
    """

    course: str
    group: str
    here: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """A text that is of one place alone. Without rooms it is the LMS's or, without a site, the organisation's.

    With a `person` it is about nobody else; without one it is read by whoever was in the room.
    """

    text: str
    organisation: str
    site: str
    person: str = ""
    rooms: tuple[Room, ...] = ()


@dataclass(slots=True)
class School:
    """Everything by name: `meetings` by theirs, `pks` of organisations, and each text with its place."""

    organisations: dict[str, Any] = field(default_factory=dict)
    platforms: dict[str, Any] = field(default_factory=dict)
    meetings: dict[str, Any] = field(default_factory=dict)
    texts: list[Seen] = field(default_factory=list)
    rooms: dict[str, list[Room]] = field(default_factory=dict)
    whose: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    hidden: dict[Reader | None, tuple[str, ...]] = field(default_factory=dict)

    def pk(self, name: str) -> int:
        """Of an organisation; 0 is nobody's."""
        found = self.organisations.get(name)
        return found.pk if found else 0

    def number(self, meeting: str) -> int:
        """In addresses."""
        return int(self.meetings[meeting].meeting_id)

    def course_key(self, organisation: str, site: str, course: str) -> str:
        """In addresses."""
        return course_key(site, course, self.pk(organisation)).hex()

    def person_key(self, organisation: str, site: str, user: str) -> str:
        """In addresses."""
        return person_key(site, user, self.pk(organisation)).hex()

    def activities(self) -> dict[str, list[str]]:
        """Each by its key in addresses, with the names of its meetings."""
        found: dict[str, list[str]] = {}
        for name, summary in self.meetings.items():
            found.setdefault(bytes(summary.activity_key).hex(), []).append(name)
        return found

    def not_for(self, reader: Reader | None) -> tuple[str, ...]:
        """All that may stand in no answer to this reader; None is nobody."""
        if reader not in self.hidden:
            hidden = (one.text for one in self.texts if reader is None or not self.may(reader, one))
            self.hidden[reader] = tuple(hidden)
        return self.hidden[reader]

    def may(self, reader: Reader, seen: Seen) -> bool:
        """Whether the reader may read it, said plainly and once more."""
        if reader.organisation is not None and reader.organisation != self.pk(seen.organisation):
            return False
        if reader.site and seen.site and reader.site != seen.site:
            return False
        if reader.role is Role.LEARNER and seen.person not in {"", reader.user_id}:
            return False
        return not seen.rooms or any(_may_enter(reader, room) for room in seen.rooms)


def _may_enter(reader: Reader, room: Room) -> bool:
    if reader.context_id not in {"", room.course}:
        return False
    if reader.role is Role.LEARNER:
        return reader.user_id in room.here
    return reader.groups is None or room.group in reader.groups | {""}


def build() -> School:
    """The whole of it."""
    from rollcall.store.facts import Meeting

    pool = make_pool("qserver-shared")
    Meeting.objects.create(pk=FIRST_NUMBER, pool=pool, key=bytes(16), internal_meeting_id="first").delete()
    school = School()
    for name in ("A", "B"):
        school.organisations[name] = make_organisation(f"Qorg{name}", contact=f"qcontact-{name}@example.org")
        school.texts += [Seen(f"Qorg{name}", name, ""), Seen(f"qcontact-{name}", name, "")]
    for organisation, site, own in (("A", A1, "qserver-a"), ("A", A2, ""), ("B", B1, "qserver-b")):
        pools = [pool, make_pool(own)] if own else [pool]
        school.platforms[site] = make_platform(
            school.organisations[organisation], site, *pools, client_id=f"q{site[8:13]}"
        )
        school.texts.append(Seen(site.split("/")[2], organisation, site))
    school.texts.append(Seen(NOBODYS.split("/")[2], "", NOBODYS))
    _fill(school)
    return school


def _fill(school: School) -> None:
    both = (ADA, BOB)
    _meet(school, "aoneone", "A", A1, ONE, both)
    _meet(school, "aonelater", "A", A1, ONE, (BOB,), day="2026-11-19", server="qserver-a")
    _meet(school, "aonetwo", "A", A1, TWO, (BOB, CYD))
    _meet(school, "atwoone", "A", A2, ONE, both)
    _meet(school, "bone", "B", B1, ONE, both, server="qserver-b")
    _meet(school, "nobodys", "", NOBODYS, ONE, both, server="qserver-nobody")
    _meet(school, "aonered", "A", A1, ONE, (ADA,), group=RED)
    _meet(school, "aoneblue", "A", A1, ONE, (DAN,), group=BLUE)
    _meet(school, "aoneall", "A", A1, ONE, (EVE,), group="*")
    _meet(school, "aonerunning", "A", A1, ONE, both, ended=None)
    _meet(school, "brunning", "B", B1, ONE, both, ended=None, server="qserver-b")
    for text, rooms in school.rooms.items():
        organisation, site, person = school.whose[text]
        school.texts.append(Seen(text, organisation, site, person, tuple(rooms)))


def _meet(
    school: School,
    name: str,
    organisation: str,
    site: str,
    course: str,
    users: tuple[str, ...],
    *,
    group: str = "",
    server: str = "qserver-shared",
    day: str = "2026-11-20",
    ended: str | None = "11:00",
) -> None:
    which = f"{organisation or 'n'}{site[8:13]}"
    spans: Any = (("10:02:11", None),) if ended is None else None
    people = [
        Attendee(name=f"qname{which}{user}", uid=user, possible=spans, end="left" if ended else "open")
        for user in users
    ]
    guest = Attendee(name=f"qguest{name}", uid="", kind="guest")
    summary = make_meeting(
        *people,
        guest,
        name=f"qmeet{name}",
        internal=f"qinternal{name}",
        server=server,
        site=site,
        day=day,
        ended=ended,
        course=course,
        label=f"qlabel{which}{course}",
        organisation=school.pk(organisation),
        group=group.strip("*"),
        activity="rooms" if group else "",
    )
    _tell(summary, people, day)
    school.meetings[name] = summary
    room = Room(course, group, users)
    of_everybody = [f"qmeet{name}", f"qinternal{name}", str(summary.meeting_id), f"qlabel{which}{course}"]
    if server != "qserver-shared":
        of_everybody.append(server)
    told = [(text, "") for text in of_everybody]
    told += [(f"qname{which}{user}", user) for user in users] + [(f"qguest{name}", "a guest")]
    for text, person in told:
        school.whose[text] = (organisation, site, person)
        school.rooms.setdefault(text, []).append(room)


def _tell(summary: Any, people: list[Attendee], day: str) -> None:
    """Facts with what only this meeting's people did."""
    internal = summary.meeting.internal_meeting_id
    for seq, one in enumerate(people):
        happened = {
            "data": {
                "type": "event",
                "id": "user-joined",
                "attributes": {
                    "meeting": {"internal-meeting-id": internal, "external-meeting-id": summary.external_meeting_id},
                    "user": {"internal-user-id": f"w_{seq:012}"},
                },
                "event": {"ts": at("10:02:11", day)},
            }
        }
        identity = {"name": one.name, "external-user-id": one.uid}
        told = {"received_at": at("10:02:12", day), "identity": msgspec.json.encode(identity)}
        make_fact(summary.meeting, seq, "user-joined", at("10:02:11", day), msgspec.json.encode(happened), **told)


def attendee_key(user: str) -> str:
    """Of a user in a meeting, in addresses."""
    return key_of("user", user).hex()
