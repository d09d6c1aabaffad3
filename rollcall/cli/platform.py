"""LMSs: register them, by an invitation or by hand, and say which servers' meetings are theirs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rollcall.cli import new_app
from rollcall.cli.database import open_database
from rollcall.cli.listing import Form, print_rows
from rollcall.cli.organisation import time_told
from rollcall.cli.platform_moodle import app as moodle_app
from rollcall.cli.server import print_findings
from rollcall.core.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rollcall.store.connections import Pool
    from rollcall.store.platforms import Platform

app = new_app("LMSs: invite, add, list, check, remove; their servers, deployments and keys.")
deployment_app = new_app("The deployment ids under which an LMS may launch Rollcall.")
keys_app = new_app("The key pair by which Rollcall signs what it sends to LMSs.")
app.add_typer(deployment_app, name="deployment")
app.add_typer(keys_app, name="keys")
app.add_typer(moodle_app, name="moodle")

Organisation = Annotated[str, typer.Argument(help="The name of the organisation, whole.", show_default=False)]
Named = Annotated[str, typer.Argument(metavar="PLATFORM", help="Its number, its site or its name.", show_default=False)]
Server = Annotated[str, typer.Argument(help="The server, by its name.", show_default=False)]
Servers = Annotated[
    list[str] | None, typer.Option("--pool", help="A server on which its classes are held; may be repeated.")
]

HEADS = ("NO.", "ORGANISATION", "SITE", "SERVERS", "DEPLOYMENTS", "LAST LAUNCH", "TROUBLE")


@app.command()
def invite(organisation: Organisation, pool: Servers = None) -> None:
    """Print an address that registers one LMS, once, within a day."""
    open_database()
    from rollcall.derive import invitations
    from rollcall.store.licensing import now_ms
    from rollcall.store.organising import find_organisation

    address = invitations.invite(find_organisation(organisation), _pools(pool), now=now_ms())
    print(f"Give this address to the administrator of the LMS; it works once, until this time tomorrow:\n  {address}")
    print(
        "In Moodle: Site administration, Plugins, External tool, Manage tools; paste it and press “Add LTI Advantage”."
    )
    if not pool:
        print("No server is attached: rollcall platform attach, once it is registered.")


@app.command()
def add(  # noqa: PLR0917 - typer calls it by name
    organisation: Organisation,
    issuer: Annotated[str, typer.Option(help="The platform id, exactly as the LMS shows it.", show_default=False)],
    client_id: Annotated[str, typer.Option(help="The client id.", show_default=False)],
    deployment: Annotated[
        list[str] | None, typer.Option(help="A deployment id; may be repeated.", show_default=False)
    ] = None,
    authorization_url: Annotated[
        str, typer.Option(help="The authentication request URL [default: Moodle's, below the issuer].")
    ] = "",
    token_url: Annotated[str, typer.Option(help="The access token URL [default: Moodle's, below the issuer].")] = "",
    token_audience: Annotated[
        str, typer.Option(help="To whom access tokens are asked of, where the LMS names one [default: the token URL].")
    ] = "",
    keys_url: Annotated[
        str, typer.Option(help="The address of the LMS's key set [default: Moodle's, below the issuer].")
    ] = "",
    public_key: Annotated[
        Path | None, typer.Option(help="A file with the LMS's public key (PEM), where there is no key set.")
    ] = None,
    site: Annotated[str, typer.Option(help="What meetings call the LMS [default: the issuer].")] = "",
    name: Annotated[str, typer.Option(help="What to call it [default: the host of its site].")] = "",
    pool: Servers = None,
) -> None:
    """Register an LMS by hand, or change what is registered under this issuer and client id."""
    open_database()
    from rollcall.derive import platforms
    from rollcall.lti.registration import Registration
    from rollcall.store.licensing import now_ms
    from rollcall.store.organising import find_organisation

    moodle = f"{issuer.rstrip('/')}/mod/lti"
    wanted = Registration(
        issuer=issuer,
        client_id=client_id,
        authorization_url=authorization_url or f"{moodle}/auth.php",
        token_url=token_url or f"{moodle}/token.php",
        token_audience=token_audience,
        keys_url=keys_url or ("" if public_key else f"{moodle}/certs.php"),
        public_key=_read(public_key) if public_key else "",
        deployments=tuple(deployment or ()),
        name=name,
        site=site,
    )
    added = platforms.add(find_organisation(organisation), wanted, _pools(pool), now=now_ms())
    print(f"Registered {added.site} as number {added.pk}.")
    print(f"          Next: rollcall platform check {added.pk}")


@app.command("list")
def list_platforms(
    form: Annotated[Form, typer.Option("--format", help="In what form.")] = Form.TABLE,
) -> None:
    """All LMSs that are registered, and how they are."""
    open_database()
    from rollcall.store.platforms import Platform

    known = Platform.objects.filter(removed_at=None).select_related("organisation").order_by("pk")
    rows = [_described(one) for one in known]
    print_rows(rows, form, HEADS, none="No platform yet: rollcall platform invite.", line=_line)


@app.command()
def check(
    platforms: Annotated[
        list[str] | None, typer.Argument(metavar="PLATFORM…", help="Numbers, sites or names [default: all].")
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="In what form.")] = Form.TABLE,
) -> None:
    """Fetch the keys of each LMS and say what is wrong; exit status 1 if anything is."""
    open_database()
    from rollcall.derive.platforms import find
    from rollcall.doctor.platforms import check as examine
    from rollcall.store.licensing import now_ms
    from rollcall.store.platforms import Platform

    chosen = [find(one) for one in platforms] if platforms else Platform.objects.filter(removed_at=None).order_by("pk")
    now = now_ms()
    print_findings([finding for one in chosen for finding in examine(one, now)], as_json=form is Form.JSON)


@app.command()
def remove(platform: Named) -> None:
    """Take no launch of an LMS any more. Its meetings stay its organisation's until its servers are detached."""
    open_database()
    from rollcall.derive import platforms
    from rollcall.store.licensing import now_ms

    chosen = platforms.find(platform)
    platforms.remove(chosen, now=now_ms())
    print(f"Removed {chosen.site}. Whoever came from there is out; what was recorded stays.")
    if pools := ", ".join(chosen.pools.values_list("name", flat=True)):
        print(f"Still attached, so that its meetings stay its organisation's: {pools}.")


@app.command()
def attach(platform: Named, server: Server) -> None:
    """Say that meetings of this LMS are held on a server; those that were are seen from now on."""
    open_database()
    from rollcall.derive import platforms
    from rollcall.store.licensing import now_ms

    chosen = platforms.find(platform)
    count = platforms.attach(chosen, _pool(server), now=now_ms())
    print(f"{chosen.site} is attached to {server}. Meetings looked at again: {count}.")


@app.command()
def detach(
    platform: Annotated[
        str, typer.Argument(metavar="PLATFORM", help="Its number, its site or its name; also one removed, by number.")
    ],
    server: Server,
) -> None:
    """Say that they are not; those that were are nobody's, unless claimed."""
    open_database()
    from rollcall.derive import platforms
    from rollcall.store.licensing import now_ms

    chosen = platforms.find(platform, with_removed=True)
    count = platforms.detach(chosen, _pool(server), now=now_ms())
    print(f"{chosen.site} is detached from {server}. Meetings looked at again: {count}.")


@deployment_app.command("add")
def add_deployment(platform: Named, deployment_id: Annotated[str, typer.Argument(show_default=False)]) -> None:
    """Take launches under one more deployment id."""
    open_database()
    from rollcall.derive import platforms
    from rollcall.store.licensing import now_ms

    chosen = platforms.find(platform)
    platforms.deploy(chosen, deployment_id, now=now_ms())
    print(f"Launches of {chosen.site} under the deployment {deployment_id} are taken.")


@deployment_app.command("remove")
def remove_deployment(platform: Named, deployment_id: Annotated[str, typer.Argument(show_default=False)]) -> None:
    """Take none any more under this one."""
    open_database()
    from rollcall.derive import platforms
    from rollcall.store.licensing import now_ms

    chosen = platforms.find(platform)
    if not platforms.withdraw(chosen, deployment_id, now=now_ms()):
        raise Refused(f"{chosen.site} has no deployment {deployment_id}.", hint="rollcall platform list")
    print(f"Launches of {chosen.site} under the deployment {deployment_id} are refused.")


@keys_app.command()
def rotate(
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Sign with it now and withdraw the old ones: somebody else knows them.")
    ] = False,
) -> None:
    """Make a new key pair: published now, signing in two hours, while the old one is still believed for a day."""
    open_database()
    from rollcall.lti import keys

    made = keys.rotate(at_once=at_once)
    print(f"Key {made.kid} signs from {time_told(made.signs_from)}.")


# --- what was given -------------------------------------------------------------------------------------------------


def _pools(names: list[str] | None) -> list[Pool]:
    return [_pool(name) for name in names or ()]


def _pool(name: str) -> Pool:
    from rollcall.store.claiming import find_pool

    return find_pool(name)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path} cannot be read: {type(error).__name__}.", hint="It is a text file.") from error


# --- what is printed ------------------------------------------------------------------------------------------------


def _described(platform: Platform) -> dict[str, object]:
    from rollcall.lti.trouble import told

    return {
        "number": platform.pk,
        "organisation": platform.organisation.name,
        "name": platform.name,
        "site": platform.site,
        "issuer": platform.issuer,
        "client_id": platform.client_id,
        "servers": list(platform.pools.order_by("name").values_list("name", flat=True)),
        "deployments": list(platform.deployments.order_by("pk").values_list("deployment_id", flat=True)),
        "launched": None if platform.launched_at is None else time_told(platform.launched_at),
        "trouble": told(platform.keys_trouble or platform.token_trouble)[0],
    }


def _line(row: Mapping[str, object]) -> tuple[str, ...]:
    names = ("number", "organisation", "site", "servers", "deployments", "launched", "trouble")
    return tuple(_cell(row[name]) for name in names)


def _cell(value: object) -> str:
    return (", ".join(value) if isinstance(value, list) else str(value or "")) or "-"
