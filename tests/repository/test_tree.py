from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import need, without

ROOT = Path(__file__).parents[2]
VENDORED = Path("rollcall/web/static/vendor")
TEXTS = {
    ".cfg",
    ".css",
    ".html",
    ".in",
    ".js",
    ".json",
    ".jsonl",
    ".md",
    ".py",
    ".sh",
    ".svg",
    ".toml",
    ".txt",
    ".xml",
    "",
}


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """Every file that is in git, relative to the checkout."""
    listed = subprocess.run([need("git"), "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        without("this is not a git checkout")
    return [path for name in listed.stdout.decode().split("\0") if name and (ROOT / (path := Path(name))).is_file()]


def test_no_file_is_large_but_what_others_wrote(tracked: list[Path]) -> None:
    own = [path for path in tracked if not path.is_relative_to(VENDORED)]
    assert [str(path) for path in own if (ROOT / path).stat().st_size > 400_000] == []


def test_nothing_names_the_machine_it_was_made_on(tracked: list[Path]) -> None:
    home = r"(?<![\w.:/])/(?:home|root|Users)/\w"
    place = re.compile("|".join([home, re.escape(f"{ROOT}/"), re.escape(f"{Path.home()}/")]))
    found = []
    for path in tracked:
        if path.suffix in TEXTS and not path.is_relative_to(VENDORED):
            lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
            found += [f"{path}:{number}" for number, line in enumerate(lines, 1) if place.search(line)]
    assert found == []


def test_no_module_has_a_name_that_says_nothing(tracked: list[Path]) -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "services", "manager", "managers", "misc"}
    assert [str(path) for path in tracked if path.suffix == ".py" and empty & {path.stem, *path.parent.parts}] == []


def test_the_core_imports_the_standard_library_alone(tracked: list[Path]) -> None:
    """The contract in pyproject.toml names what is forbidden; this finds what nobody thought of."""
    outside = []
    for path in tracked:
        if path.is_relative_to("rollcall/core") and path.suffix == ".py":
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            outside += [f"{path}: {name}" for name in imported(tree) if not is_allowed_in_core(name)]
    assert outside == []


def imported(tree: ast.AST) -> list[str]:
    plain = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    return plain + [node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]


def is_allowed_in_core(name: str) -> bool:
    return name.split(".", maxsplit=1)[0] in sys.stdlib_module_names or name.startswith("rollcall.core")


def test_shell_scripts_are_read_by_the_plainest_shell(tracked: list[Path]) -> None:
    for path in tracked:
        if path.suffix == ".sh" or path == Path(".ci/run"):
            subprocess.run([need("sh"), "-n", path], cwd=ROOT, check=True)
