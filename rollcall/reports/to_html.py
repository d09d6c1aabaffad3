"""A Table as HTML. Written here and not in a template because a class of 300 is drawn again every second."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from rollcall.reports import words
from rollcall.reports.pictures import presence_bar
from rollcall.reports.rows import AttendeeRow, Bounds, Format, Kind, person_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import tzinfo

    from rollcall.reports.details import Count, OpenSpan, Session
    from rollcall.reports.rows import Column, Table
    from rollcall.store.reading import State

_CLASSES = dict.fromkeys((Kind.COUNT, Kind.COUNTED, Kind.DURATION, Kind.DURATIONS, Kind.SHARES), "number")
_CLASSES |= {Kind.BAR: "bar-cell", Kind.STATE: "state-cell"}


def to_html(table: Table, zone: tzinfo, *, caption: str, columns: Sequence[Column] | None = None) -> SafeString:
    """The rows of a list; `columns` picks and orders some of the table's."""
    shown = [column for column in columns or table.columns if Format.HTML in column.shown]
    rows = "".join(f"<tr>{_row(shown, row, zone)}</tr>\n" for row in table.rows)
    return mark_safe(f"{_head(shown, caption)}<tbody>{rows}</tbody></table>")  # noqa: S308 - every text in it is escaped below


def attendees_to_html(rows: Sequence[AttendeeRow], columns: Sequence[Column], zone: tzinfo, *, caption: str) -> SafeString:
    """The people of a meeting: each row opens into its sessions and why; open ones are found again by `data-key`."""
    shown = [column for column in columns if Format.HTML in column.shown]
    body = "".join(_attendee(row, shown, zone) for row in rows)
    return mark_safe(f"{_head(shown, caption, kind='people')}<tbody>{body}</tbody></table>")  # noqa: S308 - as above


def _head(columns: Sequence[Column], caption: str, kind: str = "") -> str:
    cells = "".join(f'<th scope="col" class="{_class(column.kind)}">{escape(str(column.label))}</th>' for column in columns)
    return (
        f'<table class="table rows {kind}"><caption class="visually-hidden">{escape(caption)}</caption>'
        f"<thead><tr>{cells}</tr></thead>"
    )


def _class(kind: Kind) -> str:
    return _CLASSES.get(kind, str(kind))


def _row(columns: Sequence[Column], row: Any, zone: tzinfo) -> str:  # noqa: ANN401 - a row is whatever its columns read
    first, *others = columns
    return f'<th scope="row">{_cell(first, row, zone)}</th>' + "".join(_td(column, row, zone) for column in others)


def _td(column: Column, row: Any, zone: tzinfo) -> str:  # noqa: ANN401 - as above
    label = escape(str(column.label))
    none_seen = " none-seen" if column.kind is Kind.COUNTED and not column.of(row).seen else ""
    return f'<td data-label="{label}" class="{_class(column.kind)}{none_seen}">{_cell(column, row, zone)}</td>'


def _cell(column: Column, row: Any, zone: tzinfo) -> str:  # noqa: ANN401 - as above
    shown = CELLS[column.kind](column.of(row), zone)
    if column.link is None:
        return shown
    address = column.link(row)
    return f'<a href="{escape(address)}">{shown}</a>' if address else shown


# --- one value --------------------------------------------------------------------------------------------------------


def _text(value: str, _zone: tzinfo) -> str:
    """Isolated, so that a name written from right to left does not turn its neighbours."""
    return f"<bdi>{escape(value)}</bdi>" if value.strip() else f'<span class="nothing">{escape(_("(no name)"))}</span>'


def _state(value: tuple[State, int], _zone: tzinfo) -> str:
    return f'<span class="state {value[0]}">{escape(words.state(*value))}</span>'


def _time(value: int | None, zone: tzinfo) -> str:
    return words.UNKNOWN if value is None else f"<time>{escape(words.day_and_clock(value, zone))}</time>"


def _counted(value: Count, _zone: tzinfo) -> str:
    """Short, as many stand under each other: 3+ is read out as 3 or more."""
    if value.is_exact:
        return str(value.seen)
    if not value.seen:
        return f'<span aria-hidden="true">–</span><span class="visually-hidden">{escape(_("none seen"))}</span>'
    return f'{value.seen}<span aria-hidden="true">+</span><span class="visually-hidden"> {escape(_("or more"))}</span>'


CELLS: dict[Kind, Callable[[Any, tzinfo], str]] = {
    Kind.TEXT: _text,
    Kind.STATE: _state,
    Kind.COUNT: lambda value, _zone: str(value),
    Kind.COUNTED: _counted,
    Kind.TIME: _time,
    Kind.ENDED: lambda value, zone: escape(words.ended(*value, zone=zone)),
    Kind.DURATION: lambda value, _zone: words.UNKNOWN if value is None else words.duration(value),
    Kind.DURATIONS: lambda value, _zone: escape(words.bounds(value)),
    Kind.SHARES: lambda value, _zone: words.share(value),
    Kind.ROLE: lambda value, _zone: escape(words.role(*value)),
    Kind.BAR: presence_bar,
}

# --- one person of a meeting ------------------------------------------------------------------------------------------


def _attendee(row: AttendeeRow, columns: Sequence[Column], zone: tzinfo) -> str:
    key = bytes(row.attendance.attendee_key).hex()
    first, *others = columns
    is_in = " is-in" if row.attendance.is_present else ""
    cells = "".join(_attendee_td(column, row, zone) for column in others)
    return (
        f'<tr class="person{is_in}"><th scope="row"><details data-key="{key}"><summary>{_cell(first, row, zone)}</summary>'
        f"</details></th>{cells}</tr>\n"
        f'<tr class="why"><td colspan="{len(columns)}">{_why(row, key, zone)}</td></tr>\n'
    )


def _attendee_td(column: Column, row: AttendeeRow, zone: tzinfo) -> str:
    """In a meeting the day is known, and a time is told by the clock alone."""
    if column.key not in _CLOCKS:
        return _td(column, row, zone)
    label = escape(str(column.label))
    return f'<td data-label="{label}" class="time">{_CLOCKS[column.key](row, zone)}</td>'


def _came(row: AttendeeRow, zone: tzinfo) -> str:
    """The join that was heard, or else the first time that is certain, which says so."""
    at, proved = row.attendance.first_in_at, row.detail.proved
    if at is None or any(session.joined_at == at for session in row.detail.sessions):
        return _time_of_day(at, row, zone)
    if not proved:
        return words.UNKNOWN
    first = _time_of_day(proved[0][0], row, zone)
    return first if proved[0][0] == at else _("by %(time)s") % {"time": first}


def _went(row: AttendeeRow, zone: tzinfo) -> str:
    """The leave that was heard, or else the last time that is certain, which says so."""
    if row.attendance.is_present:
        return f'<span class="now">{escape(_("still in"))}</span>'
    at, proved = row.attendance.last_out_at, row.detail.proved
    if at is None or any(session.left_at == at for session in row.detail.sessions):
        return _time_of_day(at, row, zone)
    if not proved:
        return words.UNKNOWN
    last = _time_of_day(proved[-1][1], row, zone)
    return last if proved[-1][1] == at else _("%(time)s or later") % {"time": last}


_CLOCKS = {"first_in_at": _came, "last_out_at": _went}


def _time_of_day(at: int | None, row: AttendeeRow, zone: tzinfo) -> str:
    """By the clock; what fell on a later day says so."""
    if at is None:
        return words.UNKNOWN
    later = words.days_apart(row.meeting.summary.started_at, at, zone)
    return words.clock(at, zone) + (f" <small>(+{later})</small>" if later else "")


def _why(row: AttendeeRow, key: str, zone: tzinfo) -> str:
    parts = [_session(session, row, zone) for session in row.detail.sessions]
    parts += [f"<p>{escape(sentence)}</p>" for sentence in _doubts(row, zone)]
    links = [(f"/meetings/{row.meeting.summary.meeting_id}/facts/{key}", _("What was heard"))]
    if page := person_page(row.attendance.person_key):
        links.append((page, _("All their meetings")))
    parts.append(f"<p>{escape(_engagement(row))}</p>")
    parts.append("<p>" + " · ".join(f'<a href="{href}">{escape(words)}</a>' for href, words in links) + "</p>")
    return "".join(parts)


def _session(session: Session, row: AttendeeRow, zone: tzinfo) -> str:
    rooms = {room.meeting: room for room in row.meeting.detail.meetings}
    room = rooms.get(session.meeting)
    where = f"<bdi>{escape(room.name)}</bdi>: " if room is not None and room.is_breakout else ""
    return f"<p>{where}{escape(' '.join(words.why(session, zone)))}</p>"


def _doubts(row: AttendeeRow, zone: tzinfo) -> list[str]:
    """The blind times that make this person's attendance less than certain."""
    until = row.meeting.until
    return [
        words.blind(start, end, cause, zone)
        for start, end, cause in row.meeting.detail.blind
        if _total(row.detail.possible, start, end or until) > _total(row.detail.proved, start, end or until)
    ]


def _total(spans: Iterable[OpenSpan], start: int, end: int) -> int:
    """How much of a time the spans fill, in ms."""
    inside = (min(end if ends is None else ends, end) - max(begins, start) for begins, ends in spans)
    return sum(length for length in inside if length > 0)


def _engagement(row: AttendeeRow) -> str:
    done = row.detail.engagement
    counted = (
        (_("chats"), done.chats),
        (_("raised hands"), done.raise_hands),
        (_("reactions"), done.emojis),
        (_("poll answers"), done.poll_answers),
        (_("cameras"), done.cameras),
    )
    seen = [f"{name}: {words.count(count)}" for name, count in counted if count.seen or count.is_exact]
    if done.talk_ms.is_exact or done.talk_ms.seen:
        talked = Bounds(done.talk_ms.seen, done.talk_ms.seen if done.talk_ms.is_exact else None)
        seen.append(_("talked: %(time)s") % {"time": words.bounds(talked)})
    return _("Seen of them: %(what)s.") % {"what": "; ".join(seen)} if seen else _("No activity was seen.")
