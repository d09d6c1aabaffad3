"""Every report as one Table: columns with key, label and kind, and rows. The renderers know kinds, not reports.

A report that needs another column declares it here; nothing else changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Flag, StrEnum, auto
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from rollcall.reports import words
from rollcall.reports.details import Count, attendance_detail, summary_detail
from rollcall.store.names import matches, search_terms
from rollcall.store.searching import State, state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from django.utils.functional import _StrPromise

    from rollcall.reports.details import AttendanceDetail, Room, SummaryDetail
    from rollcall.reports.facts import ShownFact
    from rollcall.store.connections import Server
    from rollcall.store.derived import Attendance, Summary
    from rollcall.store.reading import Coverage
    from rollcall.store.searching import FoundPerson


class Kind(StrEnum):
    """What the values of a column are."""

    TEXT = "text"
    HOST = "host"  # text that may be broken at its dots
    ID = "id"  # text that may well be blank
    STATE = "state"  # (State, how many are in)
    COUNT = "count"
    COUNTED = "counted"  # details.Count
    TIME = "time"  # epoch ms or None
    ENDED = "ended"  # (began, ended at the earliest, at the latest)
    DURATION = "duration"  # ms or None
    DURATIONS = "durations"  # Bounds
    SHARES = "shares"  # Shares
    PART = "part"  # 0 to 1, or None
    RECORD = "record"  # Summary.record
    COUNTED_TIME = "counted-time"  # details.Count of ms
    ROLE = "role"  # (role, kind of attendee)
    CAME = "came"  # an AttendeeRow: when they came, and how surely
    WENT = "went"  # the same: when they went
    BAR = "bar"  # an AttendeeRow, drawn
    DAY = "day"  # a date
    JSON = "json"  # as it is


class Format(Flag):
    """Where a column is shown."""

    HTML = auto()
    PDF = auto()
    TEXT = auto()
    CSV = auto()
    XLSX = auto()
    JSON = auto()
    PAGE = HTML | PDF
    SHEET = CSV | XLSX
    SCREEN = PAGE | TEXT
    FILE = SHEET | JSON
    ALL = SCREEN | FILE


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `of` takes a row's subject to its value, `link` to the address behind it.

    `sort` is what an address calls the order by it, blank if there is none; `about` says in a sentence what it means.
    `head` is markup of ours that stands in its heading on a page, the label then is for those who do not see it;
    `head_link` is where the heading leads.
    """

    key: str
    label: str | _StrPromise
    kind: Kind
    of: Callable[[Any], Any]
    shown: Format = Format.ALL
    link: Callable[[Any], str] | None = None
    sort: str = ""
    about: str | _StrPromise = ""
    head: str = ""
    head_link: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A row that has rows of its own: a meeting and its people."""

    subject: Any
    rows: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing that stands with a report: an SVG without a style sheet's help, and what it shows in words."""

    name: str
    title: str
    svg: str
    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """What a document says above its rows: `lines` about the subject, `filters` used, each (label, words).

    `made_at` is epoch ms, the time as of which the report was read.
    """

    title: str
    made_at: int
    lines: Sequence[tuple[str, str]] = ()
    filters: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """One report. `name` with its version is what JSON calls it, `rows_key` what the rows are.

    With `inner` the rows are Groups, `columns` speak of a group's subject, `inner` of its rows (`inner_key`).
    `about` is what JSON says of the whole, `totals` the values of a last row by the keys of columns.
    """

    name: str
    rows_key: str
    columns: Sequence[Column]
    rows: Iterable[Any]
    inner_key: str = ""
    inner: Sequence[Column] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    heading: Heading | None = None
    totals: Mapping[str, Any] = field(default_factory=dict)
    pictures: Sequence[Picture] = ()


class Bounds(NamedTuple):
    """A duration of which so much is known, in ms; `possible` is None while it still grows, measured by `so_far`."""

    proved: int
    possible: int | None
    so_far: int | None = None


class Shares(NamedTuple):
    """A part of the class's length, between these two (0 to 1)."""

    lowest: float
    highest: float


@dataclass(frozen=True, slots=True)
class MeetingRow:
    """A meeting with its detail; `length` is first join to last leave of anybody, None where nobody has said."""

    summary: Summary
    detail: SummaryDetail
    as_of: int
    length: Bounds | None
    rooms: Mapping[str, Room] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """Running, ended or settled."""
        return state_of(self.summary, as_of=self.as_of)

    @property
    def is_running(self) -> bool:
        """Whether its end is still to come."""
        return self.summary.ended_possible_at is None

    @property
    def until(self) -> int:
        """Where a picture of it ends, in epoch ms."""
        ended_at = self.summary.ended_possible_at
        return max(self.as_of if ended_at is None else ended_at, self.summary.started_at + 1)


@dataclass(frozen=True, slots=True)
class AttendeeRow:
    """One person in one meeting."""

    attendance: Attendance
    detail: AttendanceDetail
    meeting: MeetingRow

    @property
    def time(self) -> Bounds:
        """How long they were there."""
        possible = self.attendance.possible_ms
        so_far = None if possible is not None else self._possible_until(self.meeting.as_of)
        return Bounds(self.attendance.proved_ms, possible, so_far)

    @property
    def share(self) -> Shares | None:
        """Which part of the class that was; None while it runs or when it has no length."""
        return share_of(self.time, self.meeting.length)

    def _possible_until(self, as_of: int) -> int:
        spans = ((start, as_of if end is None else min(end, as_of)) for start, end in self.detail.possible)
        return sum(max(0, end - start) for start, end in spans)


def share_of(time: Bounds, length: Bounds | None) -> Shares | None:
    """The part, as far as both are known: never more than the whole."""
    if length is None or time.possible is None or not length.possible:
        return None
    lowest = min(1.0, time.proved / length.possible)
    highest = min(1.0, time.possible / length.proved) if length.proved else float(time.possible > 0)
    return Shares(lowest, max(lowest, highest))


def meeting_row(summary: Summary, *, as_of: int, people: Sequence[AttendanceDetail] | None = None) -> MeetingRow:
    """A meeting as a row; `people`, if they are known, are all of its people."""
    detail = summary_detail(summary.detail)
    length = Bounds(*detail.length) if detail.length else length_of(people) if people is not None else None
    return MeetingRow(summary, detail, as_of, length, {room.meeting: room for room in detail.meetings})


def length_of(people: Sequence[AttendanceDetail]) -> Bounds:
    """From the first join to the last leave of anybody: at least what is proved, at most what is possible."""
    proved = [span for person in people for span in person.proved]
    possible = [span for person in people for span in person.possible]
    shortest = max((end for _, end in proved), default=0) - min((start for start, _ in proved), default=0)
    ends = [end for _, end in possible]
    if any(end is None for end in ends):
        return Bounds(shortest, None)
    longest = max((end for end in ends if end is not None), default=0) - min(
        (start for start, _ in possible), default=0
    )
    return Bounds(shortest, max(shortest, longest))


def meeting_group(summary: Summary, people: Sequence[Attendance], *, as_of: int, name: str = "") -> Group:
    """A meeting and all its people; with a name, the rows of only those who have it."""
    details = [attendance_detail(person.detail) for person in people]
    row = meeting_row(summary, as_of=as_of, people=details)
    terms = search_terms(name)
    rows = (AttendeeRow(person, detail, row) for person, detail in zip(people, details, strict=True))
    return Group(row, [one for one in rows if not name or matches(terms, one.attendance.name_key)])


# --- columns ----------------------------------------------------------------------------------------------------------


def meeting_page(row: MeetingRow) -> str:
    """The address of a meeting's page."""
    return f"/meetings/{row.summary.meeting_id}"


def person_page(key: bytes | None) -> str:
    """The address of a person's page, blank for somebody without an identity."""
    return f"/people/{bytes(key).hex()}" if key else ""


def opened(row: AttendeeRow) -> str:
    """The meeting's page, with this person's row open."""
    key = bytes(row.attendance.attendee_key).hex()
    return f"{meeting_page(row.meeting)}?open={key}#p-{key}"


def why_page(row: AttendeeRow) -> str:
    """Why somebody's time is what it is, and what was heard of them."""
    return f"{meeting_page(row.meeting)}/facts/{bytes(row.attendance.attendee_key).hex()}"


def person_of_row(row: AttendeeRow) -> str:
    """The page of the person of a row."""
    return person_page(row.attendance.person_key)


def on_screens(column: Column, *, sort: str = "") -> Column:
    """The same column where files have another one."""
    return replace(column, shown=column.shown & Format.SCREEN, sort=sort)


def with_heading(table: Table, heading: Heading) -> Table:
    """The same table under a heading."""
    return replace(table, heading=heading)


def _ended_at(row: MeetingRow) -> tuple[int, int | None, int | None]:
    return (row.summary.started_at, row.summary.ended_proved_at, row.summary.ended_possible_at)


MEETING_COLUMNS = (
    Column("name", _("Meeting"), Kind.TEXT, lambda row: row.summary.name, link=meeting_page, sort="name"),
    Column("state", _("State"), Kind.STATE, lambda row: (row.state, row.summary.present), ~Format.JSON),
    Column("started_at", _("Began"), Kind.TIME, lambda row: row.summary.started_at, sort="started"),
    Column("ended", _("Ended"), Kind.ENDED, _ended_at, Format.SCREEN),
    Column(
        "ended_proved_at", _("Ended at the earliest"), Kind.TIME, lambda row: row.summary.ended_proved_at, Format.FILE
    ),
    Column(
        "ended_possible_at", _("Ended at the latest"), Kind.TIME, lambda row: row.summary.ended_possible_at, Format.FILE
    ),
    Column("attendees", _("People"), Kind.COUNT, lambda row: row.summary.attendees, sort="people"),
    Column("present", _("Now in"), Kind.COUNT, lambda row: row.summary.present, ~Format.PAGE),
    Column("server", _("Server"), Kind.HOST, lambda row: row.summary.pool_name, sort="server"),
    Column("site", _("Site"), Kind.HOST, lambda row: row.summary.site, Format.FILE),
    Column("context_label", _("Course"), Kind.TEXT, lambda row: row.summary.context_label, Format.FILE),
    Column("context_id", _("Course id"), Kind.TEXT, lambda row: row.summary.context_id, Format.FILE),
    Column("external_meeting_id", _("Meeting id"), Kind.TEXT, lambda row: row.summary.external_meeting_id, Format.FILE),
    Column(
        "meeting",
        _("Internal meeting id"),
        Kind.TEXT,
        lambda row: row.summary.meeting.internal_meeting_id,
        ~Format.PAGE,
    ),
    Column("settles_at", _("Settles at"), Kind.TIME, lambda row: row.summary.settles_at, Format.FILE),
    Column("record", _("Record"), Kind.RECORD, lambda row: row.summary.record, Format.FILE),
    Column("unwitnessed_ms", _("Not witnessed"), Kind.DURATION, lambda row: row.summary.unwitnessed_ms, Format.FILE),
    Column(
        "witnessed_once_ms", _("One witness"), Kind.DURATION, lambda row: row.summary.witnessed_once_ms, Format.FILE
    ),
    Column(
        "witnessed_twice_ms",
        _("Several witnesses"),
        Kind.DURATION,
        lambda row: row.summary.witnessed_twice_ms,
        Format.FILE,
    ),
)


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON is
    return msgspec.to_builtins(value)


MEETING_DETAIL_COLUMNS = (
    Column("length", _("Length"), Kind.JSON, lambda row: row.length and list(row.length[:2]), Format.JSON),
    Column("rooms", _("Rooms"), Kind.JSON, lambda row: _plain(row.detail.meetings), Format.JSON),
    Column("blind", _("Blind"), Kind.JSON, lambda row: _plain(row.detail.blind), Format.JSON),
    Column("notes", _("Notes"), Kind.JSON, lambda row: _plain(row.detail.notes), Format.JSON),
    Column("disagreements", _("Disagreements"), Kind.JSON, lambda row: _plain(row.detail.disagreements), Format.JSON),
    Column("changes", _("Changes"), Kind.JSON, lambda row: _plain(row.detail.changes), Format.JSON),
)


def _engaged(key: str) -> Callable[[Any], Any]:
    return lambda row: getattr(row.detail.engagement, key)


COUNTED_COLUMNS = (
    Column("chats", _("Chats"), Kind.COUNTED, _engaged("chats"), ~Format.JSON),
    Column("raise_hands", _("Hands"), Kind.COUNTED, _engaged("raise_hands"), ~Format.JSON),
    Column("emojis", _("Reactions"), Kind.COUNTED, _engaged("emojis"), ~Format.JSON),
    Column("poll_answers", _("Poll answers"), Kind.COUNTED, _engaged("poll_answers"), ~Format.JSON),
    Column("cameras", _("Cameras"), Kind.COUNTED, _engaged("cameras"), ~Format.JSON),
    Column("talk_ms", _("Talked"), Kind.COUNTED_TIME, _engaged("talk_ms"), ~Format.JSON),
    Column("talks", _("Times talked"), Kind.COUNTED, _engaged("talks"), Format.SHEET),
    Column("away_ms", _("Away"), Kind.COUNTED_TIME, _engaged("away_ms"), Format.SHEET),
    Column("camera_ms", _("Camera on"), Kind.COUNTED_TIME, _engaged("camera_ms"), Format.SHEET),
)


def _itself(row: AttendeeRow) -> AttendeeRow:
    return row


TIME_COLUMNS = (
    Column("came", _("In"), Kind.CAME, _itself, Format.PAGE),
    Column("went", _("Out"), Kind.WENT, _itself, Format.PAGE),
    Column("first_in_at", _("In at the earliest"), Kind.TIME, lambda row: row.attendance.first_in_at, ~Format.PAGE),
    Column("last_out_at", _("Out at the latest"), Kind.TIME, lambda row: row.attendance.last_out_at, ~Format.PAGE),
    Column("time", pgettext_lazy("how long", "Time"), Kind.DURATIONS, lambda row: row.time, Format.SCREEN),
    Column("proved_ms", _("Time at least"), Kind.DURATION, lambda row: row.attendance.proved_ms, Format.FILE),
    Column("possible_ms", _("Time at most"), Kind.DURATION, lambda row: row.attendance.possible_ms, Format.FILE),
    Column("share", _("Share"), Kind.SHARES, lambda row: row.share, ~Format.JSON),
)

ATTENDEE_COLUMNS = (
    Column("name", _("Name"), Kind.TEXT, lambda row: row.attendance.name),
    Column("shown_role", _("Role"), Kind.ROLE, lambda row: (row.attendance.role, row.attendance.kind), Format.SCREEN),
    Column("role", _("Role"), Kind.TEXT, lambda row: row.attendance.role, Format.FILE),
    Column("kind", _("Kind"), Kind.TEXT, lambda row: row.attendance.kind, Format.FILE),
    Column(
        "external_user_id", _("User id"), Kind.ID, lambda row: row.attendance.external_user_id, Format.FILE | Format.PDF
    ),
    *TIME_COLUMNS,
    *COUNTED_COLUMNS,
    Column("when", _("When"), Kind.BAR, _itself, Format.PAGE),
    Column("is_present", _("Now in"), Kind.JSON, lambda row: row.attendance.is_present, Format.JSON),
    Column("proved", _("Proved"), Kind.JSON, lambda row: _plain(row.detail.proved), Format.JSON),
    Column("possible", _("Possible"), Kind.JSON, lambda row: _plain(row.detail.possible), Format.JSON),
    Column("sessions", _("Sessions"), Kind.JSON, lambda row: _plain(row.detail.sessions), Format.JSON),
    Column("engagement", _("Engagement"), Kind.JSON, lambda row: _plain(row.detail.engagement), Format.JSON),
    Column("witnesses", _("Witnesses"), Kind.JSON, lambda row: _plain(row.detail.witnesses), Format.JSON),
)


SORTED_AS = {
    "chats": "chats",
    "raise_hands": "hands",
    "emojis": "reactions",
    "poll_answers": "polls",
    "cameras": "cameras",
    "talk_ms": "talk",
}
"""What an address calls the order by each of the columns that are counted."""


def _at_least(key: str) -> Callable[[Any], Any]:
    """A sum over many meetings, of some of which not all was seen."""
    return lambda row: Count(getattr(row, key), is_exact=False)


def _if_any(key: str) -> Callable[[Any], int | None]:
    """The same for programs: of none it is not known whether there were some."""
    return lambda row: getattr(row, key) or None


def _totals(person: FoundPerson) -> Bounds:
    return Bounds(person.proved_ms, person.possible_ms)


def _mean(person: FoundPerson) -> float | None:
    return None if person.share is None else person.share / 1000


PEOPLE_COLUMNS = (
    Column("name", _("Name"), Kind.TEXT, attrgetter("name"), link=lambda row: person_page(row.key), sort="name"),
    Column("external_user_id", _("User id"), Kind.TEXT, lambda row: row.external_user_id),
    Column("shown_site", _("Site"), Kind.HOST, lambda row: words.site(row.site), Format.PAGE),
    Column("site", _("Site"), Kind.HOST, lambda row: row.site, ~Format.PAGE),
    Column("meetings", _("Meetings"), Kind.COUNT, attrgetter("meetings"), sort="meetings"),
    Column("time", pgettext_lazy("how long", "Time"), Kind.DURATIONS, _totals, Format.SCREEN, sort="time"),
    Column("proved_ms", _("Time at least"), Kind.DURATION, lambda row: row.proved_ms, Format.FILE),
    Column("possible_ms", _("Time at most"), Kind.DURATION, lambda row: row.possible_ms, Format.FILE),
    Column(
        "share",
        _("Mean share, at least"),
        Kind.PART,
        _mean,
        sort="share",
        about=_("The mean of the proved shares of the classes whose length is known; running ones are left out."),
    ),
    *(replace(column, of=_at_least(column.key), sort=SORTED_AS[column.key]) for column in COUNTED_COLUMNS[:6]),
    *(Column(column.key, column.label, Kind.COUNT, _if_any(column.key), Format.JSON) for column in COUNTED_COLUMNS[:6]),
    Column("first_at", _("First meeting"), Kind.TIME, attrgetter("first_at"), ~Format.HTML, sort="first"),
    Column("last_at", _("Last meeting"), Kind.TIME, attrgetter("last_at"), sort="last"),
)


def worth_showing(columns: Sequence[Column], rows: Sequence[Any]) -> list[Column]:
    """Without the columns in which nobody has anything: they would only make it harder to compare the others."""
    return [
        column
        for column in columns
        if any(_says_something(column, row) for row in rows) and (column.key != "shown_site" or _differ(column, rows))
    ]


def with_ids(columns: Sequence[Column], people: Iterable[tuple[str, str]]) -> list[Column]:
    """Where one name stands for several user ids, which nobody could tell apart, the ids are shown on pages too."""
    ids: dict[str, set[str]] = {}
    for name, user in people:
        ids.setdefault(name.strip(), set()).add(user)
    if all(len(several) == 1 for several in ids.values()):
        return list(columns)
    return [
        replace(column, shown=column.shown | Format.PAGE) if column.key == "external_user_id" else column
        for column in columns
    ]


def time_totals(rows: Sequence[AttendeeRow]) -> dict[str, Any]:
    """What the times of these rows come to, as they are shown and as files have them; blank where there is no row."""
    if not rows:
        return {}
    possible = [row.attendance.possible_ms for row in rows]
    known = [ms for ms in possible if ms is not None]
    return time_total(sum(row.attendance.proved_ms for row in rows), sum(known) if len(known) == len(rows) else None)


def time_total(proved_ms: int, possible_ms: int | None) -> dict[str, Any]:
    """The same of sums that are known already."""
    return {"time": Bounds(proved_ms, possible_ms), "proved_ms": proved_ms, "possible_ms": possible_ms}


def _differ(column: Column, rows: Sequence[Any]) -> bool:
    """Where everybody is of one site nobody wants to read it in each row."""
    return len({column.of(row) for row in rows}) > 1


def _says_something(column: Column, row: Any) -> bool:  # noqa: ANN401 - a row is whatever its columns read
    match column.kind:
        case Kind.COUNTED | Kind.COUNTED_TIME:
            value = column.of(row)
            return bool(value.seen or value.is_exact)
        case Kind.SHARES:
            return column.of(row) is not None
        case _:
            return True


def relabelled(column: Column, label: str) -> Column:
    """The same column under another heading."""
    return replace(column, label=label)


def _of_meeting(column: Column) -> Column:
    """A column of the meeting where each row is somebody's attendance of it."""
    link = column.link
    of_meeting = None if link is None else lambda row: link(row.meeting)
    return replace(column, of=lambda row: column.of(row.meeting), link=of_meeting)


_OF_MEETING = {column.key: _of_meeting(column) for column in MEETING_COLUMNS}

PERSON_COLUMNS = (
    _OF_MEETING["name"],
    _OF_MEETING["state"],
    _OF_MEETING["started_at"],
    replace(_OF_MEETING["server"], shown=~Format.PAGE),
    _OF_MEETING["meeting"],
    Column("shown_role", _("Role"), Kind.ROLE, lambda row: (row.attendance.role, row.attendance.kind), Format.SCREEN),
    Column("role", _("Role"), Kind.TEXT, lambda row: row.attendance.role, Format.FILE),
    *TIME_COLUMNS,
    *COUNTED_COLUMNS,
    Column("engagement", _("Engagement"), Kind.JSON, lambda row: _plain(row.detail.engagement), Format.JSON),
)


SERVER_COLUMNS = (
    Column("name", _("Server"), Kind.TEXT, lambda server: server.pool.name),
    Column("address", _("Address"), Kind.TEXT, lambda server: server.api_url),
    Column("is_polled", _("Asked"), Kind.JSON, lambda server: server.is_polled),
    Column("trouble", _("Trouble"), Kind.TEXT, lambda server: server.trouble),
    Column("polled_at", _("Last answered"), Kind.TIME, lambda server: server.polled_at),
    Column("hooks_seen_at", _("Webhooks last found in place"), Kind.TIME, lambda server: server.hooks_seen_at),
    Column("arrived_at", _("Last webhook"), Kind.TIME, lambda server: server.arrived_at),
    Column("reported_at", _("Last record"), Kind.TIME, lambda server: server.reported_at),
    Column("is_captured", _("Captured"), Kind.JSON, lambda server: server.pool.is_captured),
)


def _part(key: str) -> Callable[[Any], float | None]:
    return lambda row: getattr(row, key) / row.total_ms if row.total_ms else None


COVERAGE_COLUMNS = (
    Column("server", _("Server"), Kind.HOST, lambda row: row.server),
    Column("meetings", _("Meetings"), Kind.COUNT, lambda row: row.meetings),
    Column("recorded", _("With a record"), Kind.COUNT, lambda row: row.recorded),
    Column("total_ms", _("Time of the meetings"), Kind.DURATION, lambda row: row.total_ms),
    Column("two", _("Two witnesses or more"), Kind.PART, _part("witnessed_twice_ms"), ~Format.JSON),
    Column("one", _("One witness"), Kind.PART, _part("witnessed_once_ms"), ~Format.JSON),
    Column("none", _("No witness"), Kind.PART, _part("unwitnessed_ms"), ~Format.JSON),
    Column(
        "witnessed_twice_ms", _("Several witnesses"), Kind.DURATION, lambda row: row.witnessed_twice_ms, Format.JSON
    ),
    Column("witnessed_once_ms", _("One witness"), Kind.DURATION, lambda row: row.witnessed_once_ms, Format.JSON),
    Column("unwitnessed_ms", _("Not witnessed"), Kind.DURATION, lambda row: row.unwitnessed_ms, Format.JSON),
)

FACT_COLUMNS = (
    Column("at", _("Time"), Kind.TIME, lambda fact: fact.at),
    Column("what", _("What"), Kind.TEXT, lambda fact: fact.what, ~Format.JSON),
    Column("kind", _("Kind"), Kind.TEXT, lambda fact: fact.kind),
    Column("room", _("Room"), Kind.TEXT, lambda fact: fact.room),
    Column("participant", _("Connection"), Kind.TEXT, lambda fact: fact.participant),
    Column("told_by", _("Told by"), Kind.TEXT, lambda fact: fact.told_by, ~Format.JSON),
    Column("source", _("Source"), Kind.TEXT, lambda fact: fact.source, Format.JSON),
    Column("received_at", _("First received"), Kind.TIME, lambda fact: fact.received_at),
    Column("payload", _("As kept"), Kind.TEXT, lambda fact: fact.payload),
    Column("inside", "", Kind.JSON, lambda fact: list(fact.inside), Format.JSON),
)


# --- reports ----------------------------------------------------------------------------------------------------------


def meetings_table(rows: Iterable[MeetingRow]) -> Table:
    """These meetings, in this order."""
    return Table("meetings/1", "meetings", MEETING_COLUMNS, rows)


def attendance_table(groups: Iterable[Group]) -> Table:
    """These meetings with their people, in this order."""
    columns = (*MEETING_COLUMNS, *MEETING_DETAIL_COLUMNS)
    return Table("attendance/1", "meetings", columns, groups, inner_key="people", inner=ATTENDEE_COLUMNS)


def people_table(rows: Iterable[FoundPerson]) -> Table:
    """These people, in this order."""
    return Table("people/1", "people", PEOPLE_COLUMNS, rows)


def person_table(person: FoundPerson, attendance: Iterable[Attendance], *, as_of: int) -> Table:
    """One person's meetings, in this order."""
    about = {column.key: column.of(person) for column in PEOPLE_COLUMNS if Format.JSON in column.shown}
    rows = [attendee_row(one, as_of) for one in attendance]
    return Table("person/1", "meetings", PERSON_COLUMNS, rows, about={"person": about})


def attendee_row(one: Attendance, as_of: int) -> AttendeeRow:
    """One row of a list, of a meeting whose other people are not read."""
    return AttendeeRow(one, attendance_detail(one.detail), meeting_row(one.summary, as_of=as_of))


def servers_table(rows: Iterable[Server]) -> Table:
    """These servers, in this order; their secrets stand in no column."""
    return Table("servers/1", "servers", SERVER_COLUMNS, rows)


def coverage_table(rows: Iterable[Coverage]) -> Table:
    """These servers, in this order."""
    return Table("coverage/1", "servers", COVERAGE_COLUMNS, rows)


def facts_table(rows: Iterable[ShownFact]) -> Table:
    """These facts, in this order."""
    return Table("facts/1", "facts", FACT_COLUMNS, rows)
