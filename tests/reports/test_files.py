"""Files as they are sent: part by part, in the reader's language, and never a part of one as if it were whole."""

from __future__ import annotations

import contextlib
import csv
import http.client
import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import gettext_lazy

from rollcall.reports.files import file_response
from rollcall.reports.rows import Column, Kind, Table
from tests.reports.served_files import LONG
from tests.servers import free_port


def table(rows: Any, label: Any = "Number") -> Table:
    return Table("numbers/1", "numbers", (Column("number", label, Kind.COUNT, lambda row: row),), rows)


def response(rows: Any, kind: str = "csv", label: Any = "Number", **options: str) -> Any:
    return file_response(table(rows, label), kind, "numbers", zone=UTC, options=options)


def test_the_name_and_the_kind_stand_in_the_headers() -> None:
    sent = response([1])

    assert sent["Content-Disposition"] == 'attachment; filename="numbers.csv"'
    assert sent["Content-Type"] == "text/csv; charset=utf-8"
    assert sent.getvalue() == b"Number\r\n1\r\n"


def test_excel_is_told_that_it_is_utf_8_if_it_is_asked_for() -> None:
    assert response([1], bom="1").getvalue() == b"\xef\xbb\xbfNumber\r\n1\r\n"
    assert response([1], bom="0").getvalue() == response([1], bom="").getvalue() == b"Number\r\n1\r\n"


def test_it_is_read_as_it_is_sent() -> None:
    read = 0

    def rows() -> Iterator[int]:
        nonlocal read
        while read < 200_000:
            read += 1
            yield read

    parts = response(rows()).streaming_content
    next(parts)

    assert 0 < read < 20_000
    rest = b"".join(parts)
    assert rest.endswith(b"\r\n200000\r\n")


def test_what_is_wrong_with_the_first_rows_is_raised_before_anything_is_sent() -> None:
    def rows() -> Iterator[int]:
        yield 1
        raise ValueError("a page can still be shown")

    with pytest.raises(ValueError, match="still be shown"):
        response(rows())


def test_the_language_is_that_of_who_asked_until_the_last_part() -> None:
    with translation.override("de"):
        sent = response((True for _ in range(50_000)), label=gettext_lazy("Yes"))
    with translation.override("el"):
        said = sent.getvalue().decode()
        assert translation.get_language() == "el"

    assert said.splitlines()[0] == "Ja"


def test_a_closed_answer_reads_no_further() -> None:
    closed = []

    def rows() -> Iterator[int]:
        try:
            yield from range(200_000)
        finally:
            closed.append(True)

    sent = response(rows())
    next(sent.streaming_content)
    for close in sent._resource_closers:
        close()

    assert closed == [True]


# --- a real server ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The port of a server of ours, and what it says."""
    folder, port = tmp_path_factory.mktemp("served"), free_port()
    log = folder / "log"
    env = os.environ | {"ROLLCALL_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "rollcall.settings"}
    command = [sys.executable, "-m", "tests.reports.served_files", str(port)]
    with log.open("wb") as file, subprocess.Popen(command, env=env, stdout=file, stderr=file) as process:
        try:
            _wait(lambda: "Started worker" in log.read_text())
            yield port, log
        finally:
            process.terminate()


def _wait(happened: Callable[[], object]) -> None:
    until = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.05)


@contextlib.contextmanager
def _asked(port: int, path: str) -> Iterator[http.client.HTTPResponse]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", path)
        with connection.getresponse() as answer:
            yield answer


def test_a_whole_file_comes_through_a_real_server(served: tuple[int, Path]) -> None:
    with _asked(served[0], "/numbers.csv") as answer:
        lines = list(csv.reader(io.StringIO(answer.read().decode(), newline="")))

    assert len(lines) == LONG + 1
    assert lines[-1] == [str(LONG - 1)]


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json"])
def test_a_file_that_breaks_off_is_not_taken_for_a_whole_one(served: tuple[int, Path], kind: str) -> None:
    port, log = served
    before = log.read_text().count("a file broke off while it was sent")

    with _asked(port, f"/numbers.{kind}?broken=1") as answer:
        assert answer.status == 200
        with pytest.raises(http.client.IncompleteRead):
            answer.read()
    _wait(lambda: log.read_text().count("a file broke off while it was sent") == before + 1)


def test_nothing_is_read_for_somebody_who_has_gone(served: tuple[int, Path]) -> None:
    port, log = served
    before = len(_ends(log))
    with _asked(port, "/numbers.csv") as answer:
        answer.read(100_000)

    _wait(lambda: len(_ends(log)) == before + 1)
    assert _ends(log)[-1] < LONG - 1


def _ends(log: Path) -> list[int]:
    return [int(number) for number in re.findall(r"^read (\d+)$", log.read_text(), re.MULTILINE)]
