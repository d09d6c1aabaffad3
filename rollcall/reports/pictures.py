"""Pictures as SVG, drawn by the server. Colours and patterns come from the page's style; nothing is inline."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from rollcall.reports import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import tzinfo

    from rollcall.reports.rows import AttendeeRow, MeetingRow

# Once in each page that has bars: hatched is what may have been.
PATTERNS = (
    '<svg class="patterns" aria-hidden="true" focusable="false"><defs>'
    '<pattern id="possible" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="possible-ground" width="6" height="6"/><rect class="possible-line" width="2.5" height="6"/>'
    "</pattern></defs></svg>"
)

_THINNEST = 0.3
"""Percent: an instant, such as one listing, is still to be seen."""

_FIRST_STRIPE = 0.7
"""Percent, about 2 px of a bar: stripes beside what is proved say nothing where there is no room for them."""


def presence_bar(row: AttendeeRow, zone: tzinfo) -> str:
    """When one person was there within the class: proved solid, possible hatched, blind times shaded behind."""
    meeting = row.meeting
    marks = [*_blind(meeting)]
    marks += _rectangles("possible", _worth_stripes(row), meeting)
    marks += _rectangles("proved", row.detail.proved, meeting)
    label = escape(words.when(row, zone))
    return f'<svg class="bar" role="img" aria-label="{label}"><title>{label}</title>{"".join(marks)}</svg>'


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


def _rectangles(name: str, spans: Iterable[tuple[int, int | None]], meeting: MeetingRow) -> list[str]:
    start, until = meeting.summary.started_at, meeting.until
    drawn = []
    for begins, ends in spans:
        left = max(0.0, 100 * (begins - start) / (until - start))
        right = min(100.0, 100 * ((until if ends is None else ends) - start) / (until - start))
        if right >= 0 and left <= 100:
            wide = max(right - left, _THINNEST)
            drawn.append(f'<rect class="{name}" x="{left:.2f}%" width="{wide:.2f}%" height="100%"/>')
    return drawn
