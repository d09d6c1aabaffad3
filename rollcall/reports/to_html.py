"""A Table as HTML. Written here and not in a template because a class of 300 is drawn again every second."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from html import escape, unescape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from django.utils.safestring import SafeString, mark_safe

from rollcall.reports import words
from rollcall.reports.addresses import person_page
from rollcall.reports.details import UNSEEN
from rollcall.reports.meeting_rows import AttendeeRow
from rollcall.reports.pictures import presence_bar
from rollcall.reports.rows import Format, Kind, worth_showing
from rollcall.wording import formatting
from rollcall.wording.translating import gettext as _
from rollcall.wording.translating import remembering
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import tzinfo

    from rollcall.reports.details import Count, Engagement, OpenSpan, Session
    from rollcall.reports.rows import Column, Table
    from rollcall.store.reading import State

_CLASSES = dict.fromkeys((Kind.COUNT, Kind.DURATION, Kind.SHARES, Kind.PART), "number")
_CLASSES |= {Kind.DURATIONS: "number wide"} | dict.fromkeys((Kind.COUNTED, Kind.COUNTED_TIME), "number counted")
_CLASSES |= dict.fromkeys((Kind.CAME, Kind.WENT), "clock") | {Kind.BAR: "bar-cell", Kind.STATE: "state-cell"}

_ALPHABETIC = (Kind.NAME, Kind.TEXT, Kind.HOST, Kind.ROLE)

_NUMBERS = (Kind.COUNTED, Kind.COUNTED_TIME, Kind.SHARES, Kind.PART, Kind.DURATION)

_INTERVAL = re.compile("[0-9:]+–[0-9:]+")
_TAG = re.compile("<[^>]*>")
_NOT_IN_IDS = re.compile("[^0-9A-Za-z]+")
_LINK = re.compile('<a id="(to-[0-9A-Za-z-]+)"')


@dataclass(frozen=True, slots=True)
class Sorting:
    """In which order a list stands, such as "-time", and the address of each other order."""

    by: str
    address: Callable[[str], str]
    sorts: Sequence[str] = ()


def to_html(table: Table, zone: tzinfo, *, caption: str, sorting: Sorting | None = None, kind: str = "") -> SafeString:
    """The rows of a list; its heads sort it where the list can be sorted by them."""
    with remembering():
        columns = worth_showing(_shown(table.columns), rows := list(table.rows)) or _shown(table.columns)
        tags = [_tag(column) for column in columns]
        body = _told_apart("".join(f"<tr>{_row(columns, tags, row, zone)}</tr>\n" for row in rows))
        foot = _foot(columns, tags, table.totals, zone)
        head = _head(columns, caption, kind, sorting)
    return mark_safe(f"{head}<tbody>{body}</tbody>{foot}</table>")  # noqa: S308 - every text in it is escaped below


NO_VERDICTS: Mapping[str, str] = MappingProxyType({})


def attendees_to_html(
    rows: Sequence[AttendeeRow],
    columns: Sequence[Column],
    zone: tzinfo,
    *,
    caption: str,
    opened: str = "",
    verdicts: Mapping[str, str] = NO_VERDICTS,
) -> SafeString:
    """The people of a meeting: each row opens into its sessions and why; open ones are found again by `data-key`.

    The row of the person of the key `opened` is open from the beginning. `verdicts` are sentences by user id.
    """
    with remembering():
        people = _People(_shown(columns), zone, opened, verdicts)
        body = "".join(people.row(row) for row in rows)
        head = _head(people.columns, caption, "people")
    return mark_safe(f"{head}<tbody>{body}</tbody></table>")  # noqa: S308 - as above


def _shown(columns: Sequence[Column]) -> list[Column]:
    return [column for column in columns if Format.HTML in column.shown]


def _head(columns: Sequence[Column], caption: str, kind: str = "", sorting: Sorting | None = None) -> str:
    cells = "".join(_heading(column, sorting) for column in columns)
    return (
        f'<table class="table rows {kind}"><caption class="visually-hidden">{escape(caption)}</caption>'
        f"<thead><tr>{cells}</tr></thead>"
    )


def _heading(column: Column, sorting: Sorting | None) -> str:
    """The head of a column: a link to the order by it, which says the present one."""
    label, kind = escape(str(column.label)), _class(column.kind)
    if column.head_link:
        label = f'<a href="{escape(column.head_link)}" title="{escape(str(column.about))}">{label}</a>'
    if column.head:
        label = f'<span class="visually-hidden">{label}</span>{column.head}'
    if sorting is None or not column.sort or not {column.sort, f"-{column.sort}"} & {*sorting.sorts}:
        return f'<th scope="col" class="{kind}">{label}</th>'
    by, order, arrow = _order(column, sorting)
    address = escape(sorting.address(by))
    return (
        f'<th scope="col" class="{kind} sorts"{order}><a id="by-{column.key}" href="{address}">{label}'
        f'<span class="arrow" aria-hidden="true">{arrow}</span></a></th>'
    )


def _order(column: Column, sorting: Sorting) -> tuple[str, str, str]:
    """What a click on the head asks for, the present order for a screen reader, and for the eye."""
    sort = column.sort
    if sorting.by == sort:
        return f"-{sort}" if f"-{sort}" in sorting.sorts else sort, ' aria-sort="ascending"', "↑"
    if sorting.by == f"-{sort}":
        return sort if sort in sorting.sorts else f"-{sort}", ' aria-sort="descending"', "↓"
    # Of numbers and times the large and the late ones are looked for first.
    wanted = sort if column.kind in _ALPHABETIC else f"-{sort}"
    return wanted if wanted in sorting.sorts else sort, "", ""


def _foot(columns: Sequence[Column], tags: Sequence[str], totals: Mapping[str, Any], zone: tzinfo) -> str:
    """The last row: what all rows together come to."""
    if not totals:
        return ""
    cells = (
        f"{tag}{CELLS[column.kind](totals[column.key], zone)}</td>" if column.key in totals else "<td></td>"
        for tag, column in zip(tags[1:], columns[1:], strict=True)
    )
    return f'<tfoot><tr><th scope="row">{escape(_("Together"))}</th>{"".join(cells)}</tr></tfoot>'


def _class(kind: Kind) -> str:
    return _CLASSES.get(kind, str(kind))


def _tag(column: Column) -> str:
    """What each cell of the column begins with; narrow screens show the label in front of the value."""
    return f'<td data-label="{escape(str(column.label))}" class="{_class(column.kind)}">'


def _row(columns: Sequence[Column], tags: Sequence[str], row: Any, zone: tzinfo) -> str:  # noqa: ANN401 - whatever its columns read
    first = f'<th scope="row">{_cell(columns[0], row, zone)}</th>'
    others = zip(tags[1:], columns[1:], strict=True)
    return first + "".join(_td(tag, column, _cell(column, row, zone)) for tag, column in others)


def _td(tag: str, column: Column, shown: str) -> str:
    """A cell; where nothing is known it says so, and is left out where each row is a card."""
    if shown == words.UNKNOWN and column.kind in _NUMBERS:
        return f'{tag[:-2]} none-seen">{shown}</td>'
    return f"{tag}{shown}</td>"


def _cell(column: Column, row: Any, zone: tzinfo) -> str:  # noqa: ANN401 - as above
    shown = CELLS[column.kind](column.of(row), zone)
    if column.link is None:
        return shown
    address = column.link(row)
    if not address:
        return shown
    # Whoever has the focus on a link has it still when the list was drawn again: it is found by its id.
    return f'<a id="to{_NOT_IN_IDS.sub("-", address)}" href="{escape(address)}">{shown}</a>'


def _told_apart(body: str) -> str:
    """Of several links to one address the first has the id that is made of it, the others are numbered."""
    seen: Counter[str] = Counter()

    def numbered(found: re.Match[str]) -> str:
        seen[found[1]] += 1
        return found[0] if seen[found[1]] == 1 else f'<a id="{found[1]}-{seen[found[1]]}"'

    return _LINK.sub(numbered, body)


# --- one value --------------------------------------------------------------------------------------------------------


def _text(value: str, _zone: tzinfo) -> str:
    """Isolated, so that a name written from right to left does not turn its neighbours."""
    return (
        f"<bdi>{escape(visible(value))}</bdi>"
        if value.strip()
        else f'<span class="nothing">{escape(_("(no name)"))}</span>'
    )


def _id(value: str, _zone: tzinfo) -> str:
    return f"<bdi>{escape(visible(value))}</bdi>" if value.strip() else ""


def _host(value: str, zone: tzinfo) -> str:
    """A long one is broken where it means something."""
    return _text(value, zone).replace(".", ".<wbr>")


def _state(value: tuple[State, int], _zone: tzinfo) -> str:
    return f'<span class="state {value[0]}">{escape(words.state(*value))}</span>'


def _time(value: int | None, zone: tzinfo) -> str:
    return words.UNKNOWN if value is None else f"<time>{escape(words.near_day_and_clock(value, zone))}</time>"


def _unbroken(text: str) -> str:
    """The two ends of an interval stay on one line."""
    return _INTERVAL.sub(r'<span class="interval">\g<0></span>', escape(text))


def _counted(value: Count, _zone: tzinfo) -> str:
    return _plus(str(value.seen), is_exact=value.is_exact) if value != UNSEEN else words.UNKNOWN


def _counted_time(value: Count, _zone: tzinfo) -> str:
    return _plus(words.duration(value.seen), is_exact=value.is_exact) if value != UNSEEN else words.UNKNOWN


def _plus(shown: str, *, is_exact: bool) -> str:
    """Short, as many stand under each other: 3+ is read out as 3 or more."""
    if is_exact:
        return shown
    short = f'<span dir="ltr">{shown}<span aria-hidden="true">+</span></span>'
    return f'{short}<span class="visually-hidden"> {escape(_("or more"))}</span>'


def _came(row: AttendeeRow, zone: tzinfo) -> str:
    """The join that was heard, or else the first time that is certain, which says so."""
    at, proved = row.attendance.first_in_at, row.detail.proved
    if at is None or any(session.joined_at == at for session in row.detail.sessions):
        return _clock(at, row, zone)
    if not proved:
        return words.UNKNOWN
    first = _clock(proved[0][0], row, zone)
    return first if first == _clock(at, row, zone) else _("by %(time)s") % {"time": first}


def _went(row: AttendeeRow, zone: tzinfo) -> str:
    """The leave that was heard, or else the last time that is certain, which says so."""
    if row.attendance.is_present:
        return f'<span class="now">{escape(_("still in"))}</span>'
    at, proved = row.attendance.last_out_at, row.detail.proved
    if at is None or any(session.left_at == at for session in row.detail.sessions):
        return _clock(at, row, zone)
    if not proved:
        return words.UNKNOWN
    last = _clock(proved[-1][1], row, zone)
    return last if last == _clock(at, row, zone) else _("%(time)s or later") % {"time": last}


def _clock(at: int | None, row: AttendeeRow, zone: tzinfo) -> str:
    """The day is the meeting's, and stands elsewhere; what fell on a later one says so."""
    if at is None:
        return words.UNKNOWN
    later = words.days_apart(row.meeting.summary.started_at, at, zone)
    return words.clock(at, zone) + (f' <small dir="ltr">(+{later})</small>' if later else "")


def _json(value: object, _zone: tzinfo) -> str:
    """What has no words of its own: yes or no, or as it is."""
    if isinstance(value, bool):
        return escape(_("yes") if value else _("no"))
    return words.UNKNOWN if value is None else escape(visible(str(value)))


CELLS: dict[Kind, Callable[[Any, tzinfo], str]] = {
    Kind.NAME: _text,
    Kind.TEXT: _text,
    Kind.HOST: _host,
    Kind.ID: _id,
    Kind.SENTENCE: lambda value, _zone: escape(value),
    Kind.STATE: _state,
    Kind.COUNT: lambda value, _zone: words.UNKNOWN if value is None else formatting.number(value),
    Kind.DAY: lambda value, _zone: escape(formatting.short_date(value)),
    Kind.JSON: _json,
    Kind.COUNTED: _counted,
    Kind.COUNTED_TIME: _counted_time,
    Kind.TIME: _time,
    Kind.ENDED: lambda value, zone: _unbroken(words.ended(*value, zone=zone)),
    Kind.DURATION: lambda value, _zone: words.UNKNOWN if value is None else words.duration(value),
    Kind.DURATIONS: lambda value, _zone: _unbroken(words.bounds(value)),
    Kind.SHARES: lambda value, _zone: words.share(value),
    Kind.PART: lambda value, _zone: words.part(value),
    Kind.RECORD: lambda value, _zone: escape(words.record(value)),
    Kind.ROLE: lambda value, _zone: escape(words.role(*value)),
    Kind.CAME: _came,
    Kind.WENT: _went,
    Kind.BAR: presence_bar,
}


def in_words(kind: Kind, value: Any, zone: tzinfo) -> str:  # noqa: ANN401 - a value is of its kind
    """What the page says of a value, without its tags: for paper and terminals."""
    return unescape(_TAG.sub("", CELLS[kind](value, zone))) if kind in CELLS else str(value)


# --- the people of a meeting ------------------------------------------------------------------------------------------


class _People:
    """Draws rows; what is the same in each of them is looked up once."""

    def __init__(self, columns: Sequence[Column], zone: tzinfo, opened: str, verdicts: Mapping[str, str]) -> None:
        self.columns = columns
        self._verdicts = verdicts
        self._zone = zone
        self._opened = opened
        self._tags = [_tag(column) for column in columns]
        self._heard, self._all_meetings = escape(_("What was heard")), escape(_("All their meetings"))
        self._done = (
            (_("chats"), "chats"),
            (_("raised hands"), "raise_hands"),
            (_("reactions"), "emojis"),
            (_("poll answers"), "poll_answers"),
            (_("cameras"), "cameras"),
            (_("times talked"), "talks"),
        )

    def row(self, row: AttendeeRow) -> str:
        """One person: the row that is compared, and the one it opens into."""
        key = bytes(row.attendance.attendee_key).hex()
        is_in = " is-in" if row.attendance.is_present else ""
        is_open = " open" if key == self._opened else ""
        name = _cell(self.columns[0], row, self._zone)
        cells = "".join(map(self._td, self._tags[1:], self.columns[1:], [row] * len(self.columns)))
        return (
            f'<tr class="person{is_in}" id="p-{key}"><th scope="row"><details data-key="{key}"{is_open}>'
            f"<summary>{name}</summary></details></th>{cells}</tr>\n"
            f'<tr class="why"><td colspan="{len(self.columns)}">{self._why(row, key)}</td></tr>\n'
        )

    def _td(self, tag: str, column: Column, row: AttendeeRow) -> str:
        return _td(tag, column, _cell(column, row, self._zone))

    def _why(self, row: AttendeeRow, key: str) -> str:
        parts = [self._sessions(row)]
        parts += [f"<p>{escape(sentence)}</p>" for sentence in self._doubts(row)]
        if row.attendance.kind == "user" and (verdict := self._verdicts.get(row.attendance.external_user_id)):
            parts.append(f"<p>{escape(_('This class: %(verdict)s') % {'verdict': verdict})}</p>")
        facts = f"/meetings/{row.meeting.summary.meeting_id}/facts/{key}"
        links = f'<a href="{facts}">{self._heard}</a>'
        if page := person_page(row.attendance.person_key):
            links += f' · <a href="{page}">{self._all_meetings}</a>'
        return f"{''.join(parts)}<p>{escape(self._engagement(row))}</p><p>{links}</p>"

    def _sessions(self, row: AttendeeRow) -> str:
        """One stay is a sentence or two, several are a list."""
        told = [self._session(session, row) for session in row.detail.sessions]
        if len(told) == 1:
            return f"<p>{told[0]}</p>"
        return f"<ol>{''.join(f'<li>{one}</li>' for one in told)}</ol>"

    def _session(self, session: Session, row: AttendeeRow) -> str:
        room = row.meeting.rooms.get(session.meeting)
        where = f"<bdi>{escape(room.name)}</bdi>: " if room is not None and room.is_breakout else ""
        return where + escape(" ".join(words.why(session, self._zone)))

    def _doubts(self, row: AttendeeRow) -> list[str]:
        """The blind times that make this person's attendance less than certain."""
        until = row.meeting.until
        return [
            words.blind(start, end, cause, self._zone)
            for start, end, cause in row.meeting.detail.blind
            if _total(row.detail.possible, start, end or until) > _total(row.detail.proved, start, end or until)
        ]

    def _engagement(self, row: AttendeeRow) -> str:
        done = row.detail.engagement
        counted = ((name, getattr(done, key)) for name, key in self._done)
        seen = [f"{name}: {words.count(count)}" for name, count in counted if count.seen or count.is_exact]
        seen += [f"{name}: {words.counted_time(time)}" for name, time in self._timed(done) if time != UNSEEN]
        unknown = [name for name, time in self._timed(done)[:2] if time == UNSEEN]
        what = formatting.listed(seen, have_commas=True)
        told = _("Seen of them: %(what)s.") % {"what": what} if seen else _("No activity was seen.")
        # Nobody shall take what no witness could tell for none.
        return f"{told} {_('Not known: %(what)s.') % {'what': formatting.listed(unknown)}}" if unknown else told

    @staticmethod
    def _timed(done: Engagement) -> tuple[tuple[str, Count], ...]:
        return (
            (_("talk time"), done.talk_ms),
            (_("time away"), done.away_ms),
            (_("time with a camera on"), done.camera_ms),
        )


def _total(spans: Iterable[OpenSpan], start: int, end: int) -> int:
    """How much of a time the spans fill, in ms."""
    inside = (min(end if ends is None else ends, end) - max(begins, start) for begins, ends in spans)
    return sum(length for length in inside if length > 0)
