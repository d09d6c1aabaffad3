"""The web process of `rollcall serve`; not a command of its own."""

from __future__ import annotations

import socket

from rollcall.cli import new_app

app = new_app("The web process, on a listening socket it was handed.")


@app.command()
def web(listener: int) -> None:
    """Answer requests until told to stop."""
    from rollcall.cli.database import open_database

    open_database(for_readers=True)
    from rollcall.asgi import serve

    serve(socket.socket(fileno=listener))
