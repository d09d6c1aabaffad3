"""The web process: webhooks and live streams are answered here, the rest by Django.

A page may take a thread; an arrival must not, and a stream that stays open for an hour even less.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollcall.settings")

from django.core.asgi import get_asgi_application

pages = get_asgi_application()

from django.db import Error, connections, transaction
from granian.constants import Interfaces
from granian.net import SocketHolder  # type: ignore[attr-defined]  # it passes it on without saying so
from granian.server.embed import Server

from rollcall.bbb import analytics
from rollcall.bbb.webhook import PREFIX, Receive, Scope, Send, Webhook
from rollcall.feed.embedded import Embedded
from rollcall.live import stream
from rollcall.logs import set_up_logging

BACKLOG = 2048
# Deliveries make no cycles: looking for some every 700 objects is a tenth of the work.
GARBAGE_AT = 20_000
# Connections that are served at one time, the open streams among them.
MOST_CONNECTIONS = 8192
NOTES_SECONDS = 10.0
HEALTH_SECONDS = 5.0
# What Django still does after the last answer, such as closing a response.
LAST_SECONDS = 5.0


class Application:
    """What an ASGI server calls. Its lifespan is that of the feed."""

    def __init__(self) -> None:
        self._feed = Embedded()
        self._webhook = Webhook(self._feed)
        self._analytics = analytics.Analytics(self._feed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request to who answers it."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
        elif PREFIX in scope["path"]:  # a proxy may leave its own prefix before it
            await self._webhook(scope, receive, send)
        elif analytics.PREFIX in scope["path"]:
            await self._analytics(scope, receive, send)
        elif scope["path"].startswith("/live/"):
            await stream.stream(scope, receive, send)
        elif scope["path"] == "/health":
            await _send_health(send)
        else:
            await pages(scope, receive, send)  # type: ignore[arg-type]  # Django's stubs tell the messages apart

    async def _live(self, receive: Receive, send: Send) -> None:
        """From the server's start to after its last answer."""
        await receive()
        notes = asyncio.create_task(self._write_notes())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        notes.cancel()
        await self._feed.close()
        await self._webhook.close()
        await self._analytics.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _write_notes(self) -> None:
        while True:
            await asyncio.sleep(NOTES_SECONDS)
            await self._webhook.write_notes()


application = Application()


async def _send_health(send: Send) -> None:
    """200 while the database can be written: for whoever watches the process."""
    is_well = False
    with contextlib.suppress(TimeoutError, Error):
        async with asyncio.timeout(HEALTH_SECONDS):
            is_well = await asyncio.to_thread(_can_write)
    body = b"ok\n" if is_well else b"The database cannot be written.\n"
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    start: dict[str, Any] = {"type": "http.response.start", "status": 200 if is_well else 503}
    await send({**start, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _can_write() -> bool:
    try:
        with transaction.atomic():  # on SQLite this takes the writer's lock
            return True
    finally:
        connections.close_all()


# -- the server ---------------------------------------------------------------------------------------------------


class _Granian(Server):
    """Granian on a socket that somebody else opened, so that a restart refuses nobody."""

    def __init__(self, listener: socket.socket) -> None:
        super().__init__(
            application,
            interface=Interfaces.ASGI,
            backlog=BACKLOG,
            backpressure=MOST_CONNECTIONS,
            websockets=False,
        )
        self._listener = listener

    def _init_shared_socket(self) -> None:
        of = (self._listener.fileno(), False, BACKLOG)  # no Unix socket
        self._shd = SocketHolder(*of)  # type: ignore[assignment,call-arg]  # untold by its stubs


def serve(listener: socket.socket) -> None:
    """Answer what comes in by `listener` until SIGTERM or SIGINT, then finish what is under way."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AT)
    asyncio.run(_serve(listener))


async def _serve(listener: socket.socket) -> None:
    server = _Granian(listener)
    set_up_logging("web")

    def stop() -> None:
        stream.close()
        server.stop()  # type: ignore[no-untyped-call]  # theirs

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await server.serve()
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    if rest:
        await asyncio.wait(rest, timeout=LAST_SECONDS)
