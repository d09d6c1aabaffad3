"""One line for each delivery, in a file an operator finds beside BigBlueButton's own logs. No person is in it."""

from __future__ import annotations

import errno
import os
import sys
import time

LOG_LIMIT = 5_000_000


class Journal:
    """Writes lines to the log, and to standard output, which BigBlueButton's worker puts into its own log."""

    __slots__ = ("_is_quiet", "_path")

    def __init__(self, path: str, *, is_quiet: bool = False) -> None:
        self._path = path
        self._is_quiet = is_quiet

    def write(self, meeting: str, sentence: str) -> None:
        """One line; where the log cannot be written it is said on standard error instead."""
        line = " ".join(f"{meeting} {sentence}".split())
        if not self._is_quiet:
            sys.stdout.write(f"Rollcall: {line}\n")
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        try:
            self._append(f"{stamp} {line}\n".encode("utf-8", "replace"))
        except OSError as error:
            reason = "it is a symbolic link, which is not followed" if error.errno == errno.ELOOP else error.strerror
            sys.stderr.write(f"Rollcall: {self._path} cannot be written ({reason}): {line}\n")

    def _append(self, line: bytes) -> None:
        os.makedirs(os.path.dirname(self._path) or ".", exist_ok=True)
        if os.path.lexists(self._path) and os.lstat(self._path).st_size > LOG_LIMIT:
            os.replace(self._path, self._path + ".1")
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o640)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
