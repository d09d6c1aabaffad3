"""Verdicts on their way to the LMSs: what is owed, and what a person decides about it."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollcall.cli import new_app
from rollcall.cli.database import open_database
from rollcall.cli.listing import Form, print_json
from rollcall.core.deliveries import Way
from rollcall.core.errors import Refused
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from rollcall.store.owed import CompletionTarget, Owed, Receiver

app = new_app("Verdicts for the LMS: list, retry, cancel, resend, send-history, stop, start.")

MOST_LISTED = 200

Number = Annotated[int, typer.Argument(help="The delivery's number, as rollcall completion list shows it.")]
PlatformName = Annotated[str, typer.Argument(help="The name of the LMS, or a part of its address.", show_default=False)]
ByWay = Annotated[Way, typer.Argument(help="Which way into it.", show_default=False)]


@app.command("list")
def list_owed(
    everything: Annotated[bool, typer.Option("--all", help="Also what is sent, cancelled or switched off.")] = False,
    platform: Annotated[str, typer.Option(help="Only this LMS: its name, or a part of its address.")] = "",
    activity: Annotated[str, typer.Option(help="Only activities whose name has these words.")] = "",
    form: Annotated[Form, typer.Option("--format", help="How to write it.")] = Form.TABLE,
) -> None:
    """What is owed to an LMS and how far it is, the newest first, and what keeps an LMS from taking it."""
    open_database()
    rows = [_described(one) for one in _owed(everything=everything, platform=platform, activity=activity)]
    if form is Form.JSON:
        print_json(rows)
        return
    for row in rows:
        _print(row)
    for line in _troubles():
        print(line)
    if not rows:
        print("Nothing is owed." if not everything else "Nothing was ever owed.")


@app.command()
def retry(
    number: Annotated[int, typer.Argument(help="The delivery's number, as rollcall completion list shows it.")] = 0,
    platform: Annotated[
        str, typer.Option("--all", help="Everything of this LMS that waits or was given up on.", metavar="PLATFORM")
    ] = "",
) -> None:
    """Send a verdict as soon as possible, also one that is held, was refused, left or cancelled."""
    open_database()
    from rollcall.deliveries.completions import by_hand

    if bool(number) == bool(platform):
        raise Refused("Name one delivery, or an LMS with --all.", hint="rollcall completion list shows what waits.")
    if platform:
        count = sum(by_hand.retry_all(one.pk, now=_now()) for one in _receivers(platform))
        print(f"To be tried at once: {count}.")
    else:
        by_hand.retry(number, now=_now())
        print("It is sent within seconds, if a worker runs: rollcall completion list.")
    _note()


@app.command()
def cancel(number: Number) -> None:
    """Do not send a verdict, until another one is wanted for this person."""
    open_database()
    from rollcall.deliveries.completions import by_hand

    by_hand.cancel(number, now=_now())
    _note()
    print("It is not sent. If it shall be after all: rollcall completion retry.")


@app.command()
def resend(number: Number) -> None:
    """Send once more what was sent before, where the LMS has lost it."""
    open_database()
    from rollcall.deliveries.completions import by_hand

    by_hand.resend(number, now=_now())
    _note()
    print("It is sent within seconds, if a worker runs: rollcall completion list --all.")


@app.command("send-history")
def send_history(
    activity: Annotated[str, typer.Argument(help="Words of the activity's name.", show_default=False)],
    way: Annotated[Way | None, typer.Option(help="Only by this way.")] = None,
) -> None:
    """Send these too: verdicts that rest on classes that were over long before deliveries began."""
    open_database()
    from rollcall.deliveries.completions import by_hand

    count = sum(by_hand.send_history(one.pk, now=_now()) for one in _targets(activity, way))
    _note()
    print(f"Verdicts that are sent now: {count}.")


@app.command()
def stop(platform: PlatformName, way: ByWay) -> None:
    """Send nothing into this LMS by this way until it is started again; what is owed stays owed."""
    open_database()
    from rollcall.deliveries.completions import by_hand

    for one in _receivers(platform, way):
        by_hand.stop(one.pk, now=_now())
        print(f"Nothing is sent to {_line(one.platform.name)} by {way} any more.")
    _note()


@app.command()
def start(platform: PlatformName, way: ByWay) -> None:
    """Send into this LMS by this way again, and at once."""
    open_database()
    from rollcall.deliveries.completions import by_hand

    for one in _receivers(platform, way):
        by_hand.start(one.pk, now=_now())
        print(f"What is owed to {_line(one.platform.name)} by {way} is sent.")
    _note()


# -- what was named -----------------------------------------------------------------------------------------------


def _receivers(platform: str, way: Way | None = None) -> list[Receiver]:
    """Of one LMS; what a part of an address fits several of is refused."""
    found = [one for one in _of_platform(platform) if way in {None, one.way}]
    names = {one.platform_id: one.platform.name for one in found}
    if not found:
        raise Refused(f"No verdicts go to an LMS called {platform!r} that way.", hint="rollcall platform list")
    if len(names) > 1:
        raise Refused(f"Several LMSs fit {platform!r}.", hint="Name one of: " + ", ".join(map(_line, names.values())))
    return found


def _of_platform(text: str) -> list[Receiver]:
    from django.db.models import Q

    from rollcall.store.owed import Receiver

    receivers = Receiver.objects.select_related("platform").filter(platform__removed_at=None).order_by("pk")
    return list(receivers.filter(platform__name=text)) or list(
        receivers.filter(Q(platform__site__contains=text) | Q(platform__name__contains=text))
    )


def _targets(activity: str, way: Way | None) -> list[CompletionTarget]:
    from rollcall.store.owed import CompletionTarget

    targets = CompletionTarget.objects.select_related("activity").filter(activity__label__icontains=activity)
    found = [one for one in targets.order_by("pk") if way in {None, one.receiver.way}]
    labels = {one.activity_id: one.activity.label for one in found}
    if not found:
        raise Refused(
            f"No verdicts are sent of an activity called {activity!r}.", hint="rollcall completion list --all"
        )
    if len(labels) > 1:
        names = ", ".join(map(_line, labels.values()))
        raise Refused(f"Several activities are called {activity!r}.", hint=f"Say more of its name: {names}")
    return found


def _owed(*, everything: bool, platform: str, activity: str) -> QuerySet[Owed]:
    from rollcall.store.owed import Owed, Owing
    from rollcall.store.owed_reading import SWITCHED_OFF

    found = Owed.objects.select_related("target__activity", "target__receiver__platform").order_by("-wanted_at", "-pk")
    if platform:
        found = found.filter(target__receiver__in=_receivers(platform))
    if activity:
        found = found.filter(target__activity__label__icontains=activity)
    if not everything:
        found = found.exclude(state__in=(Owing.SENT, Owing.CANCELLED)).exclude(SWITCHED_OFF)
    return found[:MOST_LISTED]


# -- what is printed ----------------------------------------------------------------------------------------------


def _print(row: dict[str, Any]) -> None:
    """In the words of the pages."""
    from rollcall.deliveries.completions.told import state_name, way_name

    print(f"{row['number']:>6}  {state_name(row['state'])}  {_line(row['activity'])}  {_line(row['person'])}")
    print(f"        {way_name(row['way'])} at {_line(row['lms'])}: {_line(row['sentence'])}")
    if row["hint"]:
        print(f"        {row['hint']}")


def _described(owed: Owed) -> dict[str, Any]:
    from rollcall.deliveries.completions.told import tell
    from rollcall.wording.times import stamp

    told = tell(owed)
    return {
        "number": owed.pk,
        "activity": owed.target.activity.label,
        "person": owed.external_user_id,
        "lms": owed.target.receiver.platform.site,
        "way": owed.target.receiver.way,
        "wanted": owed.wanted,
        "sent": owed.sent,
        "state": told.state,
        "reason": owed.reason,
        "sentence": told.sentence,
        "hint": told.hint,
        "answer": told.answer,
        "tries": owed.tries,
        "at": stamp(told.at, UTC),
    }


def _troubles() -> list[str]:
    from rollcall.doctor import completions
    from rollcall.doctor.findings import Level

    found = [one for one in completions.check() if one.level is not Level.FINE]
    return [f"{one.about}: {one.sentence} {one.hint}".rstrip() for one in found]


def _line(text: str) -> str:
    """Names and answers come from outside: nothing in them may steer a terminal."""
    return " ".join(visible(text).split())


def _note() -> None:
    """In the audit log: somebody at the command line changed what is delivered."""
    from rollcall.cli.organisation import note

    note("delivery", None)


def _now() -> int:
    from rollcall.store.licensing import now_ms

    return now_ms()
