"""The line of progress and the numbers at the end."""

from __future__ import annotations

import pytest

from rollcall.importing.outcomes import Outcome, Results, State, Tally
from rollcall.importing.progress import Rate, Total, progress_line, size_text, summary, time_text


def tally(**counts: int) -> Tally:
    made = Tally()
    outcomes = [Outcome(f"{state}-{n}", State(state)) for state, number in counts.items() for n in range(number)]
    made.add(Results(tuple(outcomes), meetings=frozenset((1, 2)), people=frozenset((b"p",))))
    return made


def test_the_line_says_how_far_how_fast_and_how_long() -> None:
    rate = Rate()
    for second in range(100):
        rate.tell(second, 10 * second, 1_000_000 * second)
    line = progress_line(tally(new=990, unreadable=1), 99_000_000, Total(5, 600_000_000, is_known=True), rate)
    assert line == "991 documents, 99.0 MB of 600 MB, 1.0 MB/s, 10/s, 8 min left, 1 in trouble"


def test_what_is_not_known_yet_is_not_said() -> None:
    assert progress_line(Tally(), 0, Total(9, 100), Rate()) == "0 documents, 0 B, 0.0 MB/s, 0/s"


def test_the_rate_is_that_of_the_last_while() -> None:
    rate = Rate()
    for second in range(200):
        rate.tell(second, 0, 0 if second < 100 else 50 * (second - 100))
    assert rate.per_second() == (0, 50)


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (123_456_789, "123 MB"), (5e15, "5,000.0 TB")]
)
def test_sizes(size: float, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (89, "89 s"), (300, "5 min"), (9000, "2 h 30 min")])
def test_times(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


def test_the_numbers_at_the_end() -> None:
    made = tally(new=3, known=2, unreadable=1, ignored=7)
    made.note(Outcome("d", State.NEW, "truncated", "It breaks off."))
    assert summary(made) == {
        "new": 4,
        "known": 2,
        "damaged": 1,
        "unreadable": 1,
        "refused": 0,
        "unfolded": 0,
        "ignored": 7,
        "meetings": 2,
        "people": 1,
    }
    assert made.trouble == 2


def test_a_million_faults_do_not_fill_the_memory() -> None:
    made = Tally()
    for _ in range(Tally.MOST_PROBLEMS + 5):
        made.note(Outcome("x", State.UNREADABLE))
    assert (len(made.problems), made.left_off, made.trouble) == (10_000, 5, 10_005)
