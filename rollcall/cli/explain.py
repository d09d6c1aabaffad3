"""`rollcall explain`: one person in one meeting, from the number down to the facts it rests on."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Annotated

import typer

from rollcall.cli import new_app
from rollcall.cli.database import open_database
from rollcall.cli.report import zone_named
from rollcall.core.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.store.derived import Attendance, Summary

app = new_app("Why this number: one person in one meeting.")

AS_MANY_AS_FIT = 20


@app.command()
def explain(
    meeting: Annotated[str, typer.Argument(help="An id of the meeting, or words of its name if only one has them.")],
    person: Annotated[str, typer.Argument(help="An external or internal user id, or words of the name.")],
    zone: Annotated[str, typer.Option(help="The zone of times [default: ROLLCALL_TIME_ZONE].")] = "",
) -> None:
    """Say why one person's time in one meeting is what it is: the sessions, and every fact with its source."""
    open_database(for_readers=True)
    reader = zone_named(zone)
    summary = _find_meeting(meeting, reader)
    for line in _explained(summary, _find_person(summary, person), reader):
        typer.echo(line)


def _find_meeting(text: str, zone: tzinfo) -> Summary:
    from django.db.models import Q

    from rollcall.store import reading
    from rollcall.store.derived import Summary

    exact = Summary.objects.filter(
        Q(meeting__internal_meeting_id=text) | Q(meeting__breakouts__internal_meeting_id=text)
    )
    found = list(exact.distinct()[:2])
    if len(found) > 1:
        raise Refused(
            f"Two servers have a meeting {text!r}.",
            hint="Each has its page in the list of meetings, which names the server.",
        )
    found = found or reading.newest_meetings(reading.Filter(meeting=text), limit=AS_MANY_AS_FIT + 1)
    if len(found) == 1:
        return found[0]
    if not found:
        raise Refused(f"No meeting is called {text!r}.", hint="`rollcall report meetings` lists them with their ids.")
    lines = "\n".join(_told_apart(one, zone) for one in found[:AS_MANY_AS_FIT])
    hint = f"Name one by its internal id, the last word of its line:\n{lines}"
    if len(found) > AS_MANY_AS_FIT:
        hint += "\n  … and more: `rollcall report meetings` lists all."
    raise Refused(f"Several meetings are called {text!r}.", hint=hint)


def _told_apart(summary: Summary, zone: tzinfo) -> str:
    """What tells meetings of one name from each other: when, where, and the id."""
    from rollcall.reports import words

    began = words.stamp(summary.started_at, zone)
    return "  " + _printable(
        f"{began}  {summary.pool_name}  {summary.name or '(no name)'}  {summary.meeting.internal_meeting_id}"
    )


def _find_person(summary: Summary, text: str) -> Attendance:
    from rollcall.reports.details import attendance_detail
    from rollcall.store import reading
    from rollcall.store.names import fold_name

    everybody = reading.attendees(summary)
    exact = [
        one
        for one in everybody
        if text == one.external_user_id
        or text in {session.participant for session in attendance_detail(one.detail).sessions}
    ]
    words = fold_name(text).split()
    found = exact or [one for one in everybody if words and all(word in one.name_key for word in words)]
    if len(found) == 1:
        return found[0]
    names = "\n".join(
        f"  {_printable(one.external_user_id or '-')}  {_printable(one.name)}"
        for one in (found or everybody)[:AS_MANY_AS_FIT]
    )
    fault = f"Several people fit {text!r}." if found else f"Nobody in {summary.name!r} fits {text!r}."
    raise Refused(fault, hint=f"Name one by the external user id:\n{names}")


def _explained(summary: Summary, attendance: Attendance, zone: tzinfo) -> Iterator[str]:
    from rollcall.reports.explaining import explain

    found = explain(summary, attendance, zone)
    yield _printable(f"{attendance.name or attendance.external_user_id} in {summary.name}: {found.total}")
    yield from (_printable(line) for line in _verdict(summary, attendance, zone))
    yield f"Times are those of {zone}; --zone tells them in another, as the pages do in the browser's."
    for stay in found.sessions:
        where = f"{stay.where}: " if stay.where else ""
        yield _printable(f"  {where}{' '.join(stay.sentences)}")
        yield from (_printable(f"    {line}") for line in stay.proofs)
        yield _printable(f"    connection: {stay.connection or '(only listed)'}")
    for part in found.parts:
        yield f"{part.heading}:"
        yield from (_printable(f"  {line}") for line in part.lines)
    yield from _facts(summary, attendance, zone)


def _verdict(summary: Summary, attendance: Attendance, zone: tzinfo) -> Iterator[str]:
    """What the class and its activity come to, in the words of the pages."""
    from rollcall.deliveries.completion_words import sentence
    from rollcall.reports.completion import class_sentences, verdicts_of
    from rollcall.store.searching import EVERYTHING

    user = attendance.external_user_id
    if attendance.kind != "user":
        return
    for told in class_sentences(summary, zone, [user]).values():
        yield f"This class: {told}"
    for one in verdicts_of(user, summary.site, EVERYTHING):
        if bytes(one.completion.activity.key) == bytes(summary.activity_key):
            yield f"The activity: {sentence(bytes(one.completion.detail), zone)}"


def _facts(summary: Summary, attendance: Attendance, zone: tzinfo) -> Iterator[str]:
    from rollcall.reports.facts import facts_of_attendee

    yield "Facts (when it happened, what, from whom, first received):"
    for fact in facts_of_attendee(summary, attendance, zone):
        room = f"{fact.room}: " if fact.room else ""
        what = f"{fact.clock}  {room}{fact.what}  {fact.participant}"
        yield _printable(f"  {what}  [{fact.told_by}, {fact.received_clock}]")
        yield from (_printable(f"    {line}") for line in fact.inside)


def _printable(text: str) -> str:
    """Names come from outside: nothing in them may steer a terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
