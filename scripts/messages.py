"""What translators work on: `make messages` brings each language's .po in step with the sources.

    python -m scripts.messages             take every text from the sources into every .po
    python -m scripts.messages --add fr    the same, and begin a new language
    python -m scripts.messages --check     name every text that is missing, unsure, no longer used or broken; status 1

A .po is the only file a language has: Rollcall compiles it when it starts (rollcall.languages).
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from rollcall.languages import FOLDER, SOURCE, codes, po_of

ROOT = Path(__file__).resolve().parent.parent

SPOKEN = ("reports", "web", "live", "deliveries", "store", "derive", "lti", "api", "wording", "moodle", "feed")
"""The packages whose texts reach a reader. The others speak to operators, in English (docs/translating.md)."""

_CALLS: dict[str, tuple[str, ...]] = {
    "_": ("text",),
    "_n": ("text",),
    "gettext": ("text",),
    "gettext_lazy": ("text",),
    "gettext_noop": ("text",),
    "ngettext": ("text", "plural"),
    "ngettext_lazy": ("text", "plural"),
    "ngettext_noop": ("text", "plural"),
    "pgettext": ("context", "text"),
    "pgettext_lazy": ("context", "text"),
    "npgettext": ("context", "text", "plural"),
}
"""By what a text is marked, and what its first arguments are."""

_CALLS_OF_TEMPLATES: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
"""The same for what Django makes of a template, as Babel wants it."""

_PLACEHOLDER = re.compile(r"%(?:\((?P<name>\w+)\))?[#0\-+]*\d*(?:\.\d+)?(?P<kind>[diouxXeEfFgGcrsa%])")
_NUMERALS = ("%(count)s", "%(number)s")
_TYPED = re.compile(r"--[a-z][a-z-]+|\bMEETING\b|\brollcall [a-z]+")
_TAG = re.compile(r"</?\w+[^<>]*>")


# --- out of the sources -----------------------------------------------------------------------------------------------


def catalog_of_sources() -> Catalog:
    """Every text that is marked for translation, in the order of the files."""
    catalog = Catalog(charset="utf-8", fuzzy=False)
    for path in _sources():
        name = path.relative_to(ROOT).as_posix()
        for text, context in _texts(path):
            catalog.add(text, locations=[(name, 0)], context=context)
    return catalog


def _sources() -> Iterator[Path]:
    for package in SPOKEN:
        folder = ROOT / "rollcall" / package
        yield from sorted(path for path in folder.rglob("*") if path.suffix in {".py", ".html", ".txt"})


def _texts(path: Path) -> Iterator[tuple[str | tuple[str, ...], str | None]]:
    source = path.read_text(encoding="utf-8")
    return texts_of_python(source) if path.suffix == ".py" else texts_of_template(source)


def texts_of_python(source: str) -> Iterator[tuple[str | tuple[str, ...], str | None]]:
    """By its syntax tree: Babel would read tokens, and find nothing inside of f-strings before Python 3.12."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        roles = _CALLS.get(str(getattr(call.func, "id", getattr(call.func, "attr", ""))), ())
        constants = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        if roles and len(constants) >= len(roles):
            found = dict(zip(roles, constants, strict=False))
            text = (found["text"], found["plural"]) if "plural" in found else found["text"]
            yield text, found.get("context")


def texts_of_template(source: str) -> Iterator[tuple[str | tuple[str, ...], str | None]]:
    """As Django finds them, without the indents, which mean nothing there."""
    as_python = "\n".join(line.lstrip() for line in templatize(source).splitlines())
    for _line, text, _comments, context in extract("python", io.BytesIO(as_python.encode()), _CALLS_OF_TEMPLATES):
        yield text, context


# --- into the catalogues ----------------------------------------------------------------------------------------------


def update(code: str, sources: Catalog) -> None:
    """Take new texts into a language and the unused out of it; what was reworded keeps its translation as a guess."""
    path = po_of(code)
    catalog = _read(code) if path.exists() else Catalog(locale=code)
    catalog.update(sources, no_fuzzy_matching=False, update_header_comment=False, update_creation_date=False)
    catalog.obsolete.clear()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_written(code, catalog))


def _read(code: str) -> Catalog:
    with po_of(code).open("rb") as file:
        return read_po(file, locale=code)


def _written(code: str, catalog: Catalog) -> bytes:
    """Babel's, but its head says only what is true of every version, so that two changes of texts can be merged."""
    body = io.BytesIO()
    write_po(body, catalog, width=120, omit_header=True, ignore_obsolete=True, include_lineno=False)
    head = (
        f"# Rollcall in {Locale.parse(code, sep='-').english_name}. How to translate: docs/translating.md.\n"
        'msgid ""\n'
        'msgstr ""\n'
        f'"Language: {code}\\n"\n'
        '"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n'
        f'"Plural-Forms: {catalog.plural_forms}\\n"\n'
        "\n"
    )
    return head.encode() + body.getvalue().strip() + b"\n"


# --- what is wrong with them ------------------------------------------------------------------------------------------


def faults(code: str, sources: Catalog) -> Iterator[str]:
    """What is wrong with one language, a line each."""
    catalog = _read(code)
    wanted = {_key(message): message for message in sources if message.id}
    for key, message in wanted.items():
        found = catalog.get(*key)
        if found is None or not found.string or not any(found.string):
            yield f"{code}: missing: {_shown(message)}"
        else:
            yield from (f"{code}: {fault}: {_shown(message)}" for fault in _faults_of(found, catalog.num_plurals))
    for message in catalog:
        if message.id and _key(message) not in wanted:
            yield f"{code}: no longer used: {_shown(message)}"
    yield from (f"{code}: no longer used: {_shown(message)}" for message in catalog.obsolete.values())


def _key(message: Message) -> tuple[str, str | None]:
    return (message.id if isinstance(message.id, str) else message.id[0]), message.context


def _shown(message: Message) -> str:
    return repr(_key(message)[0])


def _faults_of(message: Message, plurals: int) -> Iterator[str]:
    if message.fuzzy:
        yield "a guess (fuzzy)"
    originals = [message.id] if isinstance(message.id, str) else list(message.id)
    texts = [message.string] if isinstance(message.string, str) else list(message.string or ())
    if len(originals) > 1 and (len(texts) != plurals or not all(texts)):
        yield f"has {sum(map(bool, texts))} of {plurals} forms of the plural"
    for text in filter(None, texts):
        yield from _differences(originals[-1], text, is_counted=len(originals) > 1)


def _differences(original: str, text: str, *, is_counted: bool) -> Iterator[str]:
    missing = set(placeholders(original)) - set(placeholders(text))
    if is_counted:  # "one person" needs no numeral
        missing = {one for one in missing if not one.endswith("d") and one not in _NUMERALS}
    if missing or set(placeholders(text)) - set(placeholders(original)):
        yield f"placeholders differ in {text!r}"
    if sorted(_TAG.findall(original)) != sorted(_TAG.findall(text)):
        yield f"tags differ in {text!r}"
    if sorted(_TYPED.findall(original)) != sorted(_TYPED.findall(text)):
        yield f"what somebody has to type differs in {text!r}"
    if original[:1].isspace() != text[:1].isspace() or original[-1:].isspace() != text[-1:].isspace():
        yield f"blanks at the ends differ in {text!r}"


def placeholders(text: str) -> list[str]:
    """What is filled in, as %(name)s; a doubled percent sign stands for itself."""
    found = (match for match in _PLACEHOLDER.finditer(text) if match["kind"] != "%")
    return [f"%({match['name']}){match['kind']}" if match["name"] else f"%{match['kind']}" for match in found]


# --- the command ------------------------------------------------------------------------------------------------------


def main(arguments: list[str]) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, name what is wrong")
    parser.add_argument("--add", metavar="CODE", help="begin this language")
    asked = parser.parse_args(arguments)
    sources = catalog_of_sources()
    languages = [code for code in codes(FOLDER) if code != SOURCE]
    if asked.check:
        return _check(languages, sources)
    for code in dict.fromkeys([*languages, *([asked.add] if asked.add else [])]):
        update(code, sources)
    return 0


def _check(languages: Iterable[str], sources: Catalog) -> int:
    found = [fault for code in languages for fault in faults(code, sources)]
    for fault in found:
        sys.stderr.write(f"{fault}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
