"""Documents into the log and their meetings folded: from what was read to settled attendance."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import structlog
from django.db import Error

from rollcall.derive.log import Log
from rollcall.derive.meeting import refold
from rollcall.feed.append import append
from rollcall.feed.faults import Fault, fault_of
from rollcall.feed.feed import Arrival
from rollcall.store.derived import Attendance
from rollcall.store.facts import Fact, Meeting
from rollcall.store.keys import key_of, meeting_key

# The workers of a `serve` beside leave the folding to us; if we are killed, they take it up after so long.
FOLD_WITHIN_MS = 60_000
# Others write too, and an import can wait.
PATIENCE_SECONDS = 60.0
_TRIES = 5

logger = structlog.get_logger(__name__)


def held(pool: int, arrivals: Iterable[Arrival]) -> dict[bytes, int]:
    """The digests of those that are in the log, and when each was received."""
    wanted = {arrival.digest: meeting_key(arrival.meeting) for arrival in arrivals}
    if not wanted:
        return {}
    facts = Fact.objects.filter(meeting__pool_id=pool, meeting__key__in=set(wanted.values()), digest__in=list(wanted))
    return {bytes(digest): received_at for digest, received_at in facts.values_list("digest", "received_at")}


def keep(arrivals: Sequence[Arrival]) -> None:
    """Return once all are durable."""
    append(arrivals, patience=PATIENCE_SECONDS, fold_within_ms=FOLD_WITHIN_MS)


def fold(pool: int, arrivals: Iterable[Arrival]) -> tuple[set[int], set[bytes]]:
    """Fold the families of these meetings as far as somebody has to; return their roots, and the keys that failed."""
    keys = {meeting_key(arrival.meeting) for arrival in arrivals}
    members = list(Meeting.objects.filter(pool_id=pool, key__in=keys).select_related("root"))
    roots = {root.pk: root for member in members for root in [member.root or member]}
    # A class of which only a room's record was found: nobody shall wait for its end.
    Meeting.objects.filter(pk__in=roots, last_seq=0, is_over=False).update(is_over=True)
    failed = {pk for pk, root in roots.items() if root.appended > root.folded and not _fold(pk)}
    return set(roots), {bytes(member.key) for member in members if (member.root_id or member.pk) in failed}


def _fold(root: int) -> bool:
    """Whether the family is folded up to its log, by us or by a worker at the same moment."""
    for _ in range(_TRIES):
        try:
            if refold(root, Log()) or not _is_due(root):
                return True
        except Exception as error:  # one meeting must not stop the others; its facts are durable
            if not isinstance(error, Error) or fault_of(error) is not Fault.AGAIN:
                logger.exception("A meeting cannot be folded", meeting=root)
                return False
    return False


def _is_due(root: int) -> bool:
    counters = Meeting.objects.filter(pk=root, root__isnull=True).values_list("appended", "folded").first()
    return counters is not None and counters[0] > counters[1]


def people_in(roots: Collection[int]) -> set[bytes]:
    """A key of everybody who was in these families: a guest or caller, whom no LMS knows, has one in each."""
    rows = Attendance.objects.filter(summary__meeting_id__in=list(roots))
    found = rows.values_list("person__is_user", "person__key", "summary__meeting_id", "attendee_key")
    return {bytes(key) if is_user else key_of(str(root), bytes(one).hex()) for is_user, key, root, one in found}


def fold_rest(pool: int) -> None:
    """Fold what is due of a pool, once: families that came together meanwhile, and what an earlier import left."""
    due = Meeting.objects.filter(pool_id=pool, root__isnull=True, due_at__isnull=False)
    for root in list(due.values_list("pk", flat=True)):
        _fold(root)
