from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "requirements"
LOCKS = sorted(REQUIREMENTS.glob("*.txt"))
# What may be shipped with an Apache-2.0 program. PostgreSQL's driver (LGPL) is an extra, installed by who wants it.
ALLOWED_LICENCES = re.compile(
    r"MIT|BSD|Apache|ISC\b|MPL|Mozilla|PSF|Python Software Foundation|Public Domain", re.IGNORECASE
)


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def wanted(name: str) -> set[str]:
    """The lines of an .in file without those it takes over from another."""
    lines = (REQUIREMENTS / name).read_text().splitlines()
    return {line for line in lines if line and not line.startswith(("#", "-r"))}


def pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==([^\s;]+)", lock.read_text(), re.MULTILINE))


def test_there_is_a_lock_for_each_list() -> None:
    assert [lock.stem for lock in LOCKS] == sorted(path.stem for path in REQUIREMENTS.glob("*.in"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_no_lock_says_where_packages_were_fetched(lock: Path) -> None:
    assert not re.findall(r".*(?:://|(?<!-emit-)(?:index-url|find-links)|trusted-host).*", lock.read_text())


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_of_a_lock_has_its_hashes(lock: Path) -> None:
    blocks = re.split(r"^(?=[\w.-]+(?:\[[\w,]+\])?==)", lock.read_text(), flags=re.MULTILINE)[1:]
    assert len(blocks) >= len(pins(lock)) > 10
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_the_locks_agree_with_each_other() -> None:
    runtime, databases, dev = (pins(REQUIREMENTS / f"{name}.txt") for name in ("runtime", "databases", "dev"))
    assert runtime.items() <= databases.items() <= dev.items()


def test_the_project_and_the_lists_want_the_same() -> None:
    declared = project()
    assert set(declared["project"]["dependencies"]) == wanted("runtime.in") - {"setuptools>=77"}
    assert set(declared["build-system"]["requires"]) <= wanted("runtime.in")
    extras = declared["project"]["optional-dependencies"].values()
    assert {line for extra in extras for line in extra} == wanted("databases.in")
    assert set(declared["dependency-groups"]["dev"]) == wanted("dev.in")


def test_what_is_wanted_is_locked() -> None:
    for path in REQUIREMENTS.glob("*.in"):
        names = {re.split(r"[\[>=<]", line)[0].lower() for line in wanted(path.name)}
        assert names <= {name.lower() for name in pins(path.with_suffix(".txt"))}


@pytest.mark.parametrize("name", sorted(pins(REQUIREMENTS / "runtime.txt")))
def test_nothing_that_is_shipped_has_a_licence_against_ours(name: str) -> None:
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return  # wanted on another system or by another Python only
    said = [text for field in ("License-Expression", "License", "Classifier") for text in about.get_all(field, [])]
    licence = " ".join(text for text in said if "::" not in text or text.startswith("License ::"))
    assert ALLOWED_LICENCES.search(licence), f"{name}: {licence[:200]!r}"
