"""Names for searching: every script, case and accent as the Latin letters somebody would type for them."""

from __future__ import annotations

import re
import unicodedata

from anyascii import anyascii

# Marks that people leave out when they type: Latin, Greek and Cyrillic accents, Hebrew points, Arabic vowels. The
# classes between (84-132) are vowels and tones of Indic and South-East Asian scripts, which are part of the word.
_OVERLAY, _FIRST_POINT, _LAST_POINT, _FIRST_ACCENT = 1, 10, 36, 200

# These marks make another letter, not an accented one: й is no и.
_PART_OF_THE_LETTER = frozenset({"и\u0306", "у\u0306", "і\u0308"})

# What one Arabic-script writer types as the one and another as the other; and alef, which anyascii leaves out.
_ALIKE = str.maketrans({"ا": "a", "ة": "ه", "ى": "ي", "ی": "ي", "ک": "ك", "ـ": None})

_GREEK = str.maketrans(
    dict(zip("αβγδεζηικλμνξοπρστυφω", "avgdeziiklmnxoprstyfo", strict=True)) | {"θ": "th", "χ": "ch", "ψ": "ps"}
)

# Two letters that are one sound, as in Greek passports (ELOT 743). An accent between them would part them, but people
# leave accents out, so it does not count.
_GREEK_PAIRS = (
    (re.compile("(?<![α-ω])μπ"), "b"),
    (re.compile("μπ"), "mp"),
    (re.compile("ου"), "ou"),
    (re.compile("([αεη])υ(?=[αεηιουωβγδζλμνρ])"), r"\1v"),
    (re.compile("([αεη])υ"), r"\1f"),
    (re.compile("γγ"), "ng"),
    (re.compile("γξ"), "nx"),
    (re.compile("γχ"), "nch"),
)
_GREEK_LETTER = re.compile("[α-ω]")
_APOSTROPHES = re.compile("['`´ʹʼʻ‘’]")
_BETWEEN_WORDS = re.compile("[^a-z0-9]+")

# How a German types a letter the keyboard lacks.
_WRITTEN_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
# Another spelling of the query, and what it looks for besides.
_SPELLINGS = (
    (re.compile("([aou])e"), r"\1"),  # mueller finds Müller
    (re.compile("aa"), "a"),  # haakon finds Håkon
    (re.compile("ph"), "f"),  # philippou finds Φιλίππου
    (re.compile("^mp"), "b"),  # mpakas finds Μπάκας
    (re.compile("(?<=[aei])f$"), "v"),  # παυ, still being typed, finds Παύλος
)


def fold_name(text: str) -> str:
    """Lower-case Latin letters and digits, words parted by single blanks, whatever the script, case and accents."""
    bare = _without_accents(text).translate(_ALIKE)
    latin = anyascii(_latin_from_greek(bare)).lower()
    return _BETWEEN_WORDS.sub(" ", _APOSTROPHES.sub("", latin)).strip()


def search_terms(query: str) -> tuple[tuple[str, ...], ...]:
    """A name matches if, for each of these, one of its spellings occurs somewhere in the folded name."""
    typed = fold_name(query).split()
    written_out = fold_name(unicodedata.normalize("NFC", query).casefold().translate(_WRITTEN_OUT)).split()
    if len(written_out) != len(typed):
        written_out = typed
    return tuple(_spellings(*words) for words in dict.fromkeys(zip(typed, written_out, strict=True)))


def matches(terms: tuple[tuple[str, ...], ...], folded_name: str) -> bool:
    """The same answer as the database's, for rows that were read anyway."""
    return bool(terms) and all(any(spelling in folded_name for spelling in spellings) for spellings in terms)


def _spellings(*words: str) -> tuple[str, ...]:
    others = [pattern.sub(instead, word) for word in words for pattern, instead in _SPELLINGS]
    return tuple(dict.fromkeys((*words, *others)))


def _without_accents(text: str) -> str:
    """Case-folded and composed, its accents gone; the same for text however it was composed."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept: list[str] = []
    for character in folded:
        if not _is_accent(character) or (kept and kept[-1] + character in _PART_OF_THE_LETTER):
            kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept))


def _is_accent(character: str) -> bool:
    rank = unicodedata.combining(character)
    return rank == _OVERLAY or _FIRST_POINT <= rank <= _LAST_POINT or rank >= _FIRST_ACCENT


def _latin_from_greek(text: str) -> str:
    """Greek letters as passports write them; anyascii goes letter by letter and would make `oy` of ου."""
    text = text.replace("ς", "σ")
    if not _GREEK_LETTER.search(text):
        return text
    for pair, instead in _GREEK_PAIRS:
        text = pair.sub(instead, text)
    return text.translate(_GREEK)
