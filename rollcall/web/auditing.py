"""Every look at somebody else's record goes into the audit log: pages, files, what programs read, what was refused."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode

from django.core.cache import cache
from django.urls import resolve

from rollcall.core.access import Role
from rollcall.lti.entering import visit_of
from rollcall.reports.access import inside, known_reader
from rollcall.reports.filters import FIELDS, LONGEST
from rollcall.store import auditing, searching
from rollcall.store.auditing import Action
from rollcall.store.completions import Completion
from rollcall.store.counting import count
from rollcall.store.derived import Attendance, Course, Person, Summary
from rollcall.store.exports import Export
from rollcall.store.keys import person_key
from rollcall.store.owed import Receiver
from rollcall.store.searching import LARGEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from rollcall.core.access import Reader
    from rollcall.store.platforms import Visit

SHOWN: Final = frozenset(
    {
        "",
        "meetings",
        "attendance",
        "attendances",
        "people",
        "courses",
        "activities",
        "completion",
        "deliveries",
        "audit",
    }
)
"""The pages, by the first word of their address, on which people are."""

API: Final = "api/v1/"
FEW: Final = 20
"""People whom somebody looks up; who asks for more asks for nobody in particular."""

LONGEST_ADDRESS: Final = 500
MOST, MOST_REFUSED = 600, 60
"""Entries of one reader in the same time: whoever tries addresses one by one is known by then."""

SECONDS: Final = 600
"""Within so long the same look by the same reader is one: a page asks for itself again every few seconds."""

_NAMES: Final = frozenset({"name", "user"})
_OK: Final = frozenset({200, 303})
_REFUSED: Final = frozenset({403, 404})


class Audited:
    """Middleware behind the one that knows the reader."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and note what was seen."""
        response = self.get_response(request)
        reader = known_reader(request)
        if reader is not None:
            _note(request, response.status_code, reader)
        return response


@dataclass(frozen=True, slots=True)
class Subject:
    """What an address is about."""

    word: str
    meeting: int | None = None
    person: bytes | None = None
    course: bytes | None = None
    organisation: int | None = None

    def columns(self) -> dict[str, Any]:
        """As an entry has them."""
        return {
            "subject": self.word,
            "meeting": self.meeting,
            "person": self.person,
            "course": self.course,
            "organisation": self.organisation,
        }


@dataclass(frozen=True, slots=True)
class _About:
    """Who did what, from where."""

    reader: Reader
    action: Action
    address: str
    visit: Visit | None

    def _key(self, *words: str) -> str:
        reader = self.reader
        who = auditing.actor_key(f"{reader.role} {reader.site} {reader.name}", reader.organisation)
        return ":".join(("audit", who.hex(), self.action, *words))

    def is_first(self, what: str) -> bool:
        """Whether just this was not noted a moment ago."""
        return cache.add(self._key(auditing.actor_key(what, None).hex()), 1, SECONDS)

    def has_room(self, most: int) -> bool:
        """Whether so many are not noted yet of this reader; the first that has none is noted as that."""
        number = count(self._key("number"), SECONDS)
        if number == most + 1:
            replace(self, address=f"(more than {most} in {SECONDS // 60} minutes)").write(Subject("overview"))
        return number <= most

    def write(self, subject: Subject) -> None:
        """Into the log."""
        about = {"platform": self.visit.platform_id if self.visit is not None else None, "address": self.address}
        auditing.write(_now(), self.action, self.reader, **about, **subject.columns())


def _note(request: HttpRequest, status: int, reader: Reader) -> None:
    path = request.path_info.lstrip("/")
    found = request.resolver_match
    seen = _seen(path.removeprefix(API), found.kwargs) if found is not None else None
    action = _action(request, status, reader)
    if seen is None or action is None:
        return
    about = _About(reader, action, seen[1] or address_of(request), visit_of(request))
    if action is Action.REFUSED:
        _note_refused(about, seen[0], address_of(request))
    elif _is_of_its_own(seen[0]):
        if not _is_own(request, reader, seen[0].person) and about.is_first(request.path):
            about.write(seen[0])
    elif about.is_first(_asked(request)):  # a page that asks for itself again looks nobody up anew
        _note_list(request, about, seen[0])


def _note_refused(about: _About, subject: Subject, address: str) -> None:
    if about.reader.organisation not in {None, subject.organisation}:
        # Whose it is, is not told to anybody by that.
        subject = Subject(subject.word, organisation=about.reader.organisation)
    if about.is_first(address) and about.has_room(MOST_REFUSED):
        replace(about, address=address).write(subject)


def _note_list(request: HttpRequest, about: _About, subject: Subject) -> None:
    """Whoever looks a few people up in a list has looked at each of them; of other lists only so many are noted."""
    people = _people_in(request, about.reader, subject)
    for one in people:
        if about.is_first(f"{request.path} {(one.person or b'').hex()}"):
            about.write(one)
    if not people and about.has_room(MOST):
        about.write(subject)


def _is_of_its_own(subject: Subject) -> bool:
    """Whether it is about one thing: of these there are so many as there are, and each look at one is noted."""
    return subject.person is not None or subject.meeting is not None or subject.course is not None


def _people_in(request: HttpRequest, reader: Reader, subject: Subject) -> list[Subject]:
    asked = {name: request.GET.get(name, "")[:LONGEST] for name in _NAMES}
    if not any(asked.values()) or reader.role is Role.LEARNER:
        return []
    wanted = replace(inside(request).filter(), name=asked["name"], user=asked["user"])
    found = searching.page("people", wanted, limit=FEW + 1)
    keys = [person.key for person in found.rows] if len(found.rows) <= FEW and not found.is_cut else []
    known = Person.objects.filter(key__in=keys).values_list("key", "organisation")
    return [replace(subject, person=bytes(key), organisation=whose) for key, whose in known]


def _seen(path: str, about: dict[str, Any]) -> tuple[Subject, str] | None:
    """Whose records an address shows, and the address, if it is another than was asked; None if it shows nobody's."""
    word = path.partition("/")[0].partition(".")[0]
    if word == "exports" and path.endswith("/file"):
        return _of_file(about["pk"])
    return (_subject(word, about), "") if word in SHOWN else None


def _of_file(pk: int) -> tuple[Subject, str] | None:
    """What a file that was made before holds is what its own address shows."""
    export = Export.objects.filter(pk=pk).only("path", "query").first()
    if export is None:
        return None
    found = _seen(export.path.lstrip("/"), resolve(export.path).kwargs)
    return (found[0], _address(export.path, parse_qsl(export.query))) if found else None


def _now() -> int:
    return time.time_ns() // 1_000_000


def _action(request: HttpRequest, status: int, reader: Reader) -> Action | None:
    """What it comes to; whoever runs it and mistypes an address was refused nothing."""
    if status in _OK:
        return Action.EXPORTED if _is_taken(request) else Action.OPENED
    return Action.REFUSED if status in _REFUSED and reader.role is not Role.OPERATOR else None


def _is_taken(request: HttpRequest) -> bool:
    """Whether it leaves as a file, or is read by a program."""
    path, found = request.path_info.lstrip("/"), request.resolver_match
    return path.startswith((API, "exports/")) or (found is not None and "kind" in found.kwargs)


def address_of(request: HttpRequest) -> str:
    """The address without the names that were searched for."""
    return _address(request.path, ((name, str(word)) for name, word in request.GET.items()))


def _asked(request: HttpRequest) -> str:
    """The address with all that means anything in it, for as long as it takes to see whether it was just noted."""
    return urlencode([("", request.path), *((name, word) for name, word in request.GET.items() if name in FIELDS)])


def _address(path: str, words: Iterable[tuple[str, str]]) -> str:
    """With the filters that were used, but not whom somebody looked for, nor what was typed beside them."""
    kept = [(name, "…" if name in _NAMES else word) for name, word in words if name in FIELDS and word]
    return (f"{path}?{urlencode(kept)}" if kept else path)[:LONGEST_ADDRESS]


def _is_own(request: HttpRequest, reader: Reader, person: bytes | None) -> bool:
    return reader.role is Role.LEARNER and inside(request).bounds.person == person


def _subject(word: str, about: dict[str, Any]) -> Subject:
    """Whose record it was; of what is not there only the address is known."""
    key = bytes.fromhex(about["key"]) if "key" in about else None
    if word == "deliveries":
        return _of_receiver(about.get("pk"))
    if "pk" in about:
        return _of_meeting(about["pk"], key)
    if key is None:
        return Subject(word or "overview")
    if word == "activities":
        return _of_activity(key, about.get("user"))
    if word == "courses":
        return Subject("course", course=key, organisation=_organisation(Course.objects.filter(key=key)))
    return Subject("person", person=key, organisation=_organisation(Person.objects.filter(key=key)))


def _of_meeting(pk: int, attendee: bytes | None) -> Subject:
    if pk > LARGEST:
        return Subject("meeting")  # no database has so many
    organisation = _organisation(Summary.objects.filter(meeting=pk))
    if attendee is None:
        return Subject("meeting", pk, organisation=organisation)
    found = Attendance.objects.filter(summary__meeting=pk, attendee_key=attendee)
    key = found.values_list("person__key", flat=True).first()
    return Subject("meeting", pk, bytes(key) if key is not None else None, organisation=organisation)


def _of_receiver(pk: int | None) -> Subject:
    """Whose verdicts are sent by one way into one LMS."""
    receiver = None if pk is None else Receiver.objects.filter(pk=pk).select_related("platform").first()
    return Subject("delivery", organisation=None if receiver is None else receiver.platform.organisation_id)


def _of_activity(key: bytes, user: str | None) -> Subject:
    """Everybody's verdicts in it, or the one of somebody, who may be on the roster alone."""
    if user is None:
        newest = Summary.objects.filter(activity_key=key).order_by("-started_at").first()
        if newest is None:
            return Subject("activity")
        course = None if newest.course is None else bytes(newest.course.key)
        return Subject("activity", course=course, organisation=newest.organisation)
    found = Completion.objects.filter(activity__key=key, user_key=bytes.fromhex(user)).select_related("person").first()
    if found is None:
        return Subject("person")
    return Subject("person", person=_key_of(found), organisation=found.organisation)


def _key_of(found: Completion) -> bytes:
    """By which the directory has them, or would if they were ever in a class."""
    return person_key(found.activity.site, found.external_user_id, found.organisation)


def _organisation(rows: QuerySet[Any]) -> int | None:
    found: int | None = rows.values_list("organisation", flat=True).first()
    return found
