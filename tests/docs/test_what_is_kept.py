"""docs/what-is-kept.md names every kind and every metadata field that the redaction keeps, and no other one."""

from __future__ import annotations

import re
from pathlib import Path

from rollcall.bbb.delivery import read_elements
from rollcall.bbb.redact import (
    CALLBACK,
    KEPT_METADATA,
    LONGEST_ID,
    LONGEST_NAME,
    LONGEST_VALUE,
    MAPPED,
    OF_NO_INTEREST,
    RAW,
    READY_URLS,
    keep_metadata,
)
from rollcall.bbb.webhook import LARGEST_READ

PAGE = (Path(__file__).parents[2] / "docs" / "what-is-kept.md").read_text()


def named(part: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", part))


def test_the_table_names_every_kind_that_is_kept() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert {kind for row in rows for kind in named(row.split("|")[1])} == set(MAPPED)
    in_two_ways = {kind for raw in RAW.values() for kind in (raw.kind, *raw.kinds.values())}
    assert in_two_ways <= set(MAPPED)


def test_the_page_names_what_is_of_no_interest() -> None:
    (sentence,) = re.findall(r"^Of no interest.*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    assert OF_NO_INTEREST - {"published", "unpublished", "deleted"} <= named(sentence)


def test_the_page_names_the_metadata_that_is_kept() -> None:
    (part,) = re.findall(r"^## Metadata\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    fields = {name for name in named(part) if not name.startswith("/")}
    assert fields == {*KEPT_METADATA, CALLBACK, *READY_URLS}
    assert keep_metadata(dict.fromkeys(fields, "https://l.example.org/mod/bigbluebuttonbn/")).keys() == fields  # type: ignore[union-attr]


def test_the_page_tells_the_lengths() -> None:
    for length in (LONGEST_NAME, LONGEST_VALUE, LONGEST_ID):
        assert f"{length:,}" in PAGE
    assert LARGEST_READ == 1024 * 1024
    assert "1 MiB" in PAGE
    assert read_elements(b'["\\u0000"]') == ["�0000"]
