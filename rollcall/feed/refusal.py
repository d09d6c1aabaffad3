"""What is switched off is not kept: nothing more of it is written, and what has come since is taken out again.

A message that tells where its meeting belongs decides, and it may come late: a poll, or a record after the class. What
was received before the switch stays, as whoever switched was told. A meeting that was once refused stays so, and with
it its breakout rooms. Of one that began while it was off only the row of the meeting is left, as a stub.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Max

from rollcall.feed.feed import Arrival
from rollcall.feed.meetings import HeldMeetings, Row
from rollcall.store.connections import CaptureSwitch
from rollcall.store.derived import Orphan, Seen
from rollcall.store.facts import Fact, Meeting

EVER = 0
"""Since then nothing at all is kept (epoch ms, as all times here)."""


def leave_out_refused(held: HeldMeetings, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
    """The arrivals of the meetings that may be kept; what has come of the others since then is gone after this."""
    telling = [arrival for arrival in arrivals if arrival.belongs_to]
    if telling and (switches := _switches(key for arrival in telling for key in arrival.belongs_to)):
        for arrival in telling:
            row, since = held.named(arrival), _off_since(arrival.belongs_to, switches)
            if since is not None and not row.is_refused:
                _refuse(held, row, since)
    refuse_families(held)
    if not any(row.is_refused for row in held.rows.values()):
        return arrivals
    return [arrival for arrival in arrivals if not held.named(arrival).is_refused]


def refuse_meeting(held: HeldMeetings, pk: int) -> None:
    """Somebody wants nothing of it to be kept, whenever it came."""
    _refuse(held, held.rows[pk], EVER)


def refuse_families(held: HeldMeetings) -> None:
    """What holds of a class holds of its rooms, also of one that is only now known to be its room."""
    for row in held.rows.values():
        if not row.is_refused and (root := held.root_of(row)).is_refused:
            _refuse(held, row, _after_all_of(root))


def _switches(keys: Iterable[bytes]) -> dict[bytes, int | None]:
    """Since when each is off, None if it is on."""
    found = CaptureSwitch.objects.filter(key__in=set(keys)).values_list("key", "is_on", "changed_at")
    return {bytes(key): None if is_on else changed_at for key, is_on, changed_at in found}


def _off_since(keys: Iterable[bytes], switches: Mapping[bytes, int | None]) -> int | None:
    """The last key that has a switch decides: it is the special one."""
    decided = [switches[key] for key in keys if key in switches]
    return decided[-1] if decided else None


def _after_all_of(root: Row) -> int:
    """When the switch was at the earliest: all that is left of a refused class was received before it."""
    last = Fact.objects.filter(meeting_id=root.pk).aggregate(last=Max("received_at"))["last"]
    return EVER if last is None else last + 1


def _refuse(held: HeldMeetings, row: Row, since: int) -> None:
    family = {row.pk, *Meeting.objects.filter(root_id=row.pk).values_list("pk", flat=True)}
    Meeting.objects.filter(pk__in=family).update(is_refused=True, is_over=True)
    for pk in family & held.rows.keys():
        held.rows[pk].is_refused = held.rows[pk].is_over = True
    erased, _ = Fact.objects.filter(meeting_id__in=family, received_at__gte=since).delete()
    stubs = family - set(Fact.objects.filter(meeting_id__in=family).values_list("meeting_id", flat=True).distinct())
    for table in (Orphan, Seen):
        table.objects.filter(meeting_id__in=stubs).delete()
    if erased:
        # What was derived from them is to be folded away.
        held.moved.add(held.root_of(row).pk)
