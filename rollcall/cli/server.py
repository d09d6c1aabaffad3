"""BigBlueButton servers: add, list, check, remove, and their shared secrets."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rollcall.cli import EXIT_FAILED, new_app
from rollcall.cli.database import open_database
from rollcall.cli.listing import Form, print_json, print_lines
from rollcall.core.errors import Misconfigured, Refused

if TYPE_CHECKING:
    from rollcall.core.errors import RollcallError
    from rollcall.doctor.findings import Finding
    from rollcall.store.connections import Server

app = new_app("BigBlueButton servers: add, list, check, remove.")
secret_app = new_app("A server's shared secrets: two while one is being changed.")
app.add_typer(secret_app, name="secret")

SECRET_VARIABLE = "ROLLCALL_SERVER_SECRET"  # noqa: S105 - a name
MARKS = {"fine": "ok  ", "warning": "warn", "fault": "FAIL"}


Name = Annotated[str, typer.Argument(help="The name of the server, or its address.", show_default=False)]
Secret = Annotated[
    str,
    typer.Option(
        "--secret",
        envvar=SECRET_VARIABLE,
        show_envvar=True,
        help="The shared secret; better given by the variable, --secret-file or the prompt, which no history keeps.",
    ),
]
SecretFile = Annotated[
    Path | None, typer.Option(help="A file that holds the shared secret; - is standard input.", allow_dash=True)
]
NoCheck = Annotated[bool, typer.Option("--no-check", help="Ask the server nothing.")]


@app.command()
def add(  # noqa: PLR0917 - typer calls it by name
    url: Annotated[
        str,
        typer.Argument(
            help="The server's address, as `bbb-conf --secret` prints it; - takes all it prints from standard input.",
            show_default=False,
        ),
    ],
    secret: Secret = "",
    secret_file: SecretFile = None,
    name: Annotated[str, typer.Option(help="What to call it; it stays its name for good [default: its host].")] = "",
    raw: Annotated[bool, typer.Option("--raw", help="Register a raw hook too, as second witness.")] = False,
    forbid_constant_checksum: Annotated[
        bool,
        typer.Option(
            "--forbid-constant-checksum",
            help="Refuse what bbb-webhooks 3.0 to 3.3 sends without bearer mode: its checksum covers no content.",
        ),
    ] = False,
    hook_url: Annotated[
        list[str] | None,
        typer.Option(help="The address of a hook you have registered yourself, byte for byte; may be repeated."),
    ] = None,
    no_check: NoCheck = False,
    no_hooks: Annotated[bool, typer.Option("--no-hooks", help="Rely on polls alone; they prove much less.")] = False,
) -> None:
    """Check a server, store it, and register a hook there."""
    if url == "-":
        url, secret = _read_bbb_conf(sys.stdin.read())
    else:
        secret = _secret(secret, secret_file)
    open_database()
    from rollcall import environment
    from rollcall.bbb.registration import Addition, find
    from rollcall.bbb.registration import add as register

    addition = Addition(
        url=url,
        secret=secret,
        name=name,
        wants_raw=raw,
        allows_constant_checksum=not forbid_constant_checksum,
        hook_urls=tuple(hook_url or ()),
        has_hooks=not no_hooks,
        is_checked=not no_check,
        base_url=environment.URL.read().rstrip("/"),
    )
    added = asyncio.run(register(addition))
    print(f"Added {added.name} ({added.api_url}).")
    if added.running is not None:
        print(f"It answers; meetings running there: {added.running}.")
    if no_hooks:
        print("Without hooks: only polls tell who is in.")
    elif added.trouble is None and added.addresses:
        print(f"Hooks in place: {added.addresses}." if not no_check else f"Hooks noted: {added.addresses}.")
    if address := _records_address(find(added.name)):
        print(f"Records of meetings that are over may be sent to (meta_analytics-callback-url):\n  {address}")
    if added.trouble is not None:
        _say(added.trouble, "A running worker goes on trying (rollcall serve).")
        raise typer.Exit(EXIT_FAILED)


@app.command("list")
def list_servers(
    form: Annotated[Form, typer.Option("--format", help="How to write it.")] = Form.TABLE,
) -> None:
    """All servers, how they are, and where each sends the records of its meetings."""
    open_database()
    from rollcall.doctor.examination import live_servers

    rows = [_described(server) for server in live_servers()]
    if form is Form.JSON:
        print_json(rows)
    elif rows:
        _print_table(rows)
        _print_addresses(rows)
    else:
        print("No server yet: rollcall server add.")


@app.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(help="Names of servers [default: all].")] = None,
    form: Annotated[Form, typer.Option("--format", help="How to write it.")] = Form.TABLE,
) -> None:
    """Ask each server and say what is wrong; exit status 1 if anything is."""
    open_database()
    from rollcall.bbb.registration import find
    from rollcall.doctor.examination import examine_servers, live_servers

    chosen = [find(name) for name in names] if names else live_servers()
    if form is Form.TABLE:
        _print_addresses([_described(server) for server in chosen])
    print_findings(asyncio.run(examine_servers(chosen)), as_json=form is Form.JSON)
    if not chosen:
        print("No server yet: rollcall server add.", file=sys.stderr)


@app.command()
def remove(name: Name) -> None:
    """Destroy our hooks there and forget the secret; meetings and facts stay."""
    open_database()
    from rollcall.bbb.registration import remove as unregister

    removed = asyncio.run(unregister(name))
    print(f"Removed {removed.name}. Hooks destroyed: {removed.destroyed}. Its meetings stay.")
    if removed.trouble is not None:
        _say(
            removed.trouble,
            "Its hooks could not be destroyed; bbb-webhooks drops them itself after its deliveries fail.",
        )


@secret_app.command("add")
def add_secret(name: Name, secret: Secret = "", secret_file: SecretFile = None, no_check: NoCheck = False) -> None:
    """Accept a second secret beside the present one: a new one, or that of a balancer which signs records itself."""
    secret = _secret(secret, secret_file)
    open_database()
    from rollcall.bbb import registration

    pool, trouble = asyncio.run(registration.add_secret(name, secret, is_checked=not no_check))
    print(f"{pool} has a new secret; the older ones are accepted until: rollcall server secret retire {pool}.")
    if trouble is not None:
        print(f"With the new one: {trouble} If it is not set there yet, set it now; both are tried.")


@secret_app.command("retire")
def retire_secrets(name: Name, no_check: NoCheck = False) -> None:
    """Give up all secrets but the newest."""
    open_database()
    from rollcall.bbb import registration

    pool, count = asyncio.run(registration.retire_secrets(name, is_checked=not no_check))
    print(f"Secrets of {pool} retired: {count}. Deliveries signed with them are accepted for an hour more.")


# -- what was given -----------------------------------------------------------------------------------------------


def _secret(given: str, file: Path | None) -> str:
    if file is not None:
        return _read_secret(file)
    if given:
        return given.strip()
    if not sys.stdin.isatty():
        raise Refused(
            "No shared secret was given.",
            code="no-secret",
            hint=f"Give --secret-file PATH (- is standard input), or set {SECRET_VARIABLE}.",
        )
    prompted: str = typer.prompt("Shared secret", hide_input=True)
    return prompted.strip()


def _read_secret(file: Path) -> str:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(
            f"The secret cannot be read from {file}: {type(error).__name__}.",
            hint="Check the path and who may read it.",
        ) from error
    return _labelled(text).get("secret") or text.strip()


def _read_bbb_conf(text: str) -> tuple[str, str]:
    """Address and secret out of all that `bbb-conf --secret` prints."""
    found = _labelled(text)
    if not found.get("url") or not found.get("secret"):
        raise Refused(
            "Standard input holds no address and secret.",
            code="no-secret",
            hint="Use it so: ssh root@bbb.example.org bbb-conf --secret | rollcall server add -",
        )
    return found["url"], found["secret"]


def _labelled(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        label, colon, value = line.strip().partition(":")
        if colon and label.lower() in {"url", "secret"}:
            found.setdefault(label.lower(), value.strip())
    return found


# -- what is printed ----------------------------------------------------------------------------------------------


def print_findings(findings: list[Finding], *, as_json: bool = False) -> None:
    """One line each, what to do below it; leaves with status 1 if there is a fault."""
    if as_json:
        rows = [
            {"about": one.about, "level": one.level, "sentence": one.sentence, "hint": one.hint} for one in findings
        ]
        print_json(rows)
    else:
        for one in findings:
            print(f"{MARKS[one.level]}  {one.about}: {one.sentence}")
            if one.hint:
                print(f"      {one.hint}")
    if any(one.level == "fault" for one in findings):
        raise typer.Exit(EXIT_FAILED)


def _described(server: Server) -> dict[str, str | bool | None]:
    hooks = server.hooks.filter(verifies_until=None)
    kinds = sorted({"yours" if not hook.is_ours else "raw" if hook.is_raw else "mapped" for hook in hooks})
    return {
        "name": server.pool.name,
        "address": server.api_url,
        "hooks": ", ".join(kinds) if server.has_hooks else "none wanted",
        "polled": _time(server.polled_at),
        "hooks_seen": _time(server.hooks_seen_at),
        "webhook_arrived": _time(server.arrived_at),
        "record_arrived": _time(server.reported_at),
        "records": _records_address(server),
        "trouble": server.trouble,
    }


def _records_address(server: Server) -> str | None:
    """The server's meta_analytics-callback-url; None as long as nobody has said where Rollcall is."""
    from rollcall.bbb.callback_url import callback_url

    try:
        return callback_url(server.pool)
    except Misconfigured:
        return None


def _print_addresses(rows: list[dict[str, str | bool | None]]) -> None:
    if addresses := [(row["name"], row["records"]) for row in rows if row["records"]]:
        print("Records of meetings that are over come to (meta_analytics-callback-url):")
        for name, address in addresses:
            print(f"  {name}: {address}")


def _time(at: int | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at // 1000, UTC).isoformat().replace("+00:00", "Z")


def _print_table(rows: list[dict[str, str | bool | None]]) -> None:
    heads = {
        "name": "NAME",
        "address": "ADDRESS",
        "hooks": "HOOKS",
        "polled": "POLLED",
        "webhook_arrived": "LAST WEBHOOK",
        "record_arrived": "LAST RECORD",
        "trouble": "TROUBLE",
    }
    print_lines([list(heads.values()), *([str(row[key] or "-") for key in heads] for row in rows)])


def _say(error: RollcallError, more: str) -> None:
    print(f"rollcall: {error}", file=sys.stderr)
    for hint in (error.hint, more):
        if hint:
            print(f"          {hint}", file=sys.stderr)
