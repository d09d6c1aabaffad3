"""The parts of `make setup` that can be tried without fetching anything."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.programs import need

ROOT = Path(__file__).parents[2]


def run(script: str, *arguments: str, cwd: Path, path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """One of our scripts, with the programs in `path` first."""
    env = {"PATH": f"{path}{os.pathsep}{os.defpath}", "LANG": "C.UTF-8", **variables}
    command = [need("sh"), str(ROOT / "scripts" / script), *arguments]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    (folder := tmp_path / "programs").mkdir()
    return folder


def write(programs: Path, name: str, *lines: str) -> None:
    """A program for the script to find instead of the real one."""
    (programs / name).write_text("\n".join(["#!/bin/sh", *lines, ""]))
    (programs / name).chmod(0o755)


def test_a_python_that_is_too_old_is_named_before_anything_is_made(tmp_path: Path, programs: Path) -> None:
    write(programs, "python3", 'case "$2" in *version_info*) exit 1 ;; *) echo "Python 3.9.2 /usr/bin/python3" ;; esac')
    done = run("venv.sh", "dev.txt", cwd=tmp_path, path=programs)
    assert done.returncode == 1
    assert done.stderr == (
        "Python 3.9.2 /usr/bin/python3 is too old: Rollcall needs Python 3.11 or later. "
        "Name one: make setup PYTHON=python3.12\n"
    )
    assert not (tmp_path / ".venv").exists()


def test_a_python_that_is_not_there_is_said_in_a_sentence(tmp_path: Path, programs: Path) -> None:
    done = run("venv.sh", "dev.txt", cwd=tmp_path, path=programs, PYTHON="python-of-tomorrow")
    assert done.returncode == 1
    assert "There is no python-of-tomorrow here." in done.stderr


def test_a_half_made_environment_is_not_left_behind(tmp_path: Path, programs: Path) -> None:
    """Debian's python3 without python3-venv: exit 1, and a .venv/bin/python without pip."""
    write(
        programs,
        "python3",
        'case "$*" in',
        "*version_info*) exit 0 ;;",
        '*platform*) echo "Python 3.11.2 /usr/bin/python3" ;;',
        '"-m venv"*) mkdir -p .venv/bin; touch .venv/bin/python; echo "ensurepip is not available"; exit 1 ;;',
        "*) exit 1 ;;",
        "esac",
    )
    write(programs, "id", "echo 1000")
    done = run("venv.sh", "dev.txt", cwd=tmp_path, path=programs)
    assert done.returncode == 1
    assert "ensurepip is not available" in done.stderr
    assert done.stderr.endswith("As root: apt-get install python3-venv; then run make again.\n")
    assert not (tmp_path / ".venv").exists()


def test_without_root_the_missing_packages_are_named_and_nothing_fails(tmp_path: Path, programs: Path) -> None:
    write(programs, "dpkg-query", "exit 1")
    write(programs, "apt-get", "echo must not be called >&2; exit 1")
    write(programs, "id", "echo 1000")
    done = run("packages.sh", "chromium", cwd=tmp_path, path=programs, STAMP=str(tmp_path / "stamp"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "Not installed: chromium. Tests that want them are skipped; as root: apt-get install chromium\n"
    )
    assert not (tmp_path / "stamp").exists()


def test_where_every_package_is_there_nothing_is_installed_and_never_asked_again(
    tmp_path: Path, programs: Path
) -> None:
    write(programs, "dpkg-query", "printf installed")
    write(programs, "apt-get", "echo must not be called >&2; exit 1")
    done = run("packages.sh", cwd=tmp_path, path=programs, STAMP=str(tmp_path / "stamp"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "stamp").exists()


def test_help_names_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)
    shown = subprocess.run(
        [need("make"), "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert sorted(re.findall(r"^make ([\w-]+)", shown.stdout, re.MULTILINE)) == sorted(set(targets) - {"help"})


@pytest.mark.parametrize(("target", "lock"), [("install", "databases"), ("setup", "dev"), ("demo", "runtime")])
def test_each_target_installs_its_lock(target: str, lock: str, tmp_path: Path, programs: Path) -> None:
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    for name in ("requirements/runtime.txt", "requirements/databases.txt", "requirements/dev.txt", "pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "scripts").mkdir()
    # Says what it was told to install, and leaves what a target may run afterwards.
    script = 'echo "installs $1"; mkdir -p .venv/bin; pwd >.venv/made-in; ln -sf /bin/true .venv/bin/rollcall'
    (tmp_path / "scripts" / "venv.sh").write_text(f"{script}\n")
    command = [need("make"), "--silent", target]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == f"installs requirements/{lock}.txt"
    assert again.stdout == ""


def test_what_is_measured_can_be_chosen() -> None:
    command = [need("make"), "--dry-run", "--no-print-directory", "--old-file=.venv/dev", "bench", "ARGS=--million"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].endswith("python -m bench --million")
