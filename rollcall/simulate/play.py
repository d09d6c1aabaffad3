"""Plays a class: as arrivals in memory, or against a running Rollcall."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, NamedTuple

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
