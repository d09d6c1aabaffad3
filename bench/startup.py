"""How long one waits: for `rollcall --help`, and for the first answer of `rollcall serve`."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

from bench import servers
from bench.results import Result, as_lines

ROUNDS = 5


def run() -> list[Result]:
    """Beside a Python that does nothing, and one that only sets Django up."""
    python = _seconds([sys.executable, "-c", "pass"])
    django = _seconds([sys.executable, "-c", "import django; django.setup()"])
    return [
        Result("start.python", python, "s"),
        Result("start.help", _seconds([servers.ROLLCALL, "--help"]), "s", python, "python"),
        Result("start.django-setup", django, "s"),
        Result("start.serve-first", _serve(is_first=True), "s", django, "django setup"),
        Result("start.serve-again", _serve(is_first=False), "s", django, "django setup"),
    ]


def _seconds(command: list[str]) -> float:
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - began)
    return median(taken)


def _serve(*, is_first: bool) -> float:
    """From the command to the first answer; the first time it makes its database."""
    with servers.folder() as data:
        if not is_first:
            servers.prepare(data)
        began = time.perf_counter()
        with servers.serve(data, is_prepared=True):
            return time.perf_counter() - began


if __name__ == "__main__":
    print(as_lines(run()))
