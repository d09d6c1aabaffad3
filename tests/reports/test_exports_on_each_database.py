"""Exports on SQLite, PostgreSQL and MariaDB, with the loop that makes them."""

from __future__ import annotations

import asyncio
from io import BytesIO

import msgspec
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.db import connection
from django.http import HttpRequest, HttpResponse

from rollcall.core.access import Reader, Role
from rollcall.reports.exports import queue, working
from rollcall.reports.exports.asking import now_ms
from rollcall.store.exports import Export, ExportPart, ExportState
from tests.makers import make_export, operator

CONTENT = bytes(range(256)) * 6000


def wanted() -> Export:
    user = operator(get_user_model(), "ada")
    found: Export = make_export(
        user_id=user.pk,
        reader=msgspec.json.encode(Reader(role=Role.OPERATOR, name="ada")).decode(),
        path="/people.pdf",
        query="name=Ὀδυσσεύς\x00",
        kind="pdf",
        state=ExportState.WAITING,
        expires_at=now_ms() + 1000,
    )
    return found


def test_a_file_is_stored_in_pieces_whole_or_not_at_all(database: str) -> None:
    wanted()
    claimed = queue.claim("w", now_ms())
    assert claimed is not None
    assert queue.claim("other", now_ms()) is None
    held = (claimed.pk, claimed.tries)
    assert queue.store(held, BytesIO(CONTENT), "application/pdf", now_ms())
    assert not queue.store(held, BytesIO(CONTENT), "application/pdf", now_ms())
    found = Export.objects.get()
    assert (found.state, found.size, ExportPart.objects.count()) == (ExportState.READY, len(CONTENT), 3)
    assert b"".join(queue.content_of(found)) == CONTENT
    queue.expire(now_ms() + 2000)
    assert (Export.objects.count(), ExportPart.objects.count()) == (0, 0)


def test_no_transaction_holds_more_than_a_piece(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes at the same time, such as a webhook, gets in between two pieces."""
    wanted()
    claimed = queue.claim("w", now_ms())
    assert claimed is not None
    seen: list[tuple[bool, int]] = []

    def look(file: BytesIO) -> bytes:
        seen.append((connection.in_atomic_block, ExportPart.objects.count()))
        return BytesIO.read(file, queue.PIECE)

    file = BytesIO(CONTENT)
    monkeypatch.setattr(queue, "_piece", look)
    assert queue.store((claimed.pk, claimed.tries), file, "application/pdf", now_ms())
    assert seen == [(False, 0), (False, 1), (False, 2), (False, 3)]


def test_pieces_of_a_try_that_was_lost_are_in_no_file(database: str) -> None:
    wanted()
    lost = queue.claim("lost", now_ms())
    assert lost is not None
    ExportPart.objects.create(export=lost, number=queue.number_of(lost.tries, 0), content=b"half of it")
    queue.reclaim("lost", now_ms())
    claimed = queue.claim("w", now_ms())
    assert claimed is not None
    # The one thought dead goes on for a while.
    ExportPart.objects.create(export=lost, number=queue.number_of(lost.tries, 1), content=b"the rest")
    assert not queue.store((lost.pk, lost.tries), BytesIO(CONTENT), "application/pdf", now_ms())
    assert queue.store((claimed.pk, claimed.tries), BytesIO(CONTENT), "application/pdf", now_ms())
    assert b"".join(queue.content_of(Export.objects.get())) == CONTENT
    queue.expire(now_ms() + 2000)
    assert (Export.objects.count(), ExportPart.objects.count()) == (0, 0)


def test_the_loop_makes_what_is_asked_for_and_stops_when_told(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def view(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(CONTENT)

    monkeypatch.setattr(working, "resolve", lambda _path: (view, (), {}))
    wanted()

    async def until_made() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(working.run(stop))
        for _ in range(200):
            if await sync_to_async(Export.objects.filter(state=ExportState.READY).exists)():
                break
            await asyncio.sleep(0.05)
        stop.set()
        await asyncio.wait_for(running, 10)

    asyncio.run(until_made())
    assert Export.objects.get().state == ExportState.READY
