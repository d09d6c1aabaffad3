"""The relay beside a Moodle that behaves as Moodle does."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from itertools import product
from typing import Any

import pytest

from rollcall.deliveries import by_hand, send
from rollcall.deliveries.by_callback import PADDINGS
from rollcall.deliveries.probing import examine
from rollcall.deliveries.told import state_of
from rollcall.store.derived import Attendance
from rollcall.store.outbox import Delivery, State, Target
from tests.deliveries.world import HOUR_MS, MINUTE_MS, SECRET, Clock, Worker, connect, delivery_of, owe
from tests.makers import Attendee, at
from tests.moodle import Moodle

pytestmark = pytest.mark.django_db(transaction=True)


def work(clock: Clock, ticks: int = 1, step_ms: int = 0, **worker: Any) -> None:
    asyncio.run(Worker(clock, **worker).work(ticks, step_ms))


def test_a_class_with_a_whole_record_is_sent_once_and_every_lms_user_credited(site: Moodle, clock: Clock) -> None:
    summary = owe(site)
    work(clock, ticks=5, step_ms=MINUTE_MS)
    assert delivery_of(summary).state == State.SENT
    assert dict(site.credited(1)) == {3: 1, 4: 1}
    assert site.completed(1) == {3, 4}
    assert len(site.deliveries()) == 1


def test_what_is_sent_has_the_proved_time_and_no_names(site: Moodle, clock: Clock) -> None:
    owe(site, name="Algebra")
    work(clock)
    (request,) = site.deliveries()
    body = json.loads(request.body)
    assert body["meeting_id"] == site.meeting_id(1)
    ana = body["data"]["attendees"][1]
    assert ana == {
        "ext_user_id": "4",
        "moderator": False,
        "duration": 640,
        "joins": ["2026-11-20T10:01:00.000+00:00"],
        "leaves": ["2026-11-20T10:11:40.000+00:00"],
        "engagement": {"chats": 2, "talks": 0, "raisehand": 1, "emojis": 0, "poll_votes": 0, "talk_time": 0},
    }
    for name in (b"Tess", b"Ana", b"Guest", b"Nobody", b"+49", b"w_guest"):
        assert name not in request.body


def test_the_token_has_nothing_but_an_end(site: Moodle, clock: Clock) -> None:
    owe(site)
    work(clock)
    header, claims, _ = site.deliveries()[0].headers["authorization"].split(" ")[1].split(".")
    assert json.loads(urlsafe_b64decode(header + "==")) == {"typ": "JWT", "alg": "HS512"}
    assert json.loads(urlsafe_b64decode(claims + "==")) == {"exp": clock.now // 1000 + 300}


def test_it_waits_for_the_record(site: Moodle, clock: Clock) -> None:
    from rollcall.store.derived import Summary

    summary = owe(site, record="")
    work(clock, ticks=3, step_ms=MINUTE_MS)
    assert delivery_of(summary).state == State.WAITING
    assert site.requests == []
    Summary.objects.filter(pk=summary.pk).update(record="recording")
    work(clock)
    assert delivery_of(summary).state == State.SENT


def test_it_waits_until_all_that_has_come_is_folded(site: Moodle, clock: Clock) -> None:
    from rollcall.store.facts import Meeting

    summary = owe(site)
    Meeting.objects.filter(pk=summary.meeting_id).update(appended=2)
    work(clock, ticks=3, step_ms=MINUTE_MS)
    assert delivery_of(summary).state == State.WAITING
    Meeting.objects.filter(pk=summary.meeting_id).update(folded=2)
    work(clock)
    assert delivery_of(summary).state == State.SENT


def test_without_a_record_a_person_may_send_what_is_proved(site: Moodle, clock: Clock) -> None:
    summary = owe(site, record="", settles="11:00:30")
    work(clock)
    told = state_of(summary.meeting_id, as_of=clock.now)
    assert told is not None
    assert "no whole record" in told.sentence
    with pytest.raises(Exception, match="No whole record"):
        by_hand.retry(summary, clock.now)
    by_hand.retry(summary, clock.now, as_it_is=True)
    work(clock)
    assert delivery_of(summary).state == State.SENT
    assert set(site.credited()) == {3, 4}


def test_what_is_running_is_not_sent(site: Moodle, clock: Clock) -> None:
    owe(site, ended=None)
    work(clock, ticks=2, step_ms=MINUTE_MS)
    assert Delivery.objects.count() == 0


def test_history_is_sent_only_when_asked_for(site: Moodle, clock: Clock) -> None:
    summary = owe(site, name="Old")
    clock.now += 4 * 24 * HOUR_MS
    work(clock, ticks=2, step_ms=MINUTE_MS)
    assert Delivery.objects.count() == 0
    by_hand.retry(summary, clock.now)
    work(clock)
    assert delivery_of(summary).state == State.SENT


def test_nothing_is_sent_while_the_relay_is_off(site: Moodle, clock: Clock) -> None:
    summary = owe(site)
    by_hand.switch(summary.meeting.pool, is_on=False)
    work(clock, ticks=2, step_ms=MINUTE_MS)
    assert site.requests == []
    by_hand.switch(summary.meeting.pool, is_on=True)
    work(clock)
    assert delivery_of(summary).state == State.SENT


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://lb.example.org/bigbluebutton/api/analytics_callback",
        "https://moodle.example.org/mod/bigbluebuttonbn/bbb_broker.php?action=recording_ready&bigbluebuttonbn=1",
    ],
)
def test_who_has_not_asked_gets_nothing(site: Moodle, clock: Clock, url: str) -> None:
    owe(site, url=url)
    work(clock, ticks=2, step_ms=MINUTE_MS)
    assert Delivery.objects.count() == 0


def test_a_breakout_room_is_never_sent_on_its_own(site: Moodle, clock: Clock) -> None:
    from rollcall.store.derived import Summary

    summary = owe(site)
    detail = json.loads(bytes(summary.detail))
    detail["meetings"][0]["is_breakout"] = True
    Summary.objects.filter(pk=summary.pk).update(detail=json.dumps(detail).encode())
    work(clock, ticks=2, step_ms=MINUTE_MS)
    assert Delivery.objects.count() == 0


def test_an_id_that_is_none_of_bigbluebuttons_is_held(site: Moodle, clock: Clock) -> None:
    summary = owe(site, internal="short")
    work(clock)
    assert (delivery_of(summary).state, delivery_of(summary).reason) == (State.HELD, "odd-id")
    assert site.requests == []


def test_a_class_of_guests_alone_does_not_burn_its_id(site: Moodle, clock: Clock) -> None:
    guest = Attendee(uid="w_guest", kind="guest")
    summary = owe(site, guest, Attendee(uid="007"), Attendee(uid="99999999999999999999"))
    work(clock)
    assert (delivery_of(summary).state, delivery_of(summary).reason) == (State.HELD, "nobody")
    assert site.requests == []


# -- answers ------------------------------------------------------------------------------------------------------


def test_the_stock_script_was_first_and_it_is_shown(site: Moodle, clock: Clock) -> None:
    summary = owe(site)
    work(clock, ticks=0)
    stock(site, summary, 3, 4)
    work(clock, ticks=3, step_ms=HOUR_MS)
    assert delivery_of(summary).state == State.FOREIGN
    assert dict(site.credited()) == {3: 1, 4: 1}
    assert len(site.deliveries()) == 2, "theirs and ours, which is not tried again"


def test_what_the_stock_script_left_half_done_is_repaired_by_hand(site: Moodle, clock: Clock) -> None:
    summary = owe(site)
    stock(site, summary, 3, "w_guestabc", 4)
    work(clock)
    assert dict(site.credited()) == {3: 1}
    assert delivery_of(summary).state == State.FOREIGN
    _, people = by_hand.repair(summary, ["4"], clock.now)
    assert people == 1
    work(clock)
    assert delivery_of(summary, revision=1).state == State.SENT
    assert dict(site.credited()) == {3: 1, 4: 1}
    assert json.loads(site.deliveries()[-1].body)["internal_meeting_id"] == f"{summary.meeting.internal_meeting_id}-r02"


def test_a_deleted_activity_is_never_asked_again(site: Moodle, clock: Clock) -> None:
    summary = owe(site, instance=9)
    work(clock, ticks=20, step_ms=HOUR_MS)
    assert delivery_of(summary).state == State.GONE
    assert len(site.deliveries()) == 1


def test_a_stripped_header_stops_the_whole_target_until_it_is_mended(site: Moodle, clock: Clock) -> None:
    site.is_header_stripped = True
    first, second = owe(site, name="First"), owe(site, name="Second")
    work(clock, ticks=10, step_ms=MINUTE_MS // 3)
    assert [request.is_probe for request in site.requests] == [True] * len(site.requests), "nothing but probes"
    assert len(site.requests) <= 5
    told = state_of(first.meeting_id, as_of=clock.now) or state_of(second.meeting_id, as_of=clock.now)
    assert told is not None
    assert "CGIPassAuth On" in told.hint
    assert not delivery_of(first).is_unanswered
    site.is_header_stripped = False
    work(clock, ticks=30, step_ms=10 * MINUTE_MS)
    assert [delivery_of(one).state for one in (first, second)] == [State.SENT, State.SENT]
    assert dict(site.credited()) == {3: 2, 4: 2}
    target = Target.objects.get()
    assert (target.failures, target.trouble) == (0, "")


def test_unasked_an_address_is_shown_the_newest_secret_alone(site: Moodle, clock: Clock) -> None:
    summary = owe(site)
    connect(summary.meeting.pool, "of another school", "the newest")
    work(clock)
    assert delivery_of(summary).state == State.DUE
    assert Target.objects.get().trouble == "wrong-secret"
    assert signers(site, SECRET, "of another school", "the newest") == {"the newest"}
    site.secret = "the newest"
    work(clock, ticks=3, step_ms=MINUTE_MS)
    assert delivery_of(summary).state == State.SENT


def test_a_person_may_have_all_secrets_tried_and_the_right_one_is_kept_to(
    site: Moodle, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = owe(site)
    pool = summary.meeting.pool
    connect(pool, "a newer one", "the newest")
    work(clock)
    site.clock = time.time
    monkeypatch.setenv("ROLLCALL_LMS_HOSTS", "127.0.0.1")
    found = asyncio.run(examine(pool, site.url(1), all_secrets=True))
    assert found.is_well
    assert signers(site, SECRET, "a newer one", "the newest") == {SECRET, "a newer one", "the newest"}
    assert [(target.trouble, target.secret_id) for target in Target.objects.all()] == [("", _oldest(pool))]
    site.requests.clear()
    site.clock, clock.now = lambda: clock.now / 1000, delivery_of(summary).due_at or 0
    work(clock)
    assert delivery_of(summary).state == State.SENT
    assert [request.status for request in site.requests] == [200]


def test_what_last_fitted_is_tried_again_but_only_by_the_probe(site: Moodle, clock: Clock) -> None:
    owe(site, name="Before")
    work(clock)
    site.secret = "mistyped"
    summary = owe(site, name="After", instance=2)
    connect(summary.meeting.pool, "the newest")
    work(clock, ticks=2, step_ms=2 * MINUTE_MS)
    assert (delivery_of(summary).state, Target.objects.get().trouble) == (State.DUE, "wrong-secret")
    assert len(summary.meeting.deliveries.get().attempts.all()) == 1
    site.secret = SECRET
    work(clock, ticks=4, step_ms=2 * MINUTE_MS)
    assert delivery_of(summary).state == State.SENT


def signers(site: Moodle, *secrets: str) -> set[str]:
    """With which of these the requests were signed, however padded."""
    found = set()
    for request in site.requests:
        signed, _, signature = request.headers["authorization"].split(" ")[1].rpartition(".")
        for secret, padding in product(secrets, PADDINGS.values()):
            made = hmac.digest(padding.format(secret).encode(), signed.encode(), "sha512")
            if urlsafe_b64encode(made).rstrip(b"=").decode() == signature:
                found.add(secret)
    return found


def _oldest(pool: Any) -> int:
    return int(pool.server.secrets.order_by("added_at").first().pk)


def test_a_fault_of_our_own_is_put_off_and_told(site: Moodle, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = owe(site, name="Poison")
    with monkeypatch.context() as patched:
        patched.setattr(send, "token", lambda *_: 1 // 0)
        work(clock)
    told = state_of(summary.meeting_id, as_of=clock.now)
    assert told is not None
    assert "Rollcall itself failed" in told.sentence
    assert (delivery_of(summary).state, delivery_of(summary).is_unanswered) == (State.DUE, False)
    assert Target.objects.get().trouble == "own-fault"
    work(clock, ticks=3, step_ms=MINUTE_MS)
    assert delivery_of(summary).state == State.SENT


def test_one_of_which_no_body_can_be_made_holds_up_no_other(site: Moodle, clock: Clock) -> None:
    poison = owe(site, name="Poison")
    people = Attendance.objects.filter(summary=poison)
    people.update(detail=b"{")
    other = owe(site, name="Good", instance=2)
    work(clock, ticks=4, step_ms=MINUTE_MS)
    assert (delivery_of(poison).state, delivery_of(poison).reason) == (State.DUE, "own-fault")
    assert delivery_of(other).state == State.SENT


def test_a_changed_secret_is_found_at_once(site: Moodle, clock: Clock) -> None:
    owe(site, name="Before")
    work(clock)
    summary = owe(site, name="After", instance=2)
    connect(summary.meeting.pool, "the new one")
    site.secret = "the new one"
    work(clock, ticks=3, step_ms=10_000)
    assert delivery_of(summary).state == State.SENT
    assert [attempt.status for attempt in delivery_of(summary).attempts.order_by("pk")] == [400, 200]


@pytest.mark.parametrize("typed", [f"{SECRET} ", f"{SECRET}\n", f"{SECRET}\r\n", f" {SECRET}"])
def test_stray_blanks_around_moodles_secret_are_found_and_named(site: Moodle, clock: Clock, typed: str) -> None:
    from rollcall.deliveries.told import warning_of

    site.secret = typed
    summary = owe(site)
    work(clock)
    assert delivery_of(summary).state == State.SENT
    assert "stray blank" in warning_of(Target.objects.get())


def test_a_wrong_secret_is_a_sentence_and_not_a_loss(site: Moodle, clock: Clock) -> None:
    site.secret = "nobody told us"
    summary = owe(site)
    work(clock)
    told = state_of(summary.meeting_id, as_of=clock.now)
    assert told is not None
    assert "another shared secret" in told.sentence
    assert site.rows == []
    connect(summary.meeting.pool, "nobody told us")
    by_hand.retry_all(summary.meeting.pool, clock.now)
    work(clock)
    assert delivery_of(summary).state == State.SENT


@pytest.mark.parametrize("phrase", ["Error writing to database", ""], ids=["400", "404"])
def test_what_broke_off_half_way_needs_a_person_and_stays_so(site: Moodle, clock: Clock, phrase: str) -> None:
    site.breaks_after, site.breaks_with = 1, phrase
    summary = owe(site)
    work(clock)
    row = delivery_of(summary)
    assert (row.state, row.was_refused) == (State.REFUSED, True)
    work(clock, ticks=10, step_ms=HOUR_MS)
    assert len(site.deliveries()) == 1
    site.breaks_after = None
    by_hand.retry(summary, clock.now)
    work(clock)
    assert delivery_of(summary).state == State.REFUSED, "a 202 after it says nothing new"
    by_hand.repair(summary, ["4"], clock.now)
    work(clock)
    assert dict(site.credited()) == {3: 1, 4: 1}


@pytest.mark.parametrize("status", [301, 401, 403, 429, 500, 502, 503])
def test_what_is_not_from_moodles_receiver_is_tried_again(site: Moodle, clock: Clock, status: int) -> None:
    summary = owe(site)
    site.faults = [str(status)] * 3
    work(clock, ticks=60, step_ms=10 * MINUTE_MS)
    assert delivery_of(summary).state == State.SENT
    assert dict(site.credited()) == {3: 1, 4: 1}
    assert Target.objects.get().failures == 0


def test_a_body_that_is_too_big_is_not_sent_for_ever(site: Moodle, clock: Clock) -> None:
    summary = owe(site)
    site.faults = ["413"] * 9
    work(clock, ticks=5, step_ms=HOUR_MS)
    assert (delivery_of(summary).state, delivery_of(summary).reason) == (State.REFUSED, "too-big")
    assert len(site.deliveries()) == 1


def test_retry_after_is_honoured(site: Moodle, clock: Clock) -> None:
    owe(site)
    site.faults, site.retry_after = ["503"], "7200"
    began = clock.now
    work(clock, ticks=30, step_ms=5 * MINUTE_MS)
    first, second = site.deliveries()
    assert (first.status, second.status) == (503, 200)
    assert Target.objects.get().paused_until == 0
    assert delivery_sent_at() - began >= 2 * HOUR_MS


def delivery_sent_at() -> int:
    return Delivery.objects.get().accepted_at or 0


def test_a_lost_answer_is_told_from_somebody_elses_delivery(site: Moodle, clock: Clock) -> None:
    summary = owe(site)
    site.faults = ["close-after"]
    work(clock)
    assert delivery_of(summary).is_unanswered
    work(clock, ticks=10, step_ms=MINUTE_MS)
    assert delivery_of(summary).state == State.ALREADY
    assert dict(site.credited()) == {3: 1, 4: 1}
    told = state_of(summary.meeting_id, as_of=clock.now)
    assert told is not None
    assert told.level == "fine"


def test_a_request_that_never_arrived_is_sent_again(site: Moodle, clock: Clock) -> None:
    summary = owe(site)
    site.faults = ["close-before"]
    work(clock, ticks=10, step_ms=MINUTE_MS)
    assert delivery_of(summary).state == State.SENT
    assert dict(site.credited()) == {3: 1, 4: 1}


def test_an_error_page_after_the_work_was_done_is_not_taken_for_nothing(site: Moodle, clock: Clock) -> None:
    summary = owe(site)
    site.faults = ["502-after"]
    work(clock, ticks=10, step_ms=MINUTE_MS)
    assert delivery_of(summary).state == State.ALREADY
    assert dict(site.credited()) == {3: 1, 4: 1}


def test_another_web_server_at_that_address_is_not_taken_for_moodle(site: Moodle, clock: Clock) -> None:
    site.is_missing = True
    summary = owe(site)
    work(clock)
    told = state_of(summary.meeting_id, as_of=clock.now)
    assert told is not None
    assert "not Moodle's receiver" in told.sentence
    assert site.deliveries() == []
    site.is_missing = False
    work(clock, ticks=5, step_ms=MINUTE_MS)
    assert delivery_of(summary).state == State.SENT


def test_a_proxy_that_swallows_phrases_is_seen_through(site: Moodle, clock: Clock) -> None:
    site.swallows_phrases = True
    site.breaks_after = 1
    site.secret = f"{SECRET} "
    summary = owe(site)
    work(clock)
    assert delivery_of(summary).state == State.REFUSED, "the probe says that the token was right"
    other = owe(site, name="Other", instance=2)
    site.breaks_after = None
    site.is_header_stripped = True
    work(clock, ticks=2, step_ms=10_000)
    assert delivery_of(other).state == State.DUE
    assert not delivery_of(other).is_unanswered
    assert Target.objects.get().trouble == "unexplained"


def stock(site: Moodle, summary: Any, *users: int | str) -> None:
    """BigBlueButton's own script posts: everybody, guests too, once, whatever comes back."""
    import httpx

    from rollcall.deliveries.by_callback import token

    body = {
        "meeting_id": summary.external_meeting_id,
        "internal_meeting_id": summary.meeting.internal_meeting_id,
        "data": {"attendees": [{"ext_user_id": str(user), "duration": 700} for user in users]},
    }
    headers = {"Authorization": f"Bearer {token(site.secret, int(site.clock() * 1000))}"}
    httpx.post(delivery_url(summary, site), json=body, headers=headers, trust_env=False)


def delivery_url(summary: Any, site: Moodle) -> str:
    instance = int(summary.external_meeting_id.partition("[")[0].rpartition("-")[2])
    return site.url(instance)


def test_the_clock_of_these_tests_is_the_day_of_the_class() -> None:
    assert Clock().now == at("11:01")
