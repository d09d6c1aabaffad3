"""Run as a program, within bounds.py: the parts of a document made one, with one logical table, and pages numbered.

It imports nothing of ours: `merging.py FOLDER STAMP PART…`.

pikepdf copies pages without the tree that tells a reading program what they are, so the tree is put together here: the
rows of each later part are hung into the tables of the first, and what else it says below them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO
from itertools import chain
from typing import Any

import typst
from pikepdf import Array, Dictionary, Name, ObjectStreamMode, Page, Pdf, Stream, settings

Leaf = tuple[int, Any]


def main() -> None:
    """Join PART… into FOLDER/whole.pdf."""
    folder, stamp, first, *others = sys.argv[1:]
    settings.set_flate_compression_level(1)  # a tenth faster, a twelfth larger
    out = Pdf.open(first)
    tree = _Tree(out)
    for path in others:
        with Pdf.open(path) as part:
            _detach(part)
            tree.take(part)
    tree.close()
    with Pdf.open(BytesIO(_page_numbers(folder, int(stamp), len(out.pages)))) as numbers:
        for page, number in zip(out.pages, numbers.pages, strict=True):
            _number(out, page, number)
        target = f"{folder}/whole.pdf"
        out.save(target, object_stream_mode=ObjectStreamMode.generate, deterministic_id=True)


def _page_numbers(folder: str, stamp: int, pages: int) -> bytes:
    numbers = typst.compile(
        f"{folder}/pages.typ",
        root=folder,
        sys_inputs={"pages": str(pages)},
        font_paths=[f"{folder}/fonts"],
        ignore_system_fonts=True,
        timestamp=stamp,
        pdf_tags=False,
    )
    assert isinstance(numbers, bytes)  # noqa: S101 - without an output it is
    return numbers


class _Tree:
    """The structure of the first part, into which those of the others grow."""

    def __init__(self, out: Pdf) -> None:
        self._out = out
        self._root = out.Root.StructTreeRoot
        self._document = _document(self._root)
        self._tables = list(_tables(self._document))
        self._parents = list(_leaves(self._root.ParentTree))
        self._next = max((key for key, _ in self._parents), default=-1) + 1

    def take(self, part: Pdf) -> None:
        """All pages of a part, and what they are."""
        count = len(self._out.pages)
        self._out.pages.extend(part.pages)  # first: otherwise no element would know its page
        theirs = self._out.copy_foreign(part.Root.StructTreeRoot)
        self._renumber(count, list(_leaves(theirs.ParentTree)))
        document = _document(theirs)
        for mine, other in zip(self._tables, _tables(document), strict=False):
            _hang(_body(other).K, _body(mine))
        _hang([one for one in document.K if Name.Table != one.S], self._document)

    def _renumber(self, count: int, leaves: list[Leaf]) -> None:
        for page in self._out.pages[count:]:
            if Name.StructParents in page.obj:
                page.obj.StructParents = int(page.obj.StructParents) + self._next
        self._parents += [(key + self._next, value) for key, value in leaves]
        self._next += max((key for key, _ in leaves), default=-1) + 1

    def close(self) -> None:
        """Write down which mark on which page belongs to what."""
        leaves = sorted(self._parents, key=lambda leaf: leaf[0])
        numbers = Array(list(chain.from_iterable(leaves)))
        self._root.ParentTree = self._out.make_indirect(Dictionary(Nums=numbers))
        self._root.ParentTreeNextKey = self._next


def _detach(part: Pdf) -> None:
    """Hold the streams of a part in memory, some kilobytes: else it would have to stay open, with all its objects."""
    for one in part.objects:
        if isinstance(one, Stream):
            coded: Any = (one.get(Name.Filter), one.get(Name.DecodeParms))
            one.write(one.read_raw_bytes(), filter=coded[0], decode_parms=coded[1])


def _hang(elements: Any, into: Any) -> None:  # noqa: ANN401 - pikepdf's objects have no types of their own
    for element in list(elements):
        element.P = into
        into.K.append(element)


def _document(root: Any) -> Any:  # noqa: ANN401 - as above
    """The element that holds all others."""
    top = root.K
    return top[0] if isinstance(top, Array) else top


def _tables(document: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
    return (one for one in document.K if Name.Table == one.S)


def _body(table: Any) -> Any:  # noqa: ANN401 - as above
    return next(one for one in table.K if Name.TBody == one.S)


def _leaves(node: Any) -> Iterator[Leaf]:  # noqa: ANN401 - as above
    for kid in node.get(Name.Kids, []):
        yield from _leaves(kid)
    numbers = list(node.get(Name.Nums, []))
    yield from zip(map(int, numbers[::2]), numbers[1::2], strict=True)


def _number(out: Pdf, page: Page, number: Page) -> None:
    """Draw a page's number on it, as something that is no part of what the document says."""
    form = out.copy_foreign(number.as_form_xobject())
    page.add_resource(form, Name.XObject, Name.PageNumber)  # named, as a name of pikepdf's would be random
    page.contents_add(b"q\n", prepend=True)
    page.contents_add(b"Q\n/Artifact <</Type /Pagination /Subtype /Footer>> BDC\n/PageNumber Do\nEMC\n")


if __name__ == "__main__":
    main()
