"""The languages Rollcall speaks: English, in which it is written, and each one that has a folder with a .po.

A .po is all that a language needs. What gettext reads, the .mo, is made of it when Rollcall starts, once for each
version, and kept in the data folder: nobody has to remember to make it, and no two versions of it can differ.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from gettext import GNUTranslations
from hashlib import blake2b
from pathlib import Path

from babel import Locale, UnknownLocaleError
from django.utils.translation import to_language, to_locale

_log = logging.getLogger("rollcall.languages")

SOURCE = "en"
FOLDER = Path(__file__).parent / "web" / "locale"

RIGHT_TO_LEFT = ("ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi")

_PART = Path("LC_MESSAGES")
_OURS = {SOURCE: "en-gb"}
"""Whose dates and numbers are taken where the language alone does not say: the day before the month, 24 hours."""


def po_of(code: str, folder: Path = FOLDER) -> Path:
    """Where the translations into one language stand."""
    return folder / to_locale(code) / _PART / "django.po"


def codes(folder: Path = FOLDER) -> list[str]:
    """All languages: English, then the others by their code. A folder that is called after no language is none."""
    found = (to_language(path.parent.parent.name) for path in folder.glob("*/LC_MESSAGES/django.po"))
    return [SOURCE, *sorted(code for code in found if code != SOURCE and _is_language(code))]


def _is_language(code: str) -> bool:
    try:
        locale(code)
    except (UnknownLocaleError, ValueError):
        return False
    return True


def locale(code: str) -> Locale:
    """How dates and numbers are written in a language."""
    return Locale.parse(_OURS.get(code, code), sep="-")


def name_of(code: str) -> str:
    """What the language is called by those who speak it."""
    if code == SOURCE:
        return "English"
    own = locale(code)
    return own.get_display_name(own) or code


def is_right_to_left(code: str) -> bool:
    """Whether it is written from right to left."""
    return code.partition("-")[0] in RIGHT_TO_LEFT


def compiled(into: Path, folder: Path = FOLDER) -> Path:
    """A folder as gettext wants it, with a .mo of every language; made where it is not there yet."""
    target = into / _digest(folder)
    if target.is_dir():
        return target
    try:
        for path in (into.parent, into):  # of parents that it makes itself, mkdir would set no mode
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=into, prefix=".making-") as draft:
            _compile(folder, Path(draft) / "made")
            return _moved(Path(draft) / "made", target)
    except OSError:  # a data folder that may only be read
        draft = tempfile.mkdtemp(prefix="rollcall-locale-")
        _compile(folder, Path(draft))
        return Path(draft)


def _moved(made: Path, target: Path) -> Path:
    try:
        made.rename(target)
    except OSError:  # another process was first
        if not target.is_dir():
            raise
    return target


def _digest(folder: Path) -> str:
    digest = blake2b(digest_size=8)
    for code in codes(folder)[1:]:
        digest.update(code.encode() + b"\0" + po_of(code, folder).read_bytes())
    return digest.hexdigest()


def _compile(folder: Path, into: Path) -> None:
    # Only a version that starts for the first time needs these.
    from babel.messages.mofile import write_mo  # noqa: PLC0415
    from babel.messages.pofile import PoFileError, read_po  # noqa: PLC0415

    into.mkdir(exist_ok=True)
    for code, source in _sources(folder):
        path = into / to_locale(code) / _PART / "django.mo"
        path.parent.mkdir(parents=True)
        try:
            with source.open("rb") as file, path.open("wb") as made:
                write_mo(made, read_po(file, locale=code, abort_invalid=True))
            with path.open("rb") as made:
                GNUTranslations(made)
        except (PoFileError, ValueError) as error:  # one bad file takes nothing from the other languages
            path.unlink(missing_ok=True)
            _log.error("%s cannot be read, so this language is shown in English: %s", source, error)


def _sources(folder: Path) -> Iterator[tuple[str, Path]]:
    for code in codes(folder)[1:]:
        yield code, po_of(code, folder)
