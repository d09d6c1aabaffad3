"""What stands on the second sheet of a workbook: where its rows are from, and what each column means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from rollcall.reports import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from rollcall.reports.rows import Table
    from rollcall.reports.sheets import Field


def told(table: Table, fields: Sequence[Field], zone: tzinfo, *, rows: int) -> list[tuple[str, str]]:
    """Line by line: what, and what is said of it."""
    about = [(field.heading, str(field.column.about)) for field in fields]
    return [
        *_of_report(table, zone, rows),
        ("", ""),
        (_("Column"), _("What it means")),
        *about,
        ("", ""),
        (_("Blank cells"), _("Blank is what is not known or does not apply; it is not zero.")),
        (
            _("At least, at most"),
            _("What is proved, and what is possible: the truth lies between. Where they are the same it is known."),
        ),
        (_("Durations"), _("Hours, minutes and seconds, as a part of a day: they can be added up.")),
        (_("Times"), _("Of the time zone %(zone)s.") % {"zone": zone}),
    ]


def _of_report(table: Table, zone: tzinfo, rows: int) -> Iterator[tuple[str, str]]:
    heading = table.heading
    if heading is not None:
        yield _("Report"), heading.title
        yield from heading.lines
        yield from heading.filters or [(_("Filters"), _("None: everything is in it."))]
        yield _("Made at"), f"{words.stamp(heading.made_at, zone)} ({zone})"
    yield _("Time zone"), str(zone)
    yield _("Rows"), str(rows)
    yield _("Form"), table.name
