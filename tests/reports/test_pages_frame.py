"""What every page has."""

from __future__ import annotations

from typing import Any

import pytest

from tests.makers import make_meeting
from tests.reports.browsing import ADA

pytestmark = pytest.mark.django_db


def test_every_page_has_its_landmarks_and_one_heading(page: Any) -> None:
    summary = make_meeting(ADA, course="c1", label="Mathematics")
    key = page("/people").xpath("//tbody/tr/th/a/@href")[0]
    course = page("/courses").xpath("//tbody/tr/th/a/@href")[0]
    lists = ("/", "/meetings", "/attendances", "/people", "/courses", "/use", "/servers", "/coverage")
    for address in (*lists, f"/meetings/{summary.meeting_id}", key, course):
        tree = page(address)
        assert len(tree.xpath("//main")) == len(tree.xpath("//h1")) == len(tree.xpath("//header")) == 1
        assert tree.xpath("//html/@lang") == ["en"]
        assert tree.xpath("//title/text()")[0].endswith("· Rollcall")
        labelled = {*tree.xpath("//label/@for"), *tree.xpath("//label/input/@name")}
        fields = tree.xpath("//main//input[@type!='hidden'] | //main//select")
        assert all({field.get("id"), field.get("name")} & labelled or field.get("aria-label") for field in fields)
        assert not tree.xpath("//*[@style] | //style | //script[not(@src)] | //*[starts-with(name(@*), 'on')]")
        assert not tree.xpath("//@src[contains(., '//')] | //link/@href[contains(., '//')]")
