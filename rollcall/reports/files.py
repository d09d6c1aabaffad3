"""A Table as a file that is sent while it is made: as long as it may be, it takes no more memory than a short one."""

from __future__ import annotations

import logging
import weakref
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import StreamingHttpResponse
from django.utils import translation

from rollcall import languages
from rollcall.core.errors import Refused
from rollcall.reports import to_csv, to_json, to_xlsx
from rollcall.reports.file_names import disposition
from rollcall.wording.translating import gettext as _

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from datetime import tzinfo

    from rollcall.reports.rows import Table

OPTIONS = ("bom", "lang")
"""What an address may say of a file beside the filter."""

PART = 64 * 1024

AT_ONCE = 20
"""Files that a process sends at a time: each has a thread until the slowest reader is done, and pages need some too."""

_PLACES = BoundedSemaphore(AT_ONCE)

_log = logging.getLogger("rollcall.reports")

_MEDIA_TYPES = {"csv": to_csv.MEDIA_TYPE, "xlsx": to_xlsx.MEDIA_TYPE, "json": to_json.MEDIA_TYPE}
KINDS = tuple(_MEDIA_TYPES)


def file_parts(table: Table, kind: str, *, zone: tzinfo, options: Mapping[str, str]) -> Iterator[bytes]:
    """The file, part by part."""
    bom = is_asked(options, "bom")
    match kind:
        case "csv":
            return to_csv.to_csv(table, zone, bom=bom)
        case "xlsx":
            return to_xlsx.to_xlsx(table, zone)
        case _:
            return to_json.to_json(table)


def is_asked(options: Mapping[str, str], name: str) -> bool:
    """Whether the address asks for it with a 1."""
    value = options.get(name, "")
    if value not in {"", "0", "1"}:
        raise Refused(
            _("“%(value)s” says neither yes nor no to %(name)s.") % {"value": value[:40], "name": name},
            code="wrong-option",
            hint=_("Write 1 or 0."),
        )
    return value == "1"


def language_of(options: Mapping[str, str]) -> str | None:
    """The language that the address asks for, in which a program finds the same headings whoever runs it."""
    code = options.get("lang", "")
    if code and code not in (known := languages.codes()):
        raise Refused(
            _("There is no language “%(code)s”.") % {"code": code[:40]},
            code="unknown-language",
            hint=_("There are: %(names)s.") % {"names": ", ".join(known)},
        )
    return code or translation.get_language()


def file_response(
    table: Table, kind: str, name: str, *, zone: tzinfo, options: Mapping[str, str]
) -> StreamingHttpResponse:
    """The file as an answer. What is wrong with the first rows is raised here, while there is still a page for it."""
    parts = _in_language(file_parts(table, kind, zone=zone, options=options), translation.get_language())
    response = Sent(_with_first(next(parts, b""), parts), content_type=_MEDIA_TYPES[kind])
    response["Content-Disposition"] = disposition(name, kind)
    return response


class Sent(StreamingHttpResponse):
    """An answer whose parts are made one by one in the request's own thread, where its database connection is.

    Only so many are sent at a time, and while one waits for its reader it holds no connection to the database.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        if not _PLACES.acquire(blocking=False):
            raise Refused(
                _("Too many files are being sent just now."), code="busy", hint=_("Try again in a minute."), status=503
            )
        # Whoever forgets to close it gives the place back all the same.
        self._leave = weakref.finalize(self, _PLACES.release)
        super().__init__(*args, **more)

    def close(self) -> None:
        """Sent, or broken off."""
        self._leave()
        super().close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The parts; Django itself would make all of them before it sends the first."""
        parts = iter(self)
        following = sync_to_async(lambda: _next(parts), thread_sensitive=True)
        while (part := await following()) is not None:
            yield part


def _next(parts: Iterator[bytes]) -> bytes | None:
    """All reading is done in short queries, so that nothing is lost with the connection."""
    try:
        return next(parts, None)
    finally:
        for connection in connections.all(initialized_only=True):
            if not connection.in_atomic_block:
                connection.close()


def _with_first(first: bytes, parts: Iterator[bytes]) -> Iterator[bytes]:
    """An error after this ends the connection, so that nobody takes what has come for the whole file."""
    yield first
    try:
        yield from parts
    except Exception:
        _log.exception("a file broke off while it was sent")
        raise


def _in_language(parts: Iterator[bytes], language: str | None) -> Iterator[bytes]:
    """Not too small; each made in the language of who asked, which is forgotten once the view has answered."""
    is_over = False
    while not is_over:
        gathered = bytearray()
        with translation.override(language):
            while len(gathered) < PART and not is_over:
                part = next(parts, None)
                is_over = part is None
                gathered += part or b""
        if gathered:
            yield bytes(gathered)
