"""Arithmetic of spans, against counting the milliseconds one by one."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rollcall.core.intervals import Spans, clip, intersect, merge, subtract, total

SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8)


def moments(spans: list[tuple[int, int]] | Spans) -> set[int]:
    return {at for start, end in spans for at in range(start, end)}


@given(SPANS)
def test_merging_keeps_every_moment_and_is_idempotent(spans: list[tuple[int, int]]) -> None:
    merged = merge(spans)
    assert moments(merged) == moments(spans)
    assert merge(merged) == merged
    assert total(merged) == len(moments(spans))


@given(SPANS)
def test_merged_spans_neither_touch_nor_overlap(spans: list[tuple[int, int]]) -> None:
    merged = merge(spans)
    assert all(one[1] < other[0] for one, other in pairwise(merged))


@given(SPANS, SPANS)
def test_subtracting_takes_exactly_the_moments_of_the_holes(
    spans: list[tuple[int, int]], holes: list[tuple[int, int]]
) -> None:
    assert moments(subtract(merge(spans), holes)) == moments(spans) - moments(holes)


@given(SPANS, st.integers(0, 40), st.integers(0, 40))
def test_clipping_keeps_what_is_inside(spans: list[tuple[int, int]], start: int, end: int) -> None:
    assert moments(clip(merge(spans), start, end)) == moments(spans) & set(range(start, end))


@given(SPANS, SPANS)
def test_intersecting_keeps_what_is_in_both(spans: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    assert moments(intersect(merge(spans), merge(others))) == moments(spans) & moments(others)
