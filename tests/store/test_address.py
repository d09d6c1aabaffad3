"""What ROLLCALL_DATABASE_URL and the data folder are read as."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rollcall import settings
from rollcall.core.errors import Misconfigured


def test_an_address_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    address = "postgresql://us%40er:p%2Fa%3Ass@db.example.org:5433/roll%20call?sslmode=require&connect_timeout=9"
    monkeypatch.setenv("ROLLCALL_DATABASE_URL", address)
    entry = settings._database()
    assert (entry["USER"], entry["PASSWORD"], entry["HOST"], entry["PORT"], entry["NAME"]) == (
        "us@er",
        "p/a:ss",
        "db.example.org",
        "5433",
        "roll call",
    )
    assert (entry["OPTIONS"]["sslmode"], entry["OPTIONS"]["connect_timeout"]) == ("require", 9)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("oracle://host/name", "starts with oracle://"),
        ("postgresql://host", "names no database"),
        ("postgresql://host:port/name", "cannot be read"),
        ("mysql://user:[pass@host/name", "cannot be read"),
    ],
)
def test_an_address_that_cannot_be_used_is_told_in_a_sentence(
    address: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROLLCALL_DATABASE_URL", address)
    with pytest.raises(Misconfigured, match=sentence) as refused:
        settings._database()
    assert refused.value.hint
    assert "pass" not in str(refused.value)


@pytest.mark.parametrize(("scheme", "driver"), [("postgresql", "psycopg"), ("mysql", "pymysql")])
def test_a_driver_that_is_not_installed_is_named_with_its_extra(
    scheme: str, driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROLLCALL_DATABASE_URL", f"{scheme}://host/name")
    monkeypatch.setitem(sys.modules, driver, None)
    with pytest.raises(Misconfigured, match=f"{driver} is not installed") as refused:
        settings._database()
    assert "rollcall[" in refused.value.hint


def test_processes_that_start_together_take_the_same_secret_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "DATA", tmp_path / "data")
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: settings._secret_key(), range(8)))
    assert len(keys) == 1
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["secret-key"]
    assert (tmp_path / "data" / "secret-key").stat().st_mode & 0o077 == 0


def test_a_secret_key_that_was_cut_off_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA", tmp_path)
    (tmp_path / "secret-key").touch()
    with pytest.raises(Misconfigured, match="is empty"):
        settings._secret_key()
