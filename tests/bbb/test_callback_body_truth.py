"""The body of a recording of a class that never was: what it says is what truly happened, in every era."""

from __future__ import annotations

import io
from random import Random
from typing import Any

import pytest

from rollcall.bbb.callback_body import body_of, in_seconds
from rollcall.bbb.gem import like_gem
from rollcall.bbb.recording import Recording
from rollcall.simulate.callback import Gem, data_json
from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.eras import ERAS
from rollcall.simulate.recording import Recorded, recordings
from rollcall.simulate.recording_xml import to_xml
from rollcall.simulate.truth import Truth, merge

SEEDS = range(6)


def played(era: str, seed: int) -> tuple[Truth, Recorded]:
    rng = Random(seed)
    truth = make_class(rng, Plan(starts_at=ERAS[era].at, people=6, minutes=8, rooms=0))
    files = recordings(truth, ERAS[era], rng, cursor_share=0.3)
    return truth, files[truth.root.internal_meeting_id]


def truly(truth: Truth, key: str) -> dict[str, Any]:
    counts = truth.counts(key)
    spurts = truth.doing(key, "talk")
    return {
        "duration": in_seconds(truth.present_ms(key)),
        "chats": counts.chats,
        "talks": len(spurts),
        "raisehand": counts.raise_hands,
        "emojis": counts.emojis,
        "poll_votes": counts.poll_answers,
        "talk_time": in_seconds(sum(end - start for start, end in merge(spurts))),
    }


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("era", ERAS)
def test_every_number_of_every_person_is_true(era: str, seed: int) -> None:
    truth, recorded = played(era, seed)
    one = Recording(io.BytesIO(to_xml(recorded)))
    told = body_of(one)["data"]["attendees"]
    assert one.is_whole()
    expected = {
        stay.external_user_id: truly(truth, stay.person.key) for stay in truth.root.stays if not stay.person.is_dial_in
    }
    assert {who["ext_user_id"]: {"duration": who["duration"], **who["engagement"]} for who in told} == expected


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("era", ERAS)
def test_like_the_gem_agrees_with_another_who_was_written_like_the_gem(era: str, seed: int) -> None:
    _, recorded = played(era, seed)
    assert like_gem(Recording(io.BytesIO(to_xml(recorded)))) == data_json(recorded, Gem.V2_0_1)
