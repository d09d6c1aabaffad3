"""How deliveries of verdicts go: each way into each LMS, what keeps it, what was answered, and what wants a person."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, Q

from rollcall.store.completions import Completion
from rollcall.store.keys import key_of
from rollcall.store.owed import CompletionTarget, Owed, Owing, Receiver, Try

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.db.models import QuerySet

GAVE_UP: Final = "gave-up"
WANTS_A_PERSON: Final = Q(state__in=(Owing.REFUSED, Owing.LEFT)) | Q(state=Owing.HELD, reason=GAVE_UP)
"""Of a row: that nothing more happens by itself, and somebody may want something to."""
UNDER_WAY: Final = (Owing.WAITING, Owing.DUE, Owing.SENDING)
OVER: Final = (Owing.SENT, Owing.SENDING)
SWITCHED_OFF: Final = Q(target__is_on=False) & ~Q(state__in=OVER)
"""Of a row: that nothing is sent, since its target was switched off first; nor does it want anything of a person."""


@dataclass(frozen=True, slots=True)
class Health:
    """One way into one LMS: how many rows are how far, how many want a person, and which activities are in trouble."""

    receiver: Receiver
    states: Mapping[str, int]
    wants_a_person: int
    troubled: Sequence[CompletionTarget]


@dataclass(frozen=True, slots=True)
class OwedRow:
    """What is owed for one person; `completion` is their verdict now, None where there is none any more."""

    owed: Owed
    completion: Completion | None


def receivers(organisation: int | None, site: str = "") -> QuerySet[Receiver]:
    """Those that anything was ever sent to, of an organisation (None: of all), and of one of its LMSs."""
    found = Receiver.objects.filter(platform__removed_at=None, targets__isnull=False)
    if organisation is not None:
        found = found.filter(platform__organisation=organisation)
    if site:
        found = found.filter(platform__site_key=key_of(site))
    return found.select_related("platform__organisation").distinct().order_by("platform__name", "platform_id", "way")


def health_of(several: Sequence[Receiver]) -> list[Health]:
    """How each is doing."""
    states: defaultdict[int, dict[str, int]] = defaultdict(dict)
    rows = Owed.objects.filter(target__receiver__in=several).exclude(SWITCHED_OFF).order_by()
    for receiver, state, number in rows.values_list("target__receiver", "state").annotate(Count("id")):
        states[receiver][state] = number
    counted = rows.filter(WANTS_A_PERSON).values_list("target__receiver").annotate(Count("id"))
    wants = dict(counted.values_list("target__receiver", "id__count"))
    troubled: defaultdict[int, list[CompletionTarget]] = defaultdict(list)
    targets = CompletionTarget.objects.filter(receiver__in=several, is_on=True).exclude(trouble="")
    for target in targets.select_related("activity").order_by("activity__label", "pk"):
        troubled[target.receiver_id].append(target)
    return [Health(one, states[one.pk], wants.get(one.pk, 0), troubled[one.pk]) for one in several]


def rows_of(receiver: Receiver, state: str = "", *, before: int | None = None, limit: int) -> list[OwedRow]:
    """Its rows in a state, or those that want a person; the newest first, from before one of them on."""
    rows = Owed.objects.filter(Q(state=state) if state else WANTS_A_PERSON, target__receiver=receiver)
    rows = rows.exclude(SWITCHED_OFF)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.select_related("target__receiver", "target__activity").order_by("-pk")[:limit])
    completions = _completions(found)
    return [OwedRow(one, completions.get((one.target.activity_id, bytes(one.user_key)))) for one in found]


def _completions(rows: Sequence[Owed]) -> dict[tuple[Any, bytes], Completion]:
    found = Completion.objects.filter(
        activity__in={one.target.activity_id for one in rows}, user_key__in={bytes(one.user_key) for one in rows}
    )
    return {(one.activity_id, bytes(one.user_key)): one for one in found}


def answers_of(receiver: Receiver, limit: int) -> list[Try]:
    """What was tried last, with what it was answered."""
    tries = Try.objects.filter(owed__target__receiver=receiver).select_related("owed__target__activity")
    return list(tries.order_by("-pk")[:limit])


def is_of(receiver: Receiver, owed: int) -> bool:
    """Whether this is a row of it."""
    return Owed.objects.filter(pk=owed, target__receiver=receiver).exists()
