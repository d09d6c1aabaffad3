"""What a list can be narrowed down to is counted for who asks for it, by a link that works without scripts."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from tests.store import school

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["meetings", "attendances", "people", "courses"])
def test_a_link_leads_to_the_same_list_with_what_narrows_it_down(admin_client: Any, name: str) -> None:
    school.make_school(1)
    page = admin_client.get(f"/{name}?from=2020-01-01").content.decode()
    assert '<details class="facets"' not in page
    link = re.search(r'<a id="narrow" href="([^"]+)"', page)
    assert link is not None
    narrowed = admin_client.get(f"/{name}{unescape(link[1])}").content.decode()
    facets = re.search(r'<details class="facets" open>.*?</details>', narrowed, re.DOTALL)
    assert facets is not None
    addresses = [unescape(address) for address in re.findall(r'<a href="([^"]+)"', facets[0])]
    assert addresses
    for address in addresses:
        assert "from=2020-01-01" in address
        assert "narrow" not in address
        assert admin_client.get(f"/{name}{address}").status_code == 200
