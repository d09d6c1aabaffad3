"""Pages as trees of elements, for tests that ask for them as a browser without scripts would."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.makers import Attendee, at

ADA = Attendee(name="Ada Lovelace", uid="7")
PAPADOPOULOS = Attendee(name="ΠΑΠΑΔΟΠΟΥΛΟΣ Γεώργιος", uid="8")


def rows_of(tree: Any) -> list[str]:
    """The first cell of each row."""
    found = tree.xpath("//*[@class='rows-box']//tbody/tr/th") or tree.xpath(
        "//table[not(ancestor::figure)]/tbody/tr/th"
    )
    return [" ".join(cell.text_content().split()) for cell in found]


def cells_of(tree: Any, row: str) -> dict[str, str]:
    (found,) = [
        tr for tr in tree.xpath("//table/tbody/tr[th]") if " ".join(tr.xpath("th")[0].text_content().split()) == row
    ]
    return {td.get("data-label"): " ".join(td.text_content().split()) for td in found.xpath("td")}


def text_of(tree: Any) -> str:
    return " ".join(tree.xpath("//main")[0].text_content().split())


def mapped(kind: str, clock: str, participant: str | None = None, **user: Any) -> bytes:
    """What is kept of a webhook's message."""
    attributes: dict[str, Any] = {"meeting": {"internal-meeting-id": "m-1"}}
    if participant:
        attributes["user"] = {"internal-user-id": participant, **user}
    return msgspec.json.encode({"data": {"attributes": attributes, "event": {"ts": at(clock)}, "id": kind}})
