"""Whether the settings can be used, asked before anything is opened: a wrong one is not found out in the night."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rollcall import environment
from rollcall.core.errors import Misconfigured

if TYPE_CHECKING:
    from rollcall.environment import Setting

SHORTEST_SECRET_KEY = 32
LARGEST_PORT = 65_535
# A day: a pause that is longer is a slip of the pen, and a number without bounds is no time at all.
LONGEST_PAUSE_SECONDS = 86_400
# A year.
LONGEST_SESSION_HOURS = 8_784
LONGEST_VISIT_HOURS = 168
LARGEST_LOGO = 1 << 20
LOGOS = {".png": b"\x89PNG\r\n\x1a\n", ".svg": b"<svg"}
"""What such a file has near its beginning."""

CACHES = ("redis", "rediss", "unix")


def require_usable() -> None:
    """Read every setting; Misconfigured names the first that cannot be used, and never what is secret in it."""
    for setting in environment.SETTINGS:
        setting.read()
    if (url := environment.URL.read()) and (bad := malformed_url(url)) is not None:
        raise bad
    _require_cache(environment.CACHE_URL.read())
    _require_secret_key(environment.SECRET_KEY.read())
    read_logo(environment.LOGO.read())
    _require_between(environment.PORT, 0, LARGEST_PORT)
    _require_between(environment.POLL_SECONDS, 1, LONGEST_PAUSE_SECONDS)
    _require_between(environment.HOOK_CHECK_SECONDS, 1, LONGEST_PAUSE_SECONDS)
    _require_between(environment.VISIT_HOURS, 1, LONGEST_VISIT_HOURS)
    _require_between(environment.VISIT_IDLE_MINUTES, 10, LONGEST_VISIT_HOURS * 60)
    _require_between(environment.SESSION_HOURS, 1, LONGEST_SESSION_HOURS)
    _require_between(environment.SESSION_IDLE_MINUTES, 1, LONGEST_SESSION_HOURS * 60)


def malformed_url(url: str) -> Misconfigured | None:
    """Why this cannot be our own address."""
    hint = "Give scheme and host, such as https://rollcall.example.org."
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return Misconfigured("ROLLCALL_URL is not an address.", hint=hint)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return Misconfigured("ROLLCALL_URL does not begin with http:// or https:// and a host.", hint=hint)
    if parts.query or parts.fragment or parts.username is not None:
        return Misconfigured("ROLLCALL_URL holds more than scheme, host and path.", hint=hint)
    return None


def read_logo(path: str) -> bytes:
    """The content of ROLLCALL_LOGO, nothing where none is set; Misconfigured says why it can be no logo."""
    if not path:
        return b""
    file, kind = Path(path).expanduser(), Path(path).suffix.lower()
    if kind not in LOGOS:
        raise _bad_logo(f"{file} is neither .svg nor .png")
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST_LOGO + 1)
    except OSError as error:
        raise _bad_logo(f"{file} cannot be read: {error.strerror}") from None
    if len(content) > LARGEST_LOGO:
        raise _bad_logo(f"{file} is larger than 1 MB")
    if LOGOS[kind] not in content[:4096]:
        raise _bad_logo(f"{file} does not look like {kind[1:].upper()} inside")
    return content


def _bad_logo(why: str) -> Misconfigured:
    hint = "Give the path of an SVG or PNG of at most 1 MB, or none."
    return Misconfigured(f"ROLLCALL_LOGO cannot be used: {why}.", hint=hint)


def _require_cache(url: str) -> None:
    hint = "It may be redis://host:6379/0, rediss:// or unix:///path; empty is none."
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise Misconfigured("ROLLCALL_CACHE_URL is not an address.", hint=hint) from None
    if url and parts.scheme not in CACHES:
        raise Misconfigured("ROLLCALL_CACHE_URL does not begin with redis://, rediss:// or unix://.", hint=hint)


def _require_secret_key(key: str) -> None:
    if key and len(key) < SHORTEST_SECRET_KEY:
        raise Misconfigured(
            f"ROLLCALL_SECRET_KEY has {len(key)} characters; it needs {SHORTEST_SECRET_KEY} or more.",
            hint="Make one with: openssl rand -base64 48. Or leave it empty, and one is made and kept.",
        )


def _require_between(setting: Setting, least: int, most: int) -> None:
    number = setting.read_whole_number() if len(setting.read()) < 20 else most + 1
    if not least <= number <= most:
        raise Misconfigured(f"{setting.name} is {setting.read()[:20]!r}", hint=f"It may be {least} to {most}.")
