"""Refold an activity: gather its meetings, its roster and what was decided; judge everybody; replace what differs.

The only place that writes verdicts, and with rollcall.derive.owing what is owed because of them. It is done in
portions, for on SQLite nobody else can write meanwhile; each person's row is true by itself. A newer fold stops an
older one between two portions, so that the last word is the newest.
"""

from __future__ import annotations

import contextlib
import gc
import time
from collections import defaultdict
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
import structlog
from django.db import Error, IntegrityError, connection, transaction
from django.db.models import Case, F, Value, When

from rollcall.core.activity import fold_activity
from rollcall.derive.decided import decided_of
from rollcall.derive.held import clamp, unpack
from rollcall.derive.owing import corrections_of, detail_of, works_of
from rollcall.derive.pace import Pace
from rollcall.derive.rebuild import RETRY_MS, demand_meetings
from rollcall.derive.rows import ACTIVITY_VERSION, FOLD_VERSION, sort_key
from rollcall.derive.standing import Called, Standing, called, standing_of
from rollcall.feed.deciding import told_by_meetings
from rollcall.feed.demanding import demand
from rollcall.feed.faults import Fault, fault_of
from rollcall.store.completions import Completion, Evidence
from rollcall.store.decisions import Activity
from rollcall.store.derived import Summary
from rollcall.store.fields import DIGEST_BYTES
from rollcall.store.keys import key_of
from rollcall.store.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rollcall.core.activity import Decided, Held, PersonVerdict

PORTION: Final = 50
"""People whose rows are written in one transaction: some 20 ms of the database's one writer."""
PAUSE_SECONDS: Final = 0.005
"""Between two portions, for whoever waits: SQLite has no queue of writers."""
FEW: Final = 3
"""Activities between two looks for meetings that are due."""
UNREAD_MS: Final = 2_000
"""So soon it is looked again whether all its meetings have been folded since an upgrade."""

logger = structlog.get_logger(__name__)
_packer = msgspec.msgpack.Encoder()
_Portion = TypeVar("_Portion")


# -- what verdicts are folded from ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything that an activity is judged by."""

    held: Sequence[Held]
    standing: Standing
    decided: Decided

    def judge(self) -> dict[str, PersonVerdict]:
        """Everybody's verdict, by user id."""
        with uncollected():
            return fold_activity(self.held, sorted(self.standing.learners), self.decided)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """No look for garbage while much is made and nothing thrown away: that would take a third of the time.

    And it would be taken in the first transaction after it, for which others wait.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def gather(activity: Activity) -> Gathered:
    """All of it, as it is now; the row need not have been kept yet."""
    return Gathered(held_of(activity.organisation, bytes(activity.key)), standing_of(activity), decided_of(activity))


def held_of(organisation: int, key: bytes) -> list[Held]:
    """The meetings of an activity, in the order in which they began."""
    rows = Evidence.objects.filter(organisation=organisation, activity_key=key).order_by("started_at", "summary")
    columns = ("packed", "summary__meeting_id", "summary__pool_name", "summary__external_key")
    rooms: defaultdict[tuple[str, bytes], list[Held]] = defaultdict(list)
    with uncollected():
        for packed, meeting, pool, external in rows.values_list(*columns):
            rooms[pool, bytes(external)].append(unpack(bytes(packed), str(meeting)))
    found = [held for meetings in rooms.values() for held in _one_after_another(meetings)]
    return sorted(found, key=lambda held: (held.began_at, held.meeting))


def _one_after_another(meetings: list[Held]) -> Iterator[Held]:
    """Those of one room, in their order: none lasts longer than until the next begins."""
    for held, following in pairwise(meetings):
        yield clamp(held, following.began_at)
    yield meetings[-1]


def unread(organisation: int, key: bytes) -> list[int]:
    """The meetings of an activity that rules without verdicts have folded last; nothing may be judged without them."""
    of_it = Summary.objects.filter(organisation=organisation, activity_key=key, fold_version__lt=FOLD_VERSION)
    return list(of_it.filter(evidence=None).values_list("meeting", flat=True))


# -- rows -------------------------------------------------------------------------------------------------------------


def _row(activity: Activity, verdict: PersonVerdict, standing: Standing, who: Called) -> dict[str, Any]:
    """The columns of one Completion."""
    user, user_key, name_key = verdict.user_id, key_of(verdict.user_id), fold_name(who.name)
    columns = {
        "organisation": activity.organisation,
        "user_key": user_key,
        "external_user_id": user,
        "person_id": who.person,
        "name": who.name,
        "name_key": name_key,
        "sort_key": sort_key(name_key, user_key),
        "verdict": verdict.verdict.value,
        "computed": verdict.computed.value,
        "is_corrected": bool(corrections_of(verdict)),
        "is_on_roster": user in standing.learners if standing.has_roster else None,
        "is_teacher": user in standing.teachers,
        "met_low": verdict.met[0],
        "met_high": verdict.met[1],
        "needed": verdict.needed,
        "share_low": verdict.share[0],
        "share_high": verdict.share[1],
        "settles_at": verdict.settles_at,
        "detail": detail_of(verdict),
    }
    return columns | {"digest": blake2b(_packer.encode(columns), digest_size=DIGEST_BYTES).digest()}


def refold_activity(pk: int, *, now: int) -> bool:
    """Bring the verdicts of an activity, and what is owed because of them, up to date; False if it stays due.

    `now` (epoch ms) decides no verdict, only whether what is owed is due already and may still be lowered.
    """
    activity = Activity.objects.filter(pk=pk).first()
    if activity is None:
        return False
    seen = activity.appended
    if meetings := unread(activity.organisation, bytes(activity.key)):
        demand_meetings(meetings)
        Activity.objects.filter(pk=pk, appended=seen).update(due_at=now + UNREAD_MS)
        return False
    _name_anew(activity)
    gathered = gather(activity)
    verdicts = gathered.judge()
    return _Writing(activity, seen, now).write(gathered, verdicts)


def _name_anew(activity: Activity) -> None:
    """As its latest meeting calls it; where all its meetings are gone, as it was called."""
    told = told_by_meetings(activity.organisation, bytes(activity.key)) or {}
    if changed := {name: value for name, value in told.items() if getattr(activity, name) != value}:
        Activity.objects.filter(pk=activity.pk).update(**changed)
        for name, value in changed.items():
            setattr(activity, name, value)


@dataclass(frozen=True, slots=True)
class _Writing:
    """One fold that writes; it stops where a newer one has begun."""

    activity: Activity
    seen: int
    now: int

    def write(self, gathered: Gathered, verdicts: Mapping[str, PersonVerdict]) -> bool:
        """Replace what differs; False if a newer fold does."""
        pk = self.activity.pk
        if not Activity.objects.filter(pk=pk, begun__lte=self.seen).update(begun=self.seen):
            return False
        return self._replace(gathered, verdicts) and self._owe(gathered, verdicts) and self._finish()

    def _is_newest(self) -> bool:
        """Asked in the transaction that writes: none other begins until it ends."""
        rows = Activity.objects.select_for_update(no_key=connection.features.has_select_for_no_key_update)
        return rows.filter(pk=self.activity.pk, begun=self.seen).exists()

    def _replace(self, gathered: Gathered, verdicts: Mapping[str, PersonVerdict]) -> bool:
        names = called(self.activity, gathered.standing, verdicts)
        rows = (_row(self.activity, one, gathered.standing, names[user]) for user, one in sorted(verdicts.items()))
        wanted = {row["user_key"]: row for row in rows}
        known = Completion.objects.filter(activity=self.activity).order_by().values_list("user_key", "pk", "digest")
        held = {bytes(key): (pk, bytes(digest)) for key, pk, digest in known}
        stale = [
            key for key, (_, digest) in sorted(held.items()) if key not in wanted or wanted[key]["digest"] != digest
        ]
        fresh = [key for key in sorted(wanted) if key not in held]
        return all(self._replace_some(keys, held, wanted) for keys in _one_by_one(_portions([*stale, *fresh])))

    def _replace_some(
        self, keys: list[bytes], held: Mapping[bytes, tuple[int, bytes]], wanted: Mapping[bytes, dict[str, Any]]
    ) -> bool:
        with transaction.atomic():
            if not self._is_newest():
                return False
            Completion.objects.filter(pk__in=[held[key][0] for key in keys if key in held]).delete()
            Completion.objects.bulk_create(
                Completion(activity=self.activity, **wanted[key]) for key in keys if key in wanted
            )
        return True

    def _owe(self, gathered: Gathered, verdicts: Mapping[str, PersonVerdict]) -> bool:
        for work in _one_by_one(works_of(self.activity, gathered, verdicts, self.now)):
            with transaction.atomic():
                if not self._is_newest():
                    return False
                work()
        return True

    def _finish(self) -> bool:
        """What has come meanwhile stays due."""
        rest = Case(When(appended__gt=self.seen, then=F("due_at")), default=Value(None))
        columns = {"folded": self.seen, "folded_at": self.now, "fold_version": ACTIVITY_VERSION, "due_at": rest}
        return Activity.objects.filter(pk=self.activity.pk, begun=self.seen).update(**columns) == 1


def _one_by_one(portions: Iterable[_Portion]) -> Iterator[_Portion]:
    """Each, with a pause before every other than the first."""
    for number, portion in enumerate(portions):
        if number:
            time.sleep(PAUSE_SECONDS)
        yield portion


def _portions(keys: list[bytes]) -> Iterator[list[bytes]]:
    return (keys[begin : begin + PORTION] for begin in range(0, len(keys), PORTION))


# -- what is due ------------------------------------------------------------------------------------------------------


def fold_activities_due(*, now: int | None = None, pace: Pace | None = None) -> Iterator[int]:
    """Refold the next few that are due by `now` (epoch ms), the longest due first; yield each one's primary key.

    An activity that cannot be folded is tried again after a minute and holds up no other.
    """
    by = time.time_ns() // 1_000_000 if now is None else now
    pace = pace or Pace()
    due = Activity.objects.filter(due_at__lte=by).exclude(pk__in=pace.resting()).order_by("due_at", "pk")
    for pk in list(due.values_list("pk", flat=True)[:FEW]):
        began = time.monotonic()
        try:
            with uncollected():
                refold_activity(pk, now=by)
        except Exception as error:
            if not _is_in_the_way(error):
                logger.exception("An activity cannot be folded; it is tried again in a minute", activity=pk)
                Activity.objects.filter(pk=pk).update(due_at=by + RETRY_MS)
        pace.rest(pk, time.monotonic() - began)
        yield pk


def _is_in_the_way(error: Exception) -> bool:
    """Whether another transaction was: somebody was just entered or taken out of the directory. It stays due."""
    return isinstance(error, IntegrityError) or (isinstance(error, Error) and fault_of(error) is Fault.AGAIN)


def demand_all() -> int:
    """Have every activity judged anew; return how many there are."""
    return demand(Activity.objects.values_list("pk", flat=True))
