"""Names are found however they were typed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rollcall.store.names import fold_name, matches, search_terms

GREEK = "αβγδεζηθικλμνξοπρστυφχψως"
LETTERS = (
    "abcdefghijklmnopqrstuvwxyz"
    + GREEK
    + "абвгдежзийклмнопрстуфхцчшщъыьэюя"
    + "àáâãäåçèéêëìíîïñòóôõöùúûüýÿšžćčřőű"
    + "άέήίόύώϊϋΐΰ"
)
ACCENTS = "\u0300\u0301\u0308\u0302\u0342"

names = st.lists(st.text(alphabet=LETTERS, min_size=1, max_size=12), min_size=1, max_size=4).map(" ".join)


def finds(query: str, name: str) -> bool:
    return matches(search_terms(query), fold_name(name))


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("ΠΑΠΑΔΟΠΟΥΛΟΣ", "papadopoulos"),
        ("Παπαδόπουλος", "papadopoulos"),
        ("Παπαδοπούλου Ευτυχία", "papadopoulou eftychia"),
        ("Εύα Παύλου", "eva pavlou"),
        ("Άγγελος Σφίγξ", "angelos sfinx"),
        ("Μπάμπης Λάμπρου", "bampis lamprou"),
        ("Müller", "muller"),
        ("  José\u00a0Núñez ", "jose nunez"),
        ("Ёлкин Йосиф", "elkin yosif"),
        ("שָׁלוֹם כהן", "slvm khhn"),
        ("أَحْمَد", "ahmd"),
        ("王小明", "wangxiaoming"),
        ("김철수", "gimcheolsu"),
        ("O’Brien-Smith", "obrien smith"),
        ("Straße 12", "strasse 12"),
        ("\u202eadA\u200f", "ada"),
        ("a\x00b", "a b"),
        ("\ud800", ""),
        ("", ""),
    ],
)
def test_names_of_every_script_become_latin_words(name: str, folded: str) -> None:
    assert fold_name(name) == folded


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("papadopoulos", "ΠΑΠΑΔΟΠΟΥΛΟΣ ΓΕΩΡΓΙΟΣ"),
        ("papadopoulos", "Γιώργος Παπαδόπουλος"),
        ("Παπαδοπουλοσ", "Papadopoulos, George"),
        ("ΠΑΠ", "Παπαδόπουλος"),
        ("papadopoulou", "Μαρία Παπαδοπούλου"),
        ("παυ", "Παύλος"),
        ("mpakas", "Μπάκας"),
        ("philippou", "Φιλίππου"),
        ("muller", "Jürgen Müller"),
        ("mueller", "Jürgen Müller"),
        ("MÜLLER juergen", "Jürgen Müller"),
        ("Müller", "Mueller"),
        ("jose nunez", "Núñez, José"),
        ("nunez jose", "José Núñez"),
        ("haakon", "Håkon"),
        ("sorensen", "Sørensen"),
        ("soerensen", "Sørensen"),
        ("fedorov", "Фёдоров"),
        ("Федоров", "Фёдоров"),
        ("احمد", "أحمد"),
        ("xiaoming wang", "王小明"),
        ("obrien", "O'Brien"),
        ("el", "Samuel"),
    ],
)
def test_a_name_is_found(query: str, name: str) -> None:
    assert finds(query, name)


@pytest.mark.parametrize(
    ("query", "name"), [("papadopoulou", "Παπαδόπουλος"), ("jose nunez", "José Muñoz"), ("и", "Й")]
)
def test_another_name_is_not(query: str, name: str) -> None:
    assert not finds(query, name)


@given(st.text())
def test_folding_twice_changes_nothing(name: str) -> None:
    assert fold_name(fold_name(name)) == fold_name(name)


@given(st.text())
def test_only_words_of_latin_letters_and_digits_are_left(name: str) -> None:
    folded = fold_name(name)
    assert folded == " ".join(folded.split())
    assert set(folded) <= set("abcdefghijklmnopqrstuvwxyz0123456789 ")


@given(names)
def test_case_changes_nothing(name: str) -> None:
    assert fold_name(name.upper()) == fold_name(name) == fold_name(name.title())


@given(st.text())
def test_composition_changes_nothing(name: str) -> None:
    composed, decomposed = unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)
    assert fold_name(composed) == fold_name(decomposed)


@given(st.lists(st.tuples(st.sampled_from("aeiouyncs" + GREEK), st.sampled_from(ACCENTS))))
def test_accents_change_nothing(letters: list[tuple[str, str]]) -> None:
    accented = "".join(letter + accent for letter, accent in letters)
    assert fold_name(accented) == fold_name("".join(letter for letter, _ in letters))


@given(names, st.randoms())
def test_a_name_is_found_by_its_own_words_in_any_order(name: str, rnd: object) -> None:
    assume(fold_name(name))  # a hard sign alone leaves nothing to look for
    words = name.upper().split()
    rnd.shuffle(words)  # type: ignore[attr-defined]  # a random.Random, which hypothesis does not say
    assert finds(" ".join(words), name)


@given(names, st.data())
def test_a_name_is_found_by_the_beginnings_of_its_folded_words(name: str, data: st.DataObject) -> None:
    assume(fold_name(name))
    beginnings = [word[: data.draw(st.integers(1, len(word)))] for word in fold_name(name).split()]
    assert finds(" ".join(beginnings), name)
