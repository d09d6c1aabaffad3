"""Who was there when: a bar for each person, by itself for a row of a page, or all of a class as one picture."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy, ngettext

from rollcall.reports import words
from rollcall.reports.pictures import drawing
from rollcall.reports.pictures.drawing import Drawn
from rollcall.reports.pictures.ticks import edge_anchor, ticks
from rollcall.reports.rows import Column, Kind, Table
from rollcall.wording import formatting
from rollcall.wording.translating import gettext as _

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import tzinfo

    from rollcall.reports.details import OpenSpan
    from rollcall.reports.meeting_rows import AttendeeRow, MeetingRow
    from rollcall.reports.pictures.ticks import Tick

# Once in each page that has bars: hatched is what may have been.
PATTERNS = (
    '<svg class="patterns" aria-hidden="true" focusable="false"><defs>'
    f"{drawing.possible_pattern('possible')}{drawing.blind_pattern('blind')}</defs></svg>"
)

_THINNEST = 0.3
"""Percent: an instant, such as one listing, is still to be seen."""

_FIRST_STRIPE = 0.7
"""Percent, about 2 px of a bar: stripes beside what is proved say nothing where there is no room for them."""

# --- one bar in a row of a page: drawn again every second, so it is made of as little as possible ---------------------


def presence_bar(row: AttendeeRow, zone: tzinfo) -> str:
    """When one person was there within the class: proved solid, possible hatched, blind times shaded behind."""
    meeting = row.meeting
    marks = [*_blind(meeting)]
    marks += _rectangles("possible", _worth_stripes(row), meeting)
    marks += _rectangles("proved", row.detail.proved, meeting)
    label = escape(words.when(row, zone))
    return f'<svg class="bar" role="img" aria-label="{label}"><title>{label}</title>{"".join(marks)}</svg>'


def time_axis(meeting: MeetingRow, zone: tzinfo) -> str:
    """The clock above the bars of a page; in words the column's heading tells it."""
    flow = drawing.across_percent()
    marks = []
    for tick in ticks(meeting.summary.started_at, meeting.until, zone, most=5):
        x = flow.place(100 * tick.part)
        kind, side = (' class="minor"' if tick.is_minor else ""), flow.anchor(edge_anchor(tick.part))
        label = f'<text{kind} x="{x}" y="10" text-anchor="{side}">{drawing.clean(tick.label)}</text>'
        marks.append(f'<line x1="{x}" x2="{x}" y1="14" y2="19"/>{label}')
    svg = f'<svg class="axis" aria-hidden="true" focusable="false" direction="ltr">{"".join(marks)}</svg>'
    return f'<div class="axis-box">{svg}</div>'


def _worth_stripes(row: AttendeeRow) -> Iterator[tuple[int, int]]:
    """What is possible and not proved, in epoch ms, without the slivers; all of it where nothing is proved."""
    until = row.meeting.until
    shortest = _FIRST_STRIPE / 100 * (until - row.meeting.summary.started_at)
    for begins, ends in row.detail.possible:
        end = until if ends is None else ends
        proved = [span for span in row.detail.proved if begins <= span[0] and span[1] <= end]
        if not proved:
            yield begins, end
            continue
        edges = [begins, *(edge for span in proved for edge in span), end]
        yield from (gap for gap in zip(edges[::2], edges[1::2], strict=True) if gap[1] - gap[0] >= shortest)


def _blind(meeting: MeetingRow) -> list[str]:
    return _rectangles("blind", ((start, end) for start, end, _ in meeting.detail.blind), meeting)


def _rectangles(name: str, spans: Iterable[OpenSpan], meeting: MeetingRow) -> list[str]:
    return [
        f'<rect class="{name}" x="{left:.2f}%" width="{wide:.2f}%" height="100%"/>'
        for left, wide in _places(spans, meeting)
    ]


def _places(spans: Iterable[OpenSpan], meeting: MeetingRow) -> Iterator[tuple[float, float]]:
    """(left, width) in percent of the class, of what lies within it."""
    start, until = meeting.summary.started_at, meeting.until
    for begins, ends in spans:
        left = max(0.0, 100 * (begins - start) / (until - start))
        right = min(100.0, 100 * ((until if ends is None else ends) - start) / (until - start))
        if right >= 0 and left <= 100:
            wide = max(right - left, _THINNEST)
            yield min(left, 100 - wide), wide


# --- a class, as one picture ------------------------------------------------------------------------------------------

_WIDE, _NAMES, _TIMES = 760, 168, 118
_BARS = _WIDE - _NAMES - _TIMES
_TOP, _ROW, _BAR = 22, 17, 11


def class_bars(rows: Sequence[AttendeeRow], meeting: MeetingRow, zone: tzinfo, *, part: int = 40) -> list[Drawn]:
    """Everybody's bar under one clock, with name and time; of a large class several pictures of `part` people."""
    parts = [rows[begin : begin + part] for begin in range(0, len(rows), part)]
    axis = ticks(meeting.summary.started_at, meeting.until, zone, most=8)
    return [
        _ClassBars(f"bars-{number}", some, meeting, zone).drawn(axis, (number, len(parts)))
        for number, some in enumerate(parts, 1)
    ]


class _ClassBars:
    """One picture."""

    def __init__(self, name: str, rows: Sequence[AttendeeRow], meeting: MeetingRow, zone: tzinfo) -> None:
        self._name, self._rows, self._meeting, self._zone = name, rows, meeting, zone
        self._flow = drawing.across(_WIDE)
        self._bottom = _TOP + _ROW * len(rows)

    def drawn(self, axis: Sequence[Tick], part: tuple[int, int]) -> Drawn:
        marks = [*self._behind(axis), *map(self._row, range(len(self._rows)), self._rows), self._legend()]
        title = _("Who was there when")
        if part[1] > 1:
            title = _("Who was there when (%(part)d of %(parts)d)") % {"part": part[0], "parts": part[1]}
        size = (_WIDE, self._bottom + 28)
        picture = drawing.picture(self._name, (title, self._told()), size, marks, fluid=False)
        return Drawn(picture, _bars_table(self._rows, self._zone))

    def _told(self) -> str:
        number, meeting = len(self._rows), self._meeting
        begin, end = (words.clock(at, self._zone) for at in (meeting.summary.started_at, meeting.until))
        told = ngettext(
            "When %(count)d person was there, between %(begin)s and %(end)s.",
            "When %(count)d people were there, between %(begin)s and %(end)s.",
            number,
        ) % {"count": number, "begin": begin, "end": end}
        unsure = sum(row.detail.proved != row.detail.possible for row in self._rows)
        if not unsure:
            return told
        doubt = ngettext(
            "The time of %(count)d person is not certain to the second.",
            "The time of %(count)d people is not certain to the second.",
            unsure,
        ) % {"count": unsure}
        return f"{told} {doubt}"

    def _behind(self, axis: Sequence[Tick]) -> Iterator[str]:
        spans = [(start, end) for start, end, _ in self._meeting.detail.blind]
        high = self._bottom - _TOP
        yield from self._shapes("blind", spans, (_TOP, high), drawing.dotted(self._name))
        for tick in axis:
            x = self._flow.left(_NAMES + _BARS * tick.part)
            yield drawing.line("grid", (x, _TOP - 4, x, self._bottom), drawing.LINE)
            yield drawing.text(x, _TOP - 9, tick.label, "middle", "quiet")

    def _row(self, index: int, row: AttendeeRow) -> str:
        y, flow = _TOP + _ROW * index + 3, self._flow
        name = drawing.shortened(row.attendance.name, 26) or _("(no name)")
        shapes = self._shapes("possible", _worth_stripes(row), (y, _BAR), drawing.hatched(self._name))
        shapes += self._shapes("proved", row.detail.proved, (y, _BAR), drawing.PROVED)
        told = drawing.text(flow.left(0), y + 9.5, name, flow.anchor("start"))
        time = drawing.text(flow.left(_WIDE), y + 9.5, words.bounds(row.time), flow.anchor("end"), "quiet")
        return told + "".join(shapes) + time

    def _shapes(self, kind: str, spans: Iterable[OpenSpan], down: tuple[float, float], fill: str) -> list[str]:
        y, high = down
        scale = _BARS / 100
        return [
            drawing.rect(kind, (self._flow.left(_NAMES + left * scale, wide * scale), y, wide * scale, high), fill)
            for left, wide in _places(spans, self._meeting)
        ]

    def _legend(self) -> str:
        keys = [("proved", drawing.PROVED, _("certainly there"))]
        keys.append(("possible", drawing.hatched(self._name), _("possibly there")))
        if self._meeting.detail.blind:
            keys.append(("blind", drawing.dotted(self._name), _("messages may be missing")))
        return drawing.legend(self._bottom + 20, keys, self._flow)


def _bars_table(rows: Sequence[AttendeeRow], zone: tzinfo) -> Table:
    columns = (
        Column("name", gettext_lazy("Name"), Kind.TEXT, lambda row: row.attendance.name),
        Column("proved", gettext_lazy("Certainly there"), Kind.TEXT, lambda row: _spans(row.detail.proved, row, zone)),
        Column(
            "possible", gettext_lazy("Possibly there"), Kind.TEXT, lambda row: _spans(row.detail.possible, row, zone)
        ),
        Column("time", gettext_lazy("Time"), Kind.DURATIONS, lambda row: row.time),
    )
    return Table("picture-bars/1", "people", columns, rows)


def _spans(spans: Iterable[OpenSpan], row: AttendeeRow, zone: tzinfo) -> str:
    until = row.meeting.until
    told = (
        formatting.interval(words.clock(start, zone), words.clock(until if end is None else end, zone))
        for start, end in spans
    )
    return formatting.listed(told) or words.UNKNOWN
