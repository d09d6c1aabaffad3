"""Run as a program: another program, within bounds of memory and time, after everybody else, and not after its parent.

It imports nothing of ours: `python bounds.py MEMORY SECONDS PROGRAM ARGUMENT…`.
"""

from __future__ import annotations

import ctypes
import os
import resource
import runpy
import signal
import sys
from contextlib import suppress

NICER = 10
"""Whoever waits for a page, or sends a webhook, goes first."""

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Set the bounds, then be the program."""
    memory, seconds, program = sys.argv[1:4]
    with suppress(OSError, AttributeError):  # Linux has it
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    with suppress(OSError):
        os.nice(NICER)
    lower(resource.RLIMIT_AS, int(memory))
    lower(resource.RLIMIT_CPU, int(seconds))
    lower(resource.RLIMIT_CORE, 0)
    sys.argv = sys.argv[3:]
    runpy.run_path(program, run_name="__main__")


def lower(what: int, limit: int) -> None:
    """Set a limit where none that is lower is set; a system without it, such as macOS's for memory, does without."""
    with suppress(ValueError, OSError):
        hard = resource.getrlimit(what)[1]
        lowest = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(what, (lowest, lowest))


if __name__ == "__main__":
    main()
