"""Rollcall's own addresses, as they are registered in an LMS."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from rollcall import environment
from rollcall.core.errors import Misconfigured

LOGIN: Final = "/lti/login"
LAUNCH: Final = "/lti/launch"
KEYS: Final = "/lti/keys"
REGISTER: Final = "/lti/register/"


def base() -> str:
    """Where Rollcall is, without a slash at the end."""
    if told := environment.URL.read().rstrip("/"):
        return told
    raise Misconfigured(
        "ROLLCALL_URL is empty, so no LMS can be told where Rollcall is.",
        code="no-url",
        hint="Set it to the address under which browsers reach Rollcall, such as https://rollcall.example.org.",
    )


def address(path: str) -> str:
    """The whole address of a path."""
    return base() + path


def domain() -> str:
    """Host, and port if there is one, as a registration names it."""
    return urlsplit(base()).netloc


def is_ours(target: str) -> bool:
    """Whether a launch may be for this address: the launch, whatever is asked of it, or Rollcall's first page."""
    before = target.partition("?")[0]
    return "#" not in target and before in {base(), f"{base()}/", address(LAUNCH)}
