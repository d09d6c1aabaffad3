"""People, and the page of one."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.makers import Attendee, make_meeting
from tests.reports.browsing import ADA, PAPADOPOULOS, cells_of, rows_of, text_of

pytestmark = pytest.mark.django_db


def test_two_sites_with_equal_ids_never_mix(page: Any) -> None:
    make_meeting(ADA, site="https://one.example.org", name="One")
    make_meeting(Attendee(name="Ada Lovelace", uid="7"), site="https://two.example.org", name="Two")

    tree = page("/people")
    links = tree.xpath("//*[@class='rows-box']//tbody/tr/th/a/@href")

    assert len(set(links)) == 2
    assert sorted(row for link in links for row in rows_of(page(link))) == ["One", "Two"]
    for link in links:
        assert len(rows_of(page(link))) == 1
        assert "7" not in urlsplit(link).path.replace("/people/", "")[:0]


def test_a_persons_page_has_all_their_meetings_and_totals(page: Any) -> None:
    make_meeting(ADA, PAPADOPOULOS, name="Algebra", day="2026-11-18", length=(3_600_000, 3_600_000))
    make_meeting(ADA, name="Logic", day="2026-11-19", length=(3_379_000, 3_600_000))

    (link,) = page("/people?name=ada").xpath("//tbody/tr/th/a/@href")
    tree = page(link)

    assert rows_of(tree) == ["Logic", "Algebra"]
    assert cells_of(tree, "Logic")["Share"] == "94–100%"
    assert "1:52:38" in text_of(tree)
    assert "moodle.example.org" in text_of(tree)
    assert "Ada" not in link
    for kind in ("csv", "json"):
        response = page.client.get(f"{link}.{kind}")
        assert response.getvalue().count(b"Logic") == 1


def test_a_long_site_is_broken_at_its_dots(page: Any) -> None:
    make_meeting(ADA)
    make_meeting(ADA, site="https://other.example.org")

    _other, site = page("/people").xpath("//td[@data-label='Site']")
    assert site.text_content() == "moodle.example.org"
    assert len(site.xpath(".//wbr")) == 2


def test_people_are_paged_without_their_names_in_the_address(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollcall.reports.views import lists

    monkeypatch.setattr(lists, "PAGE", 2)
    make_meeting(*[Attendee(name=f"N{number}", uid=f"u{number}") for number in range(5)])
    tree = page("/people")
    seen = rows_of(tree)
    while links := tree.xpath("//a[@rel='next']/@href"):
        assert not re.search("n[0-9]|u[0-9]", links[0])
        tree = page("/people" + links[0])
        seen += rows_of(tree)
    assert seen == ["N0", "N1", "N2", "N3", "N4"]
