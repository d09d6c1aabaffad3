"""What a file is called: what it is of, and when. No names of people in it: names of files are logged.

Thirty registers on one telephone are told apart by it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from rollcall.reports import words
from rollcall.reports.subjects import course_of, meeting_of
from rollcall.reports.tables.courses import course_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rollcall.reports.asking import Asked

LONGEST_COURSE: Final = 24
_OF_KEY: Final = 8
"""Digits of a person's key: enough to tell files apart."""

_SEPARATORS: Final = re.compile(r"[\W_]+")


def file_name(report: str, subject: Sequence[str], asked: Asked) -> str:
    """Without the kind: meeting-2026-11-20-0959-LOG, person-1f00c2a9-2026-11-22, people-2026-11-22."""
    return "-".join(filter(None, (report, *_told(report, subject, asked))))


def _told(report: str, subject: Sequence[str], asked: Asked) -> Iterator[str]:
    zone = asked.zone
    day = f"{words.moment(asked.wanted.as_of, zone):%Y-%m-%d}"
    match report, *subject:
        case "course", key:
            yield from (_plain(course_name(course_of(key, asked.inside))), day)
        case "person", key:
            yield from (key[:_OF_KEY], day)
        case _, pk, *keys:
            meeting = meeting_of(int(pk), asked.inside)
            yield f"{words.moment(meeting.started_at, zone):%Y-%m-%d-%H%M}"
            yield _plain(course_name(meeting.course)) if meeting.course else ""
            yield from (key[:_OF_KEY] for key in keys)
        case _:
            yield day


def _plain(text: str) -> str:
    """Letters and digits of every script; what else there is parts them."""
    return _SEPARATORS.sub("-", unicodedata.normalize("NFC", text))[:LONGEST_COURSE].strip("-")


def disposition(name: str, kind: str) -> str:
    """The header that has a browser keep it under this name; one that knows ASCII only gets what is left of it."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = f'attachment; filename="{ascii_only.strip("-")}.{kind}"'
    return plain if name == ascii_only else f"{plain}; filename*=UTF-8''{quote(name)}.{kind}"
