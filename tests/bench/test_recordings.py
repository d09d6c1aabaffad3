"""The recordings that are measured are whole, as long as they are to be, and never held as a whole."""

from __future__ import annotations

import io

import pytest

from bench import events, recordings
from rollcall.bbb.callback_body import body_of
from rollcall.bbb.recording import Recording


@pytest.mark.parametrize("size", [1, 3_518_819])
def test_a_measured_recording_is_whole_and_as_long_as_was_asked_for(size: int) -> None:
    blocks = list(recordings.write(size))
    one = Recording(io.BytesIO(b"".join(blocks)))
    body = body_of(one)
    assert (one.is_whole(), one.odd_events, len(body["data"]["attendees"])) == (True, 0, recordings.PEOPLE)
    assert sum(map(len, blocks)) == pytest.approx(max(size, len(blocks[1])), abs=len(blocks[1]))
    assert all(one["duration"] > 99 for one in body["data"]["attendees"])


def test_the_times_of_a_measured_recording_run_on() -> None:
    one = Recording(io.BytesIO(b"".join(recordings.write(1_500_000))))
    times = [at for at, *_ in one.events()]
    assert times == sorted(times)
    assert times[-1] - recordings.CREATED_AT >= 2 * recordings.BLOCK_MS


def test_through_a_pipe_memory_is_measured_and_held_to_what_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    peak, speed = events._endless(2)
    assert peak.baseline == events.ALLOWED_MB
    assert 5 < peak.value < events.ALLOWED_MB
    assert speed.value > 0
    monkeypatch.setattr(events, "ALLOWED_MB", 1.0)
    with pytest.raises(AssertionError, match="MB for a file of 2 MB"):
        events._endless(2)
