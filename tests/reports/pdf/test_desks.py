"""Where documents are made."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from rollcall import settings
from rollcall.reports.pdf import desks
from rollcall.reports.pdf.desks import Desks
from tests.reports.pdf.printed import people, printed, table_of


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "DATA", tmp_path)
    monkeypatch.setattr(desks, "_parent", desks._parent.__wrapped__)
    return tmp_path / "tmp"


def folders(data: Path) -> list[Path]:
    return [path for path in data.iterdir() if path.is_dir()]


def test_nothing_is_left_of_a_document(data: Path) -> None:
    assert printed(table_of(people(["Ada"]))).startswith(b"%PDF")
    assert data.stat().st_mode & 0o777 == 0o700
    assert folders(data) == []


def test_what_a_killed_process_left_is_deleted_and_what_is_in_use_is_not(data: Path) -> None:
    for left in ("pdf-killed", "pdf-before-its-lock"):
        (data / left).mkdir(parents=True)
        (data / left / "part-0.json").write_text("[[“Ada”]]")
    (data / "pdf-killed" / "lock").touch()
    with desks.folder() as mine:
        assert folders(data) == [mine]
        (mine / "part-0.json").write_text("[]")
        desks.sweep()
        assert (mine / "part-0.json").exists()
    assert folders(data) == []


def test_whoever_may_only_read_the_data_draws_elsewhere(data: Path) -> None:
    data.write_text("a file, in which nobody can make a folder")
    assert printed(table_of(people(["Ada"]))).startswith(b"%PDF")


def test_only_so_many_are_made_at_a_time() -> None:
    several = Desks(2, patience=0.01)
    with several.one() as first, several.one() as second:
        with several.one() as third:
            assert (first, second, third) == (True, True, False)
        waiter = Desks.one(several)
        several.patience = 10
        found: list[bool] = []

        def wait() -> None:
            with waiter as has_one:
                found.append(has_one)

        waiting = threading.Thread(target=wait)
        waiting.start()
    waiting.join(10)
    assert found == [True]
