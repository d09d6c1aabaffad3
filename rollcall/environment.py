"""Every setting, once: its name, its default, one sentence. Nothing else reads the environment.

A setting NAME may also be given as NAME_FILE, a path whose content is the value, so that secrets need not stand in
the environment.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from rollcall.core.errors import Misconfigured


@dataclass(frozen=True)
class Setting:
    """One thing an operator may set. `default` is text, as it would stand in the environment."""

    name: str
    default: str
    help: str
    one_of: tuple[str, ...] = ()

    def read(self) -> str:
        """The value, checked; Misconfigured names the setting and what it may be."""
        value = _from_environment(self.name)
        if value is None:
            return self.default
        if self.one_of and value not in self.one_of:
            raise Misconfigured(f"{self.name} is {value!r}", hint=f"It may be one of: {', '.join(self.one_of)}.")
        return value

    def read_whole_number(self) -> int:
        """The value as an integer of zero or more."""
        value = self.read()
        if not value.isascii() or not value.isdigit():
            raise Misconfigured(f"{self.name} is {value!r}", hint="It must be a whole number.")
        return int(value)


def _from_environment(name: str) -> str | None:
    path = os.environ.get(f"{name}_FILE")
    if path is None:
        return os.environ.get(name)
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(
            f"{name}_FILE cannot be read: {error}", hint="Check the path and who may read it."
        ) from error


DATA = Setting("ROLLCALL_DATA", "./rollcall-data", "The folder of the database, the secret key and the logs.")
URL = Setting(
    "ROLLCALL_URL",
    "",
    "The address under which BigBlueButton and browsers reach Rollcall, such as https://rollcall.example.org.",
)
HOST = Setting("ROLLCALL_HOST", "127.0.0.1", "The address to listen on.")
PORT = Setting("ROLLCALL_PORT", "8000", "The port to listen on; 0 takes a free one.")
DATABASE_URL = Setting(
    "ROLLCALL_DATABASE_URL", "", "postgresql://user:password@host/name or mysql://…; empty: SQLite in the data folder."
)
CACHE_URL = Setting(
    "ROLLCALL_CACHE_URL", "", "redis://host:6379/0 for cache and sessions; empty: memory and the database."
)
FEED = Setting("ROLLCALL_FEED", "embedded", "Who carries facts to the log.", one_of=("embedded",))
SECRET_KEY = Setting(
    "ROLLCALL_SECRET_KEY",
    "",
    "Signs sessions and encrypts stored secrets; empty: made once and kept in the data folder.",
)
TIME_ZONE = Setting("ROLLCALL_TIME_ZONE", "UTC", "The zone for times when the reader's browser has not said one.")
LANGUAGE = Setting(
    "ROLLCALL_LANGUAGE",
    "en",
    "The language for readers who chose none and whose browser asks for none Rollcall speaks.",
)
ORGANISATION = Setting("ROLLCALL_ORGANISATION", "", "The name of the school or university, at the head of each PDF.")
LOGO = Setting("ROLLCALL_LOGO", "", "The path of its logo for the head of each PDF: an SVG or PNG of at most 1 MB.")
LOG_FORMAT = Setting("ROLLCALL_LOG_FORMAT", "text", "How log lines look.", one_of=("text", "json"))
LOG_LEVEL = Setting("ROLLCALL_LOG_LEVEL", "info", "What is logged.", one_of=("debug", "info", "warning", "error"))
POLL_SECONDS = Setting("ROLLCALL_POLL_SECONDS", "30", "How often each BigBlueButton server is asked who is in.")
HOOK_CHECK_SECONDS = Setting("ROLLCALL_HOOK_CHECK_SECONDS", "180", "How often each server's hooks are verified.")
LMS_HOSTS = Setting(
    "ROLLCALL_LMS_HOSTS", "", "Hosts of LMSs Rollcall may ask and send to although they are private or without https."
)
SESSION_HOURS = Setting("ROLLCALL_SESSION_HOURS", "336", "How long a staff account stays signed in at most.")
SESSION_IDLE_MINUTES = Setting("ROLLCALL_SESSION_IDLE_MINUTES", "720", "And how long after it was last used.")
VISIT_HOURS = Setting("ROLLCALL_VISIT_HOURS", "12", "How long what an LMS has opened can be used at most.")
VISIT_IDLE_MINUTES = Setting("ROLLCALL_VISIT_IDLE_MINUTES", "180", "And how long after it was last used.")

AUDIT_DAYS = Setting("ROLLCALL_AUDIT_DAYS", "730", "How long it is known who looked at whose record.")

API_PER_MINUTE = Setting("ROLLCALL_API_PER_MINUTE", "600", "How many requests a token may make in a minute.")

SETTINGS: tuple[Setting, ...] = (
    DATA,
    URL,
    HOST,
    PORT,
    DATABASE_URL,
    CACHE_URL,
    FEED,
    SECRET_KEY,
    TIME_ZONE,
    LANGUAGE,
    ORGANISATION,
    LOGO,
    LOG_FORMAT,
    LOG_LEVEL,
    POLL_SECONDS,
    HOOK_CHECK_SECONDS,
    LMS_HOSTS,
    SESSION_HOURS,
    SESSION_IDLE_MINUTES,
    VISIT_HOURS,
    VISIT_IDLE_MINUTES,
    AUDIT_DAYS,
    API_PER_MINUTE,
)
