"""Whatever a delivery ends or waits with is said in words, with what to do about it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rollcall.core.deliveries import Way
from rollcall.deliveries.completions import codes
from rollcall.lti.trouble import Trouble as OfServices
from rollcall.moodle.trouble import Trouble as OfMoodle
from rollcall.store.owed import Owing

FOLDER = Path(codes.__file__).parent
_CODE = re.compile(r'Result\.[A-Z]+,\s*(?:code=)?"([a-z-]+)"|code="([a-z-]+)"')

MODULES = {
    Way.AGS: ("by_ags.py", "columns.py"),
    Way.MOODLE: ("by_moodle.py",),
    Way.CALLBACK: ("natively.py",),
}
EVERYWHERE = ("sender.py", "outcomes.py", "queue.py")
HELD = ("history", "not-enrolled", "not-judged", "teacher", "gave-up")
"""Why rows are held back by the fold and by the queue."""


def codes_in(*modules: str) -> set[str]:
    texts = [path.read_text() for name in modules if (path := FOLDER / name).exists()]
    return {one or other for text in texts for one, other in _CODE.findall(text)}


def all_codes(way: Way) -> set[str]:
    found = codes_in(*MODULES[way], *EVERYWHERE) | {*HELD, "own-fault", "timeout", "too-many"}
    return found | {Way.AGS: set(OfServices), Way.MOODLE: {*OfServices, *OfMoodle}, Way.CALLBACK: set()}[way]


@pytest.mark.parametrize("way", Way)
def test_no_code_is_without_words(way: Way) -> None:
    silent = {code for code in all_codes(way) if codes.told(way, code)[0] in {"", code}}

    assert silent == set()


def test_codes_are_found_where_they_are_given() -> None:
    assert {"overridden", "no-column", "no-lms-user"} <= all_codes(Way.AGS)


@pytest.mark.parametrize("way", Way)
def test_what_wants_a_person_says_what_to_do(way: Way) -> None:
    for code in codes_in(*MODULES[way]) - {"not-ours"}:
        sentence, hint = codes.told(way, code)
        assert hint or code in {"busy", "too-many", "forbidden", "failed"}, sentence


def test_what_was_answered_stands_behind() -> None:
    assert codes.told(Way.AGS, "locked", "Grade is locked")[0].endswith("in the gradebook. (Grade is locked)")
    assert codes.told(Way.AGS, "") == ("", "")


def test_every_state_has_its_name_and_its_sentence() -> None:
    from rollcall.deliveries.completions import told

    assert set(told.STATES) == set(Owing)
    assert set(told._SENTENCES) == set(Owing)
    assert set(told.WAYS) == set(Way)
