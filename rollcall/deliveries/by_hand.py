"""What a person decides about deliveries: switch on and off, try again, cancel, repair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from django.db import transaction
from django.db.models import Max

from rollcall.core.errors import Refused
from rollcall.deliveries.by_callback import body_of
from rollcall.deliveries.relay_or_rule import is_told
from rollcall.deliveries.wanting import callback_url, is_breakout, want
from rollcall.store import reading
from rollcall.store.connections import Pool
from rollcall.store.outbox import OVER, Delivery, State, Target

if TYPE_CHECKING:
    from collections.abc import Collection

    from rollcall.store.derived import Summary

MOST_REPAIRS: Final = 98
"""So that the number at the end of an id keeps two digits."""

_MAY_BE_RETRIED: Final = (State.WAITING, State.DUE, State.HELD, State.CANCELLED, State.GONE, State.REFUSED)


def switch(pool: Pool, *, is_on: bool) -> int:
    """Relay the records of this server's meetings, or stop; how many deliveries wait."""
    Pool.objects.filter(pk=pool.pk).update(relays=is_on)
    Target.objects.filter(pool=pool).update(paused_until=0)
    return Delivery.objects.filter(target__pool=pool, state__in=(State.DUE, State.WAITING)).count()


def retry(summary: Summary, now: int, *, as_it_is: bool = False) -> Delivery:
    """Send it as soon as possible, also where it is old, held or refused; `as_it_is`: without waiting for a record."""
    _require_relay(summary)
    _require_over(summary)
    if is_breakout(summary):
        raise Refused("A breakout room is not sent on its own.", hint="Its class is, and everybody's time in it.")
    delivery = _first(summary) or want(summary, now, needs_record=not as_it_is)
    if delivery is None:
        raise Refused(
            f"No Moodle has asked for the record of {summary.name!r}.",
            code="not-wanted",
            hint="Its metadata has no analytics-callback-url: see “Register live sessions” in Moodle's settings.",
        )
    if is_told(summary.organisation, bytes(summary.activity_key)):
        raise Refused(
            "The LMS is told who has met the rule of this activity, so no record of its classes is passed on.",
            code="by-rule",
            hint="Switch that off for the activity first: both together would complete everybody.",
        )
    if delivery.state not in _MAY_BE_RETRIED:
        raise Refused(f"It is {delivery.state}: sending it again would change nothing.", hint=_INSTEAD)
    if not as_it_is and summary.record not in {"recording", "callback"} and delivery.needs_record:
        raise Refused(
            "No whole record of this class has arrived.",
            code="no-record",
            hint="--as-it-is sends what is proved without one; what comes later cannot be sent any more.",
        )
    _make_due(delivery, now, needs_record=not as_it_is)
    return delivery


def retry_all(pool: Pool, now: int) -> int:
    """Try at once whatever waits for a target to be mended, or was given up on; how many."""
    Target.objects.filter(pool=pool).update(paused_until=0)
    rows = Delivery.objects.filter(target__pool=pool)
    given_up = rows.filter(state=State.HELD, reason="gave-up")
    return given_up.update(state=State.DUE, reason="", due_at=now, wanted_at=now) + rows.filter(state=State.DUE).update(
        due_at=now
    )


_INSTEAD: Final = "People the LMS lacks can be added: rollcall relay repair MEETING --person ID."


def _make_due(delivery: Delivery, now: int, *, needs_record: bool) -> None:
    taken = Delivery.objects.filter(pk=delivery.pk, state__in=_MAY_BE_RETRIED).update(
        state=State.DUE, reason="", due_at=now, wanted_at=now, needs_record=needs_record
    )
    if not taken:
        raise Refused("It is being sent at this moment.", hint="Look again in a minute: rollcall relay list.")
    Target.objects.filter(pk=delivery.target_id).update(paused_until=0)


def cancel(summary: Summary) -> Delivery:
    """Do not send it, whatever arrives."""
    latest = Delivery.objects.filter(meeting=summary.meeting_id).order_by("-revision").first()
    if latest is None:
        raise Refused("Nothing of this meeting is to be passed on.", hint="rollcall relay list shows what is.")
    kept = Delivery.objects.filter(pk=latest.pk, state__in=(State.WAITING, State.DUE, State.HELD))
    if not kept.update(state=State.CANCELLED, due_at=None):
        raise Refused(f"It is {latest.state}, and cannot be cancelled any more.", hint=_INSTEAD)
    return latest


def repair(summary: Summary, people: Collection[str], now: int) -> tuple[Delivery, int]:
    """Send once more under an id that extends the first: the LMS adds these values to what it holds, for ever."""
    _require_relay(summary)
    first = _first(summary)
    if first is None or first.state not in OVER or first.state == State.GONE:
        raise Refused(
            "The LMS holds nothing of this meeting that could be repaired.", hint="Try: rollcall relay retry."
        )
    body = body_of(summary, reading.attendees(summary), only=people or None)
    if people and body.people < len(set(people)):
        raise Refused(
            "Not all of these people were surely in this meeting, with an id the LMS knows.",
            code="no-such-person",
            hint="`rollcall report attendance --meeting …` lists the ids.",
        )
    if not body.people:
        raise Refused("Nobody in this meeting is known to the LMS.", code="nobody")
    return _new_revision(first, people, now), body.people


def _new_revision(first: Delivery, people: Collection[str], now: int) -> Delivery:
    rows = Delivery.objects.filter(target=first.target_id, meeting=first.meeting_id)
    with transaction.atomic():
        if rows.filter(revision__gt=0, state__in=(State.DUE, State.SENDING)).exists():
            raise Refused("A repair of this meeting is under way.", hint="Look again in a minute: rollcall relay list.")
        revision = rows.aggregate(last=Max("revision"))["last"] + 1
        if revision > MOST_REPAIRS:
            raise Refused("This meeting has been repaired too often.")
        return Delivery.objects.create(
            target_id=first.target_id,
            meeting_id=first.meeting_id,
            revision=revision,
            url=first.url,
            state=State.DUE,
            needs_record=False,
            people=msgspec.json.encode(sorted(set(people))) if people else None,
            wanted_at=now,
            due_at=now,
        )


def _first(summary: Summary) -> Delivery | None:
    return Delivery.objects.filter(meeting=summary.meeting_id, revision=0).order_by("pk").first()


def _require_relay(summary: Summary) -> None:
    if not summary.meeting.pool.relays:
        name = summary.pool_name
        raise Refused(f"The relay is switched off for {name}.", hint=f"rollcall relay on {name}")


def _require_over(summary: Summary) -> None:
    if summary.ended_possible_at is None:
        raise Refused("This meeting is running.", hint="It is sent when it is over.")


def url_of(summary: Summary) -> str:
    """Where this meeting's record is wanted."""
    delivery = _first(summary)
    url = delivery.url if delivery else callback_url(summary.meeting)
    if not url:
        raise Refused("No Moodle has asked for the record of this meeting.", code="not-wanted")
    return url
