"""gettext that remembers: a class of 300 asks for the same ten sentences thousands of times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.utils import translation


class _Known(dict[str, str]):
    """What the texts of ours are in one language, as far as anybody has asked."""

    def __missing__(self, text: str) -> str:
        self[text] = found = translation.gettext(text)
        return found


_by_language: defaultdict[str | None, _Known] = defaultdict(_Known)
_known: ContextVar[_Known | None] = ContextVar("known", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """Inside of this the language stays the same, so that it need not be asked for with each word."""
    token = _known.set(_by_language[translation.get_language()])
    try:
        yield
    finally:
        _known.reset(token)


def gettext(text: str) -> str:
    """The text in the reader's language; only ever called with texts of ours, so there are few."""
    known = _known.get()
    return translation.gettext(text) if known is None else known[text]


def ngettext_noop(one: str, many: str) -> tuple[str, str]:
    """Both forms of what is counted, for a table: translators get them as one text, and ngettext as its arguments."""
    return one, many
