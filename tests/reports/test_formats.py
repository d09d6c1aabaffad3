"""Every report in every format: golden files, and what no name can do to them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from lxml import html

from tests.makers import DAY, Attendee, at, make_meeting

pytestmark = pytest.mark.django_db

GOLDEN = Path(__file__).parents[1] / "data" / "reports"
ATHENS = ZoneInfo("Europe/Athens")
AS_OF = at("12:00")

HOSTILE = (
    "=cmd|'/C calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    'a,b\r\nc"d',
    "\u202egnp.exe",
    "\x1b[31mred\x1b]0;title\x07",
    "👩‍👩‍👧",
    "x" * 10_000,
)


@pytest.fixture
def school() -> None:
    make_school()


def make_school() -> None:
    """A small class with everything in it, and one that runs."""
    make_meeting(
        Attendee(
            name="Ada Lovelace",
            uid="3",
            role="MODERATOR",
            counts={"chats": (2, True), "cameras": 1, "talk_ms": 65_000, "talks": (4, True)},
            witnesses={"live": [3_300_000, 3_400_000], "callback": [3_378_000, 3_380_000]},
        ),
        Attendee(name="Παπαδόπουλος Γεώργιος", uid="11", proved=(("10:05", "10:20"), ("10:25", "10:40"))),
        Attendee(
            name="José Núñez",
            uid="12",
            proved=(("10:03", "10:30"),),
            possible=(("10:01", "10:31:30"),),
            start="first-sighting",
            end="absent",
        ),
        Attendee(name="", uid="x", role="", kind="dial-in", proved=(("10:10", "10:12:00"),)),
        name="Εισαγωγή στη Λογική",
        internal="logic-1",
        ended=("10:59:30", "11:00:00"),
        blind=(("10:20", "10:25", "downtime"),),
        notes=({"code": "no-leave", "meeting": "logic-1", "count": 1},),
        length=(3379000, 3380000),
        record="callback",
        coverage=(60_000, 840_000, 2_700_000),
        witnesses={
            "webhooks": {"count": 204, "first_at": at("10:00"), "last_at": at("11:00")},
            "callback": {
                "form": "callback",
                "generation": "2.0",
                "attendees": 3,
                "at": at("10:00"),
                "finish_at": at("11:00"),
            },
        },
        disagreements=(
            {
                "code": "leave-missing",
                "meeting": "logic-1",
                "witness": "webhooks",
                "against": "callback",
                "who": [["user", "3"]],
                "at": [at("10:58:30")],
            },
        ),
        changes=(
            {"who": ["user", "3"], "by": "callback", "before": [3_300_000, 3_400_000], "after": [3_379_000, 3_380_000]},
        ),
    )
    make_meeting(
        Attendee(name="Ada Lovelace", uid="3", proved=(("11:30", "11:58"),), possible=(("11:30", None),), end="open"),
        name="Algebra",
        internal="algebra-1",
        began="11:30",
        ended=None,
    )


def asked_for(**wanted: Any) -> Any:
    from rollcall.reports.asking import Asked
    from rollcall.store.searching import Filter

    return Asked(Filter(**({"as_of": AS_OF} | wanted)), {}, ATHENS)


def table_of(report: str, form: str = "JSON", **wanted: Any) -> Any:
    from rollcall.reports.registry import REPORTS
    from rollcall.reports.rows import Format
    from rollcall.store.searching import page

    asked = asked_for(**wanted)
    subject = (page("people", asked.wanted).rows[0].key.hex(),) if report == "person" else ()
    return REPORTS[report].table(asked, subject, Format[form])


def render(report: str, kind: str) -> bytes:
    from rollcall.reports import to_csv, to_json, to_text

    table = table_of(report, "TEXT" if kind == "txt" else kind.upper())
    if kind == "json":
        return b"".join(to_json.to_json(table))
    return b"".join(to_csv.to_csv(table, ATHENS) if kind == "csv" else to_text.to_text(table, ATHENS))


@pytest.mark.usefixtures("school")
@pytest.mark.parametrize("kind", ["json", "csv", "txt"])
@pytest.mark.parametrize("report", ["meetings", "attendance", "people", "person", "coverage"])
def test_a_report_is_what_its_golden_file_says(report: str, kind: str) -> None:
    assert render(report, kind).decode() == (GOLDEN / f"{report}.{kind}").read_bytes().decode()


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.mark.usefixtures("school")
@pytest.mark.parametrize("report", ["meetings", "attendance", "people", "person", "coverage"])
def test_json_says_everything_once_and_which_version_it_is(report: str) -> None:
    said = json.loads(render(report, "json"), object_pairs_hook=_without_repeats)

    assert said["rollcall"] == f"{report}/1"


@pytest.mark.usefixtures("school")
def test_json_of_a_running_meeting_has_no_ends_and_knows_no_clock() -> None:
    from rollcall.reports import to_json

    early, late = (b"".join(to_json.to_json(table_of("attendance", as_of=n))) for n in (0, 10**13))

    assert early == late
    algebra = next(one for one in json.loads(early)["meetings"] if one["meeting_name"] == "Algebra")
    assert algebra["ended_possible_at"] is None
    assert algebra["length"][1] is None
    (ada,) = algebra["people"]
    assert (ada["possible_ms"], ada["last_out_at"], ada["possible"][0][1]) == (None, None, None)
    assert ada["proved_ms"] == 28 * 60_000


def test_nobody_is_nameless_on_a_terminal() -> None:
    make_meeting(Attendee(name=""), name="")

    shown = render("attendance", "txt").decode()
    assert (shown.count("(no name)"), shown.count("Participant 7")) == (1, 1)


@pytest.mark.usefixtures("school")
def test_csv_of_meetings_says_the_state_who_is_in_and_when_it_settles() -> None:
    logic, algebra = csv.DictReader(io.StringIO(render("meetings", "csv").decode(), newline=""))

    assert (logic["State"], logic["Now in"], logic["Settles at (Europe/Athens)"]) == (
        "settled",
        "0",
        f"{DAY} 13:10:00",
    )
    assert (algebra["State"], algebra["Now in"]) == ("running", "1")


@pytest.mark.usefixtures("school")
def test_a_school_that_is_made_again_reads_the_same() -> None:
    """No database id and no time of storing stands in a report."""
    from rollcall.store.facts import Meeting

    reports = ("meetings", "attendance", "people", "person")
    before = [render(report, "json") for report in reports]
    Meeting.objects.all().delete()
    make_meeting(name="in between").meeting.delete()
    make_school()

    assert [render(report, "json") for report in reports] == before


def test_a_name_leaves_only_its_people_but_the_class_stays_as_long_as_it_was() -> None:
    from rollcall.reports import to_json

    make_meeting(
        Attendee(name="Ada", uid="1", proved=(("10:00", "11:00"),)),
        Attendee(name="Emmy", uid="2", proved=(("10:00", "10:30"),)),
    )

    (meeting,) = json.loads(b"".join(to_json.to_json(table_of("attendance", name="emmy"))))["meetings"]
    assert [one["name"] for one in meeting["people"]] == ["Emmy"]
    assert meeting["length"] == [3_600_000, 3_600_000]
    assert meeting["attendees"] == 2


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_in_csv(name: str) -> None:
    make_meeting(Attendee(name=name), name=name)

    for report in ("meetings", "attendance", "people"):
        lines = list(csv.reader(io.StringIO(render(report, "csv").decode(), newline="")))
        assert len(lines) == 2
        assert len(lines[0]) == len(lines[1])
        shown = [cell for cell in lines[1] if cell.replace("'", "") == name.replace("'", "")]
        assert shown
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝")) for cell in lines[1])


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_in_json(name: str) -> None:
    make_meeting(Attendee(name=name))

    (meeting,) = json.loads(render("attendance", "json"))["meetings"]
    assert meeting["people"][0]["name"] == name


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_on_a_terminal(name: str) -> None:
    make_meeting(Attendee(name=name), name=name)

    for report in ("meetings", "attendance", "people"):
        shown = render(report, "txt").decode()
        assert not any(character in shown for character in "\x1b\x07\r\t\u202e")
        assert max(map(len, shown.splitlines())) < 400


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_on_a_page(name: str) -> None:
    from rollcall.reports.meeting_page import meeting_parts
    from rollcall.wording.visible import visible

    summary = make_meeting(Attendee(name=name), name=name)
    parts = meeting_parts(summary, as_of=AS_OF, zone=ATHENS)

    assert parts is not None
    page: Any = html.fromstring(f"<div>{parts['table']}</div>")
    assert not page.xpath("//script | //img | //@onerror")
    shown = visible(name.replace("\r\n", "\n").replace("\r", "\n"))
    assert "".join(page.xpath("//summary//text()")).split() == shown.split()
    assert not {*"\u202a\u202b\u202d\u202e\u2066\u2067\u2068"} & {*page.text_content()}


def test_csv_is_rfc_4180() -> None:
    make_meeting(Attendee(name='Quote " comma , and\nline'))

    raw = render("people", "csv")
    assert raw.endswith(b"\r\n")
    assert b'"Quote "" comma , and\nline"' in raw
    assert raw.count(b"\r\n") == 2


def test_times_are_of_the_zone_that_the_heading_names() -> None:
    make_meeting(Attendee(proved=(("10:02:11", "10:58:30"),)))

    rows = list(csv.DictReader(io.StringIO(render("attendance", "csv").decode(), newline="")))
    assert rows[0]["In at the earliest (Europe/Athens)"] == f"{DAY} 12:02:11"
    assert rows[0]["Time at least"] == "0:56:19"


@pytest.mark.usefixtures("school")
def test_a_bar_shows_proved_possible_and_blind() -> None:
    from rollcall.reports.meeting_page import meeting_parts
    from rollcall.store.searching import Filter, every

    summary = next(iter(every("meetings", Filter())))
    parts = meeting_parts(summary, as_of=AS_OF, zone=ATHENS)
    assert parts is not None
    page: Any = html.fromstring(str(parts["table"]))
    bars = {
        " ".join(row.xpath(".//summary")[0].text_content().split()): [
            (rectangle.get("class"), rectangle.get("x"), rectangle.get("width")) for rectangle in row.xpath(".//rect")
        ]
        for row in page.xpath("//tr[@class='person']")
    }
    assert bars["José Núñez"] == [
        ("blind", "33.33%", "8.33%"),
        ("possible", "1.67%", "3.33%"),
        ("possible", "50.00%", "2.50%"),
        ("proved", "5.00%", "45.00%"),
    ]
    assert bars["Παπαδόπουλος Γεώργιος"][1:] == [("proved", "8.33%", "25.00%"), ("proved", "41.67%", "25.00%")]
    label = page.xpath("//svg/@aria-label")
    assert any("certainly there 12:03:00–12:30:00, possibly 12:01:00–12:31:30" in one for one in label)


def test_stripes_too_narrow_to_be_seen_are_left_out() -> None:
    from rollcall.reports.meeting_page import meeting_parts

    summary = make_meeting(
        Attendee(name="Almost certain", proved=(("10:00", "10:59:50"),), possible=(("10:00", "11:00"),)),
        Attendee(name="Only possible", uid="8", proved=(), possible=(("10:30", "10:30:01"),)),
    )
    parts = meeting_parts(summary, as_of=AS_OF, zone=ATHENS)

    assert parts is not None
    page: Any = html.fromstring(str(parts["table"]))
    drawn = [[one.get("class") for one in bar.xpath(".//rect")] for bar in page.xpath("//tbody//svg")]
    assert drawn == [["proved"], ["possible"]]
