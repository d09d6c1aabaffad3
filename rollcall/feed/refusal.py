"""What is switched off is not kept: nothing more of it is written, and what has come since is taken out again.

A message that tells where its meeting belongs decides, and it may come late: a poll, or a record after the class. What
was received before the switch stays, as whoever switched was told. A meeting that was once
refused stays so, and with it its breakout rooms. Of one that began while it was off only the row of the meeting is
left, as a stub. Where an organisation's licence and the grace after it are over no class begins to be kept; of one that
was kept before nothing is taken out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import F, Max

from rollcall.feed.feed import Arrival, Belonging
from rollcall.feed.meetings import HeldMeetings, Row
from rollcall.store import licensing
from rollcall.store.connections import CaptureSwitch
from rollcall.store.derived import Orphan, Seen
from rollcall.store.facts import Fact, Meeting
from rollcall.store.keys import key_of
from rollcall.store.organisations import Organisation
from rollcall.store.owning import Owner, owner_of_site

logger = logging.getLogger(__name__)

EVER = 0
"""Since then nothing at all is kept (epoch ms, as all times here)."""

# Nearly always there is nothing to refuse, and no arrival shall wait for more than this to be known.
_ANYTHING_OFF = """
    SELECT EXISTS (SELECT 1 FROM store_captureswitch) OR EXISTS (SELECT 1 FROM store_licence WHERE ends_at <= %s)
"""


def leave_out_refused(held: HeldMeetings, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
    """The arrivals of the meetings that may be kept; what has come of the others since then is gone after this."""
    telling = {(arrival.pool, told): arrival for arrival in arrivals if (told := arrival.belongs_to)}
    unlicensed: set[int] = set()
    if telling and _is_anything_off():
        rules = _Rules.of(telling)
        for arrival in arrivals:
            if arrival.belongs_to and not (row := held.named(arrival)).is_refused:
                unlicensed |= rules.apply(held, row, arrival.pool, arrival.belongs_to)
    refuse_families(held)
    left_out = unlicensed | {row.pk for row in held.rows.values() if row.is_refused}
    if not left_out:
        return arrivals
    return [arrival for arrival in arrivals if held.named(arrival).pk not in left_out]


def refuse_meeting(held: HeldMeetings, pk: int) -> None:
    """Somebody wants nothing of it to be kept, whenever it came."""
    _refuse(held, held.rows[pk], EVER)


def refuse_families(held: HeldMeetings) -> None:
    """What holds of a class holds of its rooms, also of one that is only now known to be its room."""
    for row in held.rows.values():
        if not row.is_refused and (root := held.root_of(row)).is_refused:
            _refuse(held, row, _after_all_of(root))


def _is_anything_off() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_ANYTHING_OFF, [licensing.now_ms()])
        (found,) = cursor.fetchone() or (False,)
        return bool(found)


@dataclass(frozen=True, slots=True)
class _Rules:
    """What is off of that which some arrivals tell, each with its pool."""

    owners: Mapping[tuple[int, str], Owner]
    switches: Mapping[bytes, int | None]
    ended: Mapping[int, int]

    @classmethod
    def of(cls, telling: Iterable[tuple[int, Belonging]]) -> _Rules:
        """Look up all of it."""
        told = list(telling)
        owners = {(pool, site): owner_of_site(pool, site) for pool, site in {(pool, one.site) for pool, one in told}}
        keys = {key for pool, one in told for key in keys_of(one, owners[pool, one.site].site)}
        organisations = {owner.organisation for owner in owners.values()}
        return cls(owners, _switches(keys), licensing.not_captured(organisations, licensing.now_ms()))

    def apply(self, held: HeldMeetings, row: Row, pool: int, told: Belonging) -> set[int]:
        """Refuse the meeting if it is not to be kept; return those of which only what comes now is left out."""
        owner = self.owners[pool, told.site]
        if (since := _off_since(keys_of(told, owner.site), self.switches)) is not None:
            _refuse(held, row, since)
        elif owner.organisation in self.ended:
            _note_ended(owner.organisation)
            if _has_facts(row):
                # An end may be entered for the past, by mistake too, and a site may change hands: what was kept stays,
                # and once there is a licence again the class goes on.
                return {row.pk}
            _refuse(held, row, EVER)
        return set()


def keys_of(told: Belonging, site: str) -> tuple[bytes, ...]:
    """The keys under which switches may stand, the special ones last, for what is read as of this `site`.

    A host that an LMS told may be read as the site of the one platform there is of it: what a person switches is named
    as the reports name it, and as the facts do.
    """
    of, course, instance = told.activity
    sites = dict.fromkeys((told.site, site))
    activities = dict.fromkeys((of, site if of == told.site else of))
    return (*map(key_of, sites), *(key_of(one, course, instance) for one in activities))


def _has_facts(row: Row) -> bool:
    return Fact.objects.filter(meeting_id=row.pk).exists()


def _note_ended(organisation: int) -> None:
    """For the operator: something came and was not kept."""
    logger.warning("A meeting is not kept: the licence of organisation %d and its grace are over", organisation)
    noted = {"not_kept": F("not_kept") + 1, "not_kept_at": licensing.now_ms()}
    Organisation.objects.filter(pk=organisation).update(**noted)


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
