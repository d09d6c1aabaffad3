"""Whose document it is: the organisation's name and its logo, as the operator has set them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rollcall import environment
from rollcall.usable import read_logo


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
    organisation, path = " ".join(environment.ORGANISATION.read().split()), environment.LOGO.read()
    return Masthead(organisation, read_logo(path), Path(path).suffix.lower())
