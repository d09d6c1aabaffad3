"""A number is explained from the sum down to who told each join and leave, and beside what others would say."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from rollcall.cli import run
from rollcall.reports import words
from rollcall.reports.explaining import Explained, explain
from rollcall.reports.facts import facts_of_attendee, facts_of_meeting
from rollcall.store import reading
from tests.makers import Attendee, make_meeting, operator
from tests.reports.three_witnesses import WITNESSES, class_of, keep

if TYPE_CHECKING:
    from rollcall.simulate.truth import Stay, Truth

pytestmark = pytest.mark.django_db(transaction=True)


def somebody(truth: Truth) -> Stay:
    """Somebody with one connection, who left before the end."""
    return next(one for one in alone(truth) if one.left_at < truth.root.ended_at)


def alone(truth: Truth) -> list[Stay]:
    """The only stays of people with an account."""
    stays = truth.root.stays
    known = [one for one in stays if not one.person.is_dial_in and not one.person.is_guest]
    return [one for one in known if sum(other.person == one.person for other in stays) == 1]


def attendance_of(summary: Any, stay: Stay) -> Any:
    return next(one for one in reading.attendees(summary) if one.external_user_id == stay.person.key)


def explained(truth: Truth, *witnesses: str, without: tuple[str, ...] = ()) -> Explained:
    summary = keep(truth, *witnesses, without=without)
    return explain(summary, attendance_of(summary, somebody(truth)), timezone.get_default_timezone())


def lines(found: Explained, heading: str) -> tuple[str, ...]:
    return next((part.lines for part in found.parts if part.heading == heading), ())


def test_each_end_is_proved_by_everybody_who_told_it_the_best_first() -> None:
    found = explained(class_of(), *WITNESSES)
    proofs = found.sessions[0].proofs
    told = [proof.partition(": ")[2].partition(",")[0] for proof in proofs if proof.startswith("join")]
    assert told == ["events.xml", "analytics callback", "BigBlueButton's own message", "webhook"]
    assert all("first received 20" in proof for proof in proofs)


def test_every_witness_is_told_with_its_own_time() -> None:
    found = explained(class_of(), *WITNESSES, without=("user-left",))
    said = lines(found, "What each witness said")
    assert [one.partition(":")[0] for one in said] == ["events.xml", "The analytics callback", "Webhooks and polls"]
    assert said[0].endswith(found.total)
    assert "–" in said[2]


def test_the_sum_is_that_of_its_spans() -> None:
    found = explained(class_of(), *WITNESSES)
    (added,) = lines(found, "The sum")
    assert added.endswith(f"= {found.total}")


def test_what_is_only_possible_is_told_with_its_times() -> None:
    found = explained(class_of(), "webhooks", "polls", without=("user-left",))
    assert lines(found, "What is only possible")
    assert any(one.startswith("at most") for one in lines(found, "The sum"))


def test_what_is_only_possible_says_why_and_the_last_sign_of_life_is_proof() -> None:
    found = explained(class_of(), "webhooks", "polls", without=("user-left",))
    assert any("No leave was heard" in one for one in lines(found, "What is only possible"))
    (proof, *_) = [proof for proof in found.sessions[0].proofs if proof.startswith("last certain")]
    assert "first received 20" in proof
    assert ": " in proof.partition("last certain ")[2]


def doubts_of(one: Attendee, **meeting: Any) -> tuple[str, ...]:
    summary = make_meeting(one, **meeting)
    return lines(explain(summary, reading.attendees(summary)[0], UTC), "What is only possible")


@pytest.mark.parametrize(
    ("one", "blind", "said"),
    [
        (
            Attendee(proved=(("10:00", "10:20"), ("10:30", "11:00")), possible=(("10:00", "11:00"),)),
            (("10:20", "10:30", "downtime"),),
            "10:20:00–10:30:00 = 10:00. From 10:20:00 to 10:30:00 messages may be missing: Rollcall was not running.",
        ),
        (
            Attendee(proved=(("10:00", "10:20"), ("10:30", "11:00")), possible=(("10:00", "11:00"),)),
            (),
            "10:20:00–10:30:00 = 10:00. The server did not list them in between.",
        ),
        (
            Attendee(proved=(("10:00", "10:20"),), possible=(("10:00", "10:22"),), end="absent"),
            (),
            "10:20:00–10:22:00 = 2:00. No leave was heard; the server listed them no longer.",
        ),
        (
            Attendee(proved=(("10:10", "11:00"),), possible=(("10:05", "11:00"),), start="first-sighting"),
            (),
            "10:05:00–10:10:00 = 5:00. No join was heard.",
        ),
        (
            Attendee(proved=(("10:00:01", "11:00"),), possible=(("10:00", "11:00"),), witness="callback"),
            (),
            "10:00:00–10:00:01 = 0:01. The analytics callback tells whole seconds.",
        ),
        (
            Attendee(proved=(), possible=(("10:00", "11:00"),), start="unknown", end="left", witness="callback"),
            (),
            "10:00:00–11:00:00 = 1:00:00. The joins and leaves that the analytics callback tells do not alternate.",
        ),
        (
            Attendee(proved=(("10:00", "10:59:59.400"),), possible=(("10:00", "11:00"),), end="meeting-ended"),
            (),
            "1 time of less than a second.",
        ),
    ],
)
def test_each_time_that_is_only_possible_says_why(
    one: Attendee, blind: tuple[tuple[str, str, str], ...], said: str
) -> None:
    assert doubts_of(one, blind=blind) == (said,)


def test_what_is_shown_as_one_time_has_no_doubts_and_one_sum() -> None:
    summary = make_meeting(
        Attendee(proved=(("10:00", "10:59:59.900"),), possible=(("10:00", "11:00"),), end="meeting-ended")
    )
    found = explain(summary, reading.attendees(summary)[0], UTC)
    assert found.total == "1:00:00"
    assert lines(found, "What is only possible") == ()
    assert len(lines(found, "The sum")) == 1


def test_a_callback_alone_says_that_it_tells_whole_seconds() -> None:
    found = explained(class_of(), "callback")
    doubts = lines(found, "What is only possible")
    assert doubts
    assert all("whole seconds" in one for one in doubts)


def test_whoever_stayed_to_the_end_has_a_time_by_the_callback_too() -> None:
    truth = class_of(seed=5)
    stayer = next(one for one in alone(truth) if one.left_at == truth.root.ended_at)
    summary = keep(truth, *WITNESSES)
    found = explain(summary, attendance_of(summary, stayer), timezone.get_default_timezone())
    said = lines(found, "What each witness said")
    assert [one.partition(":")[0] for one in said] == ["events.xml", "The analytics callback", "Webhooks and polls"]


def test_a_sum_whose_shown_seconds_do_not_add_up_is_shown_to_the_millisecond() -> None:
    day = 1_795_330_800_000
    spans = [(day + 55_600, day + 55_600 + 1_663_800)]
    assert words.added(spans, 1_663_800, UTC).endswith("27:43.800 ≈ 27:44")
    assert ".600–" in words.added(spans, 1_663_800, UTC)
    even = [(day + 56_100, day + 56_100 + 1_663_000)]
    assert words.added(even, 1_663_000, UTC).endswith(":56–" + words.clock(even[0][1], UTC) + " = 27:43")


def test_moodle_rounds_down_what_the_gem_says() -> None:
    found = explained(class_of(), *WITNESSES)
    moodle, gem, polls = lines(found, "What others would say")
    minutes = int(moodle.split()[1])
    assert f" {minutes}:" in gem
    assert polls.startswith("A poll every minute: ")


def test_the_gems_duration_is_made_of_the_file_where_no_callback_came() -> None:
    truth = class_of()
    assert (
        lines(explained(truth, *WITNESSES), "What others would say")[1]
        == (lines(explained(class_of(days=1), "recording"), "What others would say")[1])
    )


def test_a_file_that_is_not_whole_says_nothing_of_what_others_would_say() -> None:
    found = explained(class_of(), "webhooks", "polls", "part")
    moodle, gem, _polls = lines(found, "What others would say")
    assert "not known: events.xml is not whole" in gem
    assert "not known" in moodle
    assert any("part of events.xml" in one for one in lines(found, "What each witness said"))


def test_without_a_record_the_gems_duration_is_not_known() -> None:
    found = explained(class_of(), "webhooks")
    assert "not known" in lines(found, "What others would say")[1]


def test_a_document_is_one_fact_with_what_it_holds_of_the_person() -> None:
    truth = class_of()
    summary = keep(truth, *WITNESSES)
    stay = somebody(truth)
    zone = timezone.get_default_timezone()
    shown = facts_of_attendee(summary, attendance_of(summary, stay), zone)
    (recording,) = [fact for fact in shown if fact.kind == "events-xml"]
    assert recording.what.startswith("events.xml, ")
    assert recording.what.endswith(" events, whole")
    assert any(line.endswith(" joined") for line in recording.inside)
    assert recording.payload == ""
    (callback,) = [fact for fact in shown if fact.kind == "analytics-callback"]
    assert "joins and leaves" in callback.what
    assert any("its own duration" in line for line in callback.inside)
    others = facts_of_meeting(summary, reading.facts(summary, limit=10_000), zone)
    assert all(fact.inside == () for fact in others)


def test_nothing_of_anybody_else_is_shown_from_a_document() -> None:
    truth = class_of()
    summary = keep(truth, "recording", "callback")
    stay = somebody(truth)
    zone = timezone.get_default_timezone()
    shown = repr(facts_of_attendee(summary, attendance_of(summary, stay), zone))
    others = {one.participant for one in truth.root.stays} - {stay.participant}
    assert stay.participant in shown or stay.person.key
    assert not any(other in shown for other in others)


def test_who_sees_one_person_alone_is_not_told_how_many_others_there_were() -> None:
    truth = class_of()
    summary = keep(truth, *WITNESSES)
    one = attendance_of(summary, somebody(truth))
    shown = facts_of_attendee(summary, one, timezone.get_default_timezone(), is_alone=True)
    documents = [fact for fact in shown if fact.kind in reading.RECORDS]
    assert {fact.what for fact in documents} == {"events.xml", "analytics callback"}
    assert all(fact.inside for fact in documents)
    lists = [fact for fact in shown if fact.kind == "meeting-listed"]
    assert lists
    assert not any(fact.payload for fact in lists)


def test_the_command_says_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    truth = class_of()
    keep(truth, *WITNESSES)
    assert run(["explain", truth.root.internal_meeting_id, somebody(truth).person.key]) == 0
    out = capsys.readouterr().out
    for heading in ("What each witness said:", "The sum:", "What others would say:", "Facts ("):
        assert heading in out
    assert "events.xml, first received" in out


def test_the_page_of_a_persons_facts_says_all_of_it(client: Any, django_user_model: Any) -> None:
    truth = class_of()
    summary = keep(truth, *WITNESSES)
    client.force_login(operator(django_user_model, "ada"))
    key = bytes(attendance_of(summary, somebody(truth)).attendee_key).hex()
    page = client.get(f"/meetings/{summary.meeting_id}/facts/{key}").content.decode()
    assert "What each witness said" in page
    assert "events.xml, first received" in page
    assert client.get(f"/meetings/{summary.meeting_id}/facts").status_code == 200


def test_a_class_that_two_documents_tell_of_is_not_told_twice() -> None:
    truth = class_of()
    alone_told = lines(explained(truth, "callback"), "What others would say")
    assert any("Moodle" in line for line in alone_told)
    summary = keep(truth, "data-json")
    twice = explain(summary, attendance_of(summary, somebody(truth)), timezone.get_default_timezone())
    assert lines(twice, "What others would say") == alone_told
