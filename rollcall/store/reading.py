"""Named queries over what was derived: which meetings, which attendance, which people, in pages that stay right.

Pages go by key, never by offset: what arrives while somebody reads neither repeats nor hides a row. Nothing here looks
at a clock; `as_of` is part of what is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, Sum, TextField, Value, Window
from django.db.models.functions import Coalesce, RowNumber

from rollcall.store.connections import Pool, Server
from rollcall.store.derived import Attendance, Summary
from rollcall.store.facts import Fact, Meeting
from rollcall.store.names import search_terms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

LARGEST = 2**63 - 1
"""What a database holds in a column of whole numbers; an address may hold more."""

_BATCH = 200


class State(StrEnum):
    """Running, or ended, or so long over that nothing more is expected."""

    RUNNING = "running"
    ENDED = "ended"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a report is asked for; blank or None means any. Times are epoch ms, `until` is past the last one.

    `name` is a person's, `meeting` a meeting's name or one of its ids, `server` a pool's name.
    """

    name: str = ""
    meeting: str = ""
    server: str = ""
    state: State | None = None
    since: int | None = None
    until: int | None = None
    as_of: int = 0


class MeetingCursor(NamedTuple):
    """The place of a meeting in the list, which is newest first."""

    started_at: int
    meeting: int


class PersonCursor(NamedTuple):
    """The place of a person in the list, which is by name."""

    name_key: str
    person_key: bytes


def state_of(summary: Summary, *, as_of: int) -> State:
    """Settled once nothing more is expected: the time for late witnesses has passed, or a whole one is in."""
    if summary.ended_possible_at is None:
        return State.RUNNING
    return State.SETTLED if summary.settles_at is None or summary.settles_at <= as_of else State.ENDED


# --- meetings ---------------------------------------------------------------------------------------------------------


def meetings(wanted: Filter) -> QuerySet[Summary]:
    """The meetings of a filter, without an order; with a name, those in which such a person was."""
    found = Summary.objects.filter(_meeting_conditions(wanted)).select_related("meeting")
    if wanted.name:
        found = found.filter(Exists(Attendance.objects.filter(_name_matches(wanted.name), summary=OuterRef("pk"))))
    return found


def newest_meetings(wanted: Filter, *, limit: int, after: MeetingCursor | None = None) -> list[Summary]:
    """One page of the list, from just after a meeting on."""
    found = meetings(wanted).order_by("-started_at", "-meeting_id")
    if after is not None:
        found = found.filter(
            Q(started_at__lt=after.started_at) | Q(started_at=after.started_at, meeting_id__lt=after.meeting)
        )
    return list(found[:limit])


def meetings_before(wanted: Filter, before: MeetingCursor, *, limit: int) -> list[Summary]:
    """The page that ends just before a meeting, newest first."""
    found = meetings(wanted).filter(
        Q(started_at__gt=before.started_at) | Q(started_at=before.started_at, meeting_id__gt=before.meeting)
    )
    return list(found.order_by("started_at", "meeting_id")[:limit])[::-1]


def each_meeting(wanted: Filter) -> Iterator[Summary]:
    """All meetings, oldest first; those of one instant by pool and id, on whose order every database agrees."""
    together: list[Summary] = []
    for summary in meetings(wanted).order_by("started_at").iterator(chunk_size=_BATCH):
        if together and together[0].started_at != summary.started_at:
            yield from sorted(together, key=_by_identity)
            together = []
        together.append(summary)
    yield from sorted(together, key=_by_identity)


def _by_identity(summary: Summary) -> tuple[bytes, bytes]:
    return (summary.pool_name.encode(), summary.meeting.internal_meeting_id.encode())


def _meeting_conditions(wanted: Filter, prefix: str = "") -> Q:
    """The part of a filter that speaks of meetings, for Summary itself or for rows that lead to one."""
    conditions = Q()
    if wanted.since is not None:
        conditions &= Q(**{f"{prefix}started_at__gte": wanted.since})
    if wanted.until is not None:
        conditions &= Q(**{f"{prefix}started_at__lt": wanted.until})
    if wanted.server:
        conditions &= Q(**{f"{prefix}pool_name": wanted.server})
    if wanted.meeting:
        conditions &= _meeting_matches(wanted.meeting, prefix)
    return conditions & _state_is(wanted.state, wanted.as_of, prefix)


def _meeting_matches(text: str, prefix: str) -> Q:
    is_the_id = Q(**{f"{prefix}external_meeting_id": text}) | Q(**{f"{prefix}meeting__internal_meeting_id": text})
    return is_the_id | _contains(text, f"{prefix}name_key")


def _state_is(state: State | None, as_of: int, prefix: str) -> Q:
    is_running = Q(**{f"{prefix}ended_possible_at__isnull": True})
    will_settle = Q(**{f"{prefix}settles_at__gt": as_of})
    match state:
        case None:
            return Q()
        case State.RUNNING:
            return is_running
        case State.ENDED:
            return ~is_running & will_settle
        case State.SETTLED:
            return ~is_running & (Q(**{f"{prefix}settles_at__isnull": True}) | Q(**{f"{prefix}settles_at__lte": as_of}))


def _name_matches(query: str) -> Q:
    return _contains(query, "name_key")


def _contains(query: str, column: str) -> Q:
    """Every word somewhere in the column, in any order; a query without a single letter finds nothing."""
    terms = search_terms(query)
    if not terms:
        return Q(pk__in=())
    every_word = Q()
    for spellings in terms:
        any_spelling = Q()
        for spelling in spellings:
            any_spelling |= Q(**{f"{column}__contains": spelling})
        every_word &= any_spelling
    return every_word


# --- one meeting ------------------------------------------------------------------------------------------------------


def meeting(pk: int) -> Summary | None:
    """The summary of a meeting, or of the family it is a room of."""
    if pk > LARGEST:
        return None
    found = Summary.objects.select_related("meeting")
    return found.filter(Q(meeting=pk) | Q(meeting__breakouts=pk)).first()


def attendees(summary: Summary, *, limit: int | None = None, after: bytes | None = None) -> list[Attendance]:
    """The people of one meeting in the report's own order."""
    found = summary.attendance.select_related("person").order_by("sort_key")
    if after is not None:
        found = found.filter(sort_key__gt=after)
    return list(found[:limit] if limit is not None else found)


def each_meeting_with_attendance(wanted: Filter) -> Iterator[tuple[Summary, list[Attendance]]]:
    """All meetings of a filter with everybody who was in them: what a meeting was like follows from all of them."""
    batch: list[Summary] = []
    for summary in each_meeting(wanted):
        batch.append(summary)
        if len(batch) == _BATCH:
            yield from _with_attendance(batch)
            batch = []
    yield from _with_attendance(batch)


def _with_attendance(batch: list[Summary]) -> Iterator[tuple[Summary, list[Attendance]]]:
    people: dict[int, list[Attendance]] = {summary.pk: [] for summary in batch}
    for attendance in Attendance.objects.filter(summary__in=batch).select_related("person").order_by("sort_key"):
        people[attendance.summary_id].append(attendance)
    for summary in batch:
        yield summary, people[summary.pk]


class FactCursor(NamedTuple):
    """The place of a fact in the log of a family, which is by time."""

    at: int
    meeting: int
    seq: int


def facts(summary: Summary, *, limit: int, after: FactCursor | None = None) -> list[Fact]:
    """The log of a family by time, from just after a fact on."""
    rooms = Q(meeting=summary.meeting_id) | Q(meeting__root=summary.meeting_id)
    found = Fact.objects.filter(rooms).select_related("meeting").order_by("at", "meeting_id", "seq")
    if after is not None:
        is_later = Q(at=after.at, meeting_id=after.meeting, seq__gt=after.seq)
        is_later |= Q(at=after.at, meeting_id__gt=after.meeting) | Q(at__gt=after.at)
        found = found.filter(is_later)
    return list(found[:limit])


def facts_of_kind(summary: Summary, kind: str) -> list[Fact]:
    """All facts of one kind in the log of a family, in no particular order."""
    rooms = Q(meeting=summary.meeting_id) | Q(meeting__root=summary.meeting_id)
    return list(Fact.objects.filter(rooms, kind=kind))


def first_of_kind(summary: Summary, kind: str) -> list[Fact]:
    """One fact of the class itself, the first of its kind that came, if there is any."""
    return list(Fact.objects.filter(meeting=summary.meeting_id, kind=kind).order_by("seq")[:1])


RECORDS = ("events-xml", "analytics-callback", "data-json")
"""The kinds of facts that are a whole document each."""


def documents(summary: Summary) -> list[Fact]:
    """The records of a family as they came, without their content, in the order in which they did."""
    rooms = Q(meeting=summary.meeting_id) | Q(meeting__root=summary.meeting_id)
    found = Fact.objects.filter(rooms, kind__in=RECORDS).select_related("meeting").defer("payload", "identity")
    return sorted(found, key=lambda fact: (fact.received_at, fact.meeting_id, fact.seq))


def is_refused(pk: int) -> bool:
    """Whether a meeting was heard of and is not kept, because capture is switched off for it."""
    return pk <= LARGEST and Meeting.objects.filter(pk=pk, is_refused=True).exists()


def attendee(summary: Summary, key: bytes) -> Attendance | None:
    """One person of one meeting."""
    return summary.attendance.filter(attendee_key=key).select_related("person").first()


class Progress(NamedTuple):
    """How far a meeting's log has been folded; when it changes there is something new to show."""

    appended: int
    folded: int
    root: int | None


def progress(pk: int) -> Progress | None:
    """The counters of a meeting, None if there is no such meeting."""
    row = Meeting.objects.filter(pk=pk).values_list("appended", "folded", "root_id").first()
    return None if row is None else Progress(*row)


# --- people -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Person:
    """One person's totals over the meetings of a filter; the name is that of the latest one. Times are epoch ms.

    `possible_ms` is None while the person may still be in one of them.
    """

    key: bytes
    site: str
    external_user_id: str
    name: str
    name_key: str
    meetings: int
    proved_ms: int
    possible_ms: int | None
    first_at: int
    last_at: int


def people(wanted: Filter, *, limit: int | None = None, after: PersonCursor | None = None) -> list[Person]:
    """People by name, each once per site, with totals over the meetings of the filter."""
    found = _totals_of(_attendance_of_people(wanted)).order_by("order_key", "person_key")
    if after is not None:
        found = found.filter(
            Q(order_key__gt=after.name_key) | Q(order_key=after.name_key, person_key__gt=after.person_key)
        )
    totals = list(found[:limit] if limit is not None else found)
    latest = _latest_names(wanted, None if limit is None else [bytes(row["person_key"]) for row in totals])
    return [_person(row, latest[bytes(row["person_key"])]) for row in totals]


def person(key: bytes, wanted: Filter) -> Person | None:
    """One person's totals over the meetings of a filter."""
    rows = Attendance.objects.filter(_meeting_conditions(wanted, "summary__"), person__key=key, person__is_user=True)
    total = _totals_of(rows).order_by("person_key").first()
    if total is None:
        return None
    return _person(total, _latest_names(wanted, [key])[key])


def attendance_of_person(
    key: bytes, wanted: Filter, *, limit: int | None = None, after: MeetingCursor | None = None
) -> list[Attendance]:
    """Every meeting of one person, newest first."""
    found = Attendance.objects.filter(_meeting_conditions(wanted, "summary__"), person__key=key, person__is_user=True)
    found = found.select_related("summary__meeting", "person").order_by("-summary__started_at", "-summary__meeting_id")
    if after is not None:
        is_older = Q(summary__started_at__lt=after.started_at)
        is_older |= Q(summary__started_at=after.started_at, summary__meeting__lt=after.meeting)
        found = found.filter(is_older)
    return list(found[:limit] if limit is not None else found)


def _attendance_of_people(wanted: Filter) -> QuerySet[Attendance]:
    """A name picks people, not rows: somebody who was renamed keeps all their meetings."""
    rows = Attendance.objects.filter(_meeting_conditions(wanted, "summary__"), person__is_user=True)
    if wanted.name:
        named = Attendance.objects.filter(_name_matches(wanted.name), person__is_user=True)
        rows = rows.filter(person__in=named.values("person"))
    return rows


def _totals_of(rows: QuerySet[Attendance]) -> Any:  # noqa: ANN401 - the type of values().annotate() cannot be written
    return rows.values(person_key=F("person__key")).annotate(
        meetings=Count("pk"),
        proved=Sum("proved_ms"),
        possible=Sum("possible_ms"),
        still_open=Count("pk", filter=Q(possible_ms__isnull=True)),
        first_at=Min("summary__started_at"),
        last_at=Max("summary__started_at"),
        # Somebody who was renamed stands where their first name in the alphabet is; a missing name moves nobody.
        order_key=Coalesce(Min("name_key", filter=~Q(name_key="")), Value(""), output_field=TextField()),
    )


def _latest_names(wanted: Filter, keys: list[bytes] | None) -> dict[bytes, tuple[str, str, str]]:
    """What each of these people (None: everybody) was last called: name, external id and site."""
    rows = Attendance.objects.filter(_meeting_conditions(wanted, "summary__"), person__is_user=True)
    if keys is not None:
        rows = rows.filter(person__key__in=keys)
    newest_first = Window(
        RowNumber(),
        partition_by=F("person"),
        order_by=(F("summary__started_at").desc(), F("sort_key").asc(), F("summary__meeting__key").asc()),
    )
    latest = rows.annotate(age=newest_first).filter(age=1)
    fields = ("person__key", "name", "external_user_id", "summary__site")
    return {bytes(key): (name, uid, site) for key, name, uid, site in latest.values_list(*fields)}


def _person(total: dict[str, Any], latest: tuple[str, str, str]) -> Person:
    name, external_user_id, site = latest
    return Person(
        key=bytes(total["person_key"]),
        site=site,
        external_user_id=external_user_id,
        name=name,
        name_key=total["order_key"],
        meetings=total["meetings"],
        proved_ms=total["proved"],
        possible_ms=None if total["still_open"] else total["possible"],
        first_at=total["first_at"],
        last_at=total["last_at"],
    )


# --- servers ----------------------------------------------------------------------------------------------------------


def server_of(pool_name: str) -> Server | None:
    """The server of a pool, also one that has been removed."""
    return Server.objects.filter(pool__name=pool_name).select_related("pool").first()


LAST_MEETINGS = 20


class RecordHistory(NamedTuple):
    """How it went with the records of one server's ended meetings, seen from one of them or from now; epoch ms.

    `recent` of the nearest were looked at, the one itself aside, and `recent_with` of these have a record. `last_at`
    and `next_at` are when the nearest before and after it began that have one; between these two are `without` in a
    row that have none, itself included, the first of which began at `without_since`. `reported_at` is when the last
    record came from the server itself.
    """

    reported_at: int | None = None
    recent: int = 0
    recent_with: int = 0
    last_at: int | None = None
    next_at: int | None = None
    without: int = 0
    without_since: int | None = None


def record_history(pool_name: str, *, ended_by: int, around: Summary | None = None) -> RecordHistory:
    """Seen from the meeting `around`, or from now. Without a record counts only what had ended by that time.

    A part of an events.xml counts as a record that came.
    """
    has_record = ~Q(record="")
    told = Summary.objects.filter(pool_name=pool_name, ended_possible_at__isnull=False)
    told = told.filter(has_record | Q(ended_possible_at__lte=ended_by))
    at, half = (LARGEST, LAST_MEETINGS) if around is None else (around.started_at, LAST_MEETINGS // 2)
    others = told if around is None else told.exclude(pk=around.pk)
    recent = _nearest(others, at, half)
    bounds = others.aggregate(
        last=Max("started_at", filter=has_record & Q(started_at__lte=at)),
        next=Min("started_at", filter=has_record & Q(started_at__gt=at)),
    )
    without = told.filter(_is_between(bounds["last"], bounds["next"]), record="")
    row = without.aggregate(count=Count("pk"), since=Min("started_at"))
    reported_at = Server.objects.filter(pool__name=pool_name).values_list("reported_at", flat=True).first()
    return RecordHistory(
        reported_at, len(recent), sum(map(bool, recent)), bounds["last"], bounds["next"], row["count"], row["since"]
    )


def _nearest(others: QuerySet[Summary], at: int, half: int) -> list[str]:
    """Which record each of the meetings just before and just after a time has."""
    before = others.filter(started_at__lte=at).order_by("-started_at", "-meeting_id")
    after = others.filter(started_at__gt=at).order_by("started_at", "meeting_id")
    return [record for found in (before, after) for record in found.values_list("record", flat=True)[:half]]


def _is_between(last: int | None, following: int | None) -> Q:
    after = Q() if last is None else Q(started_at__gt=last)
    return after if following is None else after & Q(started_at__lt=following)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of one server's meetings was witnessed, in ms of meeting time; `recorded` of them have a record."""

    server: str
    meetings: int
    recorded: int
    unwitnessed_ms: int
    witnessed_once_ms: int
    witnessed_twice_ms: int

    @property
    def total_ms(self) -> int:
        """The time of all the meetings."""
        return self.unwitnessed_ms + self.witnessed_once_ms + self.witnessed_twice_ms


def coverage(wanted: Filter) -> list[Coverage]:
    """By server, over the meetings of a filter."""
    rows = (
        meetings(wanted)
        .values("pool_name")
        .annotate(
            meetings=Count("pk"),
            recorded=Count("pk", filter=~Q(record="")),
            none=Sum("unwitnessed_ms"),
            once=Sum("witnessed_once_ms"),
            twice=Sum("witnessed_twice_ms"),
        )
        .order_by()
    )
    found = [
        Coverage(row["pool_name"], row["meetings"], row["recorded"], row["none"], row["once"], row["twice"])
        for row in rows
    ]
    return sorted(found, key=lambda one: one.server.encode())


def servers() -> list[Server]:
    """Every connected server, with its pool, by name."""
    return list(Server.objects.filter(removed_at__isnull=True).select_related("pool").order_by("pool__name"))


def server_names() -> list[str]:
    """The pools meetings can be of, gone servers' too, for a filter to offer."""
    return list(Pool.objects.values_list("name", flat=True).order_by("name"))
