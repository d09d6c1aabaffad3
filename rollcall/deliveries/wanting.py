"""Which meetings are owed to their LMS. Looked for beside the fold, which it neither slows nor depends on."""

from __future__ import annotations

from itertools import islice
from typing import Final

import msgspec
import structlog
from django.db.models import Exists, F, OuterRef

from rollcall.bbb.payloads import decode
from rollcall.bbb.redact import CALLBACK
from rollcall.core.events import MeetingCreated, MeetingListed, MeetingRecorded, MeetingReported, Source
from rollcall.deliveries.by_callback import is_broker, is_sendable_id, site_of_broker, target_key
from rollcall.deliveries.relay_or_rule import BY_RULE, follows_rule
from rollcall.store.connections import Pool
from rollcall.store.derived import Summary
from rollcall.store.facts import Fact, Meeting
from rollcall.store.outbox import Delivery, State, Target

DAY_MS: Final = 24 * 60 * 60_000
YOUNGER_THAN_MS: Final = 3 * DAY_MS
"""What ended longer ago when it is first met is history: it is sent only if somebody asks for it."""

LONGEST_CLASS_MS: Final = DAY_MS
WHOLE: Final = ("recording", "callback")
AT_ONCE: Final = 200
MOST_REMEMBERED: Final = 100_000

_HEADS = (MeetingCreated, MeetingListed, MeetingRecorded, MeetingReported)
_TELLING: Final = ("meeting-created", "meeting-listed", "events-xml", "analytics-callback", "data-json")

logger = structlog.get_logger(__name__)


class Wanting:
    """Finds what is to be relayed. Remembers which meetings it has found not to be, until they are folded again."""

    def __init__(self) -> None:
        self._not_wanted: dict[int, int] = {}

    def look(self, now: int) -> int:
        """Write down every delivery that has become due or known; return how many."""
        if not Pool.objects.filter(relays=True).exists():
            return 0
        return self._new(now) + _recorded(now)

    def _new(self, now: int) -> int:
        """A few hundred at a time: while these are looked at, nothing is sent."""
        unknown = (row for row in _ended_since(now - YOUNGER_THAN_MS) if self._not_wanted.get(row[1]) != row[2])
        found = 0
        for pk, meeting, folded in islice(unknown, AT_ONCE):
            summary = Summary.objects.select_related("meeting__pool").filter(pk=pk).first()
            if summary is None or want(summary, now) is None:
                self._not_wanted[meeting] = folded
            else:
                found += 1
        if len(self._not_wanted) > MOST_REMEMBERED:
            self._not_wanted.clear()
        return found


def _ended_since(since: int) -> list[tuple[int, int, int]]:
    """Meetings of some LMS that are over and of which nothing is written down yet: (summary, meeting, its fold)."""
    known = Delivery.objects.filter(meeting=OuterRef("meeting_id"))
    over = Summary.objects.filter(
        ~Exists(known),
        started_at__gte=since - LONGEST_CLASS_MS,
        ended_possible_at__gte=since,
        site__startswith="http",
        meeting__pool__relays=True,
    )
    return list(over.order_by("started_at").values_list("pk", "meeting_id", "meeting__folded"))


def want(summary: Summary, now: int, *, needs_record: bool = True) -> Delivery | None:
    """Write down that this meeting is owed to the LMS it belongs to; None where no LMS has asked for it.

    Any number of workers may come to this at one moment: the row is there once.
    """
    meeting = summary.meeting
    url = None if is_breakout(summary) else callback_url(meeting)
    if url is None:
        return None
    target, _ = Target.objects.get_or_create(
        pool=meeting.pool, key=target_key(url), defaults={"site": site_of_broker(url)}
    )
    state, reason = State.WAITING, ""
    if not is_sendable_id(meeting.internal_meeting_id):
        state, reason = State.HELD, "odd-id"
    elif follows_rule(summary.organisation, bytes(summary.activity_key)):
        state, reason = State.HELD, BY_RULE
    elif not needs_record or (summary.record in WHOLE and meeting.folded >= meeting.appended):
        state = State.DUE
    delivery, _ = Delivery.objects.get_or_create(
        target=target,
        meeting=meeting,
        revision=0,
        defaults={
            "url": url,
            "state": state,
            "reason": reason,
            "needs_record": needs_record,
            "wanted_at": now,
            "due_at": now if state is State.DUE else None,
        },
    )
    return delivery


def _recorded(now: int) -> int:
    """Those that waited for a whole record and have one, with all that has come folded in."""
    waiting = Delivery.objects.filter(
        state=State.WAITING,
        target__pool__relays=True,
        meeting__summary__record__in=WHOLE,
        meeting__summary__ended_possible_at__isnull=False,
        meeting__folded__gte=F("meeting__appended"),
    )
    return sum(
        Delivery.objects.filter(pk=pk, state=State.WAITING).update(state=State.DUE, due_at=now, wanted_at=now)
        for pk in list(waiting.values_list("pk", flat=True)[:AT_ONCE])
    )


def is_breakout(summary: Summary) -> bool:
    """A breakout room whose class is not known stands alone; its people's time is the class's, which is relayed."""
    rooms = msgspec.json.decode(bytes(summary.detail)).get("meetings") or [{}]
    return summary.meeting.parent_id is not None or bool(rooms[0].get("is_breakout"))


def callback_url(meeting: Meeting) -> str | None:
    """Where the LMS wants the record of this meeting; None unless it is a Moodle that has asked."""
    facts = Fact.objects.filter(meeting=meeting, kind__in=_TELLING).order_by("seq")
    for fact in facts.only("source", "digest", "payload", "kind").iterator(20):
        url = _told_by(fact)
        if url:
            return url if is_broker(url) else None
    return None


def _told_by(fact: Fact) -> str:
    try:
        events = decode(Source(fact.source), bytes(fact.digest), bytes(fact.payload), None)
    except Exception:  # one fact that cannot be read hides no other; the fold reports it
        logger.exception("A fact cannot be read", fact=fact.pk)
        return ""
    heads = (event for event in events if isinstance(event, _HEADS))
    return next((value for head in heads for key, value in head.metadata if key == CALLBACK and value), "")
