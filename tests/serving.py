"""A server of the test's own, on a free port of this machine."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler
    from ssl import SSLContext


class _Server(ThreadingHTTPServer):
    """Whoever connects while it is busy waits, and is not turned away."""

    request_queue_size = 128


@contextmanager
def on_a_port(
    handler: type[BaseHTTPRequestHandler], *, port: int = 0, context: SSLContext | None = None
) -> Iterator[int]:
    """It answers while the block lasts, by TLS with a `context`; the port is the one it was given."""
    with _Server(("127.0.0.1", port), handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
