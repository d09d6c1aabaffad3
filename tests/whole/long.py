# ruff: noqa: T201  # it is a command
"""The same proof over as many classes as one likes: `make simulate-long`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import islice
from random import SystemRandom

AT_ONCE = 100
SHOWN = 20


def main() -> int:
    """1 if anything was untrue."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--meetings", type=int, default=1_000_000)
    words.add_argument("--seed", type=int, default=None, help="Of the first class; the next one has the next seed.")
    words.add_argument("--processes", type=int, default=os.cpu_count())
    given = words.parse_args()
    first = SystemRandom().randrange(10**9) if given.seed is None else given.seed
    print(f"{given.meetings:,} classes from seed {first} on, in {given.processes} processes", flush=True)
    with tempfile.TemporaryDirectory() as data:
        os.environ |= {"DJANGO_SETTINGS_MODULE": "rollcall.settings", "ROLLCALL_DATA": data}
        wrong = _run(first, given.meetings, given.processes)
    for sentence in wrong[:SHOWN]:
        print(sentence)
    print(f"{len(wrong):,} of {given.meetings:,} classes untrue; the first from seed {first}")
    return 1 if wrong else 0


def _run(first: int, meetings: int, processes: int) -> list[str]:
    began, done = time.monotonic(), 0
    wrong: list[str] = []
    chunks = iter(_chunks(first, meetings))
    with ProcessPoolExecutor(processes) as pool:
        waiting = {pool.submit(check_all, *chunk) for chunk in islice(chunks, 4 * processes)}
        while waiting:
            finished = next(as_completed(waiting))
            waiting.remove(finished)
            waiting |= {pool.submit(check_all, *chunk) for chunk in islice(chunks, 1)}
            count, found = finished.result()
            done, wrong = done + count, wrong + found
            _progress(done, meetings, time.monotonic() - began, len(wrong))
    return wrong


def _chunks(first: int, meetings: int) -> Iterator[tuple[int, int]]:
    for start in range(first, first + meetings, AT_ONCE):
        yield start, min(start + AT_ONCE, first + meetings)


def _progress(done: int, of: int, seconds: float, wrong: int) -> None:
    rate = done / max(seconds, 0.001)
    left = (of - done) / rate
    text = f"{done:,} of {of:,}, {rate:.0f} a second, {left / 60:.0f} minutes left, {wrong:,} untrue"
    print(f"\r\033[K{text}" if sys.stderr.isatty() else text, end="" if sys.stderr.isatty() else "\n", file=sys.stderr)


def check_all(start: int, stop: int) -> tuple[int, list[str]]:
    """How many were checked, and what was untrue of them; also how a check crashed."""
    import django

    django.setup()
    from tests.whole.truths import check
    from tests.whole.witnesses import hear

    wrong = []
    for seed in range(start, stop):
        try:
            check(hear(seed))
        except Exception as error:  # noqa: BLE001  # every fault of a million classes is to be told
            wrong.append(f"{type(error).__name__}: {error}" if str(seed) in str(error) else f"{seed}: {error!r}")
    return stop - start, wrong


if __name__ == "__main__":
    sys.exit(main())
