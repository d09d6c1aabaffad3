"""What a meeting says to the policy of its activity, as its fold would keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rollcall.core.activity import Count, Held, Presence
from rollcall.core.intervals import OPEN, merge
from rollcall.core.policy import Quantity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

QUANTITIES = {
    "chats": Quantity.CHATS,
    "talks": Quantity.TALKS,
    "raise_hands": Quantity.RAISED_HANDS,
    "emojis": Quantity.REACTIONS,
    "poll_answers": Quantity.POLL_ANSWERS,
    "talk_ms": Quantity.TALK_TIME,
}


def counts_of(counts: Mapping[str, int | tuple[int, bool]]) -> dict[Quantity, Count]:
    """By the names that meetings have for them; a number alone is what was seen at least."""
    return {
        QUANTITIES[name]: Count(*(value if isinstance(value, tuple) else (value, False)))
        for name, value in counts.items()
        if name in QUANTITIES
    }


def keep_evidence(summary: Any, everybody: Sequence[tuple[str, Presence]], heard_at: int | None = None) -> None:
    """Of a meeting with these people, by user id (blank: without one)."""
    from rollcall.derive.held import pack
    from rollcall.store.completions import Evidence

    Evidence.objects.create(
        summary=summary,
        organisation=summary.organisation,
        activity_key=summary.activity_key,
        started_at=summary.started_at,
        packed=pack(held_of(summary, everybody), summary.started_at if heard_at is None else heard_at),
    )


def held_of(summary: Any, everybody: Sequence[tuple[str, Presence]]) -> Held:
    """As its row says when it was; of one that runs nothing is certain but what has been."""
    start, end = summary.started_at, summary.ended_possible_at or OPEN
    proved = [span for _, one in everybody for span in one.proved]
    to_come = ((max((b for _, b in proved), default=start), OPEN),) if end == OPEN else ()
    possible = [*(span for _, one in everybody for span in one.possible), *to_come]
    return Held(
        meeting="",
        began_at=start,
        first_join=(min((a for a, _ in possible), default=start), min((a for a, _ in proved), default=end)),
        last_leave=(max((b for _, b in proved), default=start), max((b for _, b in possible), default=start)),
        ended=(summary.ended_proved_at or start, end),
        attendees=(sum(bool(one.proved) for _, one in everybody), OPEN if to_come else len(everybody)),
        people={
            user: Presence(one.proved, merge((*one.possible, *to_come)), one.counts) for user, one in everybody if user
        },
        unseen=to_come,
        settles_at=OPEN if end == OPEN else summary.settles_at,
    )
