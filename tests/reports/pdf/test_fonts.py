"""Which fonts a document is set in, and how a machine without any fares."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from rollcall.reports.pdf import fonts
from rollcall.reports.pdf.cmap import characters_of
from rollcall.reports.pdf.fonts import EMBEDDED, Family
from rollcall.reports.pdf.printable import LONGEST, Printable
from tests.reports.pdf.printed import checked, people, printed, table_of, text_of


@pytest.fixture
def no_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the one that typst brings."""
    monkeypatch.setattr(fonts, "installed", lambda: (Family(EMBEDDED, ()),))
    monkeypatch.setattr(fonts, "_best", lambda code: next((f for f in fonts.installed() if f.has(code)), None))


@pytest.mark.usefixtures("no_fonts")
def test_a_machine_without_fonts_prints_what_typst_brings(tmp_path: Path) -> None:
    everything = "".join(chr(code) for codes in fonts._OF_EMBEDDED for code in codes)
    names = [everything[start : start + 20] for start in range(0, len(everything), 20)]
    pdf = printed(table_of(people([*names, "Ω Ж é", "中文"])))
    text = text_of(pdf, tmp_path)
    assert "ΩЖé" in text.replace(" ", "")
    assert "??" in text
    assert "fonts-noto-cjk" in text
    checked(pdf, tmp_path)


def sfnt(cmap: bytes) -> bytes:
    """A font of nothing but its cmap."""
    return struct.pack(">LHHHH4sLLL", 0x10000, 1, 0, 0, 0, b"cmap", 0, 28, len(cmap)) + cmap


def test_characters_are_read_from_a_font(tmp_path: Path) -> None:
    table = struct.pack(">HHLLLLLL", 12, 0, 28, 0, 1, 0x41, 0x43, 7)
    path = tmp_path / "font.ttf"
    path.write_bytes(sfnt(struct.pack(">HHHHL", 0, 1, 3, 10, 12) + table))
    assert characters_of(path, 0) == {0x41, 0x42, 0x43}


@pytest.mark.parametrize("content", [b"", b"OTTO", sfnt(b""), b"ttcf" + b"\xff" * 20])
def test_a_font_that_cannot_be_read_has_nothing(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "font.ttf"
    path.write_bytes(content)
    assert characters_of(path, 0) == frozenset()
    assert characters_of(tmp_path / "gone.ttf", 0) == frozenset()


def test_a_document_takes_one_font_for_what_one_font_has() -> None:
    printable = Printable()
    printable.text("Zoë Ω Ж")
    assert len(printable.fonts.families) == 1


def test_lines_and_tabs_are_blanks_and_joiners_are_kept() -> None:
    printable = Printable()
    assert printable.text("a\tb\nc\u2028d") == "a b c d"
    assert printable.text("a\u200cb\u200dc") == "a\u200cb\u200dc"
    assert not printable.missing | printable.shapeless


def test_what_is_too_long_ends_in_dots() -> None:
    assert Printable().text("ab " * 1000).endswith("…")
    assert len(Printable().text("ab " * 1000)) == LONGEST + 1


def test_a_mark_on_a_letter_of_another_font_is_composed_or_marked() -> None:
    printable = Printable()
    assert printable.text("e\u0301") in ("e\u0301", "é")
    assert printable.text("x\u0951") == f"x{printable.mark}"
    assert printable.shapeless == {0x951}


def test_a_text_is_isolated_where_it_could_turn_its_neighbours() -> None:
    assert Printable().data("Zoe") == "Zoe"
    assert Printable().data("نور (2)") == "\u2068نور (2)\u2069"
    assert Printable(is_rtl=True).data("Zoe (2)") == "\u2068Zoe (2)\u2069"
