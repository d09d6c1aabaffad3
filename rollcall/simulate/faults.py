"""What goes wrong between BigBlueButton and us: pure functions over what is sent, with chance passed in.

Each takes sendings and gives sendings in order of arrival; none changes what it was given.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial
from inspect import signature
from random import Random
from typing import TYPE_CHECKING, Any

from rollcall.simulate.sendings import SECONDS_BELOW, Element, Sending, by_arrival, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Fault = Callable[["Sequence[Sending]", Random], list[Sending]]

LEAVES = ("user-left", "UserLeftMeetingEvtMsg")
CREATIONS = ("meeting-created", "MeetingCreatedEvtMsg")
TEXT = {True: "true", False: "false"}


def lose(sendings: Sequence[Sending], rng: Random, share: float, *, is_raw: bool | None = None) -> list[Sending]:
    """Some never arrive; with `is_raw` only of that hook."""
    return by_arrival(one for one in sendings if is_raw not in (None, one.is_raw) or rng.random() >= share)


def repeat(sendings: Sequence[Sending], rng: Random, share: float, within_ms: int = 300_000) -> list[Sending]:
    """Some arrive again, byte for byte, up to five minutes later: our answer came too late."""
    again = [
        replace(one, arrives_at=one.arrives_at + rng.randint(1, within_ms)) for one in sendings if rng.random() < share
    ]
    return by_arrival([*sendings, *again])


def delay(sendings: Sequence[Sending], rng: Random, share: float, most_ms: int = 300_000) -> list[Sending]:
    """Some arrive only after retries, each on its own clock."""
    return by_arrival(
        replace(one, arrives_at=one.arrives_at + rng.randint(1, most_ms)) if rng.random() < share else one
        for one in sendings
    )


def reorder(sendings: Sequence[Sending], rng: Random, window_ms: int) -> list[Sending]:
    """All overtake each other within a window."""
    return by_arrival(replace(one, arrives_at=one.arrives_at + rng.randint(0, window_ms)) for one in sendings)


def shift_clock(sendings: Sequence[Sending], _rng: Random, offset_ms: int) -> list[Sending]:
    """The relay's clock is wrong; BigBlueButton's own, in raw messages, is not, nor the recording scripts'."""
    return by_arrival(
        replace(one, sent_at=one.sent_at + offset_ms, elements=tuple(_shifted(e, offset_ms) for e in one.elements))
        for one in sendings
    )


def miss_leaves(sendings: Sequence[Sending], rng: Random, share: float) -> list[Sending]:
    """Some real leaves are never told, by either hook; the end's invented ones come all the same."""
    gone: dict[tuple[str, int], bool] = {}

    def is_missed(one: Sending, element: Element) -> bool:
        if kind_of(element) not in LEAVES or is_invented(element):
            return False
        key = (_participant(element), one.happened_at)
        if key not in gone:
            gone[key] = rng.random() < share
        return gone[key]

    return _without(sendings, is_missed)


def miss_created(sendings: Sequence[Sending], _rng: Random) -> list[Sending]:
    """The relay was started after the meeting: nothing but the internal id is known of it."""
    lost = _without(sendings, lambda _, element: kind_of(element) in CREATIONS)
    return [replace(one, elements=tuple(_unnamed(element) for element in one.elements)) for one in lost]


def invent_leaves_twice(sendings: Sequence[Sending], _rng: Random) -> list[Sending]:
    """Who was announced twice is put out twice."""
    twice = [
        replace(one, sent_at=one.sent_at + 1, arrives_at=one.arrives_at + 1, elements=tuple(elements))
        for one in sendings
        if (elements := [_shifted(element, 1) for element in one.elements if is_invented(element)])
    ]
    return by_arrival([*sendings, *twice])


def restart_relay(sendings: Sequence[Sending], _rng: Random, at: int, lasts_ms: int) -> list[Sending]:
    """The relay was down: that stretch is lost, who joined in it stays unknown, older people come back as text."""
    down = range(at, at + lasts_ms)
    missed = [one for one in sendings if one.happened_at in down]
    strangers = {_participant(e) for one in missed for e in one.elements if kind_of(e) == "user-joined"}
    unnamed = {_meeting(e) for one in missed for e in one.elements if kind_of(e) == "meeting-created"}
    known = {_participant(e) for one in sendings if one.happened_at < at for e in one.elements}

    def survives(one: Sending) -> Sending:
        told = (e for e in one.elements if not (is_invented(e) and _participant(e) in strangers))
        return replace(one, elements=tuple(_after_restart(e, strangers, unnamed, known) for e in told))

    heard = (one for one in sendings if one.happened_at not in down)
    found = (one if one.happened_at < at else survives(one) for one in heard)
    return by_arrival(one for one in found if one.elements)


def is_invented(element: Element) -> bool:
    """A leave that carries the whole user."""
    return kind_of(element) == "user-left" and "name" in element["data"]["attributes"]["user"]


def _without(sendings: Iterable[Sending], is_missed: Callable[[Sending, Element], bool]) -> list[Sending]:
    kept = (replace(one, elements=tuple(e for e in one.elements if not is_missed(one, e))) for one in sendings)
    return by_arrival(one for one in kept if one.elements)


def _shifted(element: Element, offset_ms: int) -> Element:
    if "data" not in element or element["data"]["event"]["ts"] < SECONDS_BELOW:
        return element
    moved = deepcopy(element)
    moved["data"]["event"]["ts"] += offset_ms
    return moved


def _unnamed(element: Element) -> Element:
    if "data" not in element:
        return element
    left = deepcopy(element)
    left["data"]["attributes"]["meeting"].pop("external-meeting-id", None)
    return left


def _after_restart(element: Element, strangers: set[str], unnamed: set[str], known: set[str]) -> Element:
    if "data" not in element:
        return element
    changed = _unnamed(element) if _meeting(element) in unnamed else deepcopy(element)
    user: dict[str, Any] = changed["data"]["attributes"].get("user", {})
    who = _participant(element)
    if who in strangers and "external-user-id" in user and kind_of(element) != "user-joined":
        user["external-user-id"] = ""
    if is_invented(element) and who in known:
        user |= {name: TEXT[value] for name, value in user.items() if isinstance(value, bool)}
        if "userdata" in user:
            user["userdata"] = '{"bbb_custom":"CANARY-userdata"}'
    return changed


def _participant(element: Element) -> str:
    if "data" in element:
        return str(element["data"]["attributes"].get("user", {}).get("internal-user-id", ""))
    return str(element.get("core", {}).get("body", {}).get("intId", ""))


def _meeting(element: Element) -> str:
    return str(element["data"]["attributes"]["meeting"]["internal-meeting-id"])


NAMED: dict[str, Callable[..., list[Sending]]] = {
    "loss": lose,
    "loss-raw": partial(lose, is_raw=True),
    "loss-mapped": partial(lose, is_raw=False),
    "repeat": repeat,
    "delay": delay,
    "reorder": reorder,
    "clock": shift_clock,
    "missing-leave": miss_leaves,
    "missing-created": miss_created,
    "leaves-twice": invent_leaves_twice,
    "restart": restart_relay,
}


def parse_fault(text: str) -> Fault:
    """`loss=0.1`, `clock=-4000`, `restart=1795309400000,60000`, `missing-created`; ValueError says what there is."""
    name, _, values = text.partition("=")
    if name not in NAMED:
        raise ValueError(f"there is no fault {name!r}; there are {', '.join(NAMED)}")
    takes = list(signature(NAMED[name]).parameters.values())[2:]
    names = [one.name for one in takes if one.name != "is_raw"]
    try:
        numbers = [float(value) if "." in value else int(value) for value in values.split(",") if value]
    except ValueError:
        raise ValueError(f"{values!r} are no numbers") from None
    least = sum(one.default is one.empty for one in takes)
    if not least <= len(numbers) <= len(names):
        raise ValueError(f"{name} takes {', '.join(names) or 'nothing'}")
    return lambda sendings, rng: NAMED[name](sendings, rng, *numbers)


def afflict(sendings: Sequence[Sending], rng: Random, faults: Iterable[Fault]) -> list[Sending]:
    """One fault after the other."""
    found = list(sendings)
    for fault in faults:
        found = fault(found, rng)
    return found
