"""Servers, and what was heard."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tests.makers import at, make_fact, make_meeting
from tests.reports.browsing import ADA, PAPADOPOULOS, cells_of, mapped

pytestmark = pytest.mark.django_db


def test_a_server_in_trouble_says_which(page: Any) -> None:
    from rollcall.store.connections import Server

    make_meeting(ADA)
    Server.objects.update(
        trouble="The shared secret is wrong. Compare it with bbb-conf --secret.", polled_at=at("10:00")
    )

    cells = cells_of(page("/servers"), "bbb1https://bbb1.example.org/bigbluebutton/api/")
    assert cells["State"] == "trouble The shared secret is wrong. Compare it with bbb-conf --secret."
    assert cells["Last answered"].replace(" 2026,", ",") == "Fri 20 Nov, 10:00"
    assert cells["Last webhook"] == "–"


def test_the_facts_of_a_person_are_theirs_with_source_and_receipt(page: Any) -> None:

    summary = make_meeting(ADA, PAPADOPOULOS, internal="m-1")
    mine, other = "w_000000000000", "w_000000000001"
    listed = {"kind": "meeting-listed", "at": at("10:30"), "meeting": "m-1", "present": [[0, 2], [1, 1]], "info": {}}
    identity = msgspec.json.encode({"0": ["7", "Ada Lovelace", "VIEWER"], "1": ["8", "Γ", "VIEWER"]})
    log = [
        ("mapped", "meeting-created", "10:00", mapped("meeting-created", "10:00"), None),
        ("mapped", "user-joined", "10:02:11", mapped("user-joined", "10:02:11", mine), None),
        ("mapped", "user-joined", "10:03", mapped("user-joined", "10:03", other), None),
        ("poll", "meeting-listed", "10:30", msgspec.json.encode(listed), identity),
        (
            "mapped",
            "user-raise-hand-changed",
            "10:40",
            mapped("user-raise-hand-changed", "10:40", mine, **{"raise-hand": True}),
            None,
        ),
        ("mapped", "user-left", "10:58:30", mapped("user-left", "10:58:30", mine), None),
        ("mapped", "meeting-ended", "11:00", mapped("meeting-ended", "11:00"), None),
    ]
    for seq, (source, kind, clock, payload, who) in enumerate(log):
        told = {"source": source, "received_at": at(clock) + 2000, "identity": who}
        make_fact(summary.meeting, seq, kind, at(clock), payload, **told)

    tree = page(f"/meetings/{summary.meeting_id}")
    links = [link for link in tree.xpath("//tr[@class='why'][1]//a/@href") if "facts" in link]
    facts = page(links[0])

    cells = "th | td[not(details)] | td/details/summary"
    lines = [[" ".join(cell.text_content().split()) for cell in tr.xpath(cells)] for tr in facts.xpath("//tbody/tr")]
    assert [line[1] for line in lines] == [
        "the meeting was created",
        "joined",
        "the server listed them 2 times",
        "hand up",
        "left",
        "the meeting ended",
    ]
    assert lines[1][:5] == ["2026-11-20 10:02:11", "joined", mine, "webhook", "2026-11-20 10:02:13"]
    assert other not in facts.text_content()
    everything = page(f"/meetings/{summary.meeting_id}/facts")
    assert len(everything.xpath("//tbody/tr")) == len(log)
    assert "the server listed 3 people" in everything.text_content()
    for tree in (facts, everything):
        (title,), (heading,) = tree.xpath("//title/text()"), tree.xpath("//h1")
        assert title == f"{' '.join(heading.text_content().split())} · Rollcall"


def test_every_kind_that_is_kept_has_words() -> None:
    from rollcall.bbb.redact import MAPPED
    from rollcall.reports.facts import _NOTICED, _WHAT

    assert set(MAPPED) <= {*_NOTICED, *_WHAT}


def test_every_fact_of_a_long_class_is_on_some_page(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollcall.reports.views import facts as views

    monkeypatch.setattr(views, "PAGE", 3)
    summary = make_meeting(internal="m-1")
    for seq in range(8):
        make_fact(summary.meeting, seq, "user-joined", at("10:00"), mapped("user-joined", "10:00", f"w_{seq}"))
    address = f"/meetings/{summary.meeting_id}/facts"
    tree = page(address)
    seen = tree.xpath("//tbody/tr/td[2]//text()")
    while links := tree.xpath("//a[@rel='next']/@href"):
        tree = page(address + links[0])
        seen += tree.xpath("//tbody/tr/td[2]//text()")
    assert seen == [f"w_{seq}" for seq in range(8)]


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_facts_and_servers_are_files_too_and_their_pages_link_them(
    page: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    from rollcall.reports.views import facts as views

    monkeypatch.setattr(views, "PAGE", 3)
    summary = make_meeting(ADA, internal="m-1")
    for seq in range(7):
        payload = mapped("user-joined", "10:00", "w_000000000000" if seq == 0 else f"w_{seq}")
        make_fact(summary.meeting, seq, "user-joined", at("10:00"), payload, received_at=at("10:01"))
    whole = f"/meetings/{summary.meeting_id}/facts"
    (mine,) = [link for link in page(whole[:-6]).xpath("//tr[@class='why']//a/@href") if "facts" in link]

    said = {}
    for address in (whole, mine, "/servers"):
        assert f"{address}.{kind}" in page(address).xpath("//a/@href")
        response = page.client.get(f"{address}.{kind}")
        assert response.status_code == 200
        said[address] = response.getvalue().decode()

    begins = '"kind":"user-joined"' if kind == "json" else "2026-11-20 10:00:00,joined,user-joined"
    assert [said[address].count(begins) for address in (whole, mine)] == [7, 1]
    assert "bbb1.example.org" in said["/servers"]
    if kind == "json":
        (first, *_) = json.loads(said[mine])["facts"]
        assert (first["at"], first["received_at"], first["source"]) == (at("10:00"), at("10:01"), "mapped")
        assert json.loads(said["/servers"])["rollcall"] == "servers/1"
