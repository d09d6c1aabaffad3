"""How many were present at each moment of a class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy, ngettext

from rollcall.reports import words
from rollcall.reports.pictures import drawing
from rollcall.reports.pictures.counting import bins, half_there, levels, most_possible, peak
from rollcall.reports.pictures.drawing import Drawn
from rollcall.reports.pictures.labels import short_clock
from rollcall.reports.pictures.ticks import edge_anchor, step_for, ticks
from rollcall.reports.rows import Column, Kind, Table
from rollcall.wording import formatting
from rollcall.wording.translating import gettext as _

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from rollcall.reports.meeting_rows import AttendeeRow, MeetingRow
    from rollcall.reports.pictures.counting import Bin, Level

_NAME = "present"
_WIDE = 760
"""Of the picture by itself; in a page it is as wide as there is room."""

_TOP, _HIGH = 24, 120
_BOTTOM = _TOP + _HIGH
_LINES = 40
"""At most so many in its table."""


def people_present(rows: Sequence[AttendeeRow], meeting: MeetingRow, zone: tzinfo) -> Drawn:
    """Solid who was certainly there, hatched above who may have been. `rows` are all the people of the meeting."""
    people = ((row.detail.proved, row.detail.possible) for row in rows)
    return _Present(levels(people, meeting.summary.started_at, meeting.until), meeting, zone).drawn()


class _Present:
    """The picture of one class."""

    def __init__(self, counted: Sequence[Level], meeting: MeetingRow, zone: tzinfo) -> None:
        self._counted, self._meeting, self._zone = counted, meeting, zone
        self._start, self._until = meeting.summary.started_at, meeting.until
        self._peak, self._most = peak(counted), most_possible(counted)
        self._highest = _round_above(self._most.number)
        self._flow = drawing.across_percent()

    def drawn(self) -> Drawn:
        keys = self._keys()
        size = (_WIDE, _BOTTOM + 24 + drawing.KEY_HEIGHT * len(keys))
        marks = [*self._areas(), *self._scale(), *self._axis(), self._named_peak()]
        marks.append(drawing.legend(_BOTTOM + 38, keys, self._flow))
        title = _("How many were present at each moment")
        return Drawn(drawing.picture(_NAME, (title, self._told()), size, marks, fluid=True), self._table())

    # --- what is drawn ---

    def _keys(self) -> list[tuple[str, str, str]]:
        keys = [("proved", drawing.PROVED, _("certainly there"))]
        if any(level.possible > level.certain for level in self._counted):
            keys.append(("possible", drawing.hatched(_NAME), _("possibly there")))
        if self._meeting.detail.blind:
            keys.append(("blind", drawing.dotted(_NAME), _("messages may be missing")))
        return keys

    def _areas(self) -> Iterator[str]:
        for begins, ends, _cause in self._meeting.detail.blind:
            left, right = self._part(begins), self._part(self._until if ends is None else ends)
            if right > left:
                x, wide = self._flow.place(100 * left, 100 * (right - left)), f"{drawing.number(100 * (right - left))}%"
                yield drawing.rect("blind", (x, _TOP, wide, _HIGH), drawing.dotted(_NAME))
        possible = [(level.at, level.possible) for level in self._counted]
        certain = [(level.at, level.certain) for level in self._counted]
        yield from self._area("possible", possible, drawing.hatched(_NAME))
        yield from self._area("proved", certain, drawing.PROVED)

    def _area(self, kind: str, steps: Sequence[tuple[int, int]], fill: str) -> Iterator[str]:
        """A rectangle that is cut into shape: so its stripes stay as they are, however wide it is drawn."""
        path = outline([(self._part(at), number / self._highest) for at, number in steps], self._flow.is_mirrored)
        identity = f"{_NAME}-{kind}-area"
        yield f'<clipPath id="{identity}" clipPathUnits="objectBoundingBox"><path d="{path}"/></clipPath>'
        yield drawing.rect(kind, (0, _TOP, "100%", _HIGH), fill, f' clip-path="url(#{identity})"')

    def _part(self, at: int) -> float:
        return min(1.0, max(0.0, (at - self._start) / (self._until - self._start)))

    def _scale(self) -> Iterator[str]:
        """Lines for none, half and the highest, where half is a whole number."""
        half = [self._highest // 2] if self._highest % 2 == 0 else []
        yield drawing.line("axis-line", (0, _BOTTOM, "100%", _BOTTOM), drawing.QUIET)
        for number in [*half, self._highest]:
            y = _BOTTOM - _HIGH * number / self._highest
            yield drawing.line("grid", (0, y, "100%", y), drawing.LINE, ' stroke-dasharray="2 3"')
            shown = formatting.number(number)
            yield drawing.text(self._flow.place(0), y + 11, shown, self._flow.anchor("start"), "quiet halo")

    def _axis(self) -> Iterator[str]:
        for tick in ticks(self._start, self._until, self._zone):
            x = self._flow.place(100 * tick.part)
            side = edge_anchor(tick.part)
            yield drawing.line("grid", (x, _BOTTOM, x, _BOTTOM + 4), drawing.QUIET)
            kind = "quiet minor" if tick.is_minor else "quiet"
            yield drawing.text(x, _BOTTOM + 16, tick.label, self._flow.anchor(side), kind)

    def _named_peak(self) -> str:
        if not self._peak.number:
            return ""
        part = self._part(self._peak.at)
        side = "start" if part < 0.2 else "end" if part > 0.8 else "middle"
        x, y = self._flow.place(100 * part), _BOTTOM - _HIGH * self._peak.number / self._highest
        words_of_it = {"count": formatting.number(self._peak.number), "time": short_clock(self._peak.at, self._zone)}
        named = drawing.ours(_("%(count)s at %(time)s") % words_of_it)
        return drawing.line("axis-line", (x, _TOP - 8, x, y), drawing.QUIET) + drawing.text(
            x, _TOP - 12, named, self._flow.anchor(side), "strong"
        )

    # --- what it says ---

    def _told(self) -> str:
        if not self._most.number:
            return _("Nobody was seen in this class.")
        return " ".join(self._sentences())

    def _sentences(self) -> Iterator[str]:
        if self._peak.number:
            yield ngettext(
                "At most %(count)d person was certainly there at the same time, first at %(time)s.",
                "At most %(count)d people were certainly there at the same time, first at %(time)s.",
                self._peak.number,
            ) % {"count": self._peak.number, "time": words.clock(self._peak.at, self._zone)}
        if self._peak.number > 1:
            begin, end = half_there(self._counted, self._until)
            yield _("Half of them or more were there from %(begin)s to %(end)s.") % {
                "begin": words.clock(begin, self._zone),
                "end": words.clock(end, self._zone),
            }
        if self._most.number > self._peak.number:
            yield ngettext(
                "It is possible that %(count)d person was there at %(time)s.",
                "It is possible that %(count)d people were there at %(time)s.",
                self._most.number,
            ) % {"count": self._most.number, "time": words.clock(self._most.at, self._zone)}
        if self._meeting.is_running:
            yield _("The class is still running; this is as of %(time)s.") % {
                "time": words.clock(self._until, self._zone)
            }

    def _table(self) -> Table:
        columns = (
            Column("at", gettext_lazy("From"), Kind.TEXT, self._clock),
            Column("fewest", gettext_lazy("Certainly there, fewest"), Kind.COUNT, lambda row: row.fewest),
            Column("most", gettext_lazy("Certainly there, most"), Kind.COUNT, lambda row: row.most),
            Column("possible", gettext_lazy("Possibly there, most"), Kind.COUNT, lambda row: row.possible),
        )
        step = step_for(self._until - self._start, _LINES)
        return Table("picture-present/1", "times", columns, bins(self._counted, self._until, step))

    def _clock(self, row: Bin) -> str:
        return words.clock(row.at, self._zone)


def _round_above(number: int) -> int:
    """The end of a scale: the next of 1, 2, 3, 4, 5, 6, 8, 10, 20, 30 … that is not below."""
    power = 1
    while 10 * power < number:
        power *= 10
    return next(factor * power for factor in (1, 2, 3, 4, 5, 6, 8, 10) if factor * power >= number)


_FINEST = 1000
"""Steps nearer to each other than a part of so many are one line from the lowest to the highest of them."""


def outline(steps: Sequence[tuple[float, float]], is_mirrored: bool) -> str:  # noqa: FBT001 - clear where it is called
    """A path of steps (where, how high) that go on to the right edge; all of it within 0 and 1."""
    columns: dict[int, list[float]] = {}
    for x, high in steps:
        columns.setdefault(round(x * _FINEST), []).append(high)
    path, last = ["M0 1" if not is_mirrored else "M1 1"], 0.0
    for column, heights in columns.items():
        x = column / _FINEST
        path.append(f"H{1 - x if is_mirrored else x:.4g}")
        # Those between the first and the last are drawn too, but only where they reach beyond what is drawn anyway.
        for high in heights if len(heights) < 3 else (min(heights), max(heights), heights[-1]):
            if high != last:
                path.append(f"V{1 - high:.4g}")
                last = high
    path.append("H0V1Z" if is_mirrored else "H1V1Z")
    return "".join(path)
