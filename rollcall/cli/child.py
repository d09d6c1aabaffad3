"""Any command, ending with the process that started it: `python -m rollcall.cli.child LIFELINE COMMAND …`.

LIFELINE is the reading end of a pipe. Nothing is ever written to it; it ends when its other end is gone, however that
process died, and then this one stops as if told to.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from rollcall.cli import EXIT_FAILED, run

# The command said in a sentence what is wrong; a crash has Python's own status, which is EXIT_FAILED.
EXIT_HOPELESS = 78


def _wait(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _end(_number: int, _frame: object) -> None:
    """Until the command listens to signals itself there is nothing in hand that could be lost."""
    sys.exit(0)


if __name__ == "__main__":
    os.umask(0o077)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    threading.Thread(target=_wait, args=(int(sys.argv[1]),), daemon=True, name="rollcall-lifeline").start()
    status = run(sys.argv[2:])
    sys.exit(EXIT_HOPELESS if status == EXIT_FAILED else status)
