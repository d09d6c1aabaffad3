"""Moodle's web services, by which completion is set: the token, and a test of what it can do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rollcall.cli import new_app
from rollcall.cli.database import open_database
from rollcall.cli.listing import Form
from rollcall.cli.server import print_findings
from rollcall.core.errors import Refused

if TYPE_CHECKING:
    from rollcall.moodle.checking import Checked

app = new_app("The token of Moodle's web services, by which completion is set.")

Named = Annotated[str, typer.Argument(metavar="PLATFORM", help="Its number, its site or its name.", show_default=False)]
Formed = Annotated[Form, typer.Option("--format", help="In what form.")]
MOST_CHARACTERS = 1000


@app.command("set")
def set_token(
    platform: Named,
    token_file: Annotated[
        Path | None, typer.Option(help="A file that holds the token; - is standard input.", allow_dash=True)
    ] = None,
    form: Formed = Form.TABLE,
) -> None:
    """Give Rollcall a token, asked for unless a file has it, and test it; exit status 1 if rights are missing."""
    token = _token(token_file)
    open_database()
    from rollcall.derive import platforms
    from rollcall.store.licensing import now_ms

    chosen = platforms.find(platform)
    _print(chosen.site, platforms.give_token(chosen, token, now=now_ms()), form)


@app.command()
def check(platform: Named, form: Formed = Form.TABLE) -> None:
    """Test the connection, naming each function and right that is missing; exit status 1 if anything is."""
    open_database()
    from rollcall.derive.platforms import find
    from rollcall.moodle.service_user import examine
    from rollcall.store.licensing import now_ms
    from rollcall.store.owed import MoodleService

    chosen = find(platform)
    service = MoodleService.objects.filter(platform=chosen).select_related("platform").first()
    if service is None:
        raise Refused(
            f"Rollcall has no token for the web services of {chosen.site}.",
            code="no-token",
            hint=f"Make one in Moodle: rollcall platform moodle set {chosen.pk}",
        )
    _print(chosen.site, examine(service, now=now_ms()), form)


@app.command()
def remove(platform: Named) -> None:
    """Forget the token. In Moodle it stays good until it is revoked there."""
    open_database()
    from rollcall.derive import platforms
    from rollcall.store.licensing import now_ms

    chosen = platforms.find(platform)
    if not platforms.forget_token(chosen, now=now_ms()):
        raise Refused(f"Rollcall has no token for the web services of {chosen.site}.", code="no-token")
    print(
        f"The token for {chosen.site} is forgotten; revoke it in Moodle too. Completion waits until there is another."
    )


def _token(file: Path | None) -> str:
    """Out of a file, or asked for: never out of the command itself, which others see and histories keep."""
    if file is None and not sys.stdin.isatty():
        raise Refused("No token was given.", code="no-token", hint="Give --token-file PATH (- is standard input).")
    if file is None:
        return str(typer.prompt("Token", hide_input=True))
    try:
        return (sys.stdin.read(MOST_CHARACTERS) if str(file) == "-" else file.read_text(encoding="ascii")).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(
            f"The token cannot be read from {file}: {type(error).__name__}.", hint="It is a text file."
        ) from error


def _print(site: str, found: Checked, form: Form) -> None:
    from rollcall.doctor.platforms import findings_of

    print_findings(findings_of(site, found), as_json=form is Form.JSON)
