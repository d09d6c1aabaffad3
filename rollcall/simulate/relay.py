"""bbb-webhooks that is not there: what it sends to a mapped and to a raw hook for a whole class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.simulate.happenings import Happening, What, happenings
from rollcall.simulate.sendings import Element, Sending, by_arrival, queue_up
from rollcall.simulate.wire_mapped import Mapper
from rollcall.simulate.wire_raw import Speaker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from rollcall.simulate.generations import Generation
    from rollcall.simulate.truth import Truth

QUEUE = 5


class Relay:
    """One relay with its clock `lag_ms` behind the happenings, sending to one mapped and one raw hook."""

    def __init__(self, generation: Generation, rng: Random, lag_ms: tuple[int, int] = (1, 40)) -> None:
        self.generation = generation
        self.rng = rng
        self.lag_ms = lag_ms
        self.mapper = Mapper(generation)
        self.speaker = Speaker(generation)

    def send(self, happening: Happening) -> Iterator[Sending]:
        """Everything that follows from one happening, mapped and raw; the raw one only goes with a mapped one."""
        ts = happening.at + self.rng.randint(*self.lag_ms)
        said = self.speaker.say(happening)
        told = self.mapper.tell(happening, ts)
        if happening.what is What.ENDED:
            for leave in self.mapper.invent_leaves(happening.meeting, ts + 2):
                yield self._sending(happening, ts + 2, leave, is_raw=False)
                yield self._sending(happening, ts + 2, leave, is_raw=True)  # mapped even there
        for element in told:
            yield self._sending(happening, ts, element, is_raw=False)
            yield self._sending(happening, ts, said, is_raw=True)

    def _sending(self, happening: Happening, ts: int, element: Element, *, is_raw: bool) -> Sending:
        sent_at = ts + self.rng.randint(0, 3)
        return Sending(
            happened_at=happening.at,
            sent_at=sent_at,
            arrives_at=sent_at + self.rng.randint(1, 30),
            is_raw=is_raw,
            elements=(element,),
        )


def relay(
    truth: Truth,
    generation: Generation,
    rng: Random,
    *,
    mapped: bool = True,
    raw: bool = False,
    lag_ms: tuple[int, int] = (1, 40),
) -> list[Sending]:
    """Every POST for this class, in order of arrival; what one hook gets does not depend on the other."""
    one = Relay(generation, rng, lag_ms)
    found = [sending for happening in happenings(truth) for sending in one.send(happening)]
    if generation.is_2x:
        found = queue_up(found, rng, most=QUEUE)
    return by_arrival(sending for sending in found if (raw if sending.is_raw else mapped))
