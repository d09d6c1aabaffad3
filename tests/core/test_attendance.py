"""Classes a teacher would recognise, and what is known of who was there."""

from __future__ import annotations

from typing import Any

import pytest

from rollcall.core.events import (
    Anything,
    AudioJoined,
    AudioLeft,
    AudioMuted,
    CameraEnded,
    CameraStarted,
    ChatSent,
    EmojiChanged,
    Listed,
    MeetingCreated,
    MeetingEnded,
    MeetingListed,
    MeetingMissing,
    PollAnswered,
    PollStarted,
    RaiseHandChanged,
    Source,
    UserJoined,
    UserLeft,
    WentBlind,
)
from rollcall.core.intervals import OPEN
from rollcall.core.meeting import FoldedMeeting, fold_meeting
from tests.core.classes import digested

NINE = 1_795_262_400_000
MEETING = f"{'ab' * 20}-{NINE}"
ROOM = f"{'cd' * 20}-{NINE + 600_000}"


def minute(at: float) -> int:
    """Minutes after nine, as epoch ms."""
    return NINE + round(at * 60_000)


def fold(*events: Anything, ends: float | None = 60) -> FoldedMeeting:
    frame: list[Anything] = [MeetingCreated(meeting=MEETING, at=NINE, created_at=NINE, name="Algebra")]
    if ends is not None:
        frame.append(MeetingEnded(meeting=MEETING, at=minute(ends)))
    return fold_meeting([digested(event) for event in [*events, *frame]])


def by(participant: str, at: float, external: str | None = None) -> dict[str, Any]:
    return {"meeting": MEETING, "participant": participant, "at": minute(at), "external_user_id": external}


def joined(participant: str, at: float, external: str | None = "ada", **given: Any) -> UserJoined:
    return UserJoined(**by(participant, at, external), **{"name": "Ada", "role": "VIEWER"} | given)


def left(participant: str, at: float, external: str | None = "ada", **given: Any) -> UserLeft:
    return UserLeft(**by(participant, at, external), **given)


def listed(at: float, *present: Listed | str, meeting: str = MEETING) -> MeetingListed:
    people = tuple(one if isinstance(one, Listed) else Listed(external_user_id=one) for one in present)
    return MeetingListed(meeting=meeting, at=minute(at), source=Source.POLL, present=people)


def spans(found: tuple[tuple[int, int], ...]) -> list[tuple[float, float | None]]:
    """In minutes after nine."""
    return [((a - NINE) / 60_000, None if b == OPEN else (b - NINE) / 60_000) for a, b in found]


def only(folded: FoldedMeeting) -> Any:
    (attendance,) = folded.attendances
    return attendance


def test_join_to_leave_is_proved() -> None:
    ada = only(fold(joined("w_1", 5), left("w_1", 45)))
    assert spans(ada.proved) == spans(ada.possible) == [(5, 45)]
    assert (ada.sessions[0].start, ada.sessions[0].end) == ("joined", "left")


def test_two_tabs_count_once() -> None:
    ada = only(fold(joined("w_1", 5), joined("w_2", 10), left("w_2", 20), left("w_1", 45)))
    assert spans(ada.proved) == [(5, 45)]
    assert len(ada.sessions) == 2


def test_a_reconnect_is_two_sessions_of_one_person() -> None:
    ada = only(fold(joined("w_1", 5), left("w_1", 20), joined("w_2", 25), left("w_2", 45)))
    assert spans(ada.proved) == spans(ada.possible) == [(5, 20), (25, 45)]


def test_a_return_under_the_same_connection_leaves_a_gap() -> None:
    ada = only(fold(joined("w_1", 5), left("w_1", 20), joined("w_1", 25), left("w_1", 45)))
    assert spans(ada.proved) == [(5, 20), (25, 45)]


def test_a_second_join_before_any_leave_proves_nothing_between() -> None:
    chat = ChatSent(**by("w_1", 10))
    ada = only(fold(joined("w_1", 5), chat, joined("w_1", 30), left("w_1", 45)))
    assert spans(ada.proved) == [(5, 10), (30, 45)]
    assert spans(ada.possible) == [(5, 45)]
    assert ada.sessions[0].end == "rejoined"


def test_without_a_leave_the_last_act_is_the_last_proof() -> None:
    ada = only(fold(joined("w_1", 5), RaiseHandChanged(**by("w_1", 40), is_up=True)))
    assert spans(ada.proved) == [(5, 40)]
    assert spans(ada.possible) == [(5, 60)]
    assert ada.sessions[0].end == "meeting-ended"


def test_an_invented_leave_is_the_meetings_end_and_no_leave() -> None:
    folded = fold(joined("w_1", 5), left("w_1", 50, is_invented=True, name="Ada"), ends=None)
    assert (folded.ran_until, folded.ended_at) == (minute(50), minute(50))
    assert spans(only(folded).proved) == []
    assert spans(only(folded).possible) == [(5, 50)]


def test_a_leave_after_the_end_is_none_either() -> None:
    ada = only(fold(joined("w_1", 5), left("w_1", 61)))
    assert spans(ada.possible) == [(5, 60)]
    assert ada.sessions[0].left_at is None


def test_a_leave_without_a_join_reaches_back_to_the_first_act() -> None:
    folded = fold(ChatSent(**by("w_1", 20)), left("w_1", 45))
    assert spans(only(folded).proved) == [(20, 45)]
    assert spans(only(folded).possible) == [(0, 45)]


def test_acts_done_to_people_are_no_signs_of_life() -> None:
    acts = (AudioMuted(**by("w_1", 30)), CameraEnded(**by("w_1", 31)), EmojiChanged(**by("w_1", 32), emoji="none"))
    listening = AudioJoined(**by("w_1", 33), is_listen_only=True)
    assert spans(only(fold(joined("w_1", 5), *acts, listening)).proved) == []


def test_while_it_runs_nothing_has_an_end() -> None:
    folded = fold(joined("w_1", 5), ends=None)
    assert folded.ended_at is folded.settles_at is folded.length[1] is None
    assert only(folded).possible_ms() is None
    assert only(folded).sessions[0].end == "open"


def test_polls_prove_what_no_leave_did() -> None:
    ada = only(fold(joined("w_1", 5), listed(10, "ada"), listed(30, "ada"), listed(31), listed(32), ends=None))
    assert spans(ada.proved) == [(5, 30 - 1 / 60)]
    assert spans(ada.possible) == [(5, 31 + 1 / 60)]
    assert ada.sessions[0].end == "absent"


def test_one_poll_that_misses_somebody_is_no_leave_but_proves_nothing_around_it() -> None:
    ada = only(fold(joined("w_1", 5), listed(10, "ada"), listed(20), listed(30, "ada"), left("w_1", 45)))
    assert spans(ada.possible) == [(5, 45)]
    assert spans(ada.proved) == [(5, 10 - 1 / 60), (30 + 1 / 60, 45)]


def test_polls_know_nothing_of_callers() -> None:
    caller = AudioJoined(**by("v_1", 5), name="•••12")
    out = AudioLeft(**by("v_1", 45))
    ada = only(fold(caller, listed(20), listed(30), out))
    assert ada.key.kind == "dial-in"
    assert spans(ada.proved) == [(5, 45)]
    assert ada.name == "•••12"


def test_who_was_only_ever_listed_is_an_attendee() -> None:
    ada = only(
        fold(
            listed(9), listed(10, Listed(external_user_id="ada", name="Ada")), listed(20, "ada"), listed(21), listed(22)
        )
    )
    assert ada.external_user_id == "ada"
    assert ada.name == "Ada"
    assert spans(ada.proved) == [(10 + 1 / 60, 20 - 1 / 60)]
    assert spans(ada.possible) == [(9 - 1 / 60, 21 + 1 / 60)]
    assert ada.sessions[0].participant == ""


def test_two_polls_without_the_meeting_are_its_end() -> None:
    gone = [MeetingMissing(meeting=MEETING, at=minute(at), source=Source.POLL) for at in (40, 41)]
    folded = fold(joined("w_1", 5), listed(39, "ada"), *gone, ends=None)
    assert folded.ran_until == minute(39)
    assert folded.ended_at == minute(40) + 1_000
    assert [note.code for note in folded.notes if "poll" in note.code] == ["end-seen-by-polls"]


def test_one_poll_without_the_meeting_is_a_slip() -> None:
    gone = MeetingMissing(meeting=MEETING, at=minute(40), source=Source.POLL)
    assert not fold(joined("w_1", 5), gone, listed(41, "ada"), ends=None).is_over()


def test_blind_time_is_unknown_even_after_a_leave() -> None:
    blind = WentBlind(meeting=MEETING, at=minute(50), until=minute(55), cause="downtime", source=Source.OURS)
    ada = only(fold(joined("w_1", 5), left("w_1", 45), blind))
    assert spans(ada.proved) == [(5, 45)]
    assert spans(ada.possible) == [(5, 45), (50, 55 + 1 / 60)]


def test_blind_time_within_a_stay_is_not_proved() -> None:
    blind = WentBlind(meeting=MEETING, at=minute(20), until=minute(30), cause="hook-missing", source=Source.OURS)
    ada = only(fold(joined("w_1", 5), left("w_1", 45), blind))
    assert spans(ada.proved) == [(5, 20), (30 + 1 / 60, 45)]
    assert spans(ada.possible) == [(5, 45)]


def test_where_polls_missed_somebody_a_lost_hook_leaves_no_doubt() -> None:
    blind = WentBlind(meeting=MEETING, at=minute(50), until=minute(55), cause="hook-missing", source=Source.OURS)
    absent = [listed(at) for at in (49, 52, 55.5)]
    assert spans(only(fold(joined("w_1", 5), left("w_1", 45), blind, *absent)).possible) == [(5, 45)]


def test_a_join_that_does_not_say_whose_it_is_is_a_guests_where_another_says_so() -> None:
    """Relays before version 3 do not tell guests from users."""
    folded = fold(joined("w_1", 1, "visitor"), joined("w_2", 2, "visitor", is_guest=True))
    assert [one.key.kind for one in folded.attendances] == ["guest"]


def test_guests_callers_and_people_without_an_id_stay_apart() -> None:
    folded = fold(
        joined("w_1", 1, "ada", is_guest=False),
        joined("w_2", 2, "ada", is_guest=True, name="Visitor"),
        joined("w_3", 3, "w_3", name="No id"),
        AudioJoined(**by("v_4", 4)),
    )
    assert sorted(one.key.kind for one in folded.attendances) == ["connection", "dial-in", "guest", "user"]


def test_a_guest_of_whom_one_join_was_lost_is_one_guest() -> None:
    folded = fold(joined("w_1", 1, "g-1", is_guest=True), ChatSent(**by("w_2", 5, "g-1")), listed(6, "g-1"))
    assert [one.key for one in folded.attendances] == [("guest", "g-1")]


def test_a_name_does_not_make_a_person() -> None:
    folded = fold(joined("w_1", 1, "7", name="Ada"), joined("w_2", 2, "8", name="Ada"))
    assert len(folded.attendances) == 2


def test_a_breakout_room_counts_towards_the_class_once() -> None:
    room: list[Anything] = [
        MeetingCreated(meeting=ROOM, at=minute(10), is_breakout=True, parent=MEETING, created_at=minute(10)),
        UserJoined(meeting=ROOM, at=minute(10), participant="w_9", parent_participant="w_1", name="Ada"),
        ChatSent(meeting=ROOM, at=minute(12), participant="w_9", message_id="1"),
        UserLeft(meeting=ROOM, at=minute(19), participant="w_9", parent_participant="w_1"),
        MeetingEnded(meeting=ROOM, at=minute(20)),
    ]
    folded = fold(joined("w_1", 5), left("w_1", 15), *room)
    assert folded.meeting == MEETING
    assert spans(only(folded).proved) == [(5, 19)]
    assert only(folded).engagement.chats.seen == 1
    assert [one.is_breakout for one in folded.rooms] == [False, True]


def test_the_wrong_id_on_a_leave_is_not_believed() -> None:
    """bbb-webhooks 2.4 sent another person's external id with a user-left."""
    folded = fold(joined("w_1", 5), left("w_1", 45, external="bob"))
    assert [one.external_user_id for one in folded.attendances] == ["ada"]


@pytest.mark.parametrize(("is_secret", "counted"), [(False, 1), (True, 0), (None, 1)])
def test_a_vote_counts_unless_the_poll_was_secret(is_secret: bool | None, counted: int) -> None:
    raw = {"meeting": MEETING, "source": Source.RAW, "poll_id": "p"}
    poll = PollStarted(at=minute(9), is_secret=is_secret, **raw)  # type: ignore[arg-type]  # each value has its type
    votes = [PollAnswered(at=minute(at), voter="w_1", **raw) for at in (10, 11)]  # type: ignore[arg-type]  # as above
    ada = only(fold(joined("w_1", 5), poll, *votes))
    assert ada.engagement.poll_answers.seen == counted


def test_hands_count_when_they_go_up() -> None:
    hands = [
        RaiseHandChanged(**by("w_1", at), is_up=is_up) for at, is_up in ((6, True), (7, True), (8, False), (9, True))
    ]
    assert only(fold(joined("w_1", 5), *hands)).engagement.raise_hands.seen == 2


def test_away_and_a_cleared_emoji_are_no_reactions() -> None:
    emojis = [EmojiChanged(**by("w_1", 6 + n), emoji=emoji) for n, emoji in enumerate(("happy", "none", "away", "👍"))]
    assert only(fold(joined("w_1", 5), *emojis)).engagement.emojis.seen == 2


def test_a_camera_films_no_longer_than_its_owner_stays() -> None:
    camera = (CameraStarted(**by("w_1", 10), stream="s"), CameraEnded(**by("w_1", 50), stream="s"))
    ada = only(fold(joined("w_1", 5), *camera, left("w_1", 45)))
    assert ada.engagement.camera_ms.seen == 35 * 60_000


def test_counts_of_live_witnesses_are_at_least() -> None:
    engagement = only(fold(joined("w_1", 5), ChatSent(**by("w_1", 6)))).engagement
    assert engagement.chats.seen == 1
    assert not engagement.chats.is_exact
    assert not engagement.talk_ms.is_exact


def test_a_leave_and_a_return_in_one_millisecond() -> None:
    ada = only(fold(joined("w_1", 5), left("w_1", 20), joined("w_1", 20), left("w_1", 45)))
    assert spans(ada.proved) == [(5, 45)]


def test_the_class_is_as_long_as_its_people_were_there() -> None:
    folded = fold(joined("w_1", 5), left("w_1", 45), joined("w_2", 10, "bob"))
    assert folded.length == (40 * 60_000, 55 * 60_000)


def test_where_nothing_tells_when_it_began_a_leave_is_not_zero() -> None:
    leave = UserLeft(meeting="of-another-make", at=minute(30), participant="w_1", external_user_id="ada", digest=b"1")
    ada = only(fold_meeting([leave]))
    assert ada.proved_ms() == 0
    assert ada.possible[-1][1] == minute(30)
    assert ada.possible_ms() == 24 * 3_600_000


def test_a_meeting_needs_facts() -> None:
    with pytest.raises(ValueError, match="at least one fact"):
        fold_meeting([])
