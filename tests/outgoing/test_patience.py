"""How long somebody asks to be left alone."""

from __future__ import annotations

import pytest

from rollcall.outgoing.patience import LONGEST_MS, retry_after_ms

NINE = "Sun, 22 Nov 2026 09:00:00 GMT"


@pytest.mark.parametrize(
    ("header", "ms"),
    [("120", 120_000), ("99999999", LONGEST_MS), ("9" * 40, LONGEST_MS), ("-5", None), ("soon", None), ("", None)],
)
def test_seconds_are_read_and_bounded(header: str, ms: int | None) -> None:
    assert retry_after_ms({"retry-after": header}) == ms


def test_without_the_header_nothing_is_asked_for() -> None:
    assert retry_after_ms({"date": NINE}) is None


def test_it_may_be_a_date() -> None:
    assert retry_after_ms({"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"}) == 0
    assert retry_after_ms({"retry-after": "Sun, 06 Nov 2094 08:49:37 GMT"}) == LONGEST_MS


def test_a_date_counts_by_the_clock_of_whoever_wrote_it() -> None:
    """Theirs is years off, and the ten minutes are ten minutes."""
    assert retry_after_ms({"retry-after": "Sun, 22 Nov 2026 09:10:00 GMT", "date": NINE}) == 600_000
