"""The audit log: written as things happen, read by whoever has to answer for the data."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Q

from rollcall.store.audit import AuditEntry
from rollcall.store.derived import Attendance, Person
from rollcall.store.fields import storable
from rollcall.store.keys import key_of
from rollcall.store.searching.directory import people_of
from rollcall.store.searching.places import Order, Place
from rollcall.store.searching.walking import Taken, page_of, take_sorted
from rollcall.store.searching.wanted import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

    from rollcall.core.access import Reader
    from rollcall.store.searching.wanted import Filter

NEWEST_FIRST: Final = Order(("at", "id"), is_descending=True)

_AT_ONCE: Final = 500
_MOST_PEOPLE: Final = 100
"""Whoever asks about more people at once asks about none in particular."""


class Action(StrEnum):
    """What somebody did."""

    OPENED = "opened"  # a page with records of others
    EXPORTED = "exported"  # took a file away, or read it as a program
    REFUSED = "refused"  # asked for what is not theirs to see
    SIGNED_IN = "signed-in"
    SIGN_IN_FAILED = "sign-in-failed"
    LAUNCHED = "launched"  # came from an LMS
    CHANGED = "changed"  # organisations, licences, platforms, accounts, claims, tokens
    CORRECTED = "corrected"  # somebody's attendance
    UNDONE = "undone"  # a correction of it


def actor_key(name: str, platform: int | None) -> bytes:
    """By which the acts of one are found: a user id means somebody only together with the LMS."""
    return key_of(str(platform or ""), name)


def write(at: int, action: Action, reader: Reader | None, **about: Any) -> None:
    """Add an entry. `about` are its other columns; without a reader the `actor` is one of them."""
    columns = {"role": "", "actor": "", "organisation": None, "platform": None, "subject": ""} | about
    if reader is not None:
        columns |= {"role": reader.role.value, "actor": reader.name}
        if columns["organisation"] is None:
            columns["organisation"] = reader.organisation
    columns["actor_key"] = actor_key(columns["actor"], columns["platform"])
    AuditEntry.objects.create(at=at, action=action.value, **columns)


def page(wanted: Filter, *, after: str, before: str, limit: int) -> Page[AuditEntry]:
    """A page of what a filter finds, the newest first."""
    rows = entries(wanted)

    def take(order: Order, start: Place | None, limit: int) -> Taken:
        return take_sorted(rows, order, start, limit=limit)

    found = page_of(take, NEWEST_FIRST, (int, int), after=after, before=before, limit=limit)
    held = AuditEntry.objects.in_bulk([place[-1] for place in found.rows])
    return Page([held[place[-1]] for place in found.rows if place[-1] in held], found.before, found.after)


def every(wanted: Filter) -> Iterator[AuditEntry]:
    """All of it, read as it is asked for."""
    after = ""
    while True:
        found = page(wanted, after=after, before="", limit=_AT_ONCE)
        yield from found.rows
        if not (after := found.after):
            return


def entries(wanted: Filter) -> QuerySet[AuditEntry]:
    """What a filter finds: its time is when it happened, its name and user id are of whose record it was about.

    Somebody's record was looked at wherever they are shown by themselves, or in a meeting they were in. Lists and
    courses show many at a time and stand with nobody in particular.
    """
    rows = AuditEntry.objects.all()
    if wanted.organisation is not None:
        rows = rows.filter(organisation=wanted.organisation)
    if wanted.since is not None:
        rows = rows.filter(at__gte=wanted.since)
    if wanted.until is not None:
        rows = rows.filter(at__lt=wanted.until)
    if wanted.action:
        rows = rows.filter(action=storable(wanted.action))
    if wanted.actor:
        rows = rows.filter(actor=storable(wanted.actor))
    return rows.filter(_about(wanted))


def _about(wanted: Filter) -> Q:
    chosen = people_of(wanted)
    if chosen is None:
        return Q()
    some = chosen.first[:_MOST_PEOPLE] if chosen.ids is None else chosen.ids[:_MOST_PEOPLE]
    keys = _keys(some)
    meetings = Attendance.objects.filter(person__in=some).order_by().values("summary__meeting")
    # Of a meeting an entry may be about another one of its people alone.
    return Q(person__in=keys) | Q(person__isnull=True, meeting__in=meetings)


def _keys(people: tuple[int, ...]) -> list[bytes]:
    return [bytes(key) for key in Person.objects.filter(pk__in=people).values_list("key", flat=True)]


def forget(before: int) -> int:
    """Delete what is older than this (epoch ms), some at a time; return how many."""
    deleted = 0
    while some := list(AuditEntry.objects.filter(at__lt=before).order_by("at").values_list("pk", flat=True)[:_AT_ONCE]):
        deleted += AuditEntry.objects.filter(pk__in=some).delete()[0]
    return deleted
