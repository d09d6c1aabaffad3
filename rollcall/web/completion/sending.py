"""Where the verdicts of an activity go: targets switched on and off, what is held back, and what a teacher decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count
from django.http import Http404
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from rollcall.core.access import Area, may
from rollcall.core.deliveries import Scoring, Step, Way
from rollcall.core.errors import Refused
from rollcall.deliveries import completion_words
from rollcall.deliveries.completions import by_hand, told
from rollcall.deliveries.completions.choosing import choices, targets_of
from rollcall.deliveries.completions.targets import switch_off, switch_on, would_send
from rollcall.deliveries.goals import goal_from
from rollcall.feed.deciding import activity_for, told_by_meetings
from rollcall.store import licensing
from rollcall.store.completions import Completion
from rollcall.store.decisions import Activity
from rollcall.store.owed import Owed, Owing, Reversal
from rollcall.web.completion.subject import around, no_name, note, subject_of, zone_of
from rollcall.web.operator.noting import go, said
from rollcall.wording import formatting, policies, times
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse

    from rollcall.core.deliveries import Goal
    from rollcall.deliveries.completions.choosing import Choice
    from rollcall.store.owed import CompletionTarget
    from rollcall.web.completion.subject import Subject

MOST_REVERSALS: Final = 100

_HERE: Final = "/sending"
_HISTORY: Final = "history"


@require_http_methods(["GET", "HEAD", "POST"])
def sending(request: HttpRequest, key: str) -> HttpResponse:
    """What can be chosen, and how what was chosen goes; and a choice, or what was decided."""
    if request.method != "POST":
        return _page(request, subject_of(request, key))
    subject = subject_of(request, key, Area.DECIDE)
    try:
        word = _do(request, subject)
    except Refused as refused:
        return _page(request, subject, refused)
    note(subject, word if word in {"target-on", "target-off"} else "target")
    return go(f"{subject.address}{_HERE}", word)


def _do(request: HttpRequest, subject: Subject) -> str:
    """What the page says of it afterwards."""
    now = licensing.now_ms()
    match request.POST.get("act"):
        case "on":
            _require_known(request)
            activity = activity_for(subject.found.organisation, subject.found.key, now=now)
            switch_on(
                activity,
                request.POST.get("key", ""),
                scoring=_scoring(request),
                author=subject.reader.name,
                language=translation.get_language() or "en",
                now=now,
                from_at=0 if request.POST.get("from") == "all" else None,
            )
            return "target-on"
        case "off":
            switch_off(_target(request, subject), now=now)
            return "target-off"
        case "history":
            target = _target(request, subject)
            by_hand.send_history(target.pk, now=now)
            return "history-sent"
        case "accept" | "decline" as act:
            reversal = _reversal(request, subject)
            by_hand.decide_reversal(reversal.pk, is_accepted=act == "accept", by=subject.reader.name, now=now)
            return "reversal"
    raise Http404(_("There is nothing of that kind to be done."))


def _require_known(request: HttpRequest) -> None:
    """Of the way that takes nothing back: nobody chooses it without having said that they know."""
    if request.POST.get("key", "").startswith(f"{Way.CALLBACK}:") and not request.POST.get("known"):
        raise Refused(_("Tick first that you know that this cannot be taken back."), code="not-known", status=400)


def _scoring(request: HttpRequest) -> Scoring:
    return Scoring.PERCENT if request.POST.get("scoring") == Scoring.PERCENT else Scoring.PASS


def _target(request: HttpRequest, subject: Subject) -> CompletionTarget:
    """One of this activity, of no other."""
    asked = request.POST.get("target", "")
    found = next((one for one in _targets(subject) if str(one.pk) == asked), None)
    if found is None:
        raise Http404(_("There is no such target."))
    return found


def _targets(subject: Subject) -> list[CompletionTarget]:
    return [] if subject.activity is None else targets_of(subject.activity)


def _reversal(request: HttpRequest, subject: Subject) -> Reversal:
    asked = request.POST.get("reversal", "")
    if subject.activity is not None and asked.isascii() and asked.isdigit() and len(asked) <= 18:
        found = Reversal.objects.filter(pk=int(asked), owed__target__activity=subject.activity).first()
        if found is not None:
            return found
    raise Http404(_("There is no such change."))


# --- the page ---------------------------------------------------------------------------------------------------------


def _page(request: HttpRequest, subject: Subject, refused: Refused | None = None) -> HttpResponse:
    found = subject.found
    of = subject.activity
    if of is None:
        columns = told_by_meetings(found.organisation, found.key) or {}
        of = Activity(organisation=found.organisation, key=found.key, **columns)
    offered = choices(of)
    context = around(request, subject, _HERE) | {
        "said": said(request),
        "refused": refused,
        "has_policy": subject.policy_at(licensing.now_ms()) is not None,
        "targets": [_choice(one, of, subject) | {"folds": _folds(one, offered)} for one in offered],
        "others": [_other(one, subject) for one in _targets(subject) if one.is_on and not _is_offered(one, offered)],
        "reversals": _reversals(subject),
    }
    return render(request, "sending.html", context, status=refused.status if refused else 200)


def _folds(one: Choice, offered: Sequence[Choice]) -> bool:
    """What cannot be taken back stands in a fold where another way can be chosen."""
    return one.way is Way.CALLBACK and not one.is_on and any(not each.why_not for each in offered if each is not one)


def _is_offered(target: CompletionTarget, offered: Sequence[Choice]) -> bool:
    return any(one.target is not None and one.target.pk == target.pk for one in offered)


def _choice(one: Choice, of: Activity, subject: Subject) -> dict[str, Any]:
    at_once = held = 0
    if not one.is_on and not one.why_not:
        would = would_send(of, one.way, one.scorings[0], target=one.target)
        at_once, held = would.at_once, would.of_history
    return {
        "key": one.key,
        "way": told.way_name(one.way),
        "name": visible(one.name),
        "sentence": one.sentence,
        "warning": one.warning,
        "why_not": one.why_not,
        "hint": _hint(one.hint, subject, is_of_lms=one.is_for_administrators),
        "is_on": one.is_on,
        "is_final": one.way is Way.CALLBACK,
        "has_percent": Scoring.PERCENT in one.scorings,
        "would": _would(at_once, held),
        **_standing(one.target if one.is_on else None, subject),
    }


def _would(at_once: int, held: int) -> str:
    if not at_once and not held:
        return ""
    told_now = ngettext(
        "Past classes would have %(number)s verdict sent.", "Past classes would have %(number)s verdicts sent.", at_once
    )
    return told_now % {"number": formatting.number(at_once)}


def _hint(hint: str, subject: Subject, *, is_of_lms: bool) -> str:
    """What to do, for whoever can do it: of an LMS as a whole no teacher can."""
    if hint and is_of_lms and not may(subject.reader, Area.DELIVERIES):
        return _("An administrator can set this right: show them this page.")
    return hint


def _other(target: CompletionTarget, subject: Subject) -> dict[str, Any]:
    """One that is on, and that nobody would be offered any more: it can be switched off at least."""
    return {"way": told.way_name(target.receiver.way), "name": visible(target.receiver.platform.name)} | _standing(
        target, subject
    )


def _standing(target: CompletionTarget | None, subject: Subject) -> dict[str, Any]:
    """How far it is: how many verdicts are in which state, and what keeps it."""
    if target is None:
        return {"target": None}
    counted = dict(Owed.objects.filter(target=target).order_by().values_list("state").annotate(Count("id")))
    held = Owed.objects.filter(target=target, state=Owing.HELD, reason=_HISTORY).count()
    way = target.receiver.way
    troubles = [(one, *told.trouble_of(one, way)) for one in (target.receiver, target) if one.trouble]
    return {
        "target": target.pk,
        "scoring": target.scoring,
        "states": [
            {"word": told.state_name(state), "number": formatting.number(counted[state])}
            for state in Owing
            if counted.get(state)
        ],
        "is_stopped": target.receiver.is_stopped,
        "troubles": [
            {"sentence": sentence, "hint": _hint(hint, subject, is_of_lms=one is target.receiver)}
            for one, sentence, hint in troubles
        ],
        "history": formatting.number(held) if held else "",
    }


# --- what a teacher decides -------------------------------------------------------------------------------------------


def _reversals(subject: Subject) -> list[dict[str, Any]]:
    """Verdicts that were sent and have changed since, the latest first; some wait for a word, some are only told."""
    if subject.activity is None or not subject.may_decide:
        return []
    rows = Reversal.objects.filter(owed__target__activity=subject.activity, handled_at=None)
    found = list(rows.select_related("owed__target__receiver__platform").order_by("-at", "-pk")[:MOST_REVERSALS])
    keys = [bytes(one.owed.user_key) for one in found]
    people = {
        bytes(one.user_key): one for one in Completion.objects.filter(activity=subject.activity, user_key__in=keys)
    }
    return [_change(one, people.get(bytes(one.owed.user_key)), subject) for one in found]


def _change(one: Reversal, person: Completion | None, subject: Subject) -> dict[str, Any]:
    name = visible(person.name.strip()) if person is not None else ""
    return {
        "pk": one.pk,
        "name": name or no_name(one.owed.external_user_id),
        "address": f"{subject.address}/people/{bytes(one.owed.user_key).hex()}" if person is not None else "",
        "way": told.way_name(one.owed.target.receiver.way),
        "at": times.day_and_clock(one.at, zone_of()),
        "before": _goal(goal_from(one.before)),
        "after": _goal(goal_from(one.after)),
        "sentence": completion_words.sentence(bytes(one.reasons), zone_of()) if one.reasons else "",
        "is_to_decide": one.step == Step.FLAG,
        "stays": one.step == Step.STAYS,
    }


def _goal(goal: Goal) -> str:
    if goal.thousandths is not None:
        return policies.share(goal.thousandths)
    return _("complete") if goal.is_done else _("not complete")
