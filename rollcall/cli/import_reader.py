"""One of the processes that `rollcall import` shares its work out to; never called by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from rollcall.cli import new_app

app = new_app()


@app.command()
def import_reader(connection: Annotated[int, typer.Argument(help="The file descriptor of a socket.")]) -> None:
    """Do the tasks that come by a socket until its other end is gone."""
    from multiprocessing.connection import Connection

    from rollcall.cli.database import start_django

    start_django()
    from rollcall.importing.exchange import serve
    from rollcall.logs import set_up_logging

    set_up_logging("import")
    with Connection(connection) as other_end:
        serve(other_end)
