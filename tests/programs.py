"""Programs of the system that tests want: looked for in one place, missed by name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

# Where Debian keeps what is not on every user's path, and which package brings it.
_PACKAGES = {
    "chromium": "chromium",
    "initdb": "postgresql",
    "mariadb-install-db": "mariadb-server",
    "mariadbd": "mariadb-server",
    "pdffonts": "poppler-utils",
    "pdfinfo": "poppler-utils",
    "pdftoppm": "poppler-utils",
    "pdftotext": "poppler-utils",
    "postgres": "postgresql",
    "qpdf": "qpdf",
    "redis-server": "redis-server",
}


def find(program: str) -> str | None:
    """Its path; of several PostgreSQLs the newest."""
    return shutil.which(program, path=os.pathsep.join(_folders()))


def need(program: str) -> str:
    """Its path, or the test is skipped by the program's name; with ROLLCALL_TEST_ALL=1 it fails instead."""
    if path := find(program):
        return path
    return without(f"{program} is not installed (Debian: {_PACKAGES.get(program, program)})")


def without(what: str) -> str:
    """Skip for want of something of the system, or fail where everything has to be there."""
    if os.environ.get("ROLLCALL_TEST_ALL") == "1":
        pytest.fail(f"{what}, and ROLLCALL_TEST_ALL=1 wants every test to run", pytrace=False)
    pytest.skip(what)


def beside(path: Path) -> Path:
    """The path of what lies beside the project where it is developed and is no part of it, or the test is skipped."""
    if not path.exists():
        without(f"{path.name} lies beside the project only where it is developed")
    return path


def _folders() -> Iterable[str]:
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    yield from map(str, sorted(versions, key=lambda folder: float(folder.parent.name), reverse=True))
    yield from os.get_exec_path()
    yield from ("/usr/sbin", "/sbin")
