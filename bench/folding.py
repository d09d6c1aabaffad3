"""Facts folded a second on one core, beside reading them back from their stored bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from random import Random
from statistics import median

from bench.results import Result, as_lines

ROUNDS = 5
POOL = "bench"
Stored = tuple[str, bytes, bytes, bytes | None]


def large_class() -> list[Stored]:
    """The facts of a lively class of 300 in the raw and the mapped hook, and of its polls, as the log holds them."""
    from rollcall.bbb.redact import redact
    from rollcall.simulate.classes import Plan, make_class
    from rollcall.simulate.generations import GENERATIONS
    from rollcall.simulate.relay import relay
    from rollcall.store.keys import fact_digest

    rng = Random(1)
    truth = make_class(rng, Plan(people=300, minutes=90, liveliness=4.0, rooms=5))
    sendings = relay(truth, GENERATIONS["3.5.0"], rng, raw=True)
    kept = (redact(element) for sending in sendings for element in sending.elements)
    return [
        (one.source, fact_digest(POOL, one.payload, one.identity), one.payload, one.identity) for one in kept if one
    ]


def median_seconds(work: Callable[[], object]) -> float:
    """The middle of several runs, after one that does not count."""
    work()
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return median(taken)


def run(facts: Sequence[Stored]) -> list[Result]:
    """Decode and fold, each by itself."""
    import msgspec

    from rollcall.bbb.payloads import decode
    from rollcall.core.meeting import fold_meeting

    events = [event for fact in facts for event in decode(*fact)]
    raw = len(facts) / median_seconds(lambda: [msgspec.json.decode(fact[2]) for fact in facts])
    decoding = len(facts) / median_seconds(lambda: [decode(*fact) for fact in facts])
    folding = len(events) / median_seconds(lambda: fold_meeting(events))
    return [
        Result("json.per_second", raw, "facts/s"),
        Result("decode.per_second", decoding, "facts/s", raw, "json"),
        Result("fold.per_second", folding, "facts/s", raw, "json"),
    ]


if __name__ == "__main__":
    from rollcall.cli.database import start_django

    start_django()
    print(as_lines(run(large_class())))
