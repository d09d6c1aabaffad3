"""Which share of each server's meetings was witnessed: as a report, a page and files."""

from __future__ import annotations

from typing import Any

import pytest

from rollcall.cli import run
from rollcall.reports import words
from tests.makers import make_meeting, operator

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = 3_600_000


@pytest.fixture
def servers() -> None:
    make_meeting(server="alpha", record="recording", coverage=(0, 0, HOUR))
    make_meeting(server="alpha", name="Biology", day="2026-11-21", coverage=(HOUR // 2, HOUR // 2, 0))
    make_meeting(server="beta", coverage=(0, HOUR, 0))


@pytest.mark.usefixtures("servers")
def test_the_command_adds_up_the_meetings_of_each_server(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["report", "coverage"]) == 0
    lines = capsysbinary.readouterr().out.decode().splitlines()
    assert lines[1].split() == ["alpha", "2", "1", "2:00:00", "50%", "25%", "25%"]
    assert lines[2].split() == ["beta", "1", "0", "1:00:00", "0%", "100%", "0%"]


@pytest.mark.usefixtures("servers")
def test_a_period_and_a_server_can_be_asked_for(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["report", "coverage", "--from", "2026-11-21", "--server", "alpha", "--format", "csv"]) == 0
    lines = capsysbinary.readouterr().out.decode().splitlines()
    assert lines[1:] == ["alpha,1,0,1:00:00,0.0,50.0,50.0"]


@pytest.mark.usefixtures("servers")
def test_the_page_shows_it_and_refuses_a_server_that_is_none(client: Any, django_user_model: Any) -> None:
    client.force_login(operator(django_user_model, "ada"))
    page = client.get("/coverage?from=2026-11-21").content.decode()
    assert "alpha" in page
    assert "50%" in page
    refused = client.get("/coverage?server=gamma")
    assert refused.status_code == 400
    assert "gamma" in refused.content.decode()
    assert client.get("/coverage?from=2031-01-01").status_code == 200


def test_nearly_all_is_not_all_and_nearly_nothing_not_nothing() -> None:
    assert [words.part(share) for share in (0, 0.001, 0.5, 0.999, 1, None)] == [
        "0%",
        "<1%",
        "50%",
        ">99%",
        "100%",
        words.UNKNOWN,
    ]
