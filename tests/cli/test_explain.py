"""`rollcall explain` goes from a number down to the facts."""

from __future__ import annotations

from random import Random

import pytest

from rollcall.cli import run
from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.relay import relay
from rollcall.simulate.truth import Truth
from rollcall.store.connections import Pool
from tests.derive.log import append_and_fold, arrivals_of
from tests.makers import make_meeting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def truth() -> Truth:
    truth = make_class(Random(1), Plan(people=5, minutes=15, rooms=0, name="Algebra"))
    pool = Pool.objects.create(name="bbb.example.org")
    append_and_fold(arrivals_of(pool, relay(truth, GENERATIONS["3.5.0"], Random(1))))
    return truth


def test_a_person_is_explained_by_id(truth: Truth, capsys: pytest.CaptureFixture[str]) -> None:
    stay = next(stay for stay in truth.root.stays if not stay.person.is_dial_in)
    assert run(["explain", "algebra", stay.person.key]) == 0
    out = capsys.readouterr().out
    assert stay.person.name in out
    assert "  Joined at" in out
    assert f"    connection: {stay.participant}\n" in out
    assert "webhook" in out


@pytest.mark.parametrize("zone", ["UTC", "Europe/Athens"])
def test_times_are_told_with_their_zone(truth: Truth, capsys: pytest.CaptureFixture[str], zone: str) -> None:
    assert run(["explain", "algebra", truth.root.stays[0].participant, "--zone", zone]) == 0
    assert f"Times are those of {zone};" in capsys.readouterr().out


def test_a_connection_names_its_person(truth: Truth, capsys: pytest.CaptureFixture[str]) -> None:
    stay = truth.root.stays[-1]
    assert run(["explain", truth.root.internal_meeting_id, stay.participant]) == 0
    assert stay.participant in capsys.readouterr().out


def test_nobody_of_that_name_is_said_with_who_was_there(truth: Truth, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "algebra", "Nobody At All"]) == 1
    err = capsys.readouterr().err
    assert "fits" in err
    assert truth.root.stays[0].person.name in err


def test_meetings_of_one_name_are_told_apart_by_time_server_and_id(
    truth: Truth, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = [make_meeting(name="Algebra", server=server, day="2026-11-18") for server in ("bbb1", "bbb2")]
    assert run(["explain", "algebra", "anybody", "--zone", "Europe/Athens"]) == 1
    err = capsys.readouterr().err
    for summary in begun:
        meeting = summary.meeting.internal_meeting_id
        assert f"2026-11-18 12:00:00  {summary.pool_name}  Algebra  {meeting}" in err
    assert truth.root.internal_meeting_id in err


def test_the_table_of_meetings_says_the_ids_that_explain_takes(
    truth: Truth, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(["report", "meetings"]) == 0
    assert capsysbinary.readouterr().out.decode().split()[-1] == truth.root.internal_meeting_id


def test_an_unknown_meeting_is_said(truth: Truth, capsys: pytest.CaptureFixture[str]) -> None:
    assert truth.people
    assert run(["explain", "no such meeting", "3"]) == 1
    assert "No meeting is called" in capsys.readouterr().err


def test_one_id_on_two_servers_is_no_choice_of_ours(truth: Truth, capsys: pytest.CaptureFixture[str]) -> None:
    other = Pool.objects.create(name="other.example.org")
    append_and_fold(arrivals_of(other, relay(truth, GENERATIONS["3.5.0"], Random(1))))
    assert run(["explain", truth.root.internal_meeting_id, "somebody"]) == 1
    assert "Two servers" in capsys.readouterr().err
