"""A report on paper, read by programs that are not ours."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from rollcall.reports.pdf import rendering
from rollcall.reports.pdf.document import TooLong
from rollcall.reports.pdf.masthead import Masthead
from rollcall.reports.pdf.rendering import NotPrinted
from rollcall.reports.rows import Column, Group, Heading, Kind, Picture
from tests.makers import at
from tests.reports.pdf.printed import (
    COLUMNS,
    checked,
    elements,
    info_of,
    letters,
    lines_of,
    opened,
    people,
    printed,
    run,
    table_of,
    text_of,
)

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="40" viewBox="0 0 200 40">'
    '<rect width="200" height="40" fill="#17596e"/></svg>'
)
SCRIPTS = {
    "Greek": "Κρασάς Ορέστης",
    "Cyrillic": "Горянов Богдан",
    "Vietnamese": "Ngọc Ánh Dương",
    "Arabic": "البستاني ليان",
    "Hebrew": "ארזי נועה",
    "Devanagari": "पर्वतकर ईशिता",
    "Thai": "ดวงดาว ริมน้ำ",
    "Han": "欧阳雨桐",
    "Hangul": "은하수",
    "Kana": "やまだ タロウ",
}
HOSTILE = (
    '#read("/etc/passwd") *bold* _it_ = head $x$ @cite <label> \\ #{1+1} `raw` // gone /* gone */',
    "<script>alert(1)</script>",
    "=cmd|'/C calc'!A0",
    "\\input{x} %d %s {page}",
    "x" * 10_000,
)
UNPRINTABLE = (
    "🦊",
    "\U00020000",
    "\x00",
    "\x1b[31m",
    "\ud800",
    "\u202egnp.exe",
    "\ufeff",
    "\ufdd0",
    "\ue000",
    "x\u0951",
    "👩\u200d👩\u200d👧",
)


@pytest.fixture(scope="module")
def long() -> bytes:
    """In three parts, with a last row."""
    return printed(table_of(iter(people(f"Person {n}" for n in range(2250))), totals={"chats": 47}))


def test_what_is_read_in_it_is_what_stands_in_the_table(tmp_path: Path) -> None:
    lines = lines_of(printed(table_of(people(["Ada Markou", "Núria Peñaflor"]), totals={"chats": 3})), tmp_path)
    assert ["Name", "Time", "Chats"] in lines
    assert ["Ada Markou", "1:00", "1"] in lines
    assert ["Núria Peñaflor", "2:00", "2"] in lines
    assert ["Together", "3"] in lines


def test_the_head_says_what_it_is_of_and_the_foot_when_and_which_page(tmp_path: Path) -> None:
    text = " ".join(text_of(printed(table_of(people(["Ada"]))), tmp_path).split())
    for said in ("Example University", "Logic", "Course Logic 101", "Name ΠΑΠ", "(Europe/Athens)", "Page 1 of 1"):
        assert said in text


@pytest.mark.parametrize("script", SCRIPTS)
def test_names_of_every_script_are_drawn_and_can_be_read_again(script: str, tmp_path: Path) -> None:
    text = text_of(printed(table_of(people([SCRIPTS[script]]))), tmp_path)
    if "could not be printed" in text:
        pytest.skip(f"no font for {script} is installed")
    (line,) = (line for line in text.splitlines() if line.rstrip().endswith(" 1") and "1:00" in line)
    assert letters(line.partition("1:00")[0]) == letters(SCRIPTS[script])


def test_a_name_is_text_and_never_markup(tmp_path: Path) -> None:
    text = "".join(text_of(printed(table_of(people(HOSTILE))), tmp_path).split())
    for name in HOSTILE[:-1]:
        assert "".join(name.split()) in text
    assert text.count("x") >= 300
    assert "…" in text


@pytest.mark.parametrize("name", UNPRINTABLE)
def test_what_cannot_be_printed_is_named_and_stops_nothing(name: str, tmp_path: Path) -> None:
    pdf = printed(table_of(people([f"Before {name} after", "Somebody else"])))
    text = " ".join(text_of(pdf, tmp_path).split())
    assert "Before" in text
    assert "Somebody else 2:00 2" in text
    assert "stands as �" in text or "stand as �" in text
    checked(pdf, tmp_path)


def test_the_mark_is_explained_on_the_last_page_only(tmp_path: Path) -> None:
    pages = text_of(printed(table_of(people(["Fox \U00020000", *map(str, range(200))]))), tmp_path).split("\f")[:-1]
    assert [("U+20000" in page) for page in pages] == [False] * (len(pages) - 1) + [True]


def test_nothing_runs_over_the_edge_of_the_page(tmp_path: Path) -> None:
    pdf = printed(table_of(people([*HOSTILE, "y" * 80 + " " + "z" * 80])))
    words = re.findall(r'xMin="([0-9.-]+)".*?xMax="([0-9.-]+)"', run("pdftotext", pdf, tmp_path, "-bbox"))
    assert len(words) > 20
    assert [word for word in words if float(word[0]) < 40 or float(word[1]) > 595.28 - 40] == []


def test_the_same_rows_give_the_same_bytes() -> None:
    assert printed(table_of(people(SCRIPTS.values()))) == printed(table_of(people(SCRIPTS.values())))


def test_long_ones_too(long: bytes) -> None:
    again = printed(table_of(iter(people(f"Person {n}" for n in range(2250))), totals={"chats": 47}))
    assert again == long


def test_it_is_tagged_and_says_its_title_and_language(tmp_path: Path) -> None:
    pdf = printed(table_of(people(["Ada"])))
    assert "No syntax" in checked(pdf, tmp_path)
    info = info_of(pdf, tmp_path)
    assert (info["Tagged"], info["Title"], info["Author"]) == ("yes", "Logic", "Example University")
    assert str(opened(pdf).Root.Lang) == "en"
    assert b"pdfuaid" in opened(pdf).Root.Metadata.read_bytes()


def test_nobody_is_lost_where_parts_meet(long: bytes, tmp_path: Path) -> None:
    lines = lines_of(long, tmp_path)
    assert [line[0] for line in lines if line[0].startswith("Person")] == [f"Person {n}" for n in range(2250)]
    assert ["Together", "47"] in lines


def test_pages_of_all_parts_are_numbered_through(long: bytes, tmp_path: Path) -> None:
    pages = text_of(long, tmp_path).split("\f")[:-1]
    assert len(pages) > 20
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        assert "Time" in page  # the heads of the columns


def test_parts_are_joined_with_their_tags(long: bytes, tmp_path: Path) -> None:
    checked(long, tmp_path)
    assert info_of(long, tmp_path)["Tagged"] == "yes"
    pdf = opened(long)
    assert b"pdfuaid" in pdf.Root.Metadata.read_bytes()
    kinds = Counter(str(one.S) for one in elements(pdf))
    assert (kinds["/Table"], kinds["/THead"], kinds["/TBody"], kinds["/H1"]) == (1, 1, 1, 1)
    assert (kinds["/TR"], kinds["/TH"]) == (1 + 2250 + 1, 3)


def test_every_tag_of_a_joined_document_knows_its_page_and_every_page_its_tags(long: bytes) -> None:
    pdf = opened(long)
    numbers = list(pdf.Root.StructTreeRoot.ParentTree.Nums)
    parents = dict(zip(map(int, numbers[::2]), numbers[1::2], strict=True))
    marks = 0
    for page in pdf.pages:
        for mark, element in enumerate(parents[int(page.obj.StructParents)]):
            assert element.Pg.objgen == page.obj.objgen
            assert mark in list(element.K)
            marks += 1
    assert marks >= 2251 * 3


def test_ids_of_heads_are_unique(long: bytes) -> None:
    pdf = opened(long)
    ids = [str(one.ID) for one in elements(pdf) if "/ID" in one]
    assert len(ids) == len(set(ids)) == 3


def test_what_is_written_from_right_to_left_lies_so(tmp_path: Path) -> None:
    with translation.override("ar"):
        pdf = printed(table_of(people([SCRIPTS["Arabic"], "Zoë (2)!"])))
    lines = lines_of(pdf, tmp_path)
    assert ["2", "2:00", "Zoë (2)!"] in lines
    assert str(opened(pdf).Root.Lang) == "ar"
    checked(pdf, tmp_path)


@pytest.mark.parametrize("columns", [COLUMNS, COLUMNS[:1]])
def test_a_report_of_nothing_says_so(columns: Any, tmp_path: Path) -> None:
    assert "There is nothing to show." in text_of(printed(table_of([], columns=columns)), tmp_path)


def test_letter_and_a4(tmp_path: Path) -> None:
    assert "612 x 792" in info_of(printed(table_of(people(["Ada"])), paper="letter"), tmp_path)["Page size"]
    assert "A4" in info_of(printed(table_of(people(["Ada"]))), tmp_path)["Page size"]


def test_many_columns_lie_on_their_side_and_too_many_stand_below_each_other(tmp_path: Path) -> None:
    def matrix(meetings: int) -> bytes:
        columns = [Column(str(n), f"{n} Nov 2026, 10:00", Kind.COUNT, itemgetter(n + 3)) for n in range(meetings)]
        rows = [[name, 0, 0, *range(700, 700 + meetings)] for name in ("Ada", "Grace")]
        return printed(table_of(rows, columns=(COLUMNS[0], *columns)))

    wide, wider = matrix(18), matrix(60)
    assert info_of(wide, tmp_path)["Page size"].startswith("841.89 x 595.28")
    words = text_of(wider, tmp_path).split()
    assert Counter(words)["Ada"] > 1
    assert [words.count(str(700 + n)) for n in range(60)] == [2] * 60
    checked(wider, tmp_path)


def test_a_register_can_be_signed(tmp_path: Path) -> None:
    text = text_of(printed(table_of(people(["Ada"])), has_signatures=True), tmp_path)
    assert text.count("Signature") == 2
    assert "Place, date" in text
    assert "Signature" not in text_of(printed(table_of(people(["Ada"]))), tmp_path)


def test_groups_stand_above_their_rows_and_a_single_one_in_the_head(tmp_path: Path) -> None:
    outer = (Column("name", "Meeting", Kind.TEXT, lambda one: one), Column("people", "People", Kind.COUNT, len))
    groups = [Group("Algebra", people(["Ada"])), Group("Logic B", people(["Grace", "Emmy"]))]

    def of(several: list[Group]) -> list[list[str]]:
        heading = Heading("Attendance", at("12:00"))
        return lines_of(printed(table_of(several, columns=outer, inner=COLUMNS, heading=heading)), tmp_path)

    lines = [line[0] for line in of(groups)]
    order = [line.split()[0] for line in lines if line.split()[0] in ("Algebra", "Ada", "Logic", "Grace", "Emmy")]
    assert order == ["Algebra", "Ada", "Logic", "Grace", "Emmy"]
    assert ["Meeting", "Algebra", "People", "7"] in of(groups[:1])


def test_pictures_stand_in_it_with_their_words() -> None:
    pdf = opened(printed(table_of(people(["Ada"]), pictures=[Picture("p", "Who was there", SVG, "Ada was there.")])))
    figures = [one for one in elements(pdf) if str(one.S) == "/Figure"]
    assert [str(one.Alt) for one in figures] == ["Ada was there."]


def test_a_picture_that_cannot_be_drawn_is_told_in_words(tmp_path: Path) -> None:
    pdf = printed(table_of(people(["Ada"]), pictures=[Picture("p", "Who was there", "<svg", "Ada was there.")]))
    assert "Ada was there." in text_of(pdf, tmp_path)
    assert info_of(pdf, tmp_path)["Tagged"] == "yes"


def test_a_logo_has_its_place_and_a_broken_one_stops_nothing(tmp_path: Path) -> None:
    def figures(content: bytes) -> int:
        pdf = printed(table_of(people(["Ada"])), Masthead("Example University", content, ".svg"))
        assert "Example University" in text_of(pdf, tmp_path)
        looked_at = opened(pdf)
        return sum(str(one.S) == "/Figure" for one in elements(looked_at))

    assert figures(SVG.encode()) == 1
    assert figures(b"<svg") == 0


def test_rows_are_read_as_they_are_drawn_and_too_many_are_refused() -> None:
    def endless() -> Iterator[tuple[Any, ...]]:
        while True:
            yield ("Ada", 1, 1)

    with pytest.raises(TooLong) as raised:
        printed_without_drawing(endless())
    assert raised.value.hint


def printed_without_drawing(rows: Iterator[tuple[Any, ...]]) -> None:
    from rollcall.reports.pdf.document import Wanted, document_of
    from tests.reports.pdf.printed import ATHENS

    for _ in document_of(table_of(rows), Wanted(ATHENS), Masthead()).rows:
        pass


def test_a_part_that_takes_too_long_is_given_up_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "SECONDS", 0.001)
    with pytest.raises(NotPrinted) as raised:
        printed(table_of(people(["Ada"])))
    assert (str(raised.value), bool(raised.value.hint)) == ("The PDF could not be made.", True)


def test_a_part_that_wants_too_much_memory_is_given_up_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "MEMORY_OF_A_PART", 1 << 26)
    with pytest.raises(NotPrinted):
        printed(table_of(people(["Ada"])))


def test_so_is_what_joins_the_parts(long: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "MEMORY_OF_JOINING", 1 << 26)
    with pytest.raises(NotPrinted):
        printed(table_of(iter(people(f"Person {n}" for n in range(2250)))))


def test_many_columns_and_many_rows_lose_nobody_and_keep_their_tags(tmp_path: Path) -> None:
    """Several tables below each other, in several parts: each goes on in the tables of the first part."""
    meetings, names = 75, [f"Person {n}" for n in range(450)]
    columns = [Column(str(n), f"{n} Nov 2026, 10:00", Kind.COUNT, itemgetter(n + 1)) for n in range(meetings)]
    numbers = [[1000 * n + number for number in range(meetings)] for n in range(1, len(names) + 1)]
    rows = [[name, *several] for name, several in zip(names, numbers, strict=True)]
    pdf = printed(table_of(iter(rows), columns=(COLUMNS[0], *columns)))
    checked(pdf, tmp_path)
    looked_at = opened(pdf)
    tables = [one for one in elements(looked_at) if str(one.S) == "/Table"]
    assert len(tables) > 1
    bodies = [next(part for part in one.K if str(part.S) == "/TBody") for one in tables]
    assert [len(body.K) for body in bodies] == [len(names)] * len(tables)
    said = Counter(text_of(pdf, tmp_path).split())
    assert {said[f"{number:,}"] for several in numbers for number in several} == {1}
