"""The loop that makes the files: it asks the same view for the same address, and keeps the answer.

Any number of workers may run it. What one had in hand when it was stopped or killed is made anew.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import Final, cast
from zoneinfo import ZoneInfo

import msgspec
import structlog
from django.contrib.auth.models import AnonymousUser
from django.db import Error, close_old_connections, connections
from django.http import Http404, HttpRequest, QueryDict
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.urls import resolve
from django.utils import timezone, translation

from rollcall import settings
from rollcall.bbb.watcher import own_name
from rollcall.core.access import Reader
from rollcall.core.errors import RollcallError
from rollcall.reports.access import let_in, require_licence
from rollcall.reports.exports import queue
from rollcall.reports.exports.asking import mark_replayed, now_ms
from rollcall.reports.pdf import desks
from rollcall.reports.pdf.document import TooLong
from rollcall.store.exports import Export, ExportState
from rollcall.wording.translating import gettext as _

TICK_SECONDS: Final = 1.0
EXPIRE_MS: Final = 60_000
OK: Final = 200
IN_MEMORY: Final = 4 * 1024 * 1024
LARGEST: Final = 256 * 1024 * 1024

logger = structlog.get_logger(__name__)


class _Stopped(Exception):
    """The worker has to stop, or the row is not its own any more."""


async def run(stop: asyncio.Event) -> None:
    """Make what is asked for until told to stop; what is in hand is left to the next worker."""
    stopping = threading.Event()
    desks.sweep()
    with own_name(settings.DATA / "exports") as name, ThreadPoolExecutor(1, "rollcall-export") as thread:
        maker = Maker(name, stopping)
        loop = asyncio.get_running_loop()
        working = loop.run_in_executor(thread, maker.work)
        waiting = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.set()
            waiting.cancel()
            await working


@dataclass(slots=True)
class Maker:
    """One worker's hands: one file at a time."""

    name: str
    stopping: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], int] = now_ms
    _expired_at: int = 0

    def work(self) -> None:
        """Until told to stop."""
        queue.reclaim(self.name, self.clock())
        try:
            while not self.stopping.is_set():
                if not self.tick_safely():
                    self.stopping.wait(TICK_SECONDS)
        finally:
            connections.close_all()

    def tick_safely(self) -> bool:
        """The same as `tick`; whatever goes wrong, the next file is made."""
        close_old_connections()
        try:
            return self.tick()
        except Error as error:
            logger.warning("The database does not answer; no file is made", error=type(error).__name__)
        except Exception:
            logger.exception("No file was made")
        return False

    def tick(self) -> bool:
        """Make one file, if one is wanted."""
        now = self.clock()
        if not 0 <= now - self._expired_at < EXPIRE_MS:
            queue.expire(now)
            queue.reclaim("", now)
            self._expired_at = now
        export = queue.claim(self.name, now)
        if export is None:
            return False
        self._make(export)
        return True

    def _make(self, export: Export) -> None:
        claimed = (export.pk, export.tries)
        with translation.override(export.language):
            try:
                with timezone.override(ZoneInfo(export.zone)):
                    self._draw(export, claimed)
            except _Stopped:
                queue.release(claimed)
            except TooLong as error:
                queue.fail(claimed, ExportState.TOO_LONG, str(error), error.hint, self.clock())
            except RollcallError as error:
                queue.fail(claimed, ExportState.FAILED, str(error), error.hint, self.clock())
            except Http404 as error:
                queue.fail(claimed, ExportState.FAILED, str(error), "", self.clock())
            except Error:
                self._fault(claimed)
                raise
            except Exception:
                logger.exception("A file could not be made", export=export.pk, tries=export.tries)
                self._fault(claimed)

    def _draw(self, export: Export, claimed: queue.Claim) -> None:
        reader = msgspec.json.decode(export.reader, type=Reader)
        answer = _answer(export, reader, lambda done: self._tell(claimed, reader, done))
        if answer.status_code != OK:
            raise RollcallError(_("The file could not be made."), hint=_("Ask for it again from its report."))
        media_type = answer.headers.get("Content-Type", "application/octet-stream")
        with SpooledTemporaryFile(IN_MEMORY) as file:
            for piece in _content(answer):
                file.write(piece)
                if self.stopping.is_set():
                    raise _Stopped
            if file.tell() > LARGEST:
                raise RollcallError(_("The file is larger than 256 MB."), hint=_("Ask for fewer rows."))
            require_licence(reader)
            file.seek(0)
            queue.store(claimed, file, media_type, self.clock())

    def _tell(self, claimed: queue.Claim, reader: Reader, done: int) -> None:
        require_licence(reader)  # it may end while a long file is made
        if self.stopping.is_set() or not queue.tell(claimed, done, self.clock()):
            raise _Stopped

    def _fault(self, claimed: queue.Claim) -> None:
        """A fault of ours may have been the moment's; after some tries it was not."""
        if claimed[1] < queue.TRIES:
            queue.put_back(claimed)
        else:
            queue.give_up(claimed, self.clock())


def _answer(export: Export, reader: Reader, progress: Callable[[int], None]) -> HttpResponseBase:
    """What the view says to the same address, asked by the same person, if that is still one who may ask."""
    if export.user is not None and not export.user.is_active:
        raise RollcallError(_("This account is closed."))
    request = HttpRequest()
    request.method = "GET"
    request.path = request.path_info = export.path
    request.GET = QueryDict(export.query)
    request.META = {"QUERY_STRING": export.query, "SERVER_NAME": "localhost", "SERVER_PORT": "80"}
    request.user = export.user or AnonymousUser()
    let_in(request, reader)
    mark_replayed(request, progress)
    view, arguments, named = resolve(export.path)
    answer: HttpResponseBase = view(request, *arguments, **named)
    return answer


def _content(answer: HttpResponseBase) -> Iterable[bytes]:
    if isinstance(answer, StreamingHttpResponse):
        return cast("Iterator[bytes]", answer.streaming_content)  # views of files are not async
    return (answer.content,)  # type: ignore[attr-defined]  # one of the two it is
