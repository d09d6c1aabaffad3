"""What was decided of an activity, read back: all of it for its history, and as it stands for the fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import structlog

from rollcall.core.activity import Correction, Decided, Hours
from rollcall.core.policy import Policy
from rollcall.feed.deciding import KINDS, Switch, Undo, Word
from rollcall.store.facts import Meeting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rollcall.feed.deciding import What
    from rollcall.store.decisions import Activity, Decision

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """One decision. `undone_by` is the number of the undoing that holds, None where it stands."""

    row: Decision
    what: What
    undone_by: int | None = None


def history_of(activity: Activity | None) -> list[Told]:
    """Every decision of an activity in the order they were made, those undone too; none of no activity."""
    if activity is None or activity.pk is None:
        return []
    read = ((row, _read(row)) for row in activity.decisions.order_by("seq"))
    found = [(row, what) for row, what in read if what is not None]
    undone = _undone([(row.seq, what) for row, what in found])
    return [Told(row, what, undone.get(row.seq)) for row, what in found]


def decided_of(activity: Activity | None) -> Decided:
    """What stands, for rollcall.core.activity."""
    return decided_from([(one.row.seq, one.what) for one in history_of(activity) if one.undone_by is None])


def decided_from(standing: Sequence[tuple[int, What]]) -> Decided:
    """The same of decisions that stand, with their numbers, in their order."""
    rooms = _roots({what.meeting for _, what in standing if isinstance(what, Hours | Switch | Word)})
    switches = {rooms.get(what.meeting, what.meeting): what.is_on for _, what in standing if isinstance(what, Switch)}
    return Decided(
        versions=tuple(what for _, what in standing if isinstance(what, Policy)),
        hours=tuple(
            Hours(rooms.get(what.meeting, what.meeting), what.begin, what.end)
            for _, what in standing
            if isinstance(what, Hours)
        ),
        switched_off=frozenset(meeting for meeting, is_on in switches.items() if not is_on),
        corrections=tuple(
            Correction(seq, what.user_id, what.verdict, rooms.get(what.meeting, what.meeting))
            for seq, what in standing
            if isinstance(what, Word)
        ),
    )


def _read(row: Decision) -> What | None:
    """What it says; None for one of a later version of Rollcall, which must not hold up everything else."""
    try:
        return msgspec.json.decode(bytes(row.payload), type=KINDS[row.kind])
    except (KeyError, msgspec.MsgspecError):
        logger.warning("A decision cannot be read and is left out", decision=row.pk, kind=row.kind)
        return None


def _undone(made: Iterable[tuple[int, What]]) -> dict[int, int]:
    """Which decisions do not stand, and by which undoing; an undoing that was undone itself takes nothing back."""
    undone: dict[int, int] = {}
    for seq, what in sorted(made, key=lambda one: -one[0]):
        if isinstance(what, Undo) and seq not in undone:
            undone[what.seq] = seq
    return undone


def _roots(meetings: set[str]) -> dict[str, str]:
    """What was decided of a meeting that turned out to be a room of another is said of that one."""
    pks = [int(meeting) for meeting in meetings if meeting]
    if not pks:
        return {}
    rooms = Meeting.objects.filter(pk__in=pks, root__isnull=False).values_list("pk", "root_id")
    return {str(pk): str(root) for pk, root in rooms}
