"""The lists, asked for as a browser without scripts would."""

from __future__ import annotations

import json
import re
from datetime import UTC
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.makers import Attendee, make_meeting
from tests.reports.browsing import ADA, PAPADOPOULOS, cells_of, rows_of, text_of

pytestmark = pytest.mark.django_db


def test_the_list_of_meetings_tells_running_ended_and_settled(page: Any) -> None:
    make_meeting(ADA, name="Past", day="2026-11-18")
    make_meeting(ADA, name="Late messages may come", settles="23:59:59", day="2100-11-18")
    make_meeting(
        Attendee(proved=(), possible=(("10:00", None),)), Attendee(uid="8"), name="Now", day="2100-11-19", ended=None
    )

    tree = page("/meetings")

    assert rows_of(tree) == ["Now", "Late messages may come", "Past"]
    assert cells_of(tree, "Now")["State"] == "running, 1 in"
    assert cells_of(tree, "Late messages may come")["State"] == "ended"
    assert {label: cell.replace(" 2026,", ",") for label, cell in cells_of(tree, "Past").items()} == {
        "State": "settled",
        "Began": "Wed 18 Nov, 10:00",
        "Ended": "11:00",
        "People": "1",
        "Server": "bbb1",
    }


@pytest.mark.parametrize("name", ["papadopoulos", "Παπαδόπουλος", "ΠΑΠΑΔΟΠΟΥΛΟΣ", "georgios papad"])
@pytest.mark.parametrize("path", ["/meetings", "/people"])
def test_a_name_is_found_however_it_is_typed(page: Any, path: str, name: str) -> None:
    make_meeting(PAPADOPOULOS, name="Logic")
    make_meeting(ADA, name="Algebra")

    assert rows_of(page(f"{path}?name={name}")) == (["Logic"] if path == "/meetings" else ["ΠΑΠΑΔΟΠΟΥΛΟΣ Γεώργιος"])


def test_the_form_shows_what_was_asked_for(page: Any) -> None:
    make_meeting(ADA, server="bbb2")
    tree = page("/meetings?name=ada&from=2026-11-01&to=2026-11-30&server=bbb2&meeting=alg&state=settled")

    (form,) = (form for form in tree.forms if form.get("role") == "search")
    assert {name: word for name, word in form.fields.items() if word} == {
        "name": "ada",
        "from": "2026-11-01",
        "to": "2026-11-30",
        "server": "bbb2",
        "meeting": "alg",
        "state": "settled",
    }
    assert rows_of(tree) == ["Algebra"]
    assert form.method == "GET"


def test_files_keep_the_filters(page: Any) -> None:
    make_meeting(ADA, name="Algebra")
    make_meeting(PAPADOPOULOS, name="Logic")

    tree = page("/meetings?name=ada")
    links = [link for link in tree.xpath("//a/@href") if re.search(r"\.(csv|json)", link)]

    assert [urlsplit(link).path for link in links] == ["/meetings.csv", "/meetings.json"]
    assert all(parse_qs(urlsplit(link).query) == {"name": ["ada"]} for link in links)
    for link in links:
        response = page.client.get(link)
        assert response.status_code == 200
        written = response.getvalue()
        assert b"Algebra" in written
        assert b"Logic" not in written
        assert "attachment" in response["Content-Disposition"]


def test_a_day_is_the_readers(page: Any) -> None:
    make_meeting(ADA, name="Late", day="2026-11-20", began="23:30", ended="23:45")

    assert rows_of(page("/meetings?from=2026-11-20&to=2026-11-20")) == ["Late"]
    page.client.cookies["zone"] = "Europe/Athens"
    assert rows_of(page("/meetings?from=2026-11-21&to=2026-11-21")) == ["Late"]
    tree = page("/meetings")
    assert cells_of(tree, "Late")["Began"].replace(" 2026,", ",") == "Sat 21 Nov, 01:30"
    assert "Times are those of Europe/Athens." in tree.xpath("//footer")[0].text_content()


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from=2026-13-01", "“2026-13-01” is not a date."),
        ("to=yesterday", "“yesterday” is not a date."),
        ("from=2026-11-20&to=2026-11-19", "“From” is later than “to”"),
        ("hour-from=08:00&hour-to=08:00", "are the same, so nothing can lie between"),
        ("state=asleep", "State: there is no state “asleep”."),
        ("nmae=ada", "There is no filter “nmae”."),
        ("name=" + "x" * 201, "is too long."),
        ("server=%00", "has a character that no text has."),
        ("name=" + "+".join(f"n{number}" for number in range(13)), "is too long."),
        ("after=1-x", "no place in the list"),
        ("after=1", "no place in the list"),
        (f"after={10**30}-1", "no place in the list"),
    ],
)
@pytest.mark.parametrize("path", ["/meetings", "/people"])
def test_a_wrong_filter_is_refused_in_a_sentence_beside_the_form(
    page: Any, path: str, query: str, sentence: str
) -> None:
    tree = page(f"{path}?{query}", status=400)

    assert sentence in tree.xpath("//*[@role='alert']")[0].text_content()
    assert tree.xpath("//form[@role='search']")


def test_a_wrong_filter_is_refused_to_a_program_as_json(page: Any) -> None:
    response = page.client.get("/meetings.json?from=soon")

    assert response.status_code == 400
    assert json.loads(response.content) == {
        "code": "not-a-date",
        "message": "Began on or after: “soon” is not a date.",
        "hint": "Write a date as 2026-11-22, or with a time as 2026-11-22T10:30.",
    }


def test_pages_follow_each_other_both_ways(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollcall.reports.views import lists

    monkeypatch.setattr(lists, "PAGE", 3)
    for day in range(10, 18):
        make_meeting(ADA, name=f"M{day}", day=f"2026-11-{day}")
    tree = page("/meetings?name=ada")
    seen = rows_of(tree)
    while links := tree.xpath("//a[@rel='next']/@href"):
        make_meeting(name="newer, but not Ada's", day="2026-12-01")
        tree = page("/meetings" + links[0])
        seen += rows_of(tree)
    assert seen == [f"M{day}" for day in range(17, 9, -1)]
    assert rows_of(page("/meetings" + tree.xpath("//a[@rel='prev']/@href")[0])) == ["M14", "M13", "M12"]


def test_an_empty_house_says_what_will_come_and_an_empty_search_that_nothing_is_like_that(page: Any) -> None:
    assert "No meeting has been heard of yet." in text_of(page("/meetings"))
    assert "No meeting is like that." in text_of(page("/meetings?name=zzz"))
    assert "Nobody has been in a meeting yet." in text_of(page("/people"))
    assert "No BigBlueButton server is connected yet." in text_of(page("/servers"))


def test_a_list_asks_for_itself_again_while_it_may_change(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollcall.reports.views import lists

    def asks(address: str) -> list[str]:
        return list(page(address).xpath("//*[@id='results'][@hx-trigger='every 5s']/@hx-get"))

    assert asks("/meetings") == ["/meetings"]  # the first one may come any moment
    monkeypatch.setattr(lists, "PAGE", 1)
    for day in (18, 19, 20):
        make_meeting(ADA, name=f"M{day}", day=f"2026-11-{day}", ended=None if day == 18 else "11:00")
    assert asks("/meetings?name=ada") == ["/meetings?name=ada"]
    (second,) = page("/meetings").xpath("//a[@rel='next']/@href")
    (third,) = page(f"/meetings{second}").xpath("//a[@rel='next']/@href")
    assert asks(f"/meetings{second}") == []  # nothing runs there
    assert asks(f"/meetings{third}") == [f"/meetings{third}"]


@pytest.mark.parametrize("query", ["min-percent=٨٠", "min-percent=８０", "chats=०"])
def test_numbers_are_read_in_every_script(page: Any, query: str) -> None:
    make_meeting(ADA, length=(3_600_000, 3_600_000))

    assert page(f"/attendances?{query}") is not None


def test_no_two_links_have_one_id(page: Any) -> None:
    for day in ("2026-11-18", "2026-11-19", "2026-11-20"):
        make_meeting(ADA, day=day, internal=day)

    ids = page("/attendances").xpath("//@id")
    assert len(ids) == len(set(ids))
    assert not [one for one in ids if set(one) & set("?#=/")]


def test_a_number_beside_attendances_leads_to_just_these_meetings(page: Any) -> None:
    make_meeting(ADA, name="Whole", internal="one", day="2026-11-18", length=(3_600_000, 3_600_000))
    make_meeting(
        Attendee(proved=(("10:00", "10:06"),), possible=(("10:00", "10:06"),)),
        name="Short",
        internal="two",
        day="2026-11-19",
        length=(3_600_000, 3_600_000),
    )
    tree = page("/attendances?max-percent=20")

    (link,) = [a for a in tree.xpath("//p[@class='totals']/a") if "meeting" in a.text_content()]
    assert link.text_content() == "1 meeting"
    assert rows_of(page(link.get("href"))) == ["Short"]


def test_a_list_on_paper_says_how_many_and_ends_in_what_they_come_to() -> None:
    from rollcall.reports.registry import rebuild
    from rollcall.reports.rows import Format

    for day in ("2026-11-18", "2026-11-19"):
        make_meeting(ADA, day=day, internal=day, course="12", label="Algebra")
    made = {
        name: rebuild(name, "", zone=UTC, form=Format.XLSX) for name in ("meetings", "attendances", "people", "courses")
    }

    for name, line in (("meetings", "Meetings"), ("attendances", "Attendances")):
        assert (line, "2") in _lines(made[name])
    assert ("People", "1") in _lines(made["people"])
    assert made["meetings"].totals == {"attendees": 2}
    assert made["courses"].totals["attendances"] == 2
    proved = sum(row.proved_ms for row in made["attendances"].rows)
    assert made["attendances"].totals["proved_ms"] == made["people"].totals["proved_ms"] == proved
    assert rebuild("meetings", "", zone=UTC, form=Format.CSV).totals == {}


def _lines(table: Any) -> Any:
    return table.heading.lines
