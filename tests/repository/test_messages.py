"""Every text a reader sees is translated into every language, and `scripts.messages` names each one that is not."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from django.template.base import Lexer, TokenType

from rollcall import languages
from scripts import messages

ROOT = Path(__file__).parents[2]
TRANSLATED = languages.codes()[1:]


@pytest.fixture(scope="module")
def sources() -> Catalog:
    return messages.catalog_of_sources()


def test_rollcall_speaks_greek_german_and_arabic() -> None:
    assert {"ar", "de", "el"} <= set(TRANSLATED)


@pytest.mark.parametrize("code", TRANSLATED)
def test_no_text_is_missing_in_any_language(code: str, sources: Catalog) -> None:
    assert list(messages.faults(code, sources)) == []


# --- what the check finds ---------------------------------------------------------------------------------------------

HEAD = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "django.po"
    monkeypatch.setattr(messages, "po_of", lambda _code: path)
    return path


def of(text: str | tuple[str, str], context: str | None = None) -> Catalog:
    catalog = Catalog()
    catalog.add(text, context=context)
    return catalog


@pytest.mark.parametrize(
    ("text", "entry", "fault"),
    [
        ("Yes", "", "missing: 'Yes'"),
        ("Yes", 'msgid "Yes"\nmsgstr ""\n', "missing: 'Yes'"),
        ("Yes", '#, fuzzy\nmsgid "Yes"\nmsgstr "Ja"\n', "a guess (fuzzy): 'Yes'"),
        ("Yes", 'msgid "Yes"\nmsgstr "Ja"\n\nmsgid "No"\nmsgstr "Nein"\n', "no longer used: 'No'"),
        ("Yes", 'msgid "Yes"\nmsgstr "Ja"\n\n#~ msgid "No"\n#~ msgstr "Nein"\n', "no longer used: 'No'"),
        ("At %(time)s", 'msgid "At %(time)s"\nmsgstr "Um %(zeit)s"\n', "placeholders differ in 'Um %(zeit)s'"),
        ("At %(time)s", 'msgid "At %(time)s"\nmsgstr "Um %(time)d"\n', "placeholders differ in 'Um %(time)d'"),
        ("At %(time)s", 'msgid "At %(time)s"\nmsgstr "Irgendwann"\n', "placeholders differ in 'Irgendwann'"),
        ("<a>Go</a>", 'msgid "<a>Go</a>"\nmsgstr "<a>Los"\n', "tags differ in '<a>Los'"),
        ("Run --check", 'msgid "Run --check"\nmsgstr "Starten"\n', "what somebody has to type differs"),
        ("Yes", 'msgid "Yes"\nmsgstr "Ja "\n', "blanks at the ends differ"),
        (
            ("%(count)d day", "%(count)d days"),
            'msgid "%(count)d day"\nmsgid_plural "%(count)d days"\nmsgstr[0] "ein Tag"\nmsgstr[1] ""\n',
            "has 1 of 2 forms of the plural: '%(count)d day'",
        ),
    ],
)
def test_a_fault_is_named_with_its_text(german: Path, text: str | tuple[str, str], entry: str, fault: str) -> None:
    german.write_text(HEAD + entry)
    (found,) = messages.faults("de", of(text))
    assert found.startswith(f"de: {fault}")


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("100 %% of %(name)s", 'msgid "100 %% of %(name)s"\nmsgstr "%(name)s zu 100 %%"\n'),
        (
            ("%(count)d day of %(all)s", "%(count)d days of %(all)s"),
            """msgid "%(count)d day of %(all)s"
            msgid_plural "%(count)d days of %(all)s"
            msgstr[0] "ein Tag von %(all)s"
            msgstr[1] "%(count)d Tage von %(all)s"
            """,
        ),
    ],
)
def test_what_is_right_in_another_order_is_no_fault(german: Path, text: str | tuple[str, str], entry: str) -> None:
    german.write_text(HEAD + entry)
    assert list(messages.faults("de", of(text))) == []


def test_one_word_in_two_senses_is_two_texts(german: Path) -> None:
    german.write_text(HEAD + 'msgid "Time"\nmsgstr "Zeit"\n')
    assert list(messages.faults("de", of("Time", "how long"))) == [
        "de: missing: 'Time'",
        "de: no longer used: 'Time'",
    ]


def test_new_texts_are_taken_in_and_what_was_translated_stays(german: Path) -> None:
    german.write_text(HEAD + 'msgid "Yes"\nmsgstr "Ja"\n\nmsgid "Gone"\nmsgstr "Weg"\n')
    sources = of("Yes")
    sources.add("A text that is new")
    messages.update("de", sources)
    written = german.read_text()
    assert 'msgid "Yes"\nmsgstr "Ja"' in written
    assert 'msgid "A text that is new"\nmsgstr ""' in written
    assert "Gone" not in written
    messages.update("de", sources)
    assert german.read_text() == written


def test_a_new_language_has_the_plural_forms_it_needs(german: Path) -> None:
    messages.update("pl", of(("%(count)d day", "%(count)d days")))
    written = german.read_text()
    assert "nplurals=4" in written or "nplurals=3" in written
    assert "msgstr[2]" in written


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('_("a " "b")', ("a b", None)),
        ("""f'<p>{escape(_("inside"))}</p>'""", ("inside", None)),
        ('gettext_lazy("a")', ("a", None)),
        ('translation.gettext("a")', ("a", None)),
        ('ngettext("one", "many", n)', (("one", "many"), None)),
        ('pgettext("of a day", "long")', ("long", "of a day")),
        ('npgettext("c", "one", "many", n)', (("one", "many"), "c")),
    ],
)
def test_a_marked_text_is_found(source: str, found: tuple[str | tuple[str, str], str | None]) -> None:
    assert list(messages.texts_of_python(source)) == [found]


@pytest.mark.parametrize("source", ["_(name)", '_(WORDS["a-code"])', '_(f"{name}")', 'say("a")', "_(7)"])
def test_what_is_no_text_is_not_taken_for_one(source: str) -> None:
    assert list(messages.texts_of_python(source)) == []


def test_a_template_has_texts_in_its_tags() -> None:
    template = """{% if a %}
      <p title="{% translate 'A title' %}">{{ name|default:_("nobody") }}</p>
        {% blocktranslate count n=n %}{{ n }} day{% plural %}{{ n }} days{% endblocktranslate %}{% endif %}"""
    assert list(messages.texts_of_template(template)) == [
        ("A title", None),
        ("nobody", None),
        (("%(n)s day", "%(n)s days"), None),
    ]


# --- what is to be translated ---------------------------------------------------------------------------------------


def test_only_the_packages_that_speak_to_readers_mark_texts() -> None:
    """What the others say is for operators, and English: docs/translating.md."""
    silent = [
        path for path in (ROOT / "rollcall").rglob("*.py") if path.relative_to(ROOT).parts[1] not in messages.SPOKEN
    ]
    assert [path.relative_to(ROOT).as_posix() for path in silent if _marks(path)] == []


def _marks(path: Path) -> bool:
    imported = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom))
    return any(
        name.name.endswith(("gettext", "gettext_lazy", "gettext_noop")) for node in imported for name in node.names
    )


_SAME_IN_EVERY_LANGUAGE = {"Rollcall", "CSV", "JSON", "PDF", "XLSX"}
_SPOKEN_ATTRIBUTE = re.compile(r'\b(?:aria-label|alt|title|placeholder|data-label|content)="([^"]*)"')


@pytest.mark.parametrize("path", sorted((ROOT / "rollcall/web/templates").rglob("*.html")), ids=lambda path: path.name)
def test_no_text_of_a_template_is_left_unmarked(path: Path) -> None:
    bare = _unmarked(path.read_text())
    said = re.sub(r"<(script|style|pre)\b.*?</\1>|<!--.*?-->|<meta[^>]*>", " ", bare, flags=re.DOTALL)
    texts = [re.sub(r"<[^>]*>|&\w+;", " ", said), *_SPOKEN_ATTRIBUTE.findall(said)]
    assert set(re.findall(r"[^\W\d_]{2,}", " ".join(texts))) <= _SAME_IN_EVERY_LANGUAGE


def _unmarked(template: str) -> str:
    """What stands in it without a tag of Django's around."""
    kept, is_marked = [], False
    for token in Lexer(template).tokenize():
        if token.token_type is TokenType.BLOCK:
            is_marked = (is_marked or token.contents.startswith("blocktrans")) and not token.contents.startswith(
                "endblocktrans"
            )
        elif token.token_type is TokenType.TEXT and not is_marked:
            kept.append(token.contents)
    return "".join(kept)
