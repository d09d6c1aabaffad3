"""The one file: what Python 3.5 understands, with nothing but its standard library."""

from __future__ import annotations

import ast
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rollcall
from rollcall.bbb.post_events import single_file
from rollcall.bbb.post_events.single_file import MODULES, Ambiguous, assemble
from tests.bbb.post_events.hosts import MEETING, HostTree, events_xml, program_text
from tests.moodle import Moodle

# Modules, members and keywords that are younger than 3.5, as far as anybody would reach for them here.
YOUNGER_MODULES = {"secrets", "dataclasses", "contextvars", "graphlib", "tomllib", "zoneinfo", "_zoneinfo"}
YOUNGER_MEMBERS = {
    "removeprefix",
    "removesuffix",
    "fromisoformat",
    "time_ns",
    "monotonic_ns",
    "cached_property",
    "nullcontext",
    "is_relative_to",
    "with_stem",
    "prod",
    "dist",
    "isqrt",
    "pairwise",
    "batched",
    "bit_count",
    "StrEnum",
    "UTC",
    "getLevelNamesMapping",
    "choices",
    "randbytes",
    "as_integer_ratio",
    "isascii",
    "getrandom",
    "copy_file_range",
    "digest_size_of",
    "file_digest",
    "unparse",
    "assert_never",
    "TLSVersion",
    "minimum_version",
}
YOUNGER_KEYWORDS = {
    "capture_output",
    "text",
    "dirs_exist_ok",
    "missing_ok",
    "strict",
    "usedforsecurity",
    "fold",
    "missing",
}


@pytest.fixture(scope="module")
def tree() -> ast.Module:
    return ast.parse(program_text(), feature_version=(3, 5))


def test_it_is_the_grammar_of_3_5(tree: ast.Module) -> None:
    assert tree.body


def test_nothing_in_it_is_younger_than_3_5(tree: ast.Module) -> None:
    nodes = list(ast.walk(tree))
    members = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    keywords = {node.arg for node in nodes if isinstance(node, ast.keyword)}
    imported = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert (members | imported) & YOUNGER_MEMBERS == set()
    assert keywords & YOUNGER_KEYWORDS == set()


def test_it_imports_the_standard_library_alone(tree: ast.Module) -> None:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            found.add(str(node.module).partition(".")[0])
    assert found <= sys.stdlib_module_names - YOUNGER_MODULES - {"typing", "__future__"}


def test_no_syntax_is_left_that_was_rewritten(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        assert not isinstance(node, ast.JoinedStr | ast.AnnAssign | ast.NamedExpr | ast.Match)
        assert getattr(node, "annotation", None) is None
        assert getattr(node, "returns", None) is None


def test_every_module_of_the_folder_is_in_it() -> None:
    folder = Path(single_file.__file__).parent
    own = {f"rollcall.bbb.post_events.{one.stem}" for one in folder.glob("*.py")} - {
        "rollcall.bbb.post_events.__init__",
        "rollcall.bbb.post_events.single_file",
        "rollcall.bbb.post_events.instructions",
    }
    assert own == set(MODULES) - {"rollcall.bbb.recording", "rollcall.bbb.callback_body"}


def test_it_says_what_it_is_whose_and_how_to_install_it() -> None:
    head = program_text()[:1500]
    assert head.startswith("#!/usr/bin/env python3\n")
    for words in (
        rollcall.__version__,
        "Apache License, Version 2.0",
        "--install --rollcall-url",
        "rollcall-bbb --check",
    ):
        assert words in head


def test_the_reasons_stay_in_it(tree: ast.Module) -> None:
    named = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    assert [node.name for node in named if not node.name.startswith("_") and not ast.get_docstring(node)] == []


def test_it_is_the_same_every_time() -> None:
    assert assemble() == assemble()


@pytest.mark.parametrize(
    "source",
    [
        "f'{x}'",
        "f'{{}} {x!r} {{x}}'",
        "f'{x:>10}|{y:03d}|{y:.2f}'",
        "f'a{x + str(y)}b' 'c{}' f'{y}'",
        "f'{x!s:<8}' + f\"{'in' if y else 'out'}\"",
        "f'{f\"{x}!\"}'",
        "f'{[one for one in x]} {dict(a=y)[\"a\"]}'",
    ],
)
def test_a_format_says_the_same_after_it_was_rewritten(source: str) -> None:
    older = single_file._Older().visit(ast.parse(source, mode="eval"))
    rewritten = ast.unparse(ast.fix_missing_locations(older))
    values = {"x": "Ελένη {}", "y": 7}
    assert eval(rewritten, dict(values)) == eval(source, dict(values))  # noqa: S307 - our own words
    assert "f'" not in rewritten.replace("of'", "")


def test_a_format_that_is_computed_is_refused() -> None:
    with pytest.raises(TypeError, match="computed"):
        single_file._Older().visit(ast.parse("f'{x:{width}}'"))


def test_annotations_go_and_what_they_stood_beside_stays() -> None:
    source = (
        "class A:\n    x: int\n    y: int = 3\n    def f(self, a: int, *b: str, c: int = 1, **d: int) -> int:\n"
        "        z: int = a\n        return z"
    )
    older = single_file._Older().visit(ast.parse(source))
    assert ast.unparse(ast.fix_missing_locations(older)) == (
        "class A:\n    y = 3\n\n    def f(self, a, *b, c=1, **d):\n        z = a\n        return z"
    )


def test_a_class_of_annotations_alone_is_still_a_class() -> None:
    older = single_file._Older().visit(ast.parse("class A:\n    x: int"))
    assert ast.unparse(ast.fix_missing_locations(older)) == "class A:\n    pass"


def test_two_things_of_one_name_are_refused() -> None:
    with pytest.raises(Ambiguous, match="ONE"):
        single_file._refuse_double_names(ast.parse("ONE = 1\ndef two(): pass\nONE, three = 1, 2").body)


# Run by other Pythons than this one


def older_pythons() -> list[str]:
    """Every other interpreter that can be found, where people keep several."""
    folders = [*Path.home().glob(".pyenv/versions/3.*/bin"), *Path.home().glob(".local/share/uv/python/*3.*/bin")]
    found = {
        one.resolve()
        for folder in folders
        for one in folder.glob("python3.*")
        if re.fullmatch(r"python3\.\d+", one.name)
    }
    found |= {Path(f"/usr/bin/python3.{minor}") for minor in range(5, 20)}
    return sorted(os.fspath(one) for one in found if one.exists())


@pytest.mark.parametrize("python", older_pythons() or [sys.executable], ids=lambda path: Path(path).name)
def test_it_delivers_a_class_under_this_python(host: HostTree, site: Moodle, python: str) -> None:
    host.python = python
    host.keep(events_xml(site.url(1), ("4711", "guest"), external=site.meeting_id(1)))
    done = host.run("-m", MEETING)
    assert (done.returncode, done.stderr) == (0, "")
    assert site.credited(1) == {4711: 1}
    assert "--undivert" in host.run("--help").stdout
    assert host.run("--check").stderr == ""


def test_a_warning_of_the_compiler_is_an_error() -> None:
    command = [
        sys.executable,
        "-I",
        "-S",
        "-W",
        "error",
        "-c",
        "import ast, sys; compile(sys.stdin.read(), 'x', 'exec')",
    ]
    done = subprocess.run(command, check=False, input=program_text(), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(io.StringIO(program_text()).readlines()) > 1000


def test_it_says_its_version(host: HostTree) -> None:
    assert host.run("--version").stdout == f"{rollcall.__version__}\n"
