"""A walk over folders meets loops, closed doors and names that are no text."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rollcall.importing.finding import find, shown
from tests.importing.history import write


def walk(*paths: Path) -> tuple[list[str], list[tuple[str, str]]]:
    complaints: list[tuple[str, str]] = []
    found = [one.path for one in find([str(path) for path in paths], lambda *told: complaints.append(told))]
    return found, complaints


def test_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, b"x") for name in ("a/1", "a/b/1", "a/c", "b")]
    assert walk(tmp_path) == (sorted(map(str, paths)), [])
    assert walk(*reversed(paths)) == ([str(path) for path in reversed(paths)], [])


def test_links_are_followed_once_and_never_in_a_circle(tmp_path: Path) -> None:
    here = write(tmp_path / "store" / "in" / "events.xml", b"x")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "one").symlink_to(tmp_path / "store")
    (tree / "two").symlink_to(tmp_path / "store")
    (here.parent / "up").symlink_to(tmp_path / "tree")
    (here.parent / "self").symlink_to(here.parent)
    (tree / "nowhere").symlink_to(tmp_path / "gone")
    assert walk(tree) == ([str(tree / "one" / "in" / "events.xml")], [])


def test_folders_deeper_than_the_stack_are_walked(tmp_path: Path) -> None:
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        for _ in range(450):
            Path("d").mkdir()
            os.chdir("d")
        Path("f").write_bytes(b"x")
    finally:
        os.chdir(before)
    found, complaints = walk(tmp_path)
    assert (len(found), complaints) == (1, [])


def test_what_cannot_be_read_is_named_and_the_rest_found(tmp_path: Path) -> None:
    write(tmp_path / "open" / "f", b"x")
    found, complaints = walk(tmp_path / "missing", tmp_path / "open", Path("/dev/null"))
    assert found == [str(tmp_path / "open" / "f")]
    assert complaints == [
        (str(tmp_path / "missing"), "It cannot be read: No such file or directory."),
        ("/dev/null", "It is neither a file nor a folder."),
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter every folder")
def test_a_closed_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    write(tmp_path / "open" / "f", b"x")
    found, complaints = walk(tmp_path)
    assert found == [str(tmp_path / "open" / "f")]
    assert complaints == [(str(tmp_path / "closed"), "It cannot be read: Permission denied.")]


def test_a_name_that_is_no_text_is_found_and_shown(tmp_path: Path) -> None:
    with open(os.path.join(os.fsencode(tmp_path), b"\xff\x1b[2J\n.xml"), "wb") as file:  # noqa: PTH118, PTH123
        file.write(b"x")
    (path,), _ = walk(tmp_path)
    assert shown(path) == f"{tmp_path}/��[2J�.xml"
