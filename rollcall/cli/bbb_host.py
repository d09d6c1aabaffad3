"""`rollcall bbb-host`: what an operator copies to a BigBlueButton host, and how."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from rollcall.cli import new_app
from rollcall.core.errors import Misconfigured

app = new_app("What an operator copies to a BigBlueButton host, and how.")


class Version(StrEnum):
    """A version of BigBlueButton."""

    V2_2 = "2.2"
    V2_3 = "2.3"
    V2_4 = "2.4"
    V2_5 = "2.5"
    V2_6 = "2.6"
    V2_7 = "2.7"
    V3_0 = "3.0"


@app.command()
def bbb_host(
    bbb: Annotated[Version, typer.Option("--bbb", help="The host's version of BigBlueButton.")] = Version.V3_0,
    server: Annotated[str, typer.Option(help="The server it is; its address for records is put in.")] = "",
    script: Annotated[bool, typer.Option("--script", help="Print the program alone.")] = False,
    output: Annotated[Path | None, typer.Option(help="Write all files into this folder.")] = None,
) -> None:
    """Say how a BigBlueButton host sends records of its meetings, or write what is copied there."""
    from rollcall.bbb.post_events import instructions
    from rollcall.bbb.post_events.single_file import assemble

    if script:
        sys.stdout.write(assemble())
        return
    options, host = _of_server(server) if server else ({}, instructions.HOST_PLACE)
    if output is None:
        typer.echo(instructions.instructions(bbb, options, host), nl=False)
        return
    _write(output, instructions.files(bbb, options, host))
    typer.echo(f"Written to {output}; INSTALL.txt there says what goes where.")


def _of_server(name: str) -> tuple[dict[str, str], str]:
    """What its configuration is to say, and its name: where Rollcall relays by itself, the host sends to no LMS."""
    from rollcall.cli.database import open_database

    open_database()
    from rollcall.bbb.callback_url import callback_url
    from rollcall.bbb.registration import find

    server = find(name)
    options = {"rollcall_url": callback_url(server.pool)} | ({"send_to_lms": "no"} if server.pool.relays else {})
    return options, urlsplit(server.api_url).hostname or server.pool.name


def _write(folder: Path, files: dict[str, str]) -> None:
    """The configuration holds an address nobody else should know; this command's files are private anyway."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Misconfigured(f"{folder} cannot be written: {error.strerror}.") from error
