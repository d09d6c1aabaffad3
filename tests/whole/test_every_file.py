"""Every report in every format from a real instance, opened by programs that are not ours."""

from __future__ import annotations

import csv
import io
import json
import time
import urllib.error
import urllib.request
from functools import cache
from http import HTTPStatus
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import openpyxl
import pytest
from jsonschema import Draft202012Validator
from lxml import html

from tests.reports.each_report import NAMES
from tests.whole.demo import Demo
from tests.whole.papers import run, text_of, words_of

SCHEMAS = Path(__file__).parents[2] / "rollcall" / "reports" / "schemas"
SETTLED = "?state=settled"
OVER = {"completion": "?course=LOG"} | dict.fromkeys(("servers", "meeting", "facts", "facts-of-person", "audit"), "")
"""What has another filter by which nothing changes, or needs none."""
WAIT_SECONDS = 60.0
QUOTED = "'"
"""What a CSV has in front of what a spreadsheet would take for a formula."""
NAMED = ("meeting", "attendances", "people", "course", "courses", "meetings")


class Reader:
    """Somebody who is signed in, without a browser."""

    def __init__(self, demo: Demo) -> None:
        self._url = demo.url
        self._opener = urllib.request.build_opener()
        self._cookies = demo.cookies
        self._opener.addheaders = [("Cookie", demo.cookies), ("Accept-Language", "en")]

    def get(self, address: str) -> tuple[str, bytes]:
        """Where it was found in the end, and what."""
        with self._opener.open(self._url + address) as answer:
            return answer.url.removeprefix(self._url), answer.read()

    def first(self, address: str) -> str:
        """Where the first row of a list leads."""
        return first_of(self.get(address)[1], "//*[@class='rows-box']//tbody/tr/th/a/@href").partition("?")[0]

    def file(self, address: str) -> bytes:
        """It, at once or made in the background."""
        try:
            return self.get(address)[1]
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.CONFLICT:
                raise
        place = self._have_made(address)
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until:
            _, page = self.get(place)
            if html.fromstring(page).xpath("//a[contains(@href, '/file')]"):
                return self.get(f"{place}/file")[1]
            time.sleep(0.2)
        pytest.fail(f"{address} was not made in time")

    def _have_made(self, address: str) -> str:
        """As the form of its page does; the address of the page that tells how far it is."""
        request = urllib.request.Request(self._url + address, headers={"Accept": "text/html"})
        with self._opener.open(request) as answer:
            cookie = SimpleCookie(answer.headers["Set-Cookie"] or self._cookies)["csrftoken"].value
            token = first_of(answer.read(), "//form[@class='offer']//input[@name='csrfmiddlewaretoken']/@value")
        body = urlencode({"csrfmiddlewaretoken": token}).encode()
        request = urllib.request.Request(self._url + address, data=body)
        request.add_header("Cookie", f"{self._cookies}; csrftoken={cookie}")
        with self._opener.open(request) as answer:
            return str(answer.url.removeprefix(self._url))


def first_of(page: bytes, path: str) -> str:
    found: Any = html.fromstring(page).xpath(path)
    return str(found[0])


@pytest.fixture(scope="module")
def reader(demo: Demo) -> Reader:
    return Reader(demo)


@pytest.fixture(scope="module")
def stems(reader: Reader) -> dict[str, str]:
    """The address of each report without its ending; of the classes that are over, so that nothing changes."""
    meeting = reader.first("/meetings?state=settled&course=LOG")
    found = {
        "meeting": meeting,
        "person": reader.first("/people?name=markou&sort=-meetings"),
        "course": reader.first("/courses?course=LOG"),
        "facts": f"{meeting}/facts",
    }
    found["facts-of-person"] = first_of(reader.get(meeting)[1], "//a[contains(@href, '/facts/')]/@href")
    return {name: found.get(name, f"/{name}") for name in NAMES}


@pytest.fixture(scope="module")
def file(reader: Reader, stems: dict[str, str]) -> Any:
    """A report as a file; each is asked for once."""

    @cache
    def get(name: str, kind: str) -> bytes:
        return reader.file(f"{stems[name]}.{kind}{OVER.get(name, SETTLED)}")

    return get


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_csv_has_rows_of_one_width_under_a_head(name: str, file: Any) -> None:
    head, *rows = rows_of(file(name, "csv"))
    assert rows
    assert all(head)
    assert {len(row) for row in rows} == {len(head)}


@pytest.mark.parametrize("name", NAMES)
def test_a_spreadsheet_opens_with_the_rows_of_the_csv(name: str, file: Any) -> None:
    # In this order: that one of them was taken stands in the audit log, and so in the other.
    rows = rows_of(file(name, "csv"))[1:]
    book = openpyxl.load_workbook(io.BytesIO(file(name, "xlsx")))
    sheet = book.worksheets[0]
    assert sheet.freeze_panes
    first = [str(sheet.cell(number, 1).value or "") for number in range(2, len(rows) + 2)]
    assert sheet.cell(1, 1).value
    assert sum(map(bool, first)) == sum(bool(row[0]) for row in rows)


@pytest.mark.parametrize("name", NAMES)
def test_json_is_what_its_schema_says(name: str, file: Any) -> None:
    document = json.loads(file(name, "json"))
    report, version = document["rollcall"].split("/")
    schema = json.loads((SCHEMAS / f"{report}-{version}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(document)
    assert next(rows for rows in document.values() if isinstance(rows, list))


@pytest.mark.parametrize("name", NAMES)
def test_paper_is_sound_and_can_be_read(name: str, file: Any, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(file(name, "pdf"))
    told = run("qpdf", "--check", tmp_path / "report.pdf")
    assert "No syntax or stream encoding errors" in told
    text = text_of(tmp_path / "report.pdf")
    assert "Page 1 of" in text
    if name in NAMED:
        head, *rows = rows_of(file(name, "csv"))
        column = head.index(next(one for one in ("Name", "Meeting", "Course") if one in head))
        names = words_of(" ".join(row[column].removeprefix(QUOTED) for row in rows))
        # In a name written from right to left brackets are mirrored, and pdftotext gives them as they look.
        bare = str.maketrans("", "", "()")
        assert {word.translate(bare) for word in names} - {word.translate(bare) for word in words_of(text)} == set()
