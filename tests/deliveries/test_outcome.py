"""The rules, one by one, without a database."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.bbb.callback_body import is_lms_user
from rollcall.deliveries import told
from rollcall.deliveries.by_callback import (
    NOT_STORED,
    Meaning,
    is_broker,
    is_sendable_id,
    meaning_of,
    remote_id,
    site_of_broker,
    token,
)
from rollcall.deliveries.outcome import LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS, Before, outcome_of, pause_ms
from rollcall.deliveries.post import OWN_FAULT, Answer, Silence
from rollcall.store.outbox import State
from tests.deliveries.world import internal_id

BROKER = "https://moodle.example.org/sub/mod/bigbluebuttonbn/bbb_broker.php?action=meeting_events&bigbluebuttonbn=12"
ANSWERS = (
    (200, "OK", Meaning.ACCEPTED),
    (200, "Accepted. Enqueued.", Meaning.ACCEPTED),
    (202, "Accepted. Already processed.", Meaning.ALREADY),
    (400, "Bad Request. Authorization failed", Meaning.HEADER_STRIPPED),
    (400, "Bad Request. Caught exception: Signature verification failed", Meaning.WRONG_SECRET),
    (400, "Bad Request. Caught exception: Incorrect key for this algorithm", Meaning.BAD_TOKEN),
    (400, "Bad Request. Caught exception: Algorithm not supported", Meaning.BAD_TOKEN),
    (400, "Bad Request. Caught exception: Wrong number of segments", Meaning.BAD_TOKEN),
    (400, "Bad Request. Caught exception: Expired token", Meaning.EXPIRED),
    (400, "Bad Request. Caught exception: Cannot handle token with iat prior to 2026", Meaning.EXPIRED),
    (400, "Bad Request. Caught exception: Error writing to database", Meaning.BROKEN_OFF),
    (400, "Bad Request. Action meeting_stuff can not be performed.", Meaning.WRONG_ADDRESS),
    (400, "Bad Request. Parameter [] was not included", Meaning.WRONG_ADDRESS),
    (400, "Bad Request", Meaning.UNCLEAR),
    (404, "Not Found", Meaning.UNCLEAR),
    (410, "Gone. The activity may have been deleted", Meaning.GONE),
    (301, "Moved Permanently", Meaning.MOVED),
    (403, "Forbidden", Meaning.FORBIDDEN),
    (413, "Request Entity Too Large", Meaning.TOO_BIG),
    (429, "Too Many Requests", Meaning.TOO_MANY),
    (500, "Internal Server Error", Meaning.FAILED),
    (502, "Bad Gateway", Meaning.FAILED),
    (503, "Service Unavailable", Meaning.BUSY),
    (504, "Gateway Time-out", Meaning.FAILED),
)
BEFORE = [Before(unanswered, refused) for unanswered, refused in product((False, True), repeat=2)]


@pytest.mark.parametrize(("status", "phrase", "meaning"), ANSWERS)
def test_every_answer_means_something(status: int, phrase: str, meaning: Meaning) -> None:
    assert meaning_of(status, phrase) is meaning


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize(("status", "phrase", "meaning"), ANSWERS)
def test_only_what_cannot_have_been_stored_leaves_no_doubt(
    status: int, phrase: str, meaning: Meaning, before: Before
) -> None:
    outcome = outcome_of(Answer(status, phrase, 1), before)
    if outcome.state is State.DUE:
        assert outcome.trouble
        assert outcome.is_unanswered == (before.is_unanswered or meaning not in NOT_STORED)
        assert outcome.was_refused == before.was_refused
    else:
        assert outcome.is_well


def test_a_202_is_ours_only_after_an_attempt_that_may_have_arrived() -> None:
    already = Answer(202, "Accepted. Already processed.", 1)
    assert outcome_of(already, Before()).state is State.FOREIGN
    assert outcome_of(already, Before(is_unanswered=True)).state is State.ALREADY
    assert outcome_of(already, Before(was_refused=True)).state is State.REFUSED


@pytest.mark.parametrize(("is_safe", "is_unanswered"), [(True, False), (False, True)])
def test_a_silence_says_whether_anything_can_have_arrived(is_safe: bool, is_unanswered: bool) -> None:
    outcome = outcome_of(Silence("timeout", is_safe=is_safe, took_ms=1), Before())
    assert (outcome.state, outcome.is_unanswered) == (State.DUE, is_unanswered)


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize(
    ("probed", "state", "is_unanswered"),
    [
        (Meaning.GONE, State.REFUSED, False),
        (Meaning.UNCLEAR, State.DUE, False),
        (Meaning.WRONG_SECRET, State.DUE, False),
        (Meaning.BUSY, State.DUE, True),
        (None, State.DUE, True),
    ],
)
def test_what_explains_nothing_is_explained_by_the_probe(
    status: int, probed: Meaning | None, state: State, is_unanswered: bool
) -> None:
    outcome = outcome_of(Answer(status, "", 1), Before(), probed)
    assert (outcome.state, outcome.is_unanswered) == (state, is_unanswered)


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_and_end_at_some_hours(failures: int, chance: float) -> None:
    assert 0.8 * SHORTEST_PAUSE_MS <= pause_ms(failures, chance) <= 1.2 * LONGEST_PAUSE_MS
    assert pause_ms(failures, 0) <= pause_ms(failures + 1, 0)


# -- ids and addresses


@pytest.mark.parametrize("user", ["1", "42", "9223372036854775807"])
def test_moodles_own_ids_are_sent(user: str) -> None:
    assert is_lms_user(user)


@pytest.mark.parametrize(
    "user", ["", "0", "007", "-1", "+1", "1.0", " 1", "1\n", "w_abc", "٣", "１", "9223372036854775808", "1e3", "9" * 19]
)
def test_what_moodle_could_not_take_for_an_id_is_not(user: str) -> None:
    assert not is_lms_user(user)


@given(st.integers(0, 2**160 - 1), st.integers(0, 10**13 - 1), st.integers(0, 2**160 - 1), st.integers(0, 98))
def test_no_id_that_is_sent_is_a_part_of_another_meetings(one: int, at: int, other: int, revision: int) -> None:
    ids = [f"{one:040x}-{at:013}", f"{other:040x}-{at:013}"]
    assert all(map(is_sendable_id, ids))
    if one != other:
        assert remote_id(ids[0], revision) not in remote_id(ids[1], 0)
        assert remote_id(ids[0], 0) not in remote_id(ids[1], revision)


def test_of_one_meetings_repairs_none_is_a_part_of_a_later_one() -> None:
    ids = [remote_id(internal_id("a"), revision) for revision in range(99)]
    assert ids[0] == internal_id("a")
    assert ids[1].endswith("-r02")
    assert ids[98].endswith("-r99")
    assert not any(one in other for one, other in product(ids[1:], repeat=2) if one != other)


@pytest.mark.parametrize(
    "internal", ["", "short", "A" * 40 + "-1795300000001", "a" * 40, "a" * 40 + "-1795300000001-r2"]
)
def test_other_ids_are_not_sent_unasked(internal: str) -> None:
    assert not is_sendable_id(internal)


def test_the_broker_of_a_moodle_is_known_by_its_address() -> None:
    assert is_broker(BROKER)
    assert site_of_broker(BROKER) == "https://moodle.example.org/sub"


@pytest.mark.parametrize(
    "url",
    [
        BROKER.replace("meeting_events", "recording_ready"),
        BROKER.replace("=12", "="),
        BROKER.replace("=12", "=abc"),
        BROKER.replace("https", "ftp"),
        BROKER.partition("?")[0],
        BROKER.replace("bbb_broker", "view"),
        "https://rollcall.example.org/callbacks/x",
        "https://[",
    ],
)
def test_nothing_else_is_a_broker(url: str) -> None:
    assert not is_broker(url)


def test_the_token_is_what_any_library_makes_of_it() -> None:
    # header and claims as in RFC 7515, appendix A: no padding, the signature over exactly these bytes
    header, claims, signature = token("secret", 1_000_000).split(".")
    assert header == "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzUxMiJ9"
    assert json.loads(_decoded(claims)) == {"exp": 1300}
    assert len(_decoded(signature)) == 64


def _decoded(part: str) -> bytes:
    from base64 import urlsafe_b64decode

    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


# -- words


def test_every_trouble_there_can_be_has_a_sentence() -> None:
    silences = {
        "unreachable",
        "timeout",
        "broken-connection",
        "tls",
        "no-such-host",
        "not-https",
        "private-address",
        OWN_FAULT,
    }
    troubles = {
        outcome_of(Answer(status, phrase, 1), Before(), probed).trouble
        for status, phrase, _ in ANSWERS
        for probed in (None, *Meaning)
    }
    codes = silences | {"no-secret", "not-moodle", "not-an-address"} | troubles - {""}
    # What a probe can never be answered with is no trouble a reader meets.
    never: set[Any] = {Meaning.ACCEPTED, Meaning.ALREADY, Meaning.BROKEN_OFF, Meaning.TOO_BIG}
    assert {code for code in codes if code not in told._TROUBLES} <= never
    assert set(told._MENDS) <= set(told._TROUBLES)


def test_every_state_has_a_sentence() -> None:
    assert set(told._STATES) == set(State)
