"""Plays a class: as arrivals in memory, or against a running Rollcall."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, NamedTuple

from rollcall.simulate.answers import get_meetings
from rollcall.simulate.faults import Fault, afflict
from rollcall.simulate.relay import relay
from rollcall.simulate.signing import Signer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollcall.simulate.generations import Generation
    from rollcall.simulate.truth import Truth

URL = "http://127.0.0.1:8000/hooks/simulated-token"
SECRET = "simulated-secret"  # noqa: S105  # of a server that is not there


class Arrived(NamedTuple):
    """One request as it reaches the receiver: when (epoch ms, true time), the body, the path with its query."""

    arrives_at: int
    body: bytes
    path: str
    headers: tuple[tuple[str, str], ...]


def arrivals(  # noqa: PLR0913  # a test names the one thing it varies
    truth: Truth,
    generation: Generation,
    *,
    rng: Random | None = None,
    url: str | None = URL,
    raw_url: str | None = None,
    signer: Signer | None = None,
    faults: Iterable[Fault] = (),
    lag_ms: tuple[int, int] = (1, 40),
) -> list[Arrived]:
    """Every request of a class, signed, in order of arrival; a hook whose URL is None was not registered."""
    rng = rng or Random(0)
    signer = signer or Signer(secret=SECRET, regime=generation.regime)
    sendings = relay(truth, generation, rng, mapped=url is not None, raw=raw_url is not None, lag_ms=lag_ms)
    found = []
    for sending in afflict(sendings, rng, faults):
        signed = signer.sign(sending, (raw_url if sending.is_raw else url) or "", generation)
        found.append(Arrived(sending.arrives_at, signed.body, signed.path, signed.headers))
    return found


class Polled(NamedTuple):
    """One answer of getMeetings: when it was asked (epoch ms), the server's HTTP Date in ms, the body."""

    asked_at: int
    date_at: int
    body: bytes


def poll_answers(truth: Truth, every_ms: int = 30_000, *, phase_ms: int = 0, clock_ms: int = 0) -> list[Polled]:
    """What polling would have heard, from the first round before the class to the third after it."""
    times = range(truth.started_at - every_ms + phase_ms, truth.ended_at + 3 * every_ms, every_ms)
    return [Polled(at, (at + clock_ms) // 1000 * 1000, get_meetings([truth], at).encode()) for at in times]
