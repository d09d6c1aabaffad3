"""Who is in a class now, with their signs, who has just joined and left: read from the folded rows at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rollcall.store.derived import Attendance

JUST_MS = 5 * 60_000
"""So long ago is just now."""


class _Signs(msgspec.Struct, frozen=True):
    hand_at: int | None = None
    camera_at: int | None = None
    away_at: int | None = None


_NO_SIGNS = _Signs()


class _Session(msgspec.Struct, frozen=True):
    joined_at: int | None = None
    left_at: int | None = None


class _Detail(msgspec.Struct, frozen=True):
    """What of Attendance.detail is looked at."""

    proved: tuple[tuple[int, int], ...] = ()
    possible: tuple[tuple[int, int | None], ...] = ()
    sessions: tuple[_Session, ...] = ()
    signs: _Signs = _NO_SIGNS


_decode = msgspec.json.Decoder(_Detail).decode


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody who is in, as far as is known; the signs with the time at which they were told to begin."""

    key: str
    name: str
    role: str
    kind: str
    chats: int
    hand_at: int | None
    camera_at: int | None
    away_at: int | None


@dataclass(frozen=True, slots=True)
class Move:
    """Somebody joined or left. `is_told`: the join or leave was heard; else this is the last time that is certain."""

    key: str
    name: str
    at: int
    has_joined: bool
    is_told: bool


@dataclass(frozen=True, slots=True)
class Now:
    """A class at one moment. `present` is in the report's own order; `hands` and `moves` are by time."""

    present: tuple[Present, ...]
    hands: tuple[Present, ...]
    moves: tuple[Move, ...]
    everybody: int
    peak: int
    chats: int
    cameras: int


def read_now(people: Sequence[Attendance], *, as_of: int) -> Now:
    """What the rows of everybody who was ever in tell of this moment."""
    details = [_decode(one.detail) for one in people]
    present = tuple(_present(one, detail.signs) for one, detail in zip(people, details, strict=True) if one.is_present)
    moves = (_move(one, detail) for one, detail in zip(people, details, strict=True))
    hands = (one for one in present if one.hand_at is not None)
    return Now(
        present=present,
        hands=tuple(sorted(hands, key=lambda one: one.hand_at or 0)),
        moves=_just(moves, as_of),
        everybody=len(people),
        peak=_peak(details),
        chats=sum(one.chats for one in people),
        cameras=sum(one.camera_at is not None for one in present),
    )


def _present(one: Attendance, signs: _Signs) -> Present:
    return Present(
        key=bytes(one.attendee_key).hex(),
        name=one.name,
        role=one.role,
        kind=one.kind,
        chats=one.chats,
        hand_at=signs.hand_at,
        camera_at=signs.camera_at,
        away_at=signs.away_at,
    )


def _move(one: Attendance, detail: _Detail) -> Move | None:
    """The latest joining or leaving of one person: a second tab is neither."""
    if not detail.possible:
        return None
    begin, end = detail.possible[-1]
    key = bytes(one.attendee_key).hex()
    if end is None:
        is_told = any(session.joined_at == begin for session in detail.sessions)
        first = next((start for start, _ in detail.proved if start >= begin), begin)
        return Move(key, one.name, begin if is_told else first, has_joined=True, is_told=is_told)
    is_told = any(session.left_at == end for session in detail.sessions)
    last = detail.proved[-1][1] if detail.proved else end
    return Move(key, one.name, end if is_told else last, has_joined=False, is_told=is_told)


def _just(moves: Iterable[Move | None], as_of: int) -> tuple[Move, ...]:
    """The newest first."""
    found = [one for one in moves if one is not None and one.at > as_of - JUST_MS]
    return tuple(sorted(found, key=lambda one: (-one.at, one.key)))


def _peak(details: Iterable[_Detail]) -> int:
    """How many may have been in at one moment at most; at the same instant who goes makes room for who comes."""
    steps: list[tuple[int, int]] = []
    still_in = 0
    for detail in details:
        for begin, end in detail.possible:
            steps.append((begin, 1))
            if end is not None:
                steps.append((end, -1))
    most = 0
    for _, step in sorted(steps):
        still_in += step
        most = max(most, still_in)
    return most
