"""Organisations: schools and universities, each of which sees its own meetings."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from rollcall.cli import new_app
from rollcall.cli.database import open_database
from rollcall.cli.listing import Form, print_rows

if TYPE_CHECKING:
    from rollcall.store.licensing import Licensed
    from rollcall.store.organisations import Organisation

app = new_app("Organisations: add, list, edit, remove.")

Name = Annotated[str, typer.Argument(help="The name of the organisation, whole.", show_default=False)]
Contact = Annotated[
    str | None, typer.Option(help="Whom its people are told to ask: an e-mail address, a web address or a sentence.")
]

ACTOR = "command line"
HEADS = ("NAME", "LICENCE", "PLATFORMS", "SERVERS", "PEOPLE THIS MONTH", "ACCOUNTS", "CONTACT")


@app.command()
def add(name: Name, contact: Contact = None) -> None:
    """Make an organisation. It sees nothing before it has a licence, and owns nothing before it has a platform."""
    open_database()
    from rollcall.store.licensing import now_ms
    from rollcall.store.organising import add_organisation

    organisation, is_new = add_organisation(name, contact or "", now=now_ms())
    if not is_new:
        print(f"{organisation.name} is there already.")
        return
    note("organisation", organisation.pk)
    print(f"Added {organisation.name}.")
    name = repr(organisation.name)
    print(f"          Next: rollcall licence add {name}, then rollcall platform invite {name}.")


@app.command("list")
def list_organisations(
    form: Annotated[Form, typer.Option("--format", help="In what form.")] = Form.TABLE,
) -> None:
    """All organisations: how each stands, and how much it has of what its licence limits."""
    open_database()
    from rollcall.store.organisations import Organisation

    rows = described(list(Organisation.objects.order_by("name")))
    print_rows(rows, form, HEADS, none="No organisation yet: rollcall organisation add.")


@app.command()
def edit(
    name: Name,
    to: Annotated[str | None, typer.Option("--name", help="Its new name.")] = None,
    contact: Contact = None,
) -> None:
    """Give an organisation another name or contact."""
    open_database()
    from rollcall.core.errors import Refused
    from rollcall.store.organising import edit_organisation, find_organisation

    if to is None and contact is None:
        raise Refused("Nothing to change was given.", hint="Give --name, --contact or both.")
    organisation = find_organisation(name)
    edit_organisation(organisation, name=to, contact=contact)
    note("organisation", organisation.pk)
    print(f"{organisation.name} is changed.")


@app.command()
def remove(name: Name) -> None:
    """Delete an organisation that has no platform, claim or account left; its licences go with it."""
    open_database()
    from rollcall.store.organising import find_organisation, remove_organisation

    organisation = find_organisation(name)
    pk = organisation.pk
    remove_organisation(organisation)
    note("organisation", pk)
    print(f"Removed {organisation.name}.")


def note(subject: str, organisation: int | None) -> None:
    """In the audit log: somebody at the command line changed this."""
    from rollcall.store import auditing
    from rollcall.store.auditing import Action
    from rollcall.store.licensing import now_ms

    auditing.write(now_ms(), Action.CHANGED, None, actor=ACTOR, subject=subject, organisation=organisation)


def described(organisations: list[Organisation]) -> list[dict[str, str | int]]:
    """How each stands and what it has, in words."""
    from django.utils import timezone

    from rollcall.store.accounts import Account
    from rollcall.store.licensing import now_ms, standings
    from rollcall.store.limits import uses_of

    now, pks = now_ms(), [one.pk for one in organisations]
    standing, used = standings(pks, now), uses_of(pks, now, timezone.get_default_timezone())
    accounts = Counter(Account.objects.exclude(organisation=None).values_list("organisation", flat=True))
    return [
        {
            "name": one.name,
            "licence": standing_told(standing[one.pk]),
            "platforms": _of(*used[one.pk].platforms),
            "servers": _of(*used[one.pk].pools),
            "people_this_month": _of(*used[one.pk].people),
            "accounts": accounts[one.pk],
            "contact": one.contact or "-",
        }
        for one in organisations
    ]


def _of(used: int, limit: int | None) -> str:
    return str(used) if limit is None else f"{used} of {limit}"


def standing_told(licensed: Licensed) -> str:
    """A licence's standing for a table: `in force until 2027-01-01 00:00`."""
    from rollcall.store.licensing import Standing

    words = {
        Standing.IN_FORCE: "in force" if licensed.until is None else "in force until",
        Standing.NOT_YET: "begins",
        Standing.ENDED: "ended",
        Standing.SUSPENDED: "suspended since",
        Standing.NONE: "none",
    }[licensed.standing]
    return f"{words} {time_told(licensed.until)}" if licensed.until else words


def time_told(at: int | None) -> str:
    """2027-01-01 00:00 in the configured zone; blank for none."""
    from django.utils import timezone

    return "" if at is None else f"{datetime.fromtimestamp(at / 1000, timezone.get_default_timezone()):%Y-%m-%d %H:%M}"
