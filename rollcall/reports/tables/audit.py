"""Who looked at, took away or changed whose record, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy

from rollcall.reports.addresses import person_page
from rollcall.reports.asking import Takes
from rollcall.reports.audit_words import action_words, actor_words, role_words, subject_words
from rollcall.reports.rows import Column, Format, Kind, Table
from rollcall.reports.tables.report import Report
from rollcall.store import auditing
from rollcall.store.auditing import Action
from rollcall.store.completions import Completion
from rollcall.store.derived import Course, Person, Summary
from rollcall.store.keys import person_key
from rollcall.store.platforms import Platform
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rollcall.reports.asking import Asked
    from rollcall.store.audit import AuditEntry

_BATCH = 500
_OF_VERDICTS = frozenset({Action.CORRECTED, Action.UNDONE})


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry, with what its keys stand for now; blank where that is not kept any more.

    `has_page`: whether the person is in the directory, by which all their meetings are found.
    """

    entry: AuditEntry
    person: str
    has_page: bool
    about: str
    platform: str


def rows_of(entries: Iterable[AuditEntry]) -> list[AuditRow]:
    """Entries with names, which the log itself does not keep."""
    held = list(entries)
    people = dict(_named(Person, {one.person for one in held}))
    others = dict(_on_roster_alone(held))
    courses = dict(_named(Course, {one.course for one in held}))
    meetings = dict(Summary.objects.filter(meeting__in={one.meeting for one in held}).values_list("meeting", "name"))
    platforms = dict(Platform.objects.filter(pk__in={one.platform for one in held}).values_list("pk", "name"))
    return [
        AuditRow(
            one,
            people.get(_key(one.person)) or others.get(_key(one.person), ""),
            _key(one.person) in people,
            courses.get(_key(one.course), "") or meetings.get(one.meeting or 0, ""),
            platforms.get(one.platform or 0, ""),
        )
        for one in held
    ]


def _named(table: Any, keys: set[bytes | None]) -> Iterator[tuple[bytes, str]]:  # noqa: ANN401 - one of two tables
    name = "name" if table is Person else "label"
    for key, said in table.objects.filter(key__in=[key for key in keys if key]).values_list("key", name):
        yield bytes(key), said


def _on_roster_alone(entries: Sequence[AuditEntry]) -> Iterator[tuple[bytes, str]]:
    """The user ids of whose verdicts were corrected though they were never in a class, and so are in no directory."""
    organisations = {one.organisation for one in entries if one.action in _OF_VERDICTS and one.person}
    if organisations:
        rows = Completion.objects.filter(
            organisation__in=organisations, person=None, activity__decisions__kind="correction"
        ).distinct()
        for site, user, organisation in rows.values_list("activity__site", "external_user_id", "organisation"):
            yield person_key(site, user, organisation), visible(user)


def _key(key: bytes | None) -> bytes:
    return bytes(key) if key else b""


def _person_page(row: AuditRow) -> str:
    return person_page(_key(row.entry.person)) if row.has_page else ""


def _said(row: AuditRow) -> str:
    return action_words().get(str(row.entry.action), str(row.entry.action))


def _role(row: AuditRow) -> str:
    return role_words().get(str(row.entry.role), str(row.entry.role))


def _about(row: AuditRow) -> str:
    subject = subject_words().get(str(row.entry.subject), str(row.entry.subject))
    if row.about and row.entry.action == Action.CHANGED:
        return f"{subject}: {row.about}"
    return row.about or subject


def _actor(row: AuditRow) -> str:
    actor = str(row.entry.actor)
    return actor if row.entry.role else actor_words().get(actor, actor)


AUDIT_COLUMNS = (
    Column("at", gettext_lazy("Time"), Kind.TIME, lambda row: row.entry.at),
    Column("actor", gettext_lazy("Who"), Kind.ID, _actor, ~Format.JSON),
    Column("actor", gettext_lazy("Who"), Kind.ID, lambda row: row.entry.actor, Format.JSON),
    Column("role", gettext_lazy("As"), Kind.ID, _role, ~Format.JSON),
    Column("role", gettext_lazy("As"), Kind.ID, lambda row: row.entry.role, Format.JSON),
    Column("platform", gettext_lazy("LMS"), Kind.ID, lambda row: row.platform),
    Column("action", gettext_lazy("Did what"), Kind.ID, _said, ~Format.JSON),
    Column("action", gettext_lazy("Did what"), Kind.ID, lambda row: row.entry.action, Format.JSON),
    Column("about", gettext_lazy("Of what"), Kind.ID, _about, ~Format.JSON),
    Column("about", gettext_lazy("Of what"), Kind.ID, lambda row: row.about, Format.JSON),
    Column("subject", gettext_lazy("Of what"), Kind.ID, lambda row: row.entry.subject, Format.JSON),
    Column("person", gettext_lazy("Whose record"), Kind.ID, lambda row: row.person, link=_person_page),
    Column("address", gettext_lazy("Address"), Kind.ID, lambda row: row.entry.address, Format.FILE),
)


def audit_table(entries: Iterable[AuditEntry]) -> Table:
    """These entries, in this order."""
    return Table("audit/1", "entries", AUDIT_COLUMNS, _in_batches(entries))


def _in_batches(entries: Iterable[AuditEntry]) -> Iterator[AuditRow]:
    batch: list[AuditEntry] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) == _BATCH:
            yield from rows_of(batch)
            batch = []
    yield from rows_of(batch)


def _audit(asked: Asked, _subject: Sequence[str], _form: Format) -> Table:
    return audit_table(auditing.every(asked.wanted))


AUDIT = Report(
    name="audit",
    title=gettext_lazy("Audit log"),
    address="/audit",
    takes=Takes(("name", "user", "from", "to", "actor", "action")),
    make=_audit,
)
