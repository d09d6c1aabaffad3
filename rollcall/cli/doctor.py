"""Look at everything and say what is wrong."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from rollcall.cli import new_app
from rollcall.cli.database import open_database

app = new_app("Look at everything and say what is wrong.")


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Write the findings as JSON.")] = False,
) -> None:
    """Check the database, the cache, our own address and every server with its hooks; exit status 1 for any fault."""
    open_database()
    from rollcall.cli.server import print_findings
    from rollcall.doctor.examination import examine

    print_findings(asyncio.run(examine()), as_json=as_json)
