"""Everything that was heard, of a class or of one person in it: the last answer to "why"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from rollcall.reports.asking import Takes
from rollcall.reports.facts import facts_of_attendee, facts_of_meeting
from rollcall.reports.rows import Column, Format, Heading, Kind, Table, with_heading
from rollcall.reports.subjects import attendance_of, meeting_of
from rollcall.reports.tables.report import ATTENDEE_KEY, MEETING_NUMBER, Report
from rollcall.store import reading
from rollcall.store.reading import FactCursor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rollcall.reports.asking import Asked
    from rollcall.reports.facts import ShownFact
    from rollcall.store.derived import Summary
    from rollcall.store.facts import Fact

_BATCH = 200


FACT_COLUMNS = (
    Column("at", _("Time"), Kind.TIME, lambda fact: fact.at),
    Column("what", _("What"), Kind.TEXT, lambda fact: fact.what, ~Format.JSON),
    Column("kind", _("Kind"), Kind.TEXT, lambda fact: fact.kind),
    Column("room", _("Room"), Kind.TEXT, lambda fact: fact.room),
    Column("participant", _("Connection"), Kind.TEXT, lambda fact: fact.participant),
    Column("told_by", _("Told by"), Kind.TEXT, lambda fact: fact.told_by, ~Format.JSON),
    Column("source", _("Source"), Kind.TEXT, lambda fact: fact.source, Format.JSON),
    Column("received_at", _("First received"), Kind.TIME, lambda fact: fact.received_at),
    Column("payload", _("As kept"), Kind.TEXT, lambda fact: fact.payload),
    Column("inside", "", Kind.JSON, lambda fact: list(fact.inside), Format.JSON),
)


def facts_table(rows: Iterable[ShownFact]) -> Table:
    """These facts, in this order."""
    return Table("facts/1", "facts", FACT_COLUMNS, rows)


def _of_meeting(asked: Asked, subject: Sequence[str], _form: Format) -> Table:
    summary = meeting_of(int(subject[0]), asked.inside)
    table = facts_table(facts_of_meeting(summary, _each_fact(summary), asked.zone))
    return with_heading(table, Heading(str(_("Everything heard")), asked.wanted.as_of, _about(summary)))


def _of_person(asked: Asked, subject: Sequence[str], _form: Format) -> Table:
    summary = meeting_of(int(subject[0]), asked.inside)
    attendance = attendance_of(summary, subject[1], asked.inside)
    table = facts_table(
        facts_of_attendee(summary, attendance, asked.zone, is_alone=asked.inside.bounds.person is not None)
    )
    lines = [(str(_("Name")), attendance.name), *_about(summary)]
    return with_heading(table, Heading(str(_("Everything heard")), asked.wanted.as_of, lines))


def _about(summary: Summary) -> list[tuple[str, str]]:
    return [(str(_("Meeting")), summary.name), (str(_("Server")), summary.pool_name)]


def _each_fact(summary: Summary) -> Iterator[Fact]:
    after = None
    while found := reading.facts(summary, limit=_BATCH, after=after):
        yield from found
        after = FactCursor.of(found[-1])


FACTS = Report(
    name="facts",
    title=_("Everything heard"),
    address="/meetings/{}/facts",
    takes=Takes(),
    make=_of_meeting,
    about=(MEETING_NUMBER,),
)
FACTS_OF_PERSON = Report(
    name="facts-of-person",
    title=_("What was heard of somebody"),
    address="/meetings/{}/facts/{}",
    takes=Takes(),
    make=_of_person,
    about=(MEETING_NUMBER, ATTENDEE_KEY),
)
