"""The memory of the web process after many arrivals."""

from __future__ import annotations

import sys

from bench import servers
from bench.load import fire
from bench.requests import Requests
from bench.results import Result, as_lines

CONNECTIONS = 64
AT_ONCE = 20_000


def run(arrivals: int) -> list[Result]:
    """Resident megabytes, before and after."""
    requests = Requests(seed=2)
    with servers.rollcall(has_worker=False) as running:
        fire(running.port, requests.take(100), 1, seconds=60)
        before = servers.resident_mb(running.web)
        for done in range(0, arrivals, AT_ONCE):
            fire(running.port, requests.take(min(AT_ONCE, arrivals - done)), CONNECTIONS, seconds=3600)
        after = servers.resident_mb(running.web)
    return [Result(f"memory.after-{arrivals}-arrivals", after, "MB", before, "before them")]


if __name__ == "__main__":
    print(as_lines(run(int(sys.argv[1]))))
