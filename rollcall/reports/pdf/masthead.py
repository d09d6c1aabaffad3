"""Whose document it is: the organisation's name and its logo, as the operator has set them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rollcall import environment
from rollcall.core.errors import Misconfigured

LARGEST_LOGO: Final = 1 << 20
_BEGINNINGS: Final = {".png": b"\x89PNG\r\n\x1a\n", ".svg": b"<svg"}


@dataclass(frozen=True, slots=True)
class Masthead:
    """`logo` is a file's content, `suffix` its kind; blank where there is none."""

    organisation: str = ""
    logo: bytes = b""
    suffix: str = ""

    @property
    def file_name(self) -> str:
        """What it is called beside the template; blank if there is none."""
        return f"logo{self.suffix}" if self.logo else ""


def masthead() -> Masthead:
    """As it is set; Misconfigured says what is wrong with the logo."""
    organisation = " ".join(environment.ORGANISATION.read().split())
    path = environment.LOGO.read()
    if not path:
        return Masthead(organisation)
    return Masthead(organisation, _logo(Path(path).expanduser()), Path(path).suffix.lower())


def _logo(path: Path) -> bytes:
    if path.suffix.lower() not in _BEGINNINGS:
        raise _unusable(f"{path} is neither .svg nor .png")
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_LOGO + 1)
    except OSError as error:
        raise _unusable(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > LARGEST_LOGO:
        raise _unusable(f"{path} is larger than 1 MB")
    if _BEGINNINGS[path.suffix.lower()] not in content[:4096]:
        raise _unusable(f"{path} is no {path.suffix[1:].upper()} inside")
    return content


def _unusable(why: str) -> Misconfigured:
    return Misconfigured(f"ROLLCALL_LOGO: {why}.", hint="Give the path of an SVG or PNG of at most 1 MB, or none.")
