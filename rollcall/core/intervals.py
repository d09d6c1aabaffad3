"""Half-open spans of time [start, end), in epoch milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Span: TypeAlias = tuple[int, int]
Spans: TypeAlias = tuple[Span, ...]

OPEN: Final = 1 << 62
"""The end of a span that has not ended, as far as the facts say."""


def merge(spans: Iterable[Span]) -> Spans:
    """The same moments as sorted spans that neither touch nor overlap; empty ones vanish."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return tuple(merged)


def total(spans: Iterable[Span]) -> int:
    """The length in ms of spans that do not overlap."""
    length = 0
    for start, end in spans:  # a sum() of two takes twice as long
        length += end - start
    return length


def clip(spans: Iterable[Span], start: int, end: int) -> Spans:
    """What of the spans lies within [start, end)."""
    return tuple((max(a, start), min(b, end)) for a, b in spans if max(a, start) < min(b, end))


def subtract(spans: Iterable[Span], holes: Iterable[Span]) -> Spans:
    """What of the spans lies in none of the holes."""
    left = list(spans)
    for hole_start, hole_end in holes:
        if hole_end <= hole_start:
            continue
        left = [
            piece
            for start, end in left
            for piece in ((start, min(end, hole_start)), (max(start, hole_end), end))
            if piece[0] < piece[1]
        ]
    return tuple(left)


def intersect(spans: Iterable[Span], others: Iterable[Span]) -> Spans:
    """What of the spans lies in one of the others."""
    kept = list(others)
    return merge(piece for span in spans for piece in clip(kept, *span))
