"""What is switched off is not kept: nothing of it is written, and what came before that was known is taken out again.

A message that tells where its meeting belongs decides. A meeting that was once refused stays so, and with it its
breakout rooms: half a class would be worse than none. Of it only the row of the meeting is left, as a stub.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rollcall.feed.feed import Arrival
from rollcall.feed.meetings import HeldMeetings, Row
from rollcall.store.connections import CaptureSwitch
from rollcall.store.derived import Orphan, Seen
from rollcall.store.facts import Fact, Meeting


def leave_out_refused(held: HeldMeetings, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
    """The arrivals of the meetings that may be kept; the others' facts are gone after this."""
    telling = [arrival for arrival in arrivals if arrival.belongs_to]
    if telling and (switches := _switches(key for arrival in telling for key in arrival.belongs_to)):
        for arrival in telling:
            if _is_off(arrival.belongs_to, switches):
                _refuse(held, held.named(arrival))
    refuse_families(held)
    if not any(row.is_refused for row in held.rows.values()):
        return arrivals
    return [arrival for arrival in arrivals if not held.named(arrival).is_refused]


def refuse_meeting(held: HeldMeetings, pk: int) -> None:
    """Somebody wants nothing of it to be kept."""
    _refuse(held, held.rows[pk])


def refuse_families(held: HeldMeetings) -> None:
    """What holds of a class holds of its rooms."""
    for row in held.rows.values():
        if not row.is_refused and held.root_of(row).is_refused:
            _refuse(held, row)


def _switches(keys: Iterable[bytes]) -> dict[bytes, bool]:
    found = CaptureSwitch.objects.filter(key__in=set(keys)).values_list("key", "is_on")
    return {bytes(key): is_on for key, is_on in found}


def _is_off(keys: Iterable[bytes], switches: Mapping[bytes, bool]) -> bool:
    """The last key that has a switch decides: it is the special one."""
    decided = [switches[key] for key in keys if key in switches]
    return bool(decided) and not decided[-1]


def _refuse(held: HeldMeetings, row: Row) -> None:
    row.is_refused = row.is_over = True
    Meeting.objects.filter(pk=row.pk).update(is_refused=True, is_over=True)
    rooms = set(Meeting.objects.filter(root_id=row.pk).values_list("pk", flat=True))
    Meeting.objects.filter(pk__in=rooms).update(is_refused=True, is_over=True)
    for table in (Orphan, Seen):
        table.objects.filter(meeting_id__in={row.pk} | rooms).delete()
    erased, _ = Fact.objects.filter(meeting_id__in={row.pk} | rooms).delete()
    if erased:
        # What was derived from them is to be folded away.
        held.moved.add(held.root_of(row).pk)
