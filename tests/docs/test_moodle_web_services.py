"""docs/moodle-web-services.md names each right and function that Rollcall uses, and each trouble it may meet."""

from __future__ import annotations

import re
from pathlib import Path

from rollcall.lti import trouble as lti
from rollcall.moodle.asking import FUNCTIONS
from rollcall.moodle.checking import CAPABILITIES
from rollcall.moodle.trouble import Trouble, told

PAGE = (Path(__file__).parents[2] / "docs" / "moodle-web-services.md").read_text()
ON_THE_WAY = {
    lti.Trouble.UNREACHABLE,
    lti.Trouble.NO_SUCH_HOST,
    lti.Trouble.TLS,
    lti.Trouble.TIMEOUT,
    lti.Trouble.BROKEN_CONNECTION,
    lti.Trouble.NOT_HTTPS,
    lti.Trouble.PRIVATE_ADDRESS,
    lti.Trouble.NOT_AN_ADDRESS,
    lti.Trouble.OWN_FAULT,
    lti.Trouble.FAILED,
    lti.Trouble.BUSY,
    lti.Trouble.TOO_BIG,
}


def named(part: str) -> set[str]:
    return {name for row in part.splitlines() if row.startswith(("|", "   |")) for name in _first(row)}


def _first(row: str) -> list[str]:
    return re.findall(r"`([^`]+)`", row.split("|")[1])


def test_the_rights_and_functions_are_all_that_is_used() -> None:
    (part,) = re.findall(r"^## Ten minutes in Moodle\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    assert named(part) == {*CAPABILITIES, *FUNCTIONS}


def test_each_trouble_stands_in_the_table_and_has_a_sentence() -> None:
    (part,) = re.findall(r"^## Troubles\n(.*)", PAGE, re.MULTILINE | re.DOTALL)
    assert named(part) == {one.value for one in (*Trouble, *ON_THE_WAY)}
    for one in (*Trouble, *ON_THE_WAY):
        sentence, _hint = told(one.value)
        assert sentence != one.value
    assert all(len(one.value) <= 32 for one in Trouble)
