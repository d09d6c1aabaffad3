"""Signed webhooks of many classes at once, each a whole HTTP request, none of them twice."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice
from random import Random

from rollcall.simulate.classes import MINUTE, Plan, make_class
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.relay import relay
from rollcall.simulate.signing import Signed, Signer

HOOK = "http://127.0.0.1/hooks/benchmark-token"
SECRET = "benchmark-secret"
AT_ONCE = 20


class Requests:
    """Never runs out; `take` gives the next ones, mixed from many classes as on a busy server."""

    def __init__(self, seed: int = 1) -> None:
        self._rng = Random(seed)
        self._all = self._make()

    def take(self, number: int) -> list[bytes]:
        """So many, shuffled, so that neighbours are of different meetings."""
        taken = list(islice(self._all, number))
        self._rng.shuffle(taken)
        return taken

    def _make(self) -> Iterator[bytes]:
        signer, generation = Signer(secret=SECRET), GENERATIONS["3.5.0"]
        for number in count():
            plan = Plan(starts_at=1_795_309_400_000 + number * MINUTE, instance=number, people=60, minutes=90)
            for sending in relay(make_class(self._rng, plan), generation, self._rng):
                yield as_request(signer.sign(sending, HOOK, generation))


def as_request(signed: Signed) -> bytes:
    """The bytes on the wire."""
    headers = "".join(f"{name}: {value}\r\n" for name, value in signed.headers)
    head = f"POST {signed.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}Content-Length: {len(signed.body)}\r\n\r\n"
    return head.encode() + signed.body
