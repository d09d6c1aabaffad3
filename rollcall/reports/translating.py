"""gettext that remembers: a class of 300 asks for the same ten sentences thousands of times."""

from __future__ import annotations

from functools import lru_cache

from django.utils import translation


@lru_cache(maxsize=4096)
def _remembered(language: str | None, text: str) -> str:  # noqa: ARG001 - the language is that of the caller
    return translation.gettext(text)


def gettext(text: str) -> str:
    """The text in the reader's language; only ever called with texts of ours, so there are few."""
    return _remembered(translation.get_language(), text)
