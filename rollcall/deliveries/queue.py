"""The outbox as the sender works it: claim, begin, record; each a compare-and-set or one short transaction."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec
import structlog
from asgiref.sync import sync_to_async
from django.db import Error, transaction
from django.db.models import F, Q

from rollcall.deliveries.by_callback import Meaning, body_of, site_of_broker, target_key
from rollcall.deliveries.outcome import GIVEN_UP_AFTER_MS, Before, Outcome, pause_ms
from rollcall.deliveries.post import OWN_FAULT, Answer
from rollcall.deliveries.relay_or_rule import BY_RULE, is_told, lock
from rollcall.store import reading
from rollcall.store.derived import Summary
from rollcall.store.outbox import Attempt, Delivery, State, Target
from rollcall.store.sealing import WrongKey, unseal

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from rollcall.deliveries.by_callback import Body
    from rollcall.deliveries.post import Silence
    from rollcall.store.connections import Pool

LEASE_MS: Final = 5 * 60_000
AT_ONCE_PER_TARGET: Final = 2
FAILURES_OF_AN_OUTAGE: Final = 3
"""After fewer it may have been one delivery's own fault, which must not be tried again with every one that succeeds."""

CODE_CHARACTERS: Final = 32

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Key:
    """One way to sign: a secret of the pool's, and the stray blanks the receiver keeps around it."""

    secret: int
    text: str = field(repr=False)
    padding: str = ""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery in this worker's hands; `tries` is the number of this try, and tells it from every other."""

    pk: int
    target: int
    tries: int
    url: str
    body: Body | None
    before: Before
    keys: tuple[Key, ...] = field(repr=False)
    known: Key | None = field(repr=False)


# -- taking -------------------------------------------------------------------------------------------------------


def reclaim(worker: str, now: int) -> int:
    """Give back what a worker had in hand that is gone: one whose lease has run out, or an earlier one of this name."""
    stale = Delivery.objects.filter(Q(leased_until__lt=now) | Q(worker=worker), state=State.SENDING)
    return stale.update(state=State.DUE, due_at=now, worker="")


def reclaim_expired(now: int) -> int:
    """The same while running: what this worker has in hand it has in hand."""
    stale = Delivery.objects.filter(state=State.SENDING, leased_until__lt=now)
    # Asked first: a write that changes nothing still has to wait for the other writers.
    return stale.update(state=State.DUE, due_at=now, worker="") if stale.exists() else 0


def claim(worker: str, now: int, busy: dict[int, int]) -> list[Claimed]:
    """What is to be sent now, taken so that nobody else sends it; `busy` counts what is in hand by target."""
    claimed: list[Claimed] = []
    for target in _targets_with_work(now):
        room = (1 if target.failures else AT_ONCE_PER_TARGET) - busy.get(target.pk, 0)
        # The one that has waited longest without a try goes first: what cannot be delivered must not hold up the rest.
        due = Delivery.objects.filter(target=target, state=State.DUE, due_at__lte=now).order_by("tries", "due_at", "pk")
        first = list(due.values_list("pk", flat=True)[: max(room, 0)])
        claimed += [one for pk in first if _take(pk, worker, now) if (one := _read_or_fail(pk, now))]
    return claimed


def _targets_with_work(now: int) -> list[Target]:
    due = Delivery.objects.filter(state=State.DUE, due_at__lte=now).values("target").distinct()
    return list(Target.objects.filter(pk__in=due, paused_until__lte=now, pool__relays=True).order_by("pk"))


def _take(pk: int, worker: str, now: int) -> bool:
    """True for the one worker that has it."""
    mine = {"state": State.SENDING, "worker": worker, "leased_until": now + LEASE_MS, "tries": F("tries") + 1}
    return Delivery.objects.filter(pk=pk, state=State.DUE, due_at__lte=now).update(**mine) == 1


def _read_or_fail(pk: int, now: int) -> Claimed | None:
    """One of which nothing can be made, by a fault of ours, holds up no other."""
    try:
        return _read(pk)
    except Error:
        raise
    except Exception:
        logger.exception("What is owed to an LMS cannot be made by a fault of Rollcall", delivery=pk)
        fail(pk, now)
        return None


def _read(pk: int) -> Claimed:
    row = Delivery.objects.select_related("target__secret", "meeting__pool").get(pk=pk)
    target = row.target
    keys, known = keys_of(target)
    return Claimed(
        pk=row.pk,
        target=row.target_id,
        tries=row.tries,
        url=row.url,
        body=_body(row),
        before=Before(row.is_unanswered, row.was_refused),
        keys=keys,
        known=known,
    )


def keys_of(target: Target) -> tuple[tuple[Key, ...], Key | None]:
    """What may be tried there unasked, and the one of these that is known to fit."""
    keys = _tried_unasked(target, _keys_of(target.pool))
    # Once it was refused nothing but the probe is signed with it, until it is found to fit again.
    known = [key for key in keys if key.secret == target.secret_id and target.trouble != Meaning.WRONG_SECRET]
    return keys, Key(known[0].secret, known[0].text, target.padding) if known else None


def _tried_unasked(target: Target | None, keys: tuple[Key, ...]) -> tuple[Key, ...]:
    """The newest secret, and the one that last fitted there.

    The address comes with the meeting, so whoever can make one chooses who sees these signatures. A server may have
    secrets of several parties: what the others sign with is not shown to a stranger.
    """
    return keys[:1] + tuple(key for key in keys[1:] if target is not None and key.secret == target.secret_id)


@sync_to_async
def keys_for(pool: Pool, url: str, *, all_secrets: bool) -> tuple[Key, ...]:
    """What to ask this address with; `all_secrets` of the pool's server, if a person says so."""
    keys = _keys_of(pool)
    return keys if all_secrets else _tried_unasked(_target(pool, url), keys)


def target_at(pool: Pool, url: str) -> Target:
    """Moodle's receiver for the meetings of this pool, with what is known of how it verifies."""
    return Target.objects.get_or_create(pool=pool, key=target_key(url), defaults={"site": site_of_broker(url)})[0]


def _target(pool: Pool, url: str) -> Target | None:
    return Target.objects.filter(pool=pool, key=target_key(url)).first()


def _keys_of(pool: Pool) -> tuple[Key, ...]:
    """The secrets of the pool's server that are not retired, the newest first; one that cannot be opened is none."""
    server = getattr(pool, "server", None)
    if server is None:
        return ()
    found = []
    for secret in server.secrets.filter(retired_at=None).order_by("-added_at", "-pk"):
        try:
            found.append(Key(secret.pk, unseal(secret.encrypted)))
        except WrongKey:
            continue
    return tuple(found)


def _body(row: Delivery) -> Body | None:
    summary = Summary.objects.select_related("meeting").filter(meeting=row.meeting_id).first()
    if summary is None:
        return None
    only = None if row.people is None else msgspec.json.decode(bytes(row.people), type=list[str])
    return body_of(summary, reading.attendees(summary), revision=row.revision, only=only)


# -- sending ------------------------------------------------------------------------------------------------------


def begin(claimed: Claimed, digest: bytes, now: int) -> int | None:
    """Write down that it may arrive from now on; the attempt's number, or None if it is not ours any more."""
    with transaction.atomic():
        if _is_told_by_rule(claimed):
            return None
        mine = Delivery.objects.filter(pk=claimed.pk, state=State.SENDING, tries=claimed.tries)
        if not mine.update(is_unanswered=True, body_digest=digest, leased_until=now + LEASE_MS):
            return None
        return Attempt.objects.create(delivery_id=claimed.pk, at=now).pk


def _is_told_by_rule(claimed: Claimed) -> bool:
    """Whether somebody has chosen since it was claimed that Moodle is told by our rule: then it is held back."""
    activity = Summary.objects.filter(meeting__deliveries=claimed.pk).values_list("organisation", "activity_key")
    for organisation, key in activity:
        lock(organisation, bytes(key))
        if is_told(organisation, bytes(key)):
            mine = Delivery.objects.filter(pk=claimed.pk, state=State.SENDING, tries=claimed.tries)
            mine.update(state=State.HELD, reason=BY_RULE, due_at=None, worker="")
            return True
    return False


def told(attempt: int, answer: Answer | Silence) -> None:
    """What came of one attempt."""
    columns = {"took_ms": answer.took_ms}
    if isinstance(answer, Answer):
        Attempt.objects.filter(pk=attempt).update(status=answer.status, phrase=answer.phrase, **columns)
    else:
        Attempt.objects.filter(pk=attempt).update(fault=answer.fault[:CODE_CHARACTERS], **columns)


def remember_key(target: int, key: Key) -> None:
    """Which secret the receiver verifies with."""
    Target.objects.filter(pk=target).update(secret=key.secret, padding=key.padding)


@sync_to_async
def confirm_key(pool: Pool, url: str, key: Key, now: int) -> None:
    """A person had all secrets tried: the one that fits is used from now on, and what waited for it is due."""
    target = target_at(pool, url)
    remember_key(target.pk, key)
    if target.trouble == Meaning.WRONG_SECRET:
        Target.objects.filter(pk=target.pk).update(failures=0, paused_until=0, trouble="", trouble_phrase="")
        Delivery.objects.filter(target=target, state=State.DUE).update(due_at=now)


def fail(pk: int, now: int, tries: int | None = None) -> None:
    """Put off what Rollcall itself has failed on, and say so; whether it may have arrived stands in the row."""
    row = Delivery.objects.filter(pk=pk, state=State.SENDING).first()
    if row is None or tries not in {None, row.tries}:
        return
    outcome = Outcome(State.DUE, OWN_FAULT, row.is_unanswered, row.was_refused, trouble=OWN_FAULT)
    before = Before(row.is_unanswered, row.was_refused)
    record(Claimed(pk, row.target_id, row.tries, row.url, None, before, (), None), outcome, None, now)


def record(claimed: Claimed, outcome: Outcome, answer: Answer | Silence | None, now: int) -> bool:
    """Write down what a try has come to; False if the row was not ours any more, and has been left as it is.

    That it was accepted is written down whoever holds the row by now.
    """
    columns = _columns(outcome, answer, now)
    rows = Delivery.objects.filter(pk=claimed.pk)
    mine = rows.filter(state=State.SENDING, tries=claimed.tries)
    with transaction.atomic():
        if outcome.state is State.DUE:
            is_ours = _put_off(mine, columns, claimed.tries, answer, now)
        else:
            is_ours = mine.update(**columns) == 1
        if not is_ours and outcome.state is State.SENT:
            rows.exclude(state=State.SENT).update(**columns)
        _note_target(claimed.target, outcome, answer, now)
    return is_ours


def _columns(outcome: Outcome, answer: Answer | Silence | None, now: int) -> dict[str, object]:
    columns: dict[str, object] = {
        "state": outcome.state,
        "reason": outcome.reason[:CODE_CHARACTERS],
        "is_unanswered": outcome.is_unanswered,
        "was_refused": outcome.was_refused,
        "due_at": None,
        "worker": "",
        "status": None,
        "phrase": "",
    }
    if isinstance(answer, Answer):
        columns |= {"status": answer.status, "phrase": answer.phrase, "answered_at": now}
    if outcome.state is State.SENT:
        columns["accepted_at"] = now
    return columns


def _put_off(
    rows: QuerySet[Delivery], columns: dict[str, object], tries: int, answer: Answer | Silence | None, now: int
) -> bool:
    """Try again later; after two weeks of it a person has to look."""
    wait = max(pause_ms(tries, random.random()), _asked_for(answer))  # noqa: S311 - only spread
    given_up = {**columns, "state": State.HELD, "reason": "gave-up"}
    if rows.filter(wanted_at__lt=now - GIVEN_UP_AFTER_MS).update(**given_up):
        return True
    return bool(rows.update(**{**columns, "due_at": now + wait}))


def _asked_for(answer: Answer | Silence | None) -> int:
    return (answer.retry_after_ms or 0) if isinstance(answer, Answer) else 0


def _note_target(pk: int, outcome: Outcome, answer: Answer | Silence | None, now: int) -> None:
    """One that answers properly is well; one in trouble is left alone for longer each time."""
    target = Target.objects.filter(pk=pk)
    failed = target.values_list("failures", flat=True).get()
    if outcome.is_well and failed:
        target.update(failures=0, paused_until=0, trouble="", trouble_phrase="")
        if failed >= FAILURES_OF_AN_OUTAGE:
            Delivery.objects.filter(target=pk, state=State.DUE, due_at__gt=now).update(due_at=now)
    elif outcome.trouble:
        failures = failed + 1
        target.update(
            failures=failures,
            paused_until=now + max(pause_ms(failures, random.random()), _asked_for(answer)),  # noqa: S311 - the same
            trouble=outcome.trouble[:CODE_CHARACTERS],
            trouble_phrase=answer.phrase if isinstance(answer, Answer) else "",
            trouble_at=now,
        )
