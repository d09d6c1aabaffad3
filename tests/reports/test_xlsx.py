"""XLSX as openpyxl reads it: the same as CSV, but with real dates, durations and numbers."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from django.utils import translation

from rollcall.reports import to_csv, to_xlsx
from rollcall.reports.meanings import meaning_of
from rollcall.reports.rows import Column, Format, Heading, Kind, Table
from tests.makers import Attendee, make_meeting
from tests.reports.each_report import NAMES, make_subjects, table_of
from tests.reports.test_formats import HOSTILE, make_school

ATHENS = ZoneInfo("Europe/Athens")
NOON = 1_795_255_200_000  # 2026-11-21 12:00 in Athens


def opened(table: Table, zone: ZoneInfo = ATHENS) -> Any:
    return openpyxl.load_workbook(io.BytesIO(b"".join(to_xlsx.to_xlsx(table, zone))))


def values(sheet: Any) -> list[list[Any]]:
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def table(kind: Kind, rows: Iterable[Any], **others: Any) -> Table:
    columns = (Column("value", "Value", kind, lambda row: row),)
    return replace(Table("numbers/1", "numbers", columns, rows, heading=Heading("Numbers", NOON)), **others)


# --- each report ------------------------------------------------------------------------------------------------------


def _as_in_csv(value: Any, heading: str) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}" if "Athens" in heading else f"{value:%Y-%m-%d}"
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if isinstance(value, (int, float)) and heading.endswith("(%)"):
        return f"{100 * value:.1f}"
    return "" if value is None else to_csv.safe(str(value))


@pytest.mark.django_db
@pytest.mark.parametrize("report", NAMES)
def test_a_report_says_the_same_as_its_csv(report: str) -> None:
    subjects = make_subjects()
    written = b"".join(to_csv.to_csv(table_of(report, subjects, "CSV"), ATHENS)).decode()
    heading, *lines = csv.reader(io.StringIO(written, newline=""))

    sheet, *_sections, about = opened(table_of(report, subjects, "XLSX")).worksheets
    found_heading, *found = values(sheet)
    if sheet.auto_filter.ref.endswith(str(sheet.max_row - 1)):
        found.pop()  # the totals
    assert found_heading == heading
    assert lines
    assert [[_as_in_csv(*cell) for cell in zip(row, heading, strict=True)] for row in found] == lines
    said = [row[0] for row in values(about)]
    assert said.count("Column") == 1
    assert set(said) >= set(heading)


@pytest.mark.django_db
@pytest.mark.parametrize("report", NAMES)
def test_every_column_of_a_sheet_has_a_meaning(report: str) -> None:
    table = table_of(report, make_subjects(), "XLSX")
    columns = [(column, report) for column in table.inner or table.columns]
    columns += [(column, "meetings") for column in table.columns if table.inner]
    name = table.name.partition("/")[0]

    assert [
        column.key
        for column, of in columns
        if Format.XLSX in column.shown and not meaning_of(column, name if of == report else of)
    ] == []


@pytest.mark.django_db
def test_times_durations_and_parts_are_numbers() -> None:
    make_school()
    sheet = opened(table_of("attendance", {}, "XLSX")).worksheets[0]
    (row,) = [
        row for row in sheet.iter_rows(min_row=2) if row[0].value != "Algebra" and row[18].value == "Ada Lovelace"
    ]
    cells = dict(zip([cell.value for cell in sheet[1]], row, strict=True))
    ada = {heading: cell.value for heading, cell in cells.items()}

    assert ada["In at the earliest (Europe/Athens)"] == datetime(2026, 11, 20, 12, 2, 11)  # noqa: DTZ001 - a sheet has no zones
    assert ada["Time at least"] == timedelta(minutes=56, seconds=19)
    assert ada["Share at least (%)"] == pytest.approx(0.9997, abs=0.0001)
    assert ada["Chats, at least"] == 2
    formats = {heading: cell.number_format for heading, cell in cells.items()}
    assert formats["In at the earliest (Europe/Athens)"] == "yyyy-mm-dd hh:mm:ss"
    assert formats["Time at least"] == "[h]:mm:ss"
    assert formats["Share at least (%)"] == "0.0%"


def test_the_heading_stays_and_can_be_filtered() -> None:
    sheet = opened(table(Kind.COUNT, [1, 2, 3])).worksheets[0]

    assert sheet.title == "Numbers"
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == "A1:A4"
    assert sheet["A1"].font.bold


def test_the_second_sheet_says_what_it_is() -> None:
    heading = Heading("Register", NOON, lines=[("Course", "Logic")], filters=[("From", "1 Nov 2026")])
    about = opened(table(Kind.COUNT, [1, 2], heading=heading)).worksheets[1]

    said = {row[0]: row[1] for row in values(about)}
    assert (said["Report"], said["Course"], said["From"]) == ("Register", "Logic", "1 Nov 2026")
    assert said["Made at"] == "2026-11-21 12:00:00 (Europe/Athens)"
    assert (said["Rows"], said["Form"]) == ("2", "numbers/1")
    assert said["Times"] == "In the time zone Europe/Athens."


def test_totals_stand_below_what_is_filtered() -> None:
    columns = (
        Column("name", "Name", Kind.TEXT, lambda row: row[0]),
        Column("time", "Time", Kind.DURATION, lambda row: row[1], about="How long."),
    )
    rows = [("Ada", 60_000), ("Emmy", 120_000)]
    sheet, about = opened(table(Kind.TEXT, rows, columns=columns, totals={"time": 180_000})).worksheets

    assert values(sheet)[-1] == ["Total", timedelta(minutes=3)]
    assert sheet.auto_filter.ref == "A1:B3"
    assert sheet["A4"].font.bold
    assert sheet["B4"].font.bold
    assert sheet["B4"].number_format == "[h]:mm:ss"
    assert ["Time", "How long."] in values(about)


def test_an_empty_report_has_its_headings() -> None:
    sheet = opened(table(Kind.COUNT, [])).worksheets[0]

    assert values(sheet) == [["Value"]]


def test_a_right_to_left_language_turns_both_sheets() -> None:
    with translation.override("ar"):
        sheets = opened(table(Kind.COUNT, [1])).worksheets
    with translation.override("de"):
        others = opened(table(Kind.COUNT, [1])).worksheets

    assert [sheet.sheet_view.rightToLeft for sheet in sheets] == [True, True]
    assert not any(sheet.sheet_view.rightToLeft for sheet in others)


def test_the_same_rows_give_the_same_bytes() -> None:
    one, other = (b"".join(to_xlsx.to_xlsx(table(Kind.COUNT, range(1000)), ATHENS)) for _ in range(2))

    assert one == other
    with zipfile.ZipFile(io.BytesIO(one)) as file:
        assert file.testzip() is None
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"2026-11-21T10:00:00Z" in file.read("docProps/core.xml")


# --- numbers ----------------------------------------------------------------------------------------------------------


def _ms(*day: int) -> int:
    return round(datetime(*day, tzinfo=ATHENS).timestamp() * 1000)  # type: ignore[arg-type,misc]  # year, month, day


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (_ms(2026, 11, 20, 12), datetime(2026, 11, 20, 12)),  # noqa: DTZ001
        (_ms(1900, 3, 1), datetime(1900, 3, 1)),  # noqa: DTZ001
        (_ms(1900, 2, 28), "1900-02-28 00:00:00"),
        (_ms(1850, 1, 1), "1850-01-01 00:00:00"),
        (_ms(9999, 12, 31, 12), datetime(9999, 12, 31, 12)),  # noqa: DTZ001
        (10**17, "9999-12-31 23:59:59"),
        (-(10**17), "1-12-31 23:59:59"),
        (None, None),
    ],
)
def test_a_time_that_excel_cannot_count_is_text(at: int | None, shown: Any) -> None:
    assert values(opened(table(Kind.TIME, [at])).worksheets[0])[1:] in ([[shown]], [])


def test_a_duration_may_be_longer_than_a_day_and_is_rounded_to_the_second() -> None:
    sheet = opened(table(Kind.DURATION, [90_000_000, 59_499, 59_500, None])).worksheets[0]

    assert [cell.value for cell in sheet["A"]][1:4] == [
        timedelta(hours=25),
        timedelta(seconds=59),
        timedelta(seconds=60),
    ]


def test_a_day_is_a_date() -> None:
    sheet = opened(table(Kind.DAY, [date(2026, 11, 20), date(1899, 1, 1)])).worksheets[0]

    assert sheet["A2"].value == datetime(2026, 11, 20)  # noqa: DTZ001
    assert sheet["A2"].number_format == "yyyy-mm-dd"
    assert sheet["A3"].value == "1899-01-01"


# --- text -------------------------------------------------------------------------------------------------------------

MARKUP = (
    "<r><t>rich</t></r>",
    '<r><t>x</t></r></is></c><c r="A9"><f>1+1</f></c>',
    "]]></t><f>1+1</f>",
    "&lt;&amp;amp;",
    "_x0041_",
    "http://example.org/click",
    "internal:Sheet1!A1",
    "mailto:somebody@example.org",
    "{=1+1}",
    " blanks ",
    "line\nbreak",
    " =1+1",
    "\u200b=1+1",
    "00123",
    "1e5",
    "TRUE",
    "#REF!",
    "'quoted",
)


@pytest.mark.parametrize("name", [*HOSTILE, *MARKUP])
def test_a_hostile_name_is_text(name: str) -> None:
    cell = opened(table(Kind.TEXT, [name])).worksheets[0]["A2"]

    shown = name.replace("\x1b", "\ufffd").replace("\x07", "\ufffd").replace("\r\n", "\n").replace("\r", "\n")
    escaped = shown.replace("_x0041_", "_x005F_x0041_")  # openpyxl does not undo it, Excel does
    assert cell.value.removeprefix(" ") in {escaped.removeprefix(" "), shown.removeprefix(" ")}
    assert cell.data_type == "s"
    assert cell.hyperlink is None


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@A1", " =1", "\u200b=1", "＝1"])
def test_what_looks_like_a_formula_stays_text_when_it_is_edited(name: str) -> None:
    sheet = opened(table(Kind.TEXT, [name, "Ada"])).worksheets[0]

    assert sheet["A2"].quotePrefix
    assert not sheet["A3"].quotePrefix


@pytest.mark.parametrize("name", [*HOSTILE[:8], *MARKUP])
def test_a_hostile_name_is_text_above_the_rows_too(name: str) -> None:
    heading = Heading(name, NOON, filters=[("Name", name)])
    columns = (Column("value", name, Kind.COUNT, lambda row: row),)
    sheet, about = opened(table(Kind.COUNT, [1], heading=heading, columns=columns)).worksheets

    assert len(values(sheet)) == 2
    assert sheet["A1"].data_type == "s"
    assert all(cell.data_type in {"s", "n"} and cell.hyperlink is None for row in about.iter_rows() for cell in row)
    assert sum(row[0] == "Name" for row in values(about)) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b\x1fc", "a\ufffdb\ufffdc"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("\ufffe\uffff", "\ufffd\ufffd"),
        ("x" * 32_767, "x" * 32_767),
        ("x" * 32_768, "x" * 32_766 + "…"),
        ("🦉" * 16_383, "🦉" * 16_383),
        ("🦉" * 16_384, "🦉" * 16_383 + "…"),
    ],
)
def test_what_a_cell_cannot_hold_is_replaced_or_cut(text: str, shown: str) -> None:
    assert opened(table(Kind.TEXT, [text])).worksheets[0]["A2"].value == shown


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Who: [all] * 1/2?", "Who   all    1 2"),
        ("'Logic'", "Logic"),
        ("History", "History."),
        ("", "."),
        ("x" * 40, "x" * 30 + "…"),
        ("🦉" * 20, "🦉" * 15 + "…"),
        ("about", "about"),
    ],
)
def test_a_sheet_has_a_name_that_excel_takes(title: str, name: str) -> None:
    book = opened(table(Kind.COUNT, [1], heading=Heading(title, NOON)))

    assert book.sheetnames[0] == name
    assert book.sheetnames[1] == ("About +" if title == "about" else "About")


# --- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "sizes"), [(7, [7]), (8, [8]), (9, [8, 1]), (16, [8, 8]), (17, [8, 8, 1])])
def test_what_one_sheet_cannot_hold_stands_on_the_next(
    monkeypatch: pytest.MonkeyPatch, count: int, sizes: list[int]
) -> None:
    monkeypatch.setattr(to_xlsx, "MOST_ROWS", 10)
    *sheets, about = opened(table(Kind.COUNT, range(count), totals={"value": 99})).worksheets

    found = [[row[0] for row in values(sheet)] for sheet in sheets]
    assert [column[0] for column in found] == ["Value"] * len(sizes)
    assert found[-1].pop() == 99
    assert [column[1:] for column in found] == [list(range(i * 8, i * 8 + size)) for i, size in enumerate(sizes)]
    assert [sheet.title for sheet in sheets] == ["Numbers", "Numbers (2)", "Numbers (3)"][: len(sizes)]
    assert ["Rows", str(count)] in values(about)


@pytest.mark.django_db
def test_names_of_people_and_meetings_are_text_in_each_report() -> None:
    make_meeting(Attendee(name="=HYPERLINK(1)"), name="<r><t>x</t></r>")

    for report in ("meetings", "attendance", "attendances", "people"):
        cells = [cell for row in opened(table_of(report, {}, "XLSX")).worksheets[0].iter_rows() for cell in row]
        assert not any(cell.data_type == "f" or cell.hyperlink for cell in cells)


def test_it_grows_while_rows_are_read() -> None:
    read = 0

    def rows() -> Iterable[int]:
        nonlocal read
        while read < 100_000:
            read += 1
            yield read

    parts = to_xlsx.to_xlsx(replace(table(Kind.COUNT, []), rows=rows()), ATHENS)
    next(parts)

    assert read < 100_000
    assert zipfile.ZipFile(io.BytesIO(b"".join(parts) or b"PK\x05\x06" + bytes(18))) is not None
