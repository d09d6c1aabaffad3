"""The tree of errors. `core` itself does not raise for odd data: it returns notes.

RollcallError
├── Refused         the caller is wrong: 4xx, never retried
├── Unavailable     not now: 503, retried
└── Misconfigured   an operator must act; shown by `rollcall doctor`
"""

from __future__ import annotations


class RollcallError(Exception):
    """`code` is for programs, the message is one sentence for people, `hint` says what to do about it."""

    code = "error"
    status = 500

    def __init__(self, message: str, *, code: str | None = None, hint: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.code = code or self.code
        self.status = status or self.status
        self.hint = hint


class Refused(RollcallError):
    """The caller is wrong; asking again in the same way cannot help."""

    code = "refused"
    status = 400


class Unavailable(RollcallError):
    """Not now; asking again later may help."""

    code = "unavailable"
    status = 503


class Misconfigured(RollcallError):
    """Nothing will work until an operator acts."""

    code = "misconfigured"
    status = 500
