"""The targets of an activity: switched on and off, and how many people that would be told of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from rollcall.core.activity import Verdict
from rollcall.core.deliveries import NOTHING, Scoring, Way, goal_of
from rollcall.core.errors import Refused
from rollcall.deliveries.completion_words import verdict_from
from rollcall.deliveries.completions.choosing import ALREADY_RELAYED, Choice, choices, receiver_url, targets_of
from rollcall.deliveries.completions.columns import column_of_link
from rollcall.deliveries.completions.wanting import user_key_of
from rollcall.deliveries.goals import text_of
from rollcall.deliveries.relay_or_rule import hold_back, lock, was_relayed
from rollcall.feed.demanding import demand
from rollcall.store.completions import Completion
from rollcall.store.owed import CompletionTarget, Owed, Owing, Receiver

if TYPE_CHECKING:
    from rollcall.core.activity import PersonVerdict
    from rollcall.store.decisions import Activity


@dataclass(frozen=True, slots=True)
class WouldSend:
    """How many people would be sent at once, and how many are history: held until somebody asks for them."""

    at_once: int
    of_history: int


# -- on and off ------------------------------------------------------------------------------------------------------


def switch_on(  # noqa: PLR0913 - each of them is chosen by itself
    activity: Activity,
    key: str,
    *,
    scoring: Scoring,
    author: str,
    language: str,
    now: int,
    from_at: int | None = None,
) -> CompletionTarget:
    """Have the verdicts of this activity go there from now on; Refused with a sentence where that cannot be.

    Of classes that began before `from_at` (epoch ms; None: now, 0: all) nothing is sent unless somebody asks for it.
    """
    begins_at = now if from_at is None else from_at
    wanted = {"is_on": True, "scoring": scoring.value, "language": language, "from_at": begins_at, "added_by": author}
    with transaction.atomic():
        lock(activity.organisation, bytes(activity.key))
        choice = _chosen(activity, key, scoring)
        target = _write(activity, choice, wanted | _WELL | _where(activity, choice, now), now)
        if choice.way is Way.CALLBACK:
            _have_left_alone(activity)
        demand([activity.pk], now=now)
    return target


_WELL: Final = {"trouble": "", "trouble_phrase": "", "failures": 0, "paused_until": 0}


def _write(activity: Activity, choice: Choice, wanted: dict[str, Any], now: int) -> CompletionTarget:
    receiver, _new = Receiver.objects.get_or_create(platform=choice.platform, way=choice.way)
    before = CompletionTarget.objects.filter(activity=activity, receiver=receiver).first()
    if before is not None and "line_item" in wanted and wanted["line_item"] != before.line_item:
        # What was sent into another column says nothing of what this one holds. Rows go first: so the sender locks too.
        Owed.objects.filter(target=before).delete()
    elif before is not None and wanted["from_at"] > before.from_at:
        # Of what was wanted for earlier classes, and has not left, it is asked again whether it is wanted.
        kept = Owed.objects.filter(target=before, sent="", is_unanswered=False)
        kept.filter(state__in=(Owing.WAITING, Owing.DUE, Owing.HELD)).delete()
    target, _new = CompletionTarget.objects.update_or_create(
        activity=activity, receiver=receiver, defaults=wanted, create_defaults=wanted | {"added_at": now}
    )
    return target


def _chosen(activity: Activity, key: str, scoring: Scoring) -> Choice:
    choice = next((one for one in choices(activity) if one.key == key), None)
    if choice is None:
        raise Refused(_("This cannot be chosen any more."), code="no-such-choice", hint=_("Load the page anew."))
    if choice.why_not:
        raise Refused(choice.why_not, code="not-possible", hint=choice.hint)
    if scoring not in choice.scorings:
        raise Refused(_("This way tells only who has met the rule."), code="no-percentages")
    others = [one for one in targets_of(activity) if one.is_on and one.receiver.way == choice.way == Way.AGS]
    if not choice.is_on and any(one.receiver.platform_id == choice.platform.pk for one in others):
        raise Refused(
            _("The verdicts of this activity go into another column already."),
            code="other-column",
            hint=_("Switch that off first."),
        )
    return choice


def _where(activity: Activity, choice: Choice, now: int) -> dict[str, Any]:
    match choice.way:
        case Way.AGS if choice.link is not None:
            return {"line_item": column_of_link(choice.link, now)}
        case Way.AGS:  # found or made when there is something to be sent; one that was in trouble is looked for anew
            before = choice.target
            return {"line_item": None if before is None or before.trouble else before.line_item}
        case Way.MOODLE:
            return {}
        case Way.CALLBACK:
            return {"pool_url": receiver_url(activity, choice.platform)}


def _have_left_alone(activity: Activity) -> None:
    """Hold what the relay has not sent yet; Refused if it has sent something in this very moment."""
    hold_back(activity)
    if was_relayed(activity):
        why_not, hint = ALREADY_RELAYED
        raise Refused(_(why_not), code="relayed", hint=_(hint))


def switch_off(target: CompletionTarget, *, now: int) -> None:
    """Send nothing more there; what it holds stays."""
    with transaction.atomic():
        lock(target.activity.organisation, bytes(target.activity.key))
        CompletionTarget.objects.filter(pk=target.pk).update(is_on=False)
        demand([target.activity_id], now=now)


# -- what it would come to -------------------------------------------------------------------------------------------


def would_send(
    activity: Activity, way: Way, scoring: Scoring, *, target: CompletionTarget | None = None, from_at: int = 0
) -> WouldSend:
    """Of how many people something would be sent if this were switched on, for the verdicts as they are."""
    held = dict(Owed.objects.filter(target=target).values_list("user_key", "sent")) if target is not None else {}
    rows = Completion.objects.filter(activity=activity.pk, is_teacher=False).exclude(is_on_roster=False)
    if scoring is Scoring.PASS:
        rows = rows.filter(verdict=Verdict.MET)
    counted = {True: 0, False: 0}
    for user, detail in rows.values_list("external_user_id", "detail"):
        verdict = verdict_from(bytes(detail))
        goal = goal_of(verdict, way, scoring)
        if goal is None or goal == NOTHING or held.get(user_key_of(user)) == text_of(goal):
            continue
        counted[_rests_on_history(verdict, from_at)] += 1
    return WouldSend(counted[False], counted[True])


def _rests_on_history(verdict: PersonVerdict, from_at: int) -> bool:
    """As near as can be told without judging anew."""
    if verdict.verdict is Verdict.MET and verdict.without_history is not Verdict.MET:
        return True
    later = [one for one in verdict.classes if one.began_at >= from_at]
    if not verdict.needed:
        return len(later) < len(verdict.classes)
    return verdict.correction is None and sum(one.verdict is Verdict.MET for one in later) < verdict.needed
