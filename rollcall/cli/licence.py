"""Licences: from when until when an organisation may see its records, and how much it may have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rollcall.cli import new_app
from rollcall.cli.database import open_database
from rollcall.cli.listing import Form, print_rows
from rollcall.cli.organisation import note, standing_told, time_told

if TYPE_CHECKING:
    from rollcall.store.organisations import Licence, Organisation

app = new_app("Licences of organisations: add, list, suspend, resume, end.")

Name = Annotated[str, typer.Argument(metavar="ORGANISATION", help="The organisation.", show_default=False)]
_TIME = "a day (2026-12-31) or an instant (2026-12-31T12:00, 2026-12-31T12:00+02:00)"

HEADS = ("ORGANISATION", "FROM", "UNTIL", "STATE", "DAYS OF GRACE", "PLATFORMS", "SERVERS", "PEOPLE A MONTH")


@app.command()
def add(  # noqa: PLR0917 - typer passes them by name
    organisation: Name,
    since: Annotated[str, typer.Option("--from", help=f"From when: {_TIME} [default: today].")] = "",
    until: Annotated[
        str, typer.Option("--until", help=f"Until when: {_TIME}; a day still counts [default: open].")
    ] = "",
    grace_days: Annotated[int, typer.Option(help="For so many days after its end capture goes on.")] = 30,
    platforms: Annotated[int | None, typer.Option(help="At most so many LMSs.")] = None,
    servers: Annotated[int | None, typer.Option(help="At most so many servers attached to them.")] = None,
    people: Annotated[int | None, typer.Option(help="So many different people in a calendar month.")] = None,
) -> None:
    """Give an organisation a licence. Earlier ones stay: of several in force the widest counts."""
    open_database()
    from django.utils import timezone

    from rollcall.store.licensing import now_ms
    from rollcall.store.limits import day_of
    from rollcall.store.organising import DAY_MS, Terms, add_licence, find_organisation, instant_of

    zone, now = timezone.get_default_timezone(), now_ms()
    terms = Terms(
        starts_at=instant_of(since, zone) if since else day_of(now, zone),
        ends_at=instant_of(until, zone, is_last=True) if until else None,
        grace_ms=grace_days * DAY_MS,
        platforms=platforms,
        pools=servers,
        people_a_month=people,
    )
    found = find_organisation(organisation)
    licence, is_new = add_licence(found, terms, now=now)
    if is_new:
        note("licence", found.pk)
    print(f"{'Added' if is_new else 'There already'}: a licence of {found.name} {_span(licence)}.")
    _print_standing(found)


@app.command("list")
def list_licences(
    organisation: Annotated[str, typer.Argument(metavar="[ORGANISATION]", help="Of this one alone.")] = "",
    form: Annotated[Form, typer.Option("--format", help="In what form.")] = Form.TABLE,
) -> None:
    """Every licence there is or was."""
    open_database()
    from rollcall.store.organisations import Licence
    from rollcall.store.organising import find_organisation

    found = Licence.objects.select_related("organisation").order_by("organisation__name", "starts_at", "pk")
    if organisation:
        found = found.filter(organisation=find_organisation(organisation))
    rows = [_described(one) for one in found]
    print_rows(rows, form, HEADS, none="No licence yet: rollcall licence add.")


@app.command()
def suspend(organisation: Name) -> None:
    """From now on its people see no page and get no file. What happens in class is still recorded."""
    open_database()
    from rollcall.store.licensing import now_ms
    from rollcall.store.organising import find_organisation
    from rollcall.store.organising import suspend as suspend_all

    found = find_organisation(organisation)
    count = suspend_all(found, now=now_ms())
    note("licence", found.pk)
    print(f"Licences suspended: {count}.")
    _print_standing(found)


@app.command()
def resume(organisation: Name) -> None:
    """Let what was suspended count again."""
    open_database()
    from rollcall.store.organising import find_organisation
    from rollcall.store.organising import resume as resume_all

    found = find_organisation(organisation)
    count = resume_all(found)
    note("licence", found.pk)
    print(f"Licences resumed: {count}.")
    _print_standing(found)


@app.command()
def end(
    organisation: Name,
    at: Annotated[str, typer.Option(help=f"When: {_TIME}; a day still counts [default: now].")] = "",
) -> None:
    """End all its licences; those that would begin later are dropped. The days of grace begin then."""
    open_database()
    from django.utils import timezone

    from rollcall.store.licensing import now_ms
    from rollcall.store.organising import end as end_all
    from rollcall.store.organising import find_organisation, instant_of

    found = find_organisation(organisation)
    when = instant_of(at, timezone.get_default_timezone(), is_last=True) if at else now_ms()
    count = end_all(found, at=when)
    note("licence", found.pk)
    print(f"Licences ended: {count}.")
    _print_standing(found)


def _print_standing(organisation: Organisation) -> None:
    from rollcall.store.licensing import licensed

    print(f"          {organisation.name} now: {standing_told(licensed(organisation.pk))}.")


def _span(licence: Licence) -> str:
    until = f"until {time_told(licence.ends_at)}" if licence.ends_at is not None else "without an end"
    return f"from {time_told(licence.starts_at)} {until}"


def _described(licence: Licence) -> dict[str, str | int]:
    from rollcall.store.licensing import now_ms, standing_of
    from rollcall.store.organising import DAY_MS

    return {
        "organisation": licence.organisation.name,
        "from": time_told(licence.starts_at),
        "until": time_told(licence.ends_at) or "-",
        "state": str(standing_of([licence], now_ms()).standing),
        "grace_days": licence.grace_ms // DAY_MS,
        "platforms": _limit(licence.platforms),
        "servers": _limit(licence.pools),
        "people_a_month": _limit(licence.people_a_month),
    }


def _limit(number: int | None) -> str | int:
    return "-" if number is None else number
