"""The server that is not there answers as a real one would."""

from __future__ import annotations

import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from random import Random
from urllib.parse import urlencode

import pytest

from rollcall.simulate.answers import ErrorShape
from rollcall.simulate.classes import MINUTE, Plan, make_class
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.server import SimulatedServer, Trouble
from rollcall.simulate.signing import call_checksum
from rollcall.simulate.truth import Ending

TRUTH = make_class(Random(5), Plan(rooms=2, two_tabs=1.0, early=0.0, ending=Ending.BY_MODERATOR))
HALF = (TRUTH.root.created_at + TRUTH.root.ended_at) // 2
HOOK = "http://127.0.0.1:1/hooks/a b?x=1&y=é"


@pytest.fixture
def server() -> Iterator[SimulatedServer]:
    with SimulatedServer(truths=[TRUTH], now=lambda: HALF) as running:
        yield running


def ask(server: SimulatedServer, call: str, algorithm: str = "sha256", **fields: str) -> ET.Element:
    query = urlencode(fields)
    checksum = call_checksum(call, query, server.secret, algorithm)
    return ET.fromstring(get(f"{server.url}{call}?{query}{'&' if query else ''}checksum={checksum}"))  # noqa: S314  # our own


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return bytes(answer.read())


def text(answer: ET.Element, path: str) -> str:
    return answer.findtext(path) or ""


def test_the_version_needs_no_checksum(server: SimulatedServer) -> None:
    assert b"<returncode>SUCCESS</returncode>" in get(server.url)
    assert b"<returncode>SUCCESS</returncode>" in get(server.url.rstrip("/"))


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
def test_every_digest_is_accepted_by_its_length(server: SimulatedServer, algorithm: str) -> None:
    assert text(ask(server, "getMeetings", algorithm), "returncode") == "SUCCESS"
    assert text(ask(server, "hooks/list", algorithm), "returncode") == "SUCCESS"


def test_a_forbidden_digest_or_another_secret_is_a_checksum_error(server: SimulatedServer) -> None:
    server.algorithms = ("sha256",)
    assert text(ask(server, "getMeetings", "sha1"), "messageKey") == "checksumError"
    checksum = call_checksum("getMeetings", "", "other", "sha256")
    assert b"checksumError" in get(f"{server.url}getMeetings?checksum={checksum}")


def test_an_old_relay_accepts_sha1_alone(server: SimulatedServer) -> None:
    server.generation = GENERATIONS["2.6.1"]
    assert text(ask(server, "hooks/list", "sha256"), "messageKey") == "checksumError"
    assert text(ask(server, "hooks/list", "sha1"), "returncode") == "SUCCESS"


@pytest.mark.parametrize("shape", ErrorShape)
def test_errors_come_in_every_shape(server: SimulatedServer, shape: ErrorShape) -> None:
    server.error_shape = shape
    answer = ask(server, "getMeetingInfo", meetingID="nobody")
    assert text(answer, "returncode") == "FAILED"
    keys = [text(answer, "messageKey"), text(answer, "errors/error/key")]
    keys += [error.get("key", "") for error in answer.iter("error")]
    assert [key for key in keys if key] == ["notFound"]


def test_it_lists_who_is_in_at_that_moment(server: SimulatedServer) -> None:
    meetings = {text(meeting, "internalMeetingID"): meeting for meeting in ask(server, "getMeetings").iter("meeting")}
    assert set(meetings) == {meeting.internal_meeting_id for meeting in TRUTH.meetings if meeting.runs(HALF)}
    root = meetings[TRUTH.root.internal_meeting_id]
    there = [stay for stay in TRUTH.root.present(HALF) if not stay.person.is_dial_in]
    listed = [(text(one, "userID"), text(one, "fullName"), text(one, "role")) for one in root.iter("attendee")]
    assert listed == [(stay.external_user_id, stay.person.name, stay.person.role) for stay in there]
    assert text(root, "participantCount") == str(len(there))
    assert text(root, "metadata/bbb-origin-server-name") == "moodle.example.org"
    assert len(listed) > len({person for person, _, _ in listed}), "two tabs are two entries"


def test_rooms_name_their_parent_and_their_people_the_parents_participants(server: SimulatedServer) -> None:
    server.now = lambda: TRUTH.rooms[0].created_at + MINUTE
    rooms = [m for m in ask(server, "getMeetings").iter("meeting") if text(m, "isBreakout") == "true"]
    assert {text(room, "parentMeetingID") for room in rooms} == {TRUTH.root.internal_meeting_id}
    assert {text(room, "sequence") for room in rooms} == {"1", "2"}
    for room in rooms:
        number = text(room, "sequence")
        assert all(text(one, "userID").endswith(f"-{number}") for one in room.iter("attendee"))


def test_an_ended_meeting_vanishes_at_once(server: SimulatedServer) -> None:
    server.now = lambda: TRUTH.ended_at
    answer = ask(server, "getMeetings")
    assert text(answer, "returncode") == "SUCCESS"
    assert text(answer, "messageKey") == "noMeetings"
    assert not list(answer.iter("meeting"))


def test_numbers_may_be_grouped(server: SimulatedServer) -> None:
    server.is_grouped = True
    created = text(ask(server, "getMeetings"), "meetings/meeting/createTime")
    assert created == f"{TRUTH.root.created_at:,}"


def test_several_meetings_run_at_once(server: SimulatedServer) -> None:
    server.truths.append(make_class(Random(6), Plan(instance=8, rooms=0, starts_at=HALF - MINUTE)))
    names = {text(meeting, "internalMeetingID") for meeting in ask(server, "getMeetings").iter("meeting")}
    assert names >= {truth.root.internal_meeting_id for truth in server.truths}


def test_the_date_is_the_simulated_clocks_in_whole_seconds(server: SimulatedServer) -> None:
    with urllib.request.urlopen(server.url, timeout=60) as answer:
        date = parsedate_to_datetime(answer.headers["Date"])
    assert int(date.timestamp()) == HALF // 1000


def test_a_hook_is_created_listed_and_destroyed(server: SimulatedServer) -> None:
    created = ask(server, "hooks/create", callbackURL=HOOK, getRaw="true")
    assert (text(created, "permanentHook"), text(created, "rawData")) == ("false", "true")
    hook = next(ask(server, "hooks/list").iter("hook"))
    assert text(hook, "callbackURL") == HOOK
    assert text(hook, "hookID") == text(created, "hookID")
    assert text(ask(server, "hooks/destroy", hookID=text(hook, "hookID")), "removed") == "true"
    assert text(ask(server, "hooks/destroy", hookID=text(hook, "hookID")), "messageKey") == "destroyMissingHook"


def test_the_same_url_again_changes_nothing(server: SimulatedServer) -> None:
    first = ask(server, "hooks/create", callbackURL=HOOK)
    again = ask(server, "hooks/create", callbackURL=HOOK, getRaw="true")
    assert text(again, "messageKey") == "duplicateWarning"
    assert text(again, "hookID") == text(first, "hookID")
    assert [hook.is_raw for hook in server.hooks] == [False]


def test_ids_are_numbers_of_old_relays_and_uuids_of_new_ones(server: SimulatedServer) -> None:
    assert len(text(ask(server, "hooks/create", callbackURL=HOOK), "hookID")) == 36
    server.generation = GENERATIONS["2.6.1"]
    server.hooks.clear()
    assert text(ask(server, "hooks/create", "sha1", callbackURL=HOOK), "hookID") == "1"


def test_listing_by_meeting_fails_on_new_relays(server: SimulatedServer) -> None:
    assert text(ask(server, "hooks/list", meetingID="x"), "messageKey") == "listHookError"


def test_a_checksum_of_no_known_length_breaks_a_new_relay(server: SimulatedServer) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        get(f"{server.url}hooks/list?checksum=abc")
    assert error.value.code == 500
    assert b"<html>" in error.value.read()
    error.value.close()


def test_ping_needs_no_checksum(server: SimulatedServer) -> None:
    assert b"up!" in get(f"{server.url}hooks/ping")


def test_a_server_without_webhooks_has_no_hooks_api(server: SimulatedServer) -> None:
    server.trouble.has_no_hooks_api = True
    with pytest.raises(urllib.error.HTTPError) as error:
        get(f"{server.url}hooks/list?checksum={'0' * 40}")
    assert error.value.code == 404
    error.value.close()


def test_a_failing_server_answers_with_a_page_and_a_dead_one_not_at_all(server: SimulatedServer) -> None:
    server.trouble = Trouble(fails=True)
    with pytest.raises(urllib.error.HTTPError) as error:
        get(server.url)
    assert error.value.code == 500
    error.value.close()
    server.trouble = Trouble(is_down=True)
    with pytest.raises(ConnectionError):
        get(server.url)
    server.stop()
    with pytest.raises(urllib.error.URLError):
        get(server.url)
    server.trouble = Trouble()
    server.start()
    assert b"SUCCESS" in get(server.url)


def test_hooks_vanish_and_a_restart_changes_what_they_get(server: SimulatedServer) -> None:
    ask(server, "hooks/create", callbackURL=f"{HOOK}1", meetingID="m")
    ask(server, "hooks/create", callbackURL=f"{HOOK}2", eventID="user-joined")
    ask(server, "hooks/create", callbackURL=f"{HOOK}3")
    server.give_up(server.hooks[2])
    assert len(server.hooks) == 3, "a new relay goes on until its restart"
    server.restart_relay()
    assert [(hook.url, hook.meeting) for hook in server.hooks] == [(f"{HOOK}1", "")]
    server.lose_hooks()
    assert not server.hooks


def test_it_can_be_stopped_while_it_is_slow(server: SimulatedServer) -> None:
    server.trouble.slow_seconds = 0.2
    assert b"SUCCESS" in get(server.url)
