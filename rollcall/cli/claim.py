"""Meetings that no platform owns: whose they are, by the operator's word."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from rollcall.cli import new_app
from rollcall.cli.database import open_database
from rollcall.cli.listing import Form, print_json, print_lines, values_of
from rollcall.cli.organisation import note, time_told
from rollcall.core.errors import Refused

if TYPE_CHECKING:
    from rollcall.store.organisations import Organisation
    from rollcall.store.platforms import Platform

app = new_app("Meetings that no platform owns: list, add and remove claims.")

Server = Annotated[str, typer.Argument(help="The server, by its name.", show_default=False)]
Site = Annotated[
    str, typer.Argument(help="The site, as `claim list` names it; nothing else is equal to it.", show_default=False)
]


@app.command("list")
def list_claims(
    form: Annotated[Form, typer.Option("--format", help="In what form.")] = Form.TABLE,
) -> None:
    """What is nobody's, by server and site, the latest first; then the claims that are remembered."""
    open_database()
    from rollcall.store.claiming import unclaimed
    from rollcall.store.organisations import Claim
    from rollcall.wording.visible import visible

    free = [
        {"server": one.pool, "site": visible(one.site), "meetings": one.meetings, "last": time_told(one.last_at)}
        for one in unclaimed()
    ]
    claims = Claim.objects.select_related("pool", "organisation", "platform").order_by("pool__name", "site")
    held = [
        {
            "server": one.pool.name,
            "site": visible(one.site),
            "organisation": one.organisation.name,
            "platform": visible(one.platform.site) if one.platform else "-",
            "claimed": time_told(one.claimed_at),
            "by": one.claimed_by or "-",
        }
        for one in claims
    ]
    if form is Form.JSON:
        print_json({"unclaimed": free, "claims": held})
        return
    _print("Nobody's:", ("SERVER", "SITE", "MEETINGS", "LAST"), free, "Every meeting belongs to an organisation.")
    if held:
        _print("Claimed:", ("SERVER", "SITE", "ORGANISATION", "PLATFORM", "CLAIMED", "BY"), held, "")


@app.command()
def add(
    server: Server,
    site: Site,
    organisation: Annotated[str, typer.Option(help="Whose they are.", show_default=False)],
    platform: Annotated[
        str, typer.Option(help="Read them as those of this site of one of its platforms, so that its courses fit.")
    ] = "",
) -> None:
    """Give the meetings of a site on a server to an organisation, those to come too. They are folded again."""
    open_database()
    from rollcall.derive.claims import claim
    from rollcall.store.claiming import find_pool
    from rollcall.store.licensing import now_ms
    from rollcall.store.organising import find_organisation

    owner = find_organisation(organisation)
    chosen = _platform(owner, platform) if platform else None
    count = claim(find_pool(server), site, owner, chosen, by=_who(), now=now_ms())
    note("claim", owner.pk)
    print(f"Meetings of {site} on {server} are those of {owner.name}. To be folded again: {count}.")


@app.command()
def remove(server: Server, site: Site) -> None:
    """Take a claim back: the meetings are nobody's again, and are folded again."""
    open_database()
    from rollcall.derive.claims import release
    from rollcall.store.claiming import find_pool
    from rollcall.store.keys import key_of
    from rollcall.store.organisations import Claim

    pool = find_pool(server)
    held = Claim.objects.select_related("platform").filter(pool=pool, site_key=key_of(site)).first()
    if held is None:
        raise Refused(
            f"There is no claim of {site!r} on {pool.name}.",
            code="no-such-claim",
            hint="`rollcall claim list` shows them.",
        )
    owner, count = held.organisation_id, release(held)
    note("claim", owner)
    print(f"Removed the claim of {site} on {pool.name}. To be folded again: {count}.")


def _platform(owner: Organisation, site: str) -> Platform:
    from rollcall.store.keys import key_of

    platforms = owner.platforms.filter(removed_at=None)
    if found := platforms.filter(site_key=key_of(site)).first():
        return found
    known = ", ".join(sorted(set(platforms.values_list("site", flat=True)))) or "none"
    raise Refused(f"{owner.name} has no platform with the site {site!r}.", hint=f"It has: {known}.")


def _who() -> str:
    """By whom it is told: the account of this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _print(title: str, heads: tuple[str, ...], rows: list[dict[str, object]], empty: str) -> None:
    if not rows:
        print(empty)
        return
    print(title)
    print_lines([heads, *map(values_of, rows)])
