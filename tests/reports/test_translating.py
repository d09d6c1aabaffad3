"""Remembered translations are those of the reader's language, whoever asked before."""

from __future__ import annotations

from django.utils import translation

from rollcall.wording.translating import gettext, remembering


def test_each_language_has_its_own_words() -> None:
    # Django's own catalogue has this word, so the test does not wait for ours.
    said = []
    for language in ("de", "el", "de"):
        with translation.override(language), remembering():
            said += [gettext("Yes"), gettext("Yes")]

    assert said[:2] == said[4:] == ["Ja", "Ja"]
    assert said[2] == said[3] != "Ja"


def test_outside_the_language_is_asked_for_each_time() -> None:
    with translation.override("de"):
        assert gettext("Yes") == "Ja"
    with translation.override("en"):
        assert gettext("Yes") == "Yes"
