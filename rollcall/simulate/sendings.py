"""What the relay sends: one POST each, before it is encoded and signed, so that faults are easily made of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from random import Random

    from rollcall.simulate.generations import Generation

Element = dict[str, Any]
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
SECONDS_BELOW = 10**11


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One POST to one hook. `happened_at` and `arrives_at` are true time; `sent_at` the relay's, kept over retries."""

    happened_at: int
    sent_at: int
    arrives_at: int
    is_raw: bool
    elements: tuple[Element, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """What each element calls itself."""
        return tuple(kind_of(element) for element in self.elements)


def kind_of(element: Element) -> str:
    """`user-joined` of a mapped element, `UserJoinedMeetingEvtMsg` of a raw one, `archive_started` of a script's."""
    if "data" in element:
        return str(element["data"]["id"])
    return str((element.get("envelope") or element["header"])["name"])


def by_arrival(sendings: Iterable[Sending]) -> list[Sending]:
    """In the order in which they reach the receiver."""
    return sorted(sendings, key=lambda sending: sending.arrives_at)


def queue_up(sendings: Collection[Sending], rng: Random, *, most: int = 5, within_ms: int = 10_000) -> list[Sending]:
    """The old relay's queue when it is slow: neighbours of one hook travel in one array when the last is ready."""
    found: list[Sending] = []
    for is_raw in (False, True):
        waiting = sorted((one for one in sendings if one.is_raw is is_raw), key=lambda one: one.sent_at)
        while waiting:
            last = waiting[0].sent_at + within_ms
            head = [one for one in waiting[: rng.randint(1, most)] if one.sent_at <= last]
            waiting = waiting[len(head) :]
            elements = tuple(element for one in head for element in one.elements)
            found.append(replace(head[-1], happened_at=head[0].happened_at, elements=elements))
    return by_arrival(found)


def event_text(elements: Iterable[Element]) -> str:
    """The form's `event`: JSON as JavaScript writes it, always in brackets."""
    text = ",".join(json.dumps(element, ensure_ascii=False, separators=(",", ":")) for element in elements)
    return "[" + LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "]"


def form_body(event: str, sent_at: int, domain: str, generation: Generation) -> bytes:
    """The body as that relay's HTTP library encodes it: they differ in order, blanks, `~` and `*`."""
    if generation.is_2x:
        fields = {"event": event, "timestamp": str(sent_at), "domain": domain}
        return "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items()).encode()
    fields = {"domain": domain, "event": event, "timestamp": str(sent_at)}
    return "&".join(f"{name}={_quote_form(value)}" for name, value in fields.items()).encode()


def _quote_form(value: str) -> str:
    return quote(value, safe="* ").replace("~", "%7E").replace(" ", "+")
