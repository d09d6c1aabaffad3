"""The analytics callback and data.json, of every version of the gem that makes them: what is kept, and what it tells.

Kept: times in milliseconds after the start, counts, and who answered which poll. Dropped: questions, options and
answers. Vote keys come mangled (see `mangled`), so who voted is worked out before the external ids are set apart.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from rollcall.bbb.packed import unpack
from rollcall.bbb.redact import (
    EARLIEST_AT,
    LATEST_AT,
    NotUnderstood,
    breakout_pointer,
    epoch_ms,
    keep_flag,
    keep_id,
    keep_metadata,
    keep_name,
    keep_whole,
    keep_word,
    of_caller,
)
from rollcall.core.events import AttendeeReported, MeetingReported, Reported, Source

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from rollcall.core.events import Anything

CALLBACK, DATA_JSON = "callback", "data-json"
OLD, NEW, MENDED = "1.2", "2.0", "2.0.1"

ENGAGEMENT: Final = ("chats", "talks", "raisehand", "emojis", "poll_votes", "talk_time")
INDEX_BYTES: Final = 4
DAY_MS: Final = 24 * 3_600_000
LONGEST_MS: Final = 60 * DAY_MS  # BigBlueButton forgets what it has not archived after 14 days
MOST: Final = 10**9

# Without a `userID` in the join link BigBlueButton takes its own internal id for it.
_OWN_ID: Final = re.compile(r"w_[0-9a-z]{12}")
_MEETING: Final = re.compile(r"[0-9a-f]{40}-([0-9]{13})")
_OLD_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,9})?) (UTC|[+-]\d\d:?\d\d)")
_LONGEST_TIME: Final = 40
_ROLES: Final = {True: "MODERATOR", False: "VIEWER"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)

_ASCII_CAPITAL: Final = re.compile(r"[A-Z-]|::")
_ACRONYM: Final = re.compile(r"([A-Z0-9]+)([A-Z][a-z])")
_CAMEL: Final = re.compile(r"([a-z0-9])([A-Z])")


# -- keeping ------------------------------------------------------------------------------------------------------


class CallbackBody:
    """One body, taken apart: `payload` without any identity, `people` from slot to external id and name."""

    __slots__ = (
        "_external_ids",
        "_sensible",
        "ambiguous",
        "external_meeting_id",
        "meeting",
        "metadata",
        "payload",
        "people",
        "start",
    )

    def __init__(self, body: object, meeting: str) -> None:
        document = _as_object(body, "it is no JSON object")
        form = CALLBACK if "data" in document or "internal_meeting_id" in document else DATA_JSON
        data = _as_object(document.get("data"), "there is no object `data` in it") if form == CALLBACK else document
        metadata = data.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        self.meeting = keep_id(document.get("internal_meeting_id")) or meeting
        self.external_meeting_id = keep_id(document.get("meeting_id")) or keep_id(metadata.get("meeting_id"))
        self.metadata = keep_metadata({key.replace("_", "-"): metadata[key] for key in sorted(metadata)}) or {}
        self.start, finish = self._bounds(data)
        self.people: dict[str, list[str | None]] = {}
        self.ambiguous: list[int] = []  # whose votes cannot be told from another's
        self._external_ids: list[tuple[int, str]] = []  # those of breakout rooms too, which are nobody's identity
        attendees = self._attendees(data.get("attendees"))
        self.payload = _without_blanks(
            {
                "form": form,
                "meeting": self.meeting,
                "external_meeting_id": self.external_meeting_id,
                "name": keep_name(metadata.get("meeting_name")),
                "is_breakout": keep_flag(metadata.get("is_breakout")),
                "metadata": self.metadata,
                "generation": generation_of(data),
                "start": self.start,
                "finish": finish,
                "attendees": attendees,
            }
        )
        if (polls := self._polls(data.get("polls"), is_mangled=form == CALLBACK)) is not None:
            self.payload["polls"] = polls
        if self.ambiguous:
            self.payload["ambiguous"] = self.ambiguous

    def _bounds(self, data: Mapping[str, Any]) -> tuple[int, int]:
        """Start and finish; where there is no start, the creation that the internal id ends with."""
        found = _MEETING.fullmatch(self.meeting)
        created_at = epoch_ms(int(found[1])) if found else None
        start = read_time(data.get("start"))
        if start is None or (created_at is not None and abs(start - created_at) > DAY_MS):
            start = created_at
        if start is None:
            raise NotUnderstood("it says no time at which the meeting began, or one that cannot be right")
        self._sensible = range(start - DAY_MS, start + LONGEST_MS)
        finish = read_time(data.get("finish")) or start
        return start, finish if finish > start and finish in self._sensible else start

    def _attendees(self, attendees: object) -> list[dict[str, Any]]:
        kept: list[dict[str, Any]] = []
        for attendee in attendees if isinstance(attendees, list) else ():
            if isinstance(attendee, dict):
                kept.append(self._attendee(attendee, str(len(kept))))
        return kept

    def _attendee(self, told: dict[str, Any], slot: str) -> dict[str, Any]:
        external = keep_id(told.get("ext_user_id"))
        participant = keep_id(told.get("id"))
        if external and _OWN_ID.fullmatch(external):
            participant = participant or external
        pointer = breakout_pointer(external)
        identity, name = of_caller(participant, external, keep_name(told.get("name")))
        if name or identity:
            self.people[slot] = [None if pointer else identity, name]
        if external:
            self._external_ids.append((int(slot), external))
        engagement = told.get("engagement")
        engagement = engagement if isinstance(engagement, dict) else {}
        kept: dict[str, Any] = {
            "participant": participant,
            "parent_participant": pointer,
            "is_moderator": keep_flag(told.get("moderator")),
            "duration": keep_whole(told.get("duration")),
            "is_talking": bool(told.get("recent_talking_time")) or None,
            "engagement": _without_blanks({name: keep_whole(engagement.get(name)) for name in ENGAGEMENT}),
        }
        # Where there are sessions, the other two lists say the same again, and a leave that was made up.
        if sessions := self._sessions(told.get("sessions")):
            kept["sessions"] = sessions
        else:
            kept |= {name: self._times(told.get(name)) for name in ("joins", "leaves")}
        return _without_blanks(kept)

    def _sessions(self, sessions: object) -> list[list[Any]]:
        """[participant, joins, leaves] of each. They have lost their keys; the ids are in the items."""
        kept = []
        for session in _items(sessions):
            joins, leaves = (_items(session.get(name)) for name in ("joins", "lefts"))
            ids = (keep_id(item.get("userid")) for item in (*joins, *leaves))
            times = [self._times([item.get("timestamp") for item in items]) for items in (joins, leaves)]
            if any(times):
                kept.append([next(filter(None, ids), ""), *times])
        return kept

    def _times(self, times: object) -> list[int]:
        """In ms after the start; what cannot be right is left out."""
        read = map(read_time, times) if isinstance(times, list) else ()
        return [at - self.start for at in read if at is not None and at in self._sensible]

    # Who voted

    def _polls(self, polls: object, *, is_mangled: bool) -> list[dict[str, Any]] | None:
        if not isinstance(polls, list):
            return None
        told = [poll for poll in polls if isinstance(poll, dict)]
        keys = {key for poll in told for key in _votes(poll)}
        slots = self._slots_by_key(keys, is_mangled=is_mangled)
        # Once for all polls: one key may mean everybody, in each of them.
        self.ambiguous = sorted(slot for key in keys if len(slots.get(key, ())) > 1 for slot in slots[key])
        return [self._poll(poll, slots) for poll in told]

    def _poll(self, poll: dict[str, Any], slots: Mapping[str, list[int]]) -> dict[str, Any]:
        meant = [slots.get(key, []) for key in _votes(poll)]
        at = read_time(poll.get("start"))
        return _without_blanks(
            {
                "id": keep_id(poll.get("id")),
                "type": keep_word(poll.get("type")),
                "is_published": keep_flag(poll.get("published")),
                "start": None if at is None else at - self.start,
                "voters": sorted(one[0] for one in meant if len(one) == 1),
                "unknown": sum(not one for one in meant) or None,
            }
        )

    def _slots_by_key(self, keys: Collection[str], *, is_mangled: bool) -> Mapping[str, list[int]]:
        """Whom each key of the votes may mean. Keys that no mangling leaves behind were never mangled."""
        is_mangled = is_mangled and all(mangled(key) == key for key in keys)
        slots: defaultdict[str, list[int]] = defaultdict(list)
        for slot, external in self._external_ids if keys else ():
            slots[mangled(external) if is_mangled else external].append(slot)
        return slots


def _votes(poll: dict[str, Any]) -> list[str]:
    votes = poll.get("votes")
    return [str(key) for key in votes] if isinstance(votes, dict) else []


def _items(items: object) -> list[dict[str, Any]]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _as_object(value: object, otherwise: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise NotUnderstood(otherwise)
    return value


def _without_blanks(kept: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in kept.items() if value is not None and value not in ({}, [])}


def read_time(value: object) -> int | None:
    """Epoch ms of ISO 8601, or of what Ruby prints, which gems before 2.0 wrote; None if it is no sensible time."""
    if not isinstance(value, str) or len(value) > _LONGEST_TIME:
        return None if isinstance(value, str) else epoch_ms(value)
    if value[10:11] == " " and (old := _OLD_TIME.fullmatch(value)):
        value = f"{old[1]}T{old[2]}{old[3].replace('UTC', '+0000')}"
    try:
        told = datetime.fromisoformat(value)
    except ValueError:
        return None
    at = ((told if told.tzinfo else told.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND
    return at if EARLIEST_AT <= at < LATEST_AT else None


def generation_of(data: Mapping[str, Any]) -> str:
    """Which gem made it: from 2.0 on there are sessions; that it counts hands and emojis shows where there are some."""
    attendees = _items(data.get("attendees"))
    if not any("sessions" in attendee for attendee in attendees):
        times = [data.get("start"), *(time for attendee in attendees for time in _list(attendee.get("joins")))]
        is_old = any(isinstance(time, str) and _OLD_TIME.fullmatch(time) for time in times)
        return OLD if is_old or attendees else NEW
    counts = (attendee.get("engagement") for attendee in attendees)
    is_mended = any(
        (keep_whole(count.get("raisehand")) or 0) > 0 or (keep_whole(count.get("emojis")) or 0) > 0
        for count in counts
        if isinstance(count, dict)
    )
    return MENDED if is_mended else NEW


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def mangled(key: str) -> str:
    """A key as BigBlueButton's script leaves it: snake case, also of what is no word but an external id."""
    if not _ASCII_CAPITAL.search(key):
        return key
    key = _CAMEL.sub(r"\1_\2", _ACRONYM.sub(r"\1_\2", key.replace("::", "/")))
    # Letter by letter, as Ruby does it: Python has a rule of its own for the last sigma of a word.
    return "".join(letter.lower() for letter in key.replace("-", "_"))


# -- decoding -----------------------------------------------------------------------------------------------------


def decode_callback(payload: bytes, identity: bytes | None, digest: bytes) -> tuple[Anything, ...]:
    """The head, and what is said of each attendee."""
    told = unpack(payload)
    people = unpack(identity) if identity else {}
    meeting, start, finish = told["meeting"], told["start"], told["finish"]
    attendees = told.get("attendees", ())
    answers = _answers(told, len(attendees))
    head = MeetingReported(
        meeting=meeting,
        at=start,
        source=Source.CALLBACK,
        digest=digest + bytes(INDEX_BYTES),
        finish_at=finish,
        form=told["form"],
        generation=told["generation"],
        events=edges(told),
        external_meeting_id=told.get("external_meeting_id"),
        name=told.get("name"),
        is_breakout=told.get("is_breakout", False),
        created_at=epoch_ms(int(found[1])) if (found := _MEETING.fullmatch(meeting)) else None,
        metadata=tuple(sorted(told.get("metadata", {}).items())),
    )
    reported = (
        AttendeeReported(
            meeting=meeting,
            source=Source.CALLBACK,
            digest=digest + (slot + 1).to_bytes(INDEX_BYTES, "big"),
            external_user_id=external_user_id,
            name=name,
            poll_answers=answers[slot],
            **_reported(one, slot, start, finish),
        )
        for slot, one in enumerate(attendees)
        for external_user_id, name in (people.get(str(slot), (None, None)),)
    )
    return head, *reported


def _reported(told: dict[str, Any], slot: int, start: int, finish: int) -> dict[str, Any]:
    sessions = _reported_sessions(told, start, finish)
    counts = told.get("engagement", {})
    named = (session.participant for session in sessions if session.participant)
    return {
        "at": min((at for session in sessions for at in (*session.joins, *session.leaves)), default=start),
        "participant": told.get("participant") or next(named, f"callback-{slot}"),
        "role": _ROLES.get(told["is_moderator"]) if "is_moderator" in told else None,
        "parent_participant": told.get("parent_participant"),
        "sessions": sessions,
        "duration_ms": _count(told.get("duration")) * 1000,
        "chats": _count(counts.get("chats")),
        "talks": _count(counts.get("talks")),
        "raise_hands": _count(counts.get("raisehand")),
        "emojis": _count(counts.get("emojis")),
        "poll_votes": _count(counts.get("poll_votes")),
        "talk_ms": _count(counts.get("talk_time")) * 1000,
        "is_talking": told.get("is_talking", False),
    }


def _reported_sessions(told: dict[str, Any], start: int, finish: int) -> tuple[Reported, ...]:
    """By connection as far as it says. Before gem 2.0 all are one list, with a leave made up at the finish."""
    if "sessions" in told:
        return tuple(
            Reported(participant, tuple(start + at for at in joins), tuple(start + at for at in leaves))
            for participant, joins, leaves in told["sessions"]
        )
    joins = tuple(start + at for at in told.get("joins", ()))
    leaves = tuple(start + at for at in told.get("leaves", ()))
    if leaves and leaves[-1] == finish:
        leaves = leaves[:-1]
    participant = told.get("participant", "")
    is_one_connection = len(joins) == 1 or _OWN_ID.fullmatch(participant)
    return (Reported(participant if is_one_connection else "", joins, leaves),) if joins or leaves else ()


def _answers(told: dict[str, Any], attendees: int) -> list[int | None]:
    """In how many polls each one's key stands (secret ones have none), None where that cannot be told."""
    if (polls := told.get("polls")) is None:
        return [None] * attendees
    counts: defaultdict[int, int] = defaultdict(int)
    for poll in polls:
        for slot in poll.get("voters", ()):
            counts[slot] += 1
    doubtful = set(told.get("ambiguous", ()))
    has_unknown = any("unknown" in poll for poll in polls)
    answers: list[int | None] = []
    for slot, one in enumerate(told.get("attendees", ())):
        options, count = _count(one.get("engagement", {}).get("poll_votes")), counts[slot]
        is_missing = options > count and (has_unknown or not count)
        answers.append(None if is_missing or slot in doubtful else count)
    return answers


def edges(told: Mapping[str, Any]) -> int:
    """How many joins and leaves it tells of."""
    return sum(_edges(one) for one in told.get("attendees", ()))


def _edges(told: dict[str, Any]) -> int:
    if "sessions" in told:
        return sum(len(joins) + len(leaves) for _, joins, leaves in told["sessions"])
    return len(told.get("joins", ())) + len(told.get("leaves", ()))


def _count(value: int | None) -> int:
    return min(max(0, value or 0), MOST)
