"""What people decide about activities, kept for ever: each decision is added once, and nothing is ever changed.

What was decided is told by its type. Verdicts follow by themselves: with each decision its activity is due to be
folded anew, in the same transaction.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec
from django.db import connection, transaction
from django.utils.translation import gettext as _

from rollcall.core.activity import Hours, Verdict
from rollcall.core.errors import Refused
from rollcall.core.people import MOODLE_MEETING
from rollcall.core.policy import Policy, Scope
from rollcall.feed.demanding import demand
from rollcall.store.decisions import Activity, Decision
from rollcall.store.derived import Summary
from rollcall.store.fields import storable
from rollcall.store.keys import key_of

if TYPE_CHECKING:
    from collections.abc import Mapping

DAY_MS: Final = 24 * 60 * 60_000
MOST_CONDITIONS: Final = 20
MOST_CLASSES: Final = 10_000
LONGEST_MS: Final = 3650 * DAY_MS
LATEST_AT: Final = 32_503_680_000_000
"""The year 3000: a time beyond it is no time that somebody meant."""
LONGEST_CLASS_MS: Final = 7 * DAY_MS
LONGEST_TEXT: Final = 4_000
MOST_DIGITS: Final = 19
"""What has so many is beyond what databases count."""


@dataclass(frozen=True, slots=True)
class Switch:
    """Whether the class that this meeting is part of counts."""

    meeting: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class Word:
    """A teacher's word on one person: in the class that `meeting` is part of, or in the whole activity (blank)."""

    user_id: str
    verdict: Verdict
    meeting: str = ""


@dataclass(frozen=True, slots=True)
class Undo:
    """Takes back the decision of this number, as if it had not been made; also an undoing."""

    seq: int


What: TypeAlias = Policy | Hours | Switch | Word | Undo

KINDS: Final[Mapping[str, type[What]]] = {
    "policy": Policy,
    "hours": Hours,
    "switch": Switch,
    "correction": Word,
    "undo": Undo,
}
"""By the name under which each is kept; its payload is the JSON of its fields."""

_encoder = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True)
class By:
    """Who decides, as the audit log names them, and why.

    `once` is the token of the form: sent twice it decides once; blank: each call decides anew. `seen` is the number of
    the last decision of the same kind that they knew of (0: of none); where there is a later one they are refused.
    """

    author: str
    role: str
    reason: str = ""
    once: str = ""
    seen: int | None = None


def decide(activity: Activity, what: What, by: By, *, now: int) -> Decision:
    """Keep it, and have the activity folded anew; the decision that is kept already if the same form comes again.

    Refused for what nobody can mean, for an undoing of nothing, and where somebody else has decided since `by.seen`.
    """
    require_sensible(what, by)
    kind, payload = kind_of(what), _encoder.encode(what)
    once = by.once or secrets.token_hex(16)
    digest = key_of(kind, payload.decode(), by.author, once)
    with transaction.atomic():
        return _decide(activity.pk, Decision(digest=digest, kind=kind, payload=payload, at=now), what, by)


def _decide(pk: int, new: Decision, what: What, by: By) -> Decision:
    rows = Activity.objects.select_for_update(no_key=connection.features.has_select_for_no_key_update)
    row = rows.get(pk=pk)
    of_it = Decision.objects.filter(activity=row)
    if (known := of_it.filter(digest=new.digest).first()) is not None:
        return known
    if by.seen is not None and of_it.filter(kind=new.kind, seq__gt=by.seen).exists():
        raise Refused(
            _("Somebody else has changed this in the meantime."),
            code="changed-meanwhile",
            status=409,
            hint=_("Load the page again to see how it is now, and then decide."),
        )
    if isinstance(what, Undo) and not of_it.filter(seq=what.seq).exists():
        raise Refused(_("There is no such decision that could be undone."), code="nothing-to-undo", status=404)
    new.activity, new.seq = row, row.last_seq + 1
    new.author, new.role, new.reason = by.author, by.role, storable(by.reason.strip())
    new.save(force_insert=True)
    Activity.objects.filter(pk=pk).update(last_seq=new.seq)
    demand([pk], now=new.at)
    return new


def kind_of(what: What) -> str:
    """The name of its kind."""
    return next(name for name, made_of in KINDS.items() if type(what) is made_of)


# -- what can be meant ------------------------------------------------------------------------------------------------


def require_sensible(what: What, by: By) -> None:
    """Refused for numbers, times and texts that no form of ours lets through."""
    texts = [by.author, by.reason, getattr(what, "meeting", ""), getattr(what, "user_id", "")]
    if not all(len(text) <= LONGEST_TEXT for text in texts) or not _is_sensible(what):
        raise Refused(
            _("This cannot be kept: a number or a time in it is out of range."),
            code="out-of-range",
            hint=_("Correct it and send it again."),
        )


def _is_sensible(what: What) -> bool:
    match what:
        case Policy():
            return _is_sensible_policy(what)
        case Hours(meeting=meeting, begin=begin, end=end):
            return is_meeting(meeting) and 0 <= begin < end <= LATEST_AT and end - begin <= LONGEST_CLASS_MS
        case Switch(meeting=meeting):
            return is_meeting(meeting)
        case Word(user_id=user_id, meeting=meeting):
            return user_id == storable(user_id) != "" and (not meeting or is_meeting(meeting))
    return True


def is_meeting(text: str) -> bool:
    """Whether this can be the number of a meeting, by which decisions name it."""
    return text.isascii() and text.isdigit() and len(text) < MOST_DIGITS


def _is_sensible_policy(policy: Policy) -> bool:
    times = [policy.starts_at, policy.lowers_until or 0]
    lengths = [policy.apart_ms, policy.shortest_ms, *(one.amount for one in policy.conditions)]
    planned = MOST_CLASSES if policy.planned is None else policy.planned
    is_needed = policy.scope is Scope.SUMMED or 1 <= policy.needed <= planned
    return (
        len(policy.conditions) <= MOST_CONDITIONS
        and all(0 <= at <= LATEST_AT for at in times)
        and all(0 <= length <= LONGEST_MS for length in lengths)
        and 0 <= policy.fewest <= MOST_CLASSES
        and 0 <= planned <= MOST_CLASSES
        and is_needed
    )


# -- of what something is decided -------------------------------------------------------------------------------------


def activity_for(organisation: int, key: bytes, *, now: int) -> Activity:
    """The activity of this key, made of its latest meeting when the first thing is decided of it.

    Refused where there was no meeting of it.
    """
    if (known := Activity.objects.filter(organisation=organisation, key=key).first()) is not None:
        return known
    columns = told_by_meetings(organisation, key)
    if columns is None:
        raise Refused(
            _("There was no class of this activity yet."),
            code="unknown-activity",
            status=404,
            hint=_("Hold a first class; then it can be decided what completes the activity."),
        )
    known, _is_new = Activity.objects.get_or_create(
        organisation=organisation, key=key, defaults=columns | {"made_at": now}
    )
    return known


def told_by_meetings(organisation: int, key: bytes) -> dict[str, str] | None:
    """What its latest meeting says of an activity, by the columns of Activity; None where there was none."""
    meetings = Summary.objects.filter(organisation=organisation, activity_key=key).order_by("-started_at", "-pk")
    latest = meetings.values("site", "context_id", "name", "external_meeting_id").first()
    if latest is None:
        return None
    return {
        "site": latest["site"],
        "context_id": latest["context_id"],
        "label": latest["name"],
        "instance": _instance(latest["external_meeting_id"], latest["site"], key),
    }


def _instance(external_meeting_id: str, site: str, key: bytes) -> str:
    """Of Moodle's meeting id, if the key was made of it: meetings of other systems may only look like that."""
    found = MOODLE_MEETING.match(external_meeting_id)
    if found is None or key_of(site, found.group(2), found.group(3)) != key:
        return ""
    return found.group(3)
