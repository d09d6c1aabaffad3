"""A course at a glance: people below each other, its meetings beside each other, and how much of each they attended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy, ngettext

from rollcall.reports import words
from rollcall.reports.pictures import drawing
from rollcall.reports.pictures.drawing import Drawn
from rollcall.reports.pictures.labels import day_and_month, short_clock, short_share
from rollcall.reports.rows import Column, Kind, Shares, Table
from rollcall.wording import formatting
from rollcall.wording.translating import gettext as _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import tzinfo

_NAMES, _ROW, _FOOT = 170, 18, 30
_ROOMY, _NARROW = 56, 14
"""How wide a meeting is: with a number beside each gauge, or without."""

_FEW = 12
"""So many meetings have room for numbers."""

_GAUGE = 10


@dataclass(frozen=True, slots=True)
class MatrixMeeting:
    """One column."""

    started_at: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class MatrixPerson:
    """One row: a share for each meeting, None where they were not seen."""

    name: str
    shares: Sequence[Shares | None]


def course_matrix(
    people: Sequence[MatrixPerson],
    meetings: Sequence[MatrixMeeting],
    zone: tzinfo,
    *,
    part: tuple[int, int] = (200, 60),
) -> list[Drawn]:
    """Who attended how much of what; of a larger course several pictures of at most (people, meetings)."""
    (rows, columns), pieces = part, []
    for left in range(0, len(meetings), columns):
        some = meetings[left : left + columns]
        for top in range(0, len(people), rows):
            shown = [MatrixPerson(one.name, one.shares[left : left + columns]) for one in people[top : top + rows]]
            pieces.append((shown, some))
    return [_Matrix(number, *piece, zone).drawn(len(pieces)) for number, piece in enumerate(pieces, 1)]


class _Matrix:
    """One picture."""

    def __init__(
        self, number: int, people: Sequence[MatrixPerson], meetings: Sequence[MatrixMeeting], zone: tzinfo
    ) -> None:
        self._number, self._name = number, f"matrix-{number}"
        self._people, self._meetings, self._zone = people, meetings, zone
        self._is_roomy = len(meetings) <= _FEW
        self._column = _ROOMY if self._is_roomy else _NARROW
        self._head = 34 if self._is_roomy else 58
        self._wide = max(_NAMES + self._column * len(meetings), 420)
        self._flow = drawing.across(self._wide)
        self._bottom = self._head + _ROW * len(people)

    def drawn(self, parts: int) -> Drawn:
        title = _("Share of each meeting attended, in percent")
        if parts > 1:
            title = _("Share of each meeting attended, in percent (%(part)d of %(parts)d)") % {
                "part": self._number,
                "parts": parts,
            }
        marks = [*self._grid(), *self._names(), *self._heads(), *self._gauges(), self._legend()]
        size = (self._wide, self._bottom + _FOOT)
        picture = drawing.picture(self._name, (title, self._told()), size, marks, fluid=False)
        return Drawn(picture, _matrix_table(self._people, self._meetings, self._zone))

    # --- what is drawn ---

    def _left(self, column: int) -> float:
        return _NAMES + self._column * column

    def _grid(self) -> Iterator[str]:
        right = self._left(len(self._meetings))
        edges = (self._flow.left(0), self._flow.left(right))
        for row in range(len(self._people) + 1):
            y = self._head + _ROW * row
            yield drawing.line("grid", (edges[0], y, edges[1], y), drawing.LINE)
        for column in range(len(self._meetings) + 1):
            x = self._flow.left(self._left(column))
            yield drawing.line("grid", (x, self._head, x, self._bottom), drawing.LINE)

    def _names(self) -> Iterator[str]:
        x, anchor = self._flow.left(2), self._flow.anchor("start")
        for row, person in enumerate(self._people):
            name = drawing.shortened(person.name, 26) or _("(no name)")
            yield drawing.text(x, self._head + _ROW * row + 13, name, anchor)

    def _heads(self) -> Iterator[str]:
        for column, meeting in enumerate(self._meetings):
            at = words.moment(meeting.started_at, self._zone)
            x, day = self._flow.left(self._left(column) + self._column / 2), drawing.ours(day_and_month(at.date()))
            if self._is_roomy:
                yield drawing.text(x, 14, day, "middle", "quiet")
                yield drawing.text(x, 27, short_clock(meeting.started_at, self._zone), "middle", "quiet small")
            else:
                upright = drawing.text(0, 0, day, "start", "quiet small")
                yield f'<g transform="translate({drawing.number(x + 3.5)} {self._head - 5}) rotate(-90)">{upright}</g>'

    def _gauges(self) -> Iterator[str]:
        """Each cell is full to its share, from below: all of them in two paths, as there may be 12,000."""
        solid, striped, frames = [], [], []
        inset = 3 if self._is_roomy else (_NARROW - _GAUGE) / 2
        for row, person in enumerate(self._people):
            foot = self._head + _ROW * (row + 1) - 2
            for column, share in enumerate(person.shares):
                if share is None:
                    continue
                x = drawing.number(self._flow.left(self._left(column) + inset, _GAUGE))
                low, high = (round((_ROW - 4) * one, 1) for one in share)
                frames.append(f"M{x} {foot}h{_GAUGE}v-{_ROW - 4}h-{_GAUGE}z")
                if low:
                    solid.append(f"M{x} {foot}h{_GAUGE}v-{low:g}h-{_GAUGE}z")
                if high > low:
                    striped.append(
                        f"M{x} {drawing.number(foot - low)}h{_GAUGE}v-{drawing.number(high - low)}h-{_GAUGE}z"
                    )
                if self._is_roomy:
                    yield self._numbered(column, foot, share)
        yield f'<path class="frames" d="{"".join(frames)}" fill="none" stroke="{drawing.QUIET}" stroke-width="0.5"/>'
        yield f'<path class="possible" d="{"".join(striped)}" fill="{drawing.finely_hatched(self._name)}"/>'
        yield f'<path class="proved" d="{"".join(solid)}" fill="{drawing.PROVED}"/>'

    def _numbered(self, column: int, foot: float, share: Shares) -> str:
        x = self._flow.left(self._left(column) + _GAUGE + 6)
        shown = short_share(share)
        return drawing.text(x, foot - 3, shown, self._flow.anchor("start"), "small")

    def _legend(self) -> str:
        keys = [("proved", drawing.PROVED, _("certainly there"))]
        keys.append(("possible", drawing.hatched(self._name), _("possibly there")))
        return drawing.legend(self._bottom + 20, keys, self._flow)

    # --- what it says ---

    def _told(self) -> str:
        people = ngettext("%(count)d person", "%(count)d people", len(self._people)) % {"count": len(self._people)}
        meetings = ngettext("%(count)d meeting", "%(count)d meetings", len(self._meetings)) % {
            "count": len(self._meetings)
        }
        told = [
            _("%(people)s and %(meetings)s. A blank cell: not seen there.") % {"people": people, "meetings": meetings}
        ]
        seen = [
            sum(person.shares[column] is not None for person in self._people) for column in range(len(self._meetings))
        ]
        if seen and self._people:
            most = max(seen)
            at = self._meetings[seen.index(most)].started_at
            told.append(
                ngettext(
                    "Most were seen on %(day)s: %(count)d person.", "Most were seen on %(day)s: %(count)d people.", most
                )
                % {"count": most, "day": words.day_and_clock(at, self._zone)}
            )
        return " ".join(told)


def _matrix_table(people: Sequence[MatrixPerson], meetings: Sequence[MatrixMeeting], zone: tzinfo) -> Table:
    name = Column("name", gettext_lazy("Name"), Kind.TEXT, lambda person: person.name)
    columns = [
        Column(f"meeting_{index}", words.day_and_clock(meeting.started_at, zone), Kind.TEXT, _share_at(index))
        for index, meeting in enumerate(meetings)
    ]
    return Table("picture-matrix/1", "people", [name, *columns], people)


def _share_at(index: int) -> Callable[[MatrixPerson], str]:
    def shown(person: MatrixPerson) -> str:
        share = person.shares[index]
        return words.UNKNOWN if share is None else formatting.percent(*(round(100 * one) for one in share))

    return shown
