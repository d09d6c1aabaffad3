"""Every report there is, by name: what it is called, what it may be asked, and how its Table is made.

Pages, files, exports and the command line all go through this. A report that comes later is a module of
`tables` and a line here, a column or a filter a declaration; nothing else changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from rollcall.reports.asking import ask
from rollcall.reports.rows import Format
from rollcall.reports.tables import attendances, audit, completion, courses, facts, meetings, people, servers, use

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from rollcall.reports.rows import Table
    from rollcall.reports.tables.report import Report

REPORTS: Mapping[str, Report] = {
    report.name: report
    for report in (
        meetings.MEETINGS,
        meetings.ATTENDANCE,
        meetings.MEETING,
        attendances.ATTENDANCES,
        people.PEOPLE,
        people.PERSON,
        courses.COURSES,
        courses.COURSE,
        use.USE,
        servers.SERVERS,
        servers.COVERAGE,
        facts.FACTS,
        facts.FACTS_OF_PERSON,
        audit.AUDIT,
        completion.COMPLETION,
    )
}


def rebuild(name: str, query: str, *, zone: tzinfo, subject: tuple[str, ...] = (), form: Format = Format.PDF) -> Table:
    """The table that a report's address stands for, as it is now, in the current language."""
    report = REPORTS[name]
    asked = ask(report.takes, parse_qs(query.removeprefix("?")), zone=zone)
    return report.table(asked, subject, form)
