"""Who speaks each way to an LMS, and what such a driver is given to work with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from rollcall.core.deliveries import Way
from rollcall.deliveries.completions import by_ags, by_moodle, natively

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from rollcall.deliveries.driver import Driver, Outcome
    from rollcall.lti.tokens import InThread, Tokens
    from rollcall.store.owed import CompletionTarget


@dataclass(frozen=True, slots=True)
class Tools:
    """What all drivers of one worker share. `tokens` are those of LTI; `in_thread` runs what asks the store.

    `clock` is our own (epoch ms); `trusted` are the hosts that may be spoken to though their addresses are private.
    """

    http: httpx.AsyncClient
    in_thread: InThread
    clock: Callable[[], int]
    tokens: Tokens = field(repr=False)
    trusted: frozenset[str]


class Maker(Protocol):
    """Makes the driver of one target, in the store's thread: it may ask the store, and nobody else."""

    def __call__(self, target: CompletionTarget, tools: Tools) -> Driver | Outcome:
        """A driver; or, where nothing can be sent as things stand (no token, no column), what every try comes to.

        `target` comes with its activity, line_item.context and receiver.platform. A driver is made anew for every few
        dozen orders, so that what a person mends is seen soon.
        """


MAKERS: Final[Mapping[Way, Maker]] = {
    Way.AGS: by_ags.make,
    Way.MOODLE: by_moodle.make,
    Way.CALLBACK: natively.make,
}
