"""The relay of records to Moodle's own plugin: what is owed, and what a person decides about it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollcall.cli import EXIT_FAILED, new_app
from rollcall.cli.database import open_database
from rollcall.cli.listing import Form, print_json
from rollcall.core.errors import Refused

if TYPE_CHECKING:
    from rollcall.store.connections import Pool
    from rollcall.store.derived import Summary
    from rollcall.store.outbox import Delivery

app = new_app("The relay of records to the LMS: list, on, off, retry, cancel, repair, test.")

MOST_LISTED = 200


Server = Annotated[str, typer.Argument(help="The name of the server, or its address.", show_default=False)]
MeetingId = Annotated[
    str, typer.Argument(help="An id of the meeting, or words of its name if only one has them.", show_default=False)
]


@app.command("list")
def list_deliveries(
    everything: Annotated[bool, typer.Option("--all", help="Also what has been accepted or cancelled.")] = False,
    server: Annotated[str, typer.Option(help="Only the meetings of this server.")] = "",
    form: Annotated[Form, typer.Option("--format", help="How to write it.")] = Form.TABLE,
) -> None:
    """What is owed to an LMS and how far it is, the newest first."""
    open_database()
    rows = [_described(one) for one in _deliveries(everything=everything, server=server)]
    if form is Form.JSON:
        print_json(rows)
        return
    for row in rows:
        print(f"{row['state']:<9}  {row['server']}  {_printable(row['name'])}  {row['meeting']}")
        print(f"           {row['sentence']}")
        if row["hint"]:
            print(f"           {row['hint']}")
    for line in _troubles() if not everything else []:
        print(line)
    if not rows:
        print("Nothing is owed." if _any_relays() else "No server's records are relayed: rollcall relay on SERVER.")


@app.command()
def on(server: Server) -> None:
    """Relay the records of a server's meetings to the Moodles that asked for them."""
    open_database()
    from rollcall.deliveries import by_hand

    pool = _pool(server)
    waiting = by_hand.switch(pool, is_on=True)
    print(f"Records of {pool.name} are relayed to the LMS. Waiting: {waiting}.")
    print("Divert BigBlueButton's own script there, or whoever comes first is believed; see: rollcall relay test.")


@app.command()
def off(server: Server) -> None:
    """Relay nothing more of a server's meetings; what is owed stays owed."""
    open_database()
    from rollcall.deliveries import by_hand

    pool = _pool(server)
    waiting = by_hand.switch(pool, is_on=False)
    print(f"Records of {pool.name} are not relayed any more. Waiting: {waiting}.")


@app.command()
def retry(
    meeting: Annotated[str, typer.Argument(help="An id of the meeting, or words of its name.")] = "",
    everything: Annotated[
        str, typer.Option("--all", help="Everything of this server that waits or was given up on.", metavar="SERVER")
    ] = "",
    as_it_is: Annotated[
        bool, typer.Option("--as-it-is", help="Send what is proved without a whole record; nothing can follow it.")
    ] = False,
) -> None:
    """Send a meeting as soon as possible, also an old, a held or a refused one."""
    open_database()
    from rollcall.deliveries import by_hand

    if bool(meeting) == bool(everything):
        raise Refused("Name one meeting, or a server with --all.", hint="rollcall relay list shows what waits.")
    if everything:
        print(f"To be tried at once: {by_hand.retry_all(_pool(everything), _now())}.")
        return
    summary = _summary(meeting)
    by_hand.retry(summary, _now(), as_it_is=as_it_is)
    print(f"{_printable(summary.name)} is sent within seconds, if a worker runs: rollcall relay list.")


@app.command()
def cancel(meeting: MeetingId) -> None:
    """Do not send a meeting, whatever arrives."""
    open_database()
    from rollcall.deliveries import by_hand

    summary = _summary(meeting)
    by_hand.cancel(summary)
    print(f"{_printable(summary.name)} is not sent. If it shall be after all: rollcall relay retry.")


@app.command()
def repair(
    meeting: MeetingId,
    person: Annotated[
        list[str] | None, typer.Option(help="Only this person, by the LMS's user id; may be repeated.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Send values once more, which the LMS adds to what it holds: for people whom it lacks."""
    open_database()
    from rollcall.deliveries import by_hand

    summary = _summary(meeting)
    whom = f"{len(set(person))} people" if person else "EVERYBODY in it"
    print(f"Minutes and counts of {_printable(summary.name)} are sent for {whom}.")
    print("The LMS adds them to what it may hold of these people already, and nothing can take them back.")
    if not yes and not typer.confirm("Send them?"):
        raise typer.Exit(EXIT_FAILED)
    _, people = by_hand.repair(summary, person or (), _now())
    print(f"People to be sent: {people}. It is under way, if a worker runs: rollcall relay list --all.")


@app.command()
def test(
    server: Server,
    where: Annotated[
        str, typer.Argument(help="A meeting, or the activity's analytics-callback-url.", show_default=False)
    ],
    all_secrets: Annotated[
        bool, typer.Option("--all-secrets", help="Try every secret of the server, at an LMS you know, and keep to it.")
    ] = False,  # noqa: PT028 - a command, whatever its name
) -> None:
    """Ask the LMS, without any effect there, whether address, Authorization header and secret are right."""
    open_database()
    from rollcall.deliveries import by_hand, probing

    pool = _pool(server)
    url = where if "://" in where else by_hand.url_of(_summary(where))
    found = asyncio.run(probing.examine(pool, url, all_secrets=all_secrets))
    print(f"{'ok  ' if found.is_well else 'FAIL'}  {found.sentence}")
    if found.hint:
        print(f"      {found.hint}")
    if not found.is_well:
        raise typer.Exit(EXIT_FAILED)


# -- what was named -----------------------------------------------------------------------------------------------


def _pool(name: str) -> Pool:
    from rollcall.bbb.registration import find

    return find(name).pool


def _summary(text: str) -> Summary:
    from django.db.models import Q

    from rollcall.store import reading
    from rollcall.store.derived import Summary

    exact = Summary.objects.select_related("meeting__pool").filter(
        Q(meeting__internal_meeting_id=text) | Q(meeting__breakouts__internal_meeting_id=text)
    )
    if (one := exact.first()) is not None:
        return one
    found = reading.newest_meetings(reading.Filter(meeting=text), limit=20)
    if len(found) == 1:
        return found[0]
    if not found:
        raise Refused(f"No meeting is called {text!r}.", hint="`rollcall report meetings` lists them with their ids.")
    ids = "\n".join(f"  {_time(one.started_at)}  {one.meeting.internal_meeting_id}" for one in found)
    raise Refused(f"Several meetings are called {text!r}.", hint=f"Name one by its internal id:\n{ids}")


# -- what is printed ----------------------------------------------------------------------------------------------


def _deliveries(*, everything: bool, server: str) -> list[Delivery]:
    from rollcall.store.outbox import Delivery, State

    found = Delivery.objects.select_related("target__pool", "meeting__summary").order_by("-wanted_at", "-pk")
    if server:
        found = found.filter(target__pool=_pool(server))
    if not everything:
        found = found.exclude(state__in=(State.SENT, State.ALREADY, State.CANCELLED))
    return list(found[:MOST_LISTED])


def _described(delivery: Delivery) -> dict[str, Any]:
    from rollcall.deliveries.told import tell

    told = tell(delivery, as_of=_now())
    summary = getattr(delivery.meeting, "summary", None)
    return {
        "meeting": delivery.meeting.internal_meeting_id,
        "name": summary.name if summary else "",
        "server": delivery.target.pool.name,
        "lms": told.site,
        "revision": delivery.revision,
        "state": told.state,
        "reason": delivery.reason,
        "sentence": told.sentence,
        "hint": told.hint,
        "status": delivery.status,
        "phrase": delivery.phrase,
        "tries": delivery.tries,
        "due": _time(delivery.due_at),
        "accepted": _time(delivery.accepted_at),
    }


def _troubles() -> list[str]:
    from rollcall.deliveries.told import mend_of, trouble_of, warning_of
    from rollcall.store.outbox import Target

    lines = []
    for target in Target.objects.select_related("pool").filter(pool__relays=True).order_by("site", "pk"):
        if target.trouble:
            lines.append(f"FAIL  {target.site}: {trouble_of(target.trouble, target.trouble_phrase)}")
            again = f"at {_time(target.paused_until)}" if target.paused_until > _now() else "at once"
            lines.append("      " + f"{mend_of(target.trouble)} Tried again {again}.".strip())
        elif warning := warning_of(target):
            lines.append(f"warn  {target.site}: {warning}")
    return lines


def _any_relays() -> bool:
    from rollcall.store.connections import Pool

    return Pool.objects.filter(relays=True).exists()


def _now() -> int:
    return time.time_ns() // 1_000_000


def _time(at: int | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at // 1000, UTC).isoformat().replace("+00:00", "Z")


def _printable(text: str) -> str:
    """Names come from outside: nothing in them may steer a terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
