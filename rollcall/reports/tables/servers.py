"""The connected servers, and how much of their meetings was witnessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from rollcall.reports.asking import Takes
from rollcall.reports.filters import OF_MEETINGS
from rollcall.reports.rows import Column, Format, Kind, Table
from rollcall.reports.tables.report import Report
from rollcall.store import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rollcall.reports.asking import Asked
    from rollcall.store.connections import Server
    from rollcall.store.reading import Coverage


SERVER_COLUMNS = (
    Column("server", _("Server"), Kind.TEXT, lambda server: server.pool.name),
    Column("address", _("Address"), Kind.TEXT, lambda server: server.api_url),
    Column("is_polled", _("Asked"), Kind.JSON, lambda server: server.is_polled),
    Column("trouble", _("Trouble"), Kind.TEXT, lambda server: server.trouble),
    Column("polled_at", _("Last answered"), Kind.TIME, lambda server: server.polled_at),
    Column("hooks_seen_at", _("Webhooks last found in place"), Kind.TIME, lambda server: server.hooks_seen_at),
    Column("arrived_at", _("Last webhook"), Kind.TIME, lambda server: server.arrived_at),
    Column("reported_at", _("Last record"), Kind.TIME, lambda server: server.reported_at),
    Column("is_captured", _("Captured"), Kind.JSON, lambda server: server.pool.is_captured),
)


def _part(key: str) -> Callable[[Any], float | None]:
    return lambda row: getattr(row, key) / row.total_ms if row.total_ms else None


COVERAGE_COLUMNS = (
    Column("server", _("Server"), Kind.HOST, lambda row: row.server),
    Column("meetings", _("Meetings"), Kind.COUNT, lambda row: row.meetings),
    Column("recorded", _("With a record"), Kind.COUNT, lambda row: row.recorded),
    Column("total_ms", _("Time of the meetings"), Kind.DURATION, lambda row: row.total_ms),
    Column("two", _("Two witnesses or more"), Kind.PART, _part("witnessed_twice_ms"), ~Format.JSON),
    Column("one", _("One witness"), Kind.PART, _part("witnessed_once_ms"), ~Format.JSON),
    Column("none", _("No witness"), Kind.PART, _part("unwitnessed_ms"), ~Format.JSON),
    Column(
        "witnessed_twice_ms", _("Several witnesses"), Kind.DURATION, lambda row: row.witnessed_twice_ms, Format.JSON
    ),
    Column("witnessed_once_ms", _("One witness"), Kind.DURATION, lambda row: row.witnessed_once_ms, Format.JSON),
    Column("unwitnessed_ms", _("Not witnessed"), Kind.DURATION, lambda row: row.unwitnessed_ms, Format.JSON),
)


def servers_table(rows: Iterable[Server]) -> Table:
    """These servers, in this order; their secrets stand in no column."""
    return Table("servers/1", "servers", SERVER_COLUMNS, rows)


def coverage_table(rows: Iterable[Coverage]) -> Table:
    """These servers, in this order."""
    return Table("coverage/1", "servers", COVERAGE_COLUMNS, rows)


def _servers(_asked: Asked, _subject: Sequence[str], _form: Format) -> Table:
    return servers_table(reading.servers())


def _coverage(asked: Asked, _subject: Sequence[str], _form: Format) -> Table:
    return coverage_table(reading.coverage(asked.wanted))


SERVERS = Report(name="servers", title=_("Servers"), address="/servers", takes=Takes(), make=_servers)
COVERAGE = Report(name="coverage", title=_("Coverage"), address="/coverage", takes=Takes(OF_MEETINGS), make=_coverage)
