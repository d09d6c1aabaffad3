"""The connected servers, and how much of their meetings was witnessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from rollcall.reports import rows
from rollcall.reports.asking import Takes
from rollcall.reports.filters import OF_MEETINGS
from rollcall.reports.tables.report import Report
from rollcall.store import reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollcall.reports.asking import Asked
    from rollcall.reports.rows import Format, Table


def _servers(_asked: Asked, _subject: Sequence[str], _form: Format) -> Table:
    return rows.servers_table(reading.servers())


def _coverage(asked: Asked, _subject: Sequence[str], _form: Format) -> Table:
    return rows.coverage_table(reading.coverage(asked.wanted))


SERVERS = Report(name="servers", title=_("Servers"), address="/servers", takes=Takes(), make=_servers)
COVERAGE = Report(name="coverage", title=_("Coverage"), address="/coverage", takes=Takes(OF_MEETINGS), make=_coverage)
