"""The doctor says for each server whether records come, and why not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from rollcall.bbb.redact import redact
from rollcall.doctor import records
from rollcall.doctor.findings import Finding, Level
from rollcall.reports.missing_record import ARCHIVING_MS, Known, Why, why, why_no_record
from rollcall.store.connections import Pool, Server
from rollcall.store.reading import RecordHistory
from rollcall.web.zones import find_zone
from tests.makers import at, make_fact, make_meeting

pytestmark = pytest.mark.django_db(transaction=True)

LATER = at("00:00", "2026-12-24")
UTC = find_zone("UTC")
MOODLE_URL = "https://moodle.example.org/mod/bigbluebuttonbn/bbb_broker.php?action=meeting_events&bigbluebuttonbn=7"
ENDED: dict[str, Any] = {"ended_at": at("11:00"), "server": "bbb1"}


def said(**known: Any) -> Why:
    assert UTC is not None
    as_of = known.pop("as_of", LATER)
    return why(Known(**(ENDED | known)), as_of=as_of, zone=UTC)


def test_events_that_were_not_kept_come_first() -> None:
    found = said(keeps_events=False, metadata={"analytics-callback-url": MOODLE_URL}, as_of=at("11:01"))
    assert found.code == "events-not-kept"
    assert "defaultKeepEvents=true" in found.mend


def test_moodle_without_an_address_has_register_live_sessions_off() -> None:
    found = said(metadata={"bbb-origin": "Moodle", "bbb-origin-server-name": "moodle.example.org"})
    assert found.code == "not-registered"
    assert "Experimental features" in found.mend


def test_somebody_else_without_an_address_is_told_of_the_host_script() -> None:
    found = said(metadata={"bbb-origin": "greenlight"})
    assert found.code == "no-address"
    assert "rollcall bbb-host" in found.mend


def test_a_record_that_goes_to_moodle_alone_is_named_with_its_host() -> None:
    found = said(metadata={"analytics-callback-url": MOODLE_URL})
    assert found.code == "sent-elsewhere"
    assert "Moodle (moodle.example.org)" in found.sentence


def test_an_address_of_ours_that_nothing_came_to_is_no_matter_of_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_URL", "https://rollcall.example.org")
    address = {"analytics-callback-url": "https://rollcall.example.org/callbacks/abc"}
    assert said(metadata=address).code == "never-any"
    assert said(metadata=address, as_of=at("11:05")).may_come


def test_a_recorded_meeting_waits_behind_the_archive() -> None:
    history = RecordHistory(reported_at=1, recent=5, recent_with=4, last_at=1, without=1)
    soon = at("11:00") + ARCHIVING_MS - 1
    assert "archived" in said(is_recorded=True, history=history, as_of=soon).sentence
    assert said(is_recorded=True, history=history, as_of=soon + 1).code == "only-this-one"
    assert said(is_recorded=False, history=history, as_of=soon).code == "only-this-one"


def test_records_that_have_stopped_coming_broke_around_a_day() -> None:
    broken_at = at("10:00", "2026-11-17")
    history = RecordHistory(reported_at=1, recent=20, recent_with=14, last_at=1, without=6, without_since=broken_at)
    found = said(history=history, metadata={"bbb-origin": "Moodle"})
    assert found.code == "broke"
    assert "of the last 6 meetings none did" in found.sentence
    assert "17 November 2026" in found.sentence


def term(*records: str) -> list[Any]:
    """Meetings of the days of November 2026 from the first on, each with this record."""
    days = range(1, len(records) + 1)
    return [make_meeting(name=f"M{day}", day=f"2026-11-{day:02}", record=records[day - 1]) for day in days]


def told_of(summary: Any) -> Why:
    assert UTC is not None
    return why_no_record(summary, as_of=LATER, zone=UTC)


def test_before_the_first_record_of_a_server_none_was_lost() -> None:
    first, *_rest = term("", "", "", "", "callback", "callback")
    Server.objects.update(reported_at=at("11:00", "2026-11-06"))
    found = told_of(first)
    assert found.code == "before-the-first"
    assert "only from the meeting of Thu 5 Nov 2026, 10:00 on" in found.sentence
    assert "lost" not in found.sentence


def test_before_the_first_record_an_address_elsewhere_is_still_said() -> None:
    history = RecordHistory(reported_at=1, recent=2, recent_with=1, next_at=at("10:00", "2026-12-01"), without=1)
    found = said(metadata={"bbb-origin": "Moodle"}, history=history)
    assert found.code == "not-registered"
    assert "only from the meeting of Tue 1 Dec 2026" in found.sentence
    assert "rollcall import" in found.mend


def test_a_stretch_without_records_that_is_over_is_told_as_such() -> None:
    meetings = term("callback", "", "", "", "callback", "")
    found = told_of(meetings[2])
    assert found.code == "was-broken"
    assert "Of 3 meetings in a row, from Monday 2 November 2026 on" in found.sentence
    assert told_of(meetings[5]).code == "only-this-one"


def test_one_that_was_lost_is_compared_with_those_around_it() -> None:
    meetings = term("callback", "", "callback", *[""] * 20)
    found = told_of(meetings[1])
    assert found.code == "only-this-one"
    assert found.sentence.startswith("Of 11 meetings of this server around it, 2 have a record;")
    assert told_of(meetings[10]).code == "broke"


def test_one_neighbour_is_one_meeting() -> None:
    lost = term("callback", "")[1]
    assert told_of(lost).sentence.startswith("Of 1 meeting of this server around it, 1 has a record;")


def test_meetings_whose_records_may_still_come_do_not_count_as_broken() -> None:
    lost = term("callback", "")[1]
    for clock in ("23:20", "23:30"):
        make_meeting(name=f"At {clock}", day="2026-12-23", began=clock, ended="23:50")
    assert told_of(lost).code == "only-this-one"


def keep_creation(summary: Any, *, keeps_events: bool) -> None:
    props = {
        "meetingProp": {"intId": summary.meeting.internal_meeting_id, "extId": "x-1-2"},
        "recordProp": {"record": False, "keepEvents": keeps_events},
        "metadataProp": {"metadata": {"bbb-origin": "Moodle"}},
    }
    name = "MeetingCreatedEvtMsg"
    element = {
        "envelope": {"name": name, "timestamp": summary.started_at},
        "core": {"header": {"name": name}, "body": {"props": props}},
    }
    kept = redact(element)
    assert kept is not None
    assert b"keepEvents" in kept.payload
    make_fact(summary.meeting, 1, kept.kind, kept.at, kept.payload, source=kept.source)


def checked(name: str = "bbb1") -> list[Finding]:
    return records.check(Server.objects.select_related("pool").get(pool__name=name), LATER)


def test_the_raw_creation_says_that_events_are_not_kept() -> None:
    keep_creation(make_meeting(), keeps_events=False)
    (found,) = checked()
    assert found.level is Level.WARNING
    assert found.sentence.startswith(
        "0 of the last 1 meeting has a record (callback or events.xml). The newest without"
    )
    assert "Algebra, Friday 20 November 2026." in found.sentence
    assert "keepEvents" in found.sentence
    assert found.hint


def test_a_server_whose_records_all_come_is_fine_and_says_when_the_last_did() -> None:
    make_meeting(record="callback")
    Server.objects.update(reported_at=at("11:02"))
    (found,) = checked()
    assert found.level is Level.FINE
    assert "1 of the last 1 meeting has" in found.sentence
    assert "20 Nov 2026" in found.sentence


def test_the_newest_without_a_record_is_named_and_its_own_fate_left_to_its_page() -> None:
    term("callback", "", "callback")
    (found,) = checked()
    assert found.level is Level.WARNING
    assert found.sentence.endswith("The newest without one: M2, Monday 2 November 2026.")
    assert "rollcall import" in found.hint


def test_a_server_whose_records_come_since_some_day_is_fine() -> None:
    term("", "", "callback", "callback")
    (found,) = checked()
    assert found.level is Level.FINE
    assert found.sentence == "2 of the last 4 meetings have a record (callback or events.xml)."


def test_a_server_without_meetings_has_nothing_to_say() -> None:
    make_meeting(ended=None)
    assert checked() == []


def test_a_record_that_may_still_come_is_no_warning() -> None:
    make_meeting(record="recording", name="Before", day="2026-11-19")
    make_meeting(name="Just now", day="2026-12-24", began="00:00", ended="00:01", settles="00:01")
    Server.objects.update(reported_at=1)
    (found,) = records.check(Server.objects.get(), at("00:10", "2026-12-24"))
    assert found.level is Level.FINE


def test_capture_that_is_off_is_the_only_thing_to_say() -> None:
    make_meeting()
    Pool.objects.update(is_captured=False)
    (found,) = checked()
    assert "rollcall capture on" in found.hint


def test_metadata_of_a_listing_will_do() -> None:
    summary = make_meeting()
    told = {"kind": "meeting-listed", "at": summary.started_at, "meeting": summary.meeting.internal_meeting_id}
    payload = msgspec.json.encode(told | {"info": {"metadata": {"bbb-origin": "Moodle"}}, "present": []})
    make_fact(summary.meeting, 1, "meeting-listed", summary.started_at, payload, source="poll")
    assert "Register live sessions" in checked()[0].sentence
