"""Proved and possible spans of one connection, from joins, leaves, signs of life and answers of getMeetings.

A *stay* is one join to leave of one participant, either end of which may never have been told. `proved` is when the
participant was certainly there, `possible` when they may have been; the truth lies between the two.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from enum import Enum, IntEnum, auto
from typing import TYPE_CHECKING, Final

from rollcall.core.intervals import OPEN, Span, Spans, subtract

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

POLL_SLACK_MS: Final = 1_000
"""A poll's time is the server's HTTP Date: whole seconds, stamped about when it looked."""

LIVE: Final = "live"
"""Webhooks and polls; also a recording that is not whole."""

ECHO_MS: Final = 2_000
"""What closes by itself at a leave (microphone, hand) may be announced a moment after it."""


@dataclass(slots=True)
class Stay:
    """The evidence for one stay, gathered; `not_before` is the earliest it can have begun.

    `signs` are acts (the join among them), `sighted` and `absent` polls that did and did not name it, all in order.
    `rejoined_at` is a second join of the same participant that came before any leave; `gone_at` the first of two
    polls in a row that missed it; `about_at` a time about which it was, of a stay that nothing proves.

    A callback knows its times to the second only: then the stay began between `opened_from` and `opened_at` and ended
    between `closed_at` and `closed_until`. `lasted_until` is how long it lasted by the word of a record without a
    leave, unless polls say otherwise. `is_vague`: it may be several stays, so that nothing proves the time between.
    """

    participant: str
    not_before: int
    opened_at: int | None = None
    closed_at: int | None = None
    opened_from: int | None = None
    closed_until: int | None = None
    lasted_until: int | None = None
    is_vague: bool = False
    witness: str = LIVE
    rejoined_at: int | None = None
    gone_at: int | None = None
    about_at: int | None = None
    signs: list[int] = field(default_factory=list)
    sighted: list[int] = field(default_factory=list)
    absent: list[int] = field(default_factory=list)

    def first_proof(self) -> int | None:
        """The earliest instant at which the participant was certainly there."""
        if self.is_vague:
            return None
        if self.opened_at is not None:
            return self.opened_at
        proofs = self.signs[:1] + [at + POLL_SLACK_MS for at in self.sighted[:1]]
        return min(proofs) if proofs else self.closed_at

    def last_proof(self) -> int | None:
        """The latest instant at which the participant was certainly there."""
        if self.is_vague:
            return None
        if self.closed_at is not None:
            return self.closed_at
        proofs = self.signs[-1:] + [at - POLL_SLACK_MS for at in self.sighted[-1:]]
        if self.lasted_until is not None and self.gone_at is None:
            proofs.append(self.lasted_until)
        return max(proofs) if proofs else None

    def proof_before(self, at: int) -> int | None:
        """The latest proof no later than `at`, of those polls that have been weighed so far."""
        if self.is_vague:
            return None
        proofs = self.signs[: bisect_right(self.signs, at)][-1:]
        proofs += [seen - POLL_SLACK_MS for seen in self.sighted[: bisect_right(self.sighted, at)][-1:]]
        return max(proofs) if proofs else self.opened_at

    def proof_after(self, at: int) -> int | None:
        """The earliest proof no earlier than `at`."""
        if self.is_vague:
            return None
        proofs = self.signs[bisect_left(self.signs, at) :][:1]
        proofs += [seen + POLL_SLACK_MS for seen in self.sighted[bisect_left(self.sighted, at) :][:1]]
        return min(proofs) if proofs else self.closed_at

    def upper(self) -> int:
        """No later than this did the stay end."""
        if self.closed_until is not None:
            return self.closed_until
        if self.closed_at is not None:
            return self.closed_at
        return min(_or_open(self.rejoined_at), _or_open(self.gone_at) + POLL_SLACK_MS)

    def lower(self) -> int:
        """No earlier than this did the stay begin."""
        if self.opened_from is not None:
            return self.opened_from
        if self.opened_at is not None:
            return self.opened_at
        if self.is_vague:
            return self.not_before
        proof = self.first_proof()
        begun_at = _or_open(self.about_at if proof is None else proof)
        before = self.absent[: bisect_left(self.absent, begun_at - POLL_SLACK_MS)]
        return max([self.not_before] + [at - POLL_SLACK_MS for at in before[-1:]])


def _or_open(at: int | None) -> int:
    return OPEN if at is None else at


@dataclass(frozen=True, slots=True)
class Session:
    """One stay, weighed. `joined_at` and `left_at` are None where nobody told; codes say what each end rests on.

    `witness` is whose word it is: recording, callback or live.
    """

    meeting: str
    participant: str
    joined_at: int | None
    left_at: int | None
    proved: Spans
    possible: Span
    start: str
    end: str
    witness: str = LIVE


class Moment(IntEnum):
    """What a moment of a participant means for presence; of those in one millisecond the lesser comes first.

    HEARD and MADE_UP prove nothing but that there was a stay, of which nothing else may be known: something happened
    to the participant (a hand lowered, a microphone muted), or the relay still held them for present at the meeting's
    end and made up a leave.
    """

    JOINED = 0
    SIGN = 1
    HEARD = 2
    LEFT = 3
    MADE_UP = 4


def stays_of(participant: str, moments: Iterable[tuple[int, Moment]], room_start: int) -> list[Stay]:
    """The moments of one participant, in any order, as stays. Shortly after a leave HEARD is its echo.

    Of a leave and a join in one millisecond the leave came first if the participant was there before.
    """
    moments = sorted(moments)
    leaves = {at for at, what in moments if what is Moment.LEFT}
    stays: list[Stay] = []
    stay: Stay | None = None
    not_before = room_start
    for at, what in moments:
        is_echo = what is Moment.HEARD and bool(stays) and at <= not_before + ECHO_MS
        if (what is Moment.LEFT and at not in leaves) or (stay is None and is_echo):
            continue
        if what is Moment.JOINED and stay is not None:
            if at in leaves:
                leaves.remove(at)
                stay.closed_at = not_before = at
            else:
                stay.rejoined_at = at
            stay = None
        if stay is None:
            stays.append(stay := Stay(participant, not_before, at if what is Moment.JOINED else None))
        if what is Moment.LEFT:
            stay.closed_at = not_before = at
            stay = None
        elif what <= Moment.SIGN:
            stay.signs.append(at)
        elif not stay.signs:
            stay.about_at = at
    return stays


class Cover(Enum):
    """How a stay stands to the moment of a poll."""

    OUT = auto()
    EDGE = auto()
    CERTAIN = auto()
    UNCERTAIN = auto()


def cover(stay: Stay, at: int) -> Cover:
    """Whether the participant was there at a poll's time, as far as everything but that poll tells."""
    lower = stay.not_before if stay.opened_at is None else stay.opened_from or stay.opened_at
    upper = stay.upper()
    if at + POLL_SLACK_MS < lower or at - POLL_SLACK_MS > upper or (stay.gone_at is not None and at > stay.gone_at):
        return Cover.OUT
    first = stay.opened_at if stay.opened_at is not None else (stay.signs or [OPEN])[0]
    last = stay.closed_at if stay.closed_at is not None else (stay.signs or [0])[-1]
    if first < at - POLL_SLACK_MS and at + POLL_SLACK_MS < last:
        return Cover.CERTAIN
    at_start = stay.opened_at is not None and at - POLL_SLACK_MS <= stay.opened_at
    at_end = stay.gone_at is None and at + POLL_SLACK_MS >= upper
    return Cover.EDGE if at_start or at_end else Cover.UNCERTAIN


def weigh_polls(stays: list[Stay], times: Sequence[int], counts: Sequence[int], room_start: int) -> list[Span]:
    """Tell the stays of one external id what each poll says of them; what it proves of the person alone is returned.

    `counts[i]` is how many entries the poll at `times[i]` had for the external id. With as many as there are stays
    that may have been there, each was; with no more than were certainly there, no other was; between the two only
    *somebody* was, so the person's proof runs from the latest last proof among them. Entries that no known stay can
    explain make a stay of their own, without a participant.
    """
    if len(stays) == 1 and _is_as_told(stays[0], times, counts):
        return []
    shared: list[Span] = []
    previous: int | None = None
    for at, count in zip(times, counts, strict=True):
        covers = [(stay, cover(stay, at)) for stay in stays]
        certain = [stay for stay, how in covers if how is Cover.CERTAIN]
        uncertain = [stay for stay, how in covers if how is Cover.UNCERTAIN]
        edges = sum(how is Cover.EDGE for _, how in covers)
        if count and not certain and not uncertain and not edges:
            stays.append(ghost := Stay("", room_start if previous is None else previous - POLL_SLACK_MS))
            uncertain = [ghost]
        if count < len(certain):
            _mark_absent(certain, at, previous)
        if count >= len(certain) + edges + len(uncertain):
            for stay in (*certain, *uncertain):
                stay.sighted.append(at)
        elif count <= len(certain):
            _mark_absent(uncertain, at, previous)
        elif count > len(certain) + edges:
            shared += _shared_proof(uncertain, at)
        previous = at
    return shared


def weigh_missing_meeting(stays: Iterable[Stay], last_poll: int, missing_at: int) -> None:
    """A poll that missed the whole meeting is the second in a row for those whom the last poll before it missed."""
    if last_poll < missing_at:
        gone = [stay for stay in stays if stay.closed_at is None and stay.absent[-1:] == [last_poll]]
        _mark_absent(gone, missing_at, last_poll)


def _is_as_told(stay: Stay, times: Sequence[int], counts: Sequence[int]) -> bool:
    """Whether all polls say what the one stay's join and leave did: nearly always, and much faster to see at once."""
    if stay.opened_at is None or stay.rejoined_at is not None or stay.opened_from is not None:
        return False
    left_at = _or_open(stay.closed_at)
    first, last = bisect_right(times, stay.opened_at + POLL_SLACK_MS), bisect_left(times, left_at - POLL_SLACK_MS)
    before, after = bisect_left(times, stay.opened_at - POLL_SLACK_MS), bisect_right(times, left_at + POLL_SLACK_MS)
    is_as_told = all(counts[first:last]) and not any(counts[:before]) and not any(counts[after:])
    if is_as_told and stay.closed_at is None:
        stay.sighted += times[first:]
    return is_as_told


def _mark_absent(stays: Iterable[Stay], at: int, previous: int | None) -> None:
    for stay in stays:
        twice_in_a_row = previous is not None and stay.absent[-1:] == [previous]
        begun_at = stay.proof_before(at) or stay.about_at
        has_begun = begun_at is not None and [begun_at, *stay.signs][-1] <= _or_open(previous)
        if twice_in_a_row and has_begun and not stay.is_vague and stay.closed_at is None and stay.gone_at is None:
            stay.gone_at = previous
        stay.absent.append(at)


def _shared_proof(stays: Iterable[Stay], at: int) -> list[Span]:
    """Whichever of the stays was there at the poll, the person was there since the latest of their last proofs."""
    proofs = [stay.proof_before(at) for stay in stays]
    known = [proof for proof in proofs if proof is not None]
    return [(max(known), at - POLL_SLACK_MS)] if len(known) == len(proofs) else []


def weigh(stay: Stay, meeting: str, *, blind: Spans, ended_at: int, is_over: bool) -> Session:
    """One stay with all its evidence as a session, within the meeting (`ended_at` is OPEN while it runs)."""
    first, last = stay.first_proof(), stay.last_proof()
    lower, upper = stay.lower(), min(stay.upper(), ended_at)
    proved: Spans = ()
    if first is not None and last is not None and first < min(last, ended_at):
        proved = subtract(((first, min(last, ended_at)),), [*blind, *_contradictions(stay, first, last)])
    return Session(
        meeting=meeting,
        participant=stay.participant,
        joined_at=stay.opened_at,
        left_at=stay.closed_at,
        proved=proved,
        possible=(min(lower, upper), upper),
        start=_start_code(stay),
        end=_end_code(stay, ended_at, is_over=is_over),
        witness=stay.witness,
    )


def _contradictions(stay: Stay, first: int, last: int) -> list[Span]:
    """Polls that missed a participant who was there before and after: a leave and a join may both have been lost."""
    holes = []
    for at in stay.absent:
        if first < at - POLL_SLACK_MS and at + POLL_SLACK_MS < last:
            before, after = stay.proof_before(at), stay.proof_after(at)
            holes.append((first if before is None else before, last if after is None else after))
    return holes


def _start_code(stay: Stay) -> str:
    if stay.opened_at is not None:
        return "joined"
    if not stay.signs and not stay.sighted:
        return "unknown"
    is_act = bool(stay.signs) and stay.first_proof() == stay.signs[0]
    return "first-sign" if is_act else "first-sighting"


def _end_code(stay: Stay, ended_at: int, *, is_over: bool) -> str:
    if stay.closed_at is not None:
        return "left"
    if stay.gone_at is not None and stay.gone_at + POLL_SLACK_MS <= min(ended_at, _or_open(stay.rejoined_at)):
        return "absent"
    if stay.rejoined_at is not None:
        return "rejoined"
    return "meeting-ended" if is_over else "open"
