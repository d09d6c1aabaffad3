"""Acknowledged arrivals a second and how long each took, beside the bare server and the plain Django view.

All servers run at once, and are measured in turn in several short rounds: what else the machine does meets all of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from statistics import median

from bench import servers
from bench.load import Load, fire
from bench.requests import Requests
from bench.results import Result, as_lines
from bench.servers import Running

CONNECTIONS = (1, 32, 256)
ROUNDS = 3
FIRST = 500
# More than any of them answers in a second here, so that no measurement runs out of requests; the bare one may.
MOST_PER_SECOND = {1: 4_000, 32: 16_000, 256: 16_000}

STARTS: dict[str, Callable[[], AbstractContextManager[Running]]] = {
    "ok": servers.ok,
    "django": servers.plain_django,
    "django-asgi": lambda: servers.plain_django("asgi"),
    "rollcall": lambda: servers.rollcall(has_worker=False),
    "rollcall-folding": lambda: servers.rollcall(has_worker=True),
}

Loads = dict[tuple[str, int], list[Load]]


def measure(seconds: float) -> Loads:
    """Every server at every number of connections, once in each round."""
    requests, loads = Requests(), Loads()
    with ExitStack() as running:
        started = {name: running.enter_context(start()) for name, start in STARTS.items()}
        for _ in range(ROUNDS):
            for connections in CONNECTIONS:
                fresh = requests.take(FIRST + int(MOST_PER_SECOND[connections] * seconds))
                for name, one in started.items():
                    loads.setdefault((name, connections), []).append(_measure(one, fresh, connections, seconds))
    return loads


def _measure(one: Running, requests: Sequence[bytes], connections: int, seconds: float) -> Load:
    """The first few make the meetings known, so that the worker can be kept busy with them."""
    fire(one.port, requests[:FIRST], 16, seconds=60)
    one.make_busy()
    load = fire(one.port, requests[FIRST:], connections, seconds)
    one.wait_until_idle()
    return load


def compare(loads: Loads, connections: int) -> list[Result]:
    """The numbers of one number of connections: of the rounds the middle one."""
    names = ("ok", "django", "django-asgi", "rollcall", "rollcall-folding")
    speed = {name: median(load.per_second for load in loads[name, connections]) for name in names}
    found = [Result(f"{name}.{connections}.per_second", speed[name], "1/s") for name in ("ok", "django", "django-asgi")]
    for name in ("rollcall", "rollcall-folding"):
        start = f"{name}.{connections}"
        found.append(Result(f"{start}.per_second", speed[name], "1/s", speed["django"], "django"))
        asgi = speed["django-asgi"]
        found.append(Result(f"{start}.per_second_of_asgi", speed[name], "1/s", asgi, "django-asgi"))
        found.append(Result(f"{start}.per_second_of_ok", speed[name], "1/s", speed["ok"], "ok"))
        for percent in (50, 99):
            mine, plain = (
                median(one.percentile_ms(percent) for one in loads[of, connections]) for of in (name, "django")
            )
            found.append(Result(f"{start}.p{percent}", mine, "ms", plain, "django"))
    return found


if __name__ == "__main__":
    measured = measure(float(sys.argv[1]))
    print(as_lines([result for connections in CONNECTIONS for result in compare(measured, connections)]))
