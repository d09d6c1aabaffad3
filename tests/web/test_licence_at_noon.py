"""A licence that ends at noon: the last page is of the millisecond before, and all says why, in every language."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import translation
from django.utils.html import escape

from rollcall.reports import licence_words
from rollcall.reports.registry import REPORTS
from rollcall.store.licensing import licensed
from tests.makers import Attendee, make_meeting, make_organisation, make_platform, make_pool, operator, staff

pytestmark = pytest.mark.django_db

NOON = 1_795_348_800_000  # 22 November 2026, 12:00 UTC
CONTACT = "desk@school.example"
LANGUAGES = ("en", "el", "de", "ar")
PAGES = ("/", "/meetings", "/attendances", "/people", "/courses", "/use", "/audit", "/meetings/{pk}", "/exports")
FILES = ("/meetings.csv", "/people.json", "/attendances.xlsx", "/meetings/{pk}.pdf", "/meetings/{pk}/watch")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Moved by calling it."""

    def move(at: int) -> None:
        monkeypatch.setattr("rollcall.store.licensing.now_ms", lambda: at)

    move(NOON - 1)
    return move


@pytest.fixture
def upper(clock: Any) -> Any:
    """An organisation with a meeting, whose licence ends at noon."""
    from rollcall.store.derived import Attendance, Course, Person, Summary

    assert clock
    made = make_organisation("Upper School", contact=CONTACT, ends_at=NOON)
    make_platform(made, "https://moodle.example.org", make_pool())
    make_meeting(Attendee(name="Ada Secret"), name="Hidden class")
    for table in (Summary, Attendance, Person, Course):
        table.objects.update(organisation=made.pk)
    return made


@pytest.fixture
def emmy(django_user_model: Any, upper: Any) -> Client:
    client = Client()
    client.force_login(staff(django_user_model, "emmy", upper))
    return client


def meeting() -> int:
    from rollcall.store.facts import Meeting

    return Meeting.objects.get().pk


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("late", [0, 1000])
def test_at_noon_and_a_second_each_page_says_so_in_the_readers_language(
    emmy: Client, upper: Any, clock: Any, language: str, late: int
) -> None:
    clock(NOON + late)
    emmy.cookies["language"] = language
    with translation.override(language):
        said = licence_words.sentence("Upper School", licensed(upper.pk, NOON + late))
    for path in PAGES:
        answer = emmy.get(path.format(pk=meeting()), headers={"accept": "text/html"})
        page = answer.content.decode()
        assert answer.status_code == 403, path
        assert escape(said) in page, path
        assert CONTACT in page, path
        assert f'<html lang="{language}"' in page
        assert "Hidden class" not in page
        assert "Ada Secret" not in page


def test_the_millisecond_before_everything_is_open(emmy: Client) -> None:
    for path in PAGES:
        assert emmy.get(path.format(pk=meeting()), headers={"accept": "text/html"}).status_code == 200, path


@pytest.mark.parametrize("path", FILES)
def test_files_and_streams_are_refused_with_a_code_and_a_sentence(
    emmy: Client, upper: Any, clock: Any, path: str
) -> None:
    assert upper
    clock(NOON)
    answer = emmy.get(path.format(pk=meeting()), headers={"accept": "application/json"})

    assert answer.status_code == 403
    told = answer.json()
    assert told["code"] == "licence-ended"
    assert "The licence of Upper School ended on Sun 22 Nov 2026, 12:00" in told["message"]
    assert CONTACT in told["hint"]


def test_no_report_is_left_out(emmy: Client, clock: Any) -> None:
    clock(NOON)
    for report in REPORTS.values():
        if "{" not in report.address:
            assert emmy.get(f"{report.address}.csv").status_code == 403, report.name


def test_an_operator_sees_everything_still_and_so_do_other_organisations(
    upper: Any, clock: Any, django_user_model: Any
) -> None:
    assert upper
    ada, grace = Client(), Client()
    ada.force_login(operator(django_user_model, "ada"))
    grace.force_login(staff(django_user_model, "grace", make_organisation("Lower School")))
    clock(NOON + 1)

    assert b"Hidden class" in ada.get("/meetings").content
    theirs = grace.get("/meetings")
    assert theirs.status_code == 200
    assert b"Hidden class" not in theirs.content


@pytest.mark.parametrize(
    ("licence", "code"),
    [
        ({"starts_at": NOON + 1}, "licence-not-yet"),
        ({"suspended_at": 1}, "licence-suspended"),
        ({"ends_at": NOON, "suspended_at": 1}, "licence-ended"),
        (None, "licence-none"),
    ],
)
def test_each_standing_has_its_own_sentence(
    clock: Any, django_user_model: Any, licence: dict[str, Any] | None, code: str
) -> None:
    clock(NOON)
    made = make_organisation("Upper <b>School", **(licence or {}))
    if licence is None:
        made.licences.all().delete()
    client = Client()
    client.force_login(staff(django_user_model, "emmy", made))
    told = client.get("/meetings.json").json()

    assert told["code"] == code
    assert "Upper <b>School" in told["message"]
    assert b"Upper <b>" not in client.get("/meetings", headers={"accept": "text/html"}).content
