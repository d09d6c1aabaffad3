"""What a list can be narrowed down to is counted for who asks for it, by a link that works without scripts."""

from __future__ import annotations

import re
from html import unescape
from importlib import import_module
from typing import Any

import pytest

from tests.store import school

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["meetings", "attendances", "people", "courses"])
def test_a_link_leads_to_the_same_list_with_what_narrows_it_down(page: Any, name: str) -> None:
    school.make_school(1)
    shown = page.client.get(f"/{name}?from=2020-01-01").content.decode()
    assert '<details class="facets"' not in shown
    link = re.search(r'<a id="narrow" href="([^"]+)"', shown)
    assert link is not None
    narrowed = page.client.get(f"/{name}{unescape(link[1])}").content.decode()
    facets = re.search(r'<details class="facets" open>.*?</details>', narrowed, re.DOTALL)
    assert facets is not None
    addresses = [unescape(address) for address in re.findall(r'<a href="([^"]+)"', facets[0])]
    assert addresses
    for address in addresses:
        assert "from=2020-01-01" in address
        assert "narrow" not in address
        assert page.client.get(f"/{name}{address}").status_code == 200


def test_where_there_are_more_than_are_shown_it_says_so(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    school.make_school(1)
    shown = page.client.get("/attendances?narrow=1").content.decode()
    assert "most frequent" not in shown
    for module in ("store.searching.facets", "reports.views.lists"):
        monkeypatch.setattr(import_module(f"rollcall.{module}"), "SHOWN", 2)
    cut = page.client.get("/attendances?narrow=1").content.decode()
    assert "The 2 most frequent are shown; the field above finds the others." in cut
