"""Tokens for programs that read the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from rollcall.cli import new_app
from rollcall.cli.database import open_database
from rollcall.core.errors import Refused

if TYPE_CHECKING:
    from rollcall.store.accounts import Token

app = new_app("Tokens for programs that read the API: add, list, revoke.")

DAY_MS = 24 * 3_600_000
DAYS = 365


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What it is for.", show_default=False)],
    organisation: Annotated[
        str | None, typer.Option(help="Inside which organisation it reads; without one it reads everything.")
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="What it opens: read, facts, exports, servers, platforms, audit, completion; as often as needed."
        ),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3660, help="After so many days it ends.")] = DAYS,
) -> None:
    """Make a token and print it, once: only its digest is kept."""
    open_database()
    from rollcall.store import auditing, tokens
    from rollcall.store.auditing import Action
    from rollcall.store.licensing import now_ms
    from rollcall.store.organising import find_organisation

    now = now_ms()
    of = find_organisation(organisation) if organisation else None
    token, text = tokens.make(of, name, scope or [], now=now, expires_at=now + days * DAY_MS)
    about = {"actor": "command line", "organisation": token.organisation_id, "address": f"token {token.pk}"}
    auditing.write(now, Action.CHANGED, None, subject="token", **about)
    print(f"{text}")
    print(f"Token {token.pk} for {token.name!r}: {token.scopes}, until {_day(token.expires_at)}.", end=" ")
    print("It is shown this once.")


@app.command("list")
def list_tokens() -> None:
    """Every token with its scopes, and when it was last used."""
    open_database()
    from rollcall.store.accounts import Token

    found = Token.objects.select_related("organisation").order_by("pk")
    for one in found:
        print("\t".join(_line(one)))
    if not found:
        print("No token yet: rollcall token add.")


@app.command()
def revoke(number: Annotated[int, typer.Argument(help="The number of the token.", show_default=False)]) -> None:
    """End a token at once."""
    open_database()
    from rollcall.store import auditing, tokens
    from rollcall.store.accounts import Token
    from rollcall.store.auditing import Action
    from rollcall.store.licensing import now_ms

    token = Token.objects.filter(pk=number).first()
    if token is None:
        raise Refused(f"There is no token {number}.", code="no-such-token", hint="`rollcall token list` shows them.")
    now = now_ms()
    tokens.revoke(token, now)
    about = {"actor": "command line", "organisation": token.organisation_id, "address": f"token {token.pk}"}
    auditing.write(now, Action.CHANGED, None, subject="token", **about)
    print(f"Token {number} opens nothing any more.")


def _line(token: Token) -> list[str]:
    whose = token.organisation.name if token.organisation else "(everything)"
    state = "revoked" if token.revoked_at is not None else f"until {_day(token.expires_at)}"
    used = f"last used {_day(token.used_at)}" if token.used_at is not None else "never used"
    return [str(token.pk), f"{token.start}…", token.name, whose, token.scopes, state, used]


def _day(at: int | None) -> str:
    return "for ever" if at is None else f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d}"
