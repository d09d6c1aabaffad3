"""The bare server: the same granian, reading the request and answering ok. `python -m bench.ok_server PORT`."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any

from granian.constants import Interfaces
from granian.server.embed import Server

BACKLOG = 2048


async def ok(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """An ASGI application that does nothing."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"3")]})
    await send({"type": "http.response.body", "body": b"ok\n"})


async def serve(application: Any, port: int) -> None:
    """Until SIGTERM, set up as Rollcall's own web process is."""
    server = Server(application, port=port, interface=Interfaces.ASGI, backlog=BACKLOG, websockets=False)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.serve()


if __name__ == "__main__":
    asyncio.run(serve(ok, int(sys.argv[1])))
