"""How verdicts reach each LMS: what keeps them, what was answered, and what a person may do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.http import Http404
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from rollcall.core.access import Area, Role
from rollcall.core.deliveries import Way
from rollcall.core.errors import Refused
from rollcall.deliveries.completion_words import sentence
from rollcall.deliveries.completions import by_hand, codes, told
from rollcall.reports.access import require
from rollcall.store import licensing, owed_reading
from rollcall.store.owed import Owing
from rollcall.web.operator.noting import go, note, said
from rollcall.wording import formatting, times
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from datetime import tzinfo

    from django.http import HttpRequest, HttpResponse

    from rollcall.core.access import Reader
    from rollcall.store.owed import CompletionTarget, Receiver, Try
    from rollcall.store.owed_reading import Health, OwedRow

ROWS: Final = 50
ANSWERS: Final = 10
_OF_ALL: Final = {"stop": by_hand.stop, "start": by_hand.start}
_OF_ONE: Final = {"retry": by_hand.retry, "resend": by_hand.resend, "cancel": by_hand.cancel}


@require_safe
def deliveries(request: HttpRequest) -> HttpResponse:
    """Each way into each LMS, with what keeps it."""
    reader = require(request, area=Area.DELIVERIES)
    zone = timezone.get_current_timezone()
    found = owed_reading.health_of(list(_receivers(reader)))
    context = {
        "page": "deliveries",
        "receivers": [_health(one, zone) for one in found],
        "is_operator": reader.role is Role.OPERATOR,
        "said": said(request),
    }
    return render(request, "deliveries.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def receiver(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them: the rows that want a person, or are in one state, and the last answers; and something done."""
    reader = require(request, area=Area.DELIVERIES)
    found = _receivers(reader).filter(pk=pk).first()
    if found is None:
        raise Http404(_("There is no such delivery."))
    if request.method != "POST":
        return _page(request, found)
    try:
        _do(request, found)
    except Refused as refused:
        return _page(request, found, refused)
    note(reader, "delivery", found.platform.organisation_id, platform=found.platform_id)
    return go(f"/deliveries/{pk}", "changed")


def _receivers(reader: Reader) -> Any:  # noqa: ANN401 - a query
    return owed_reading.receivers(reader.organisation, reader.site)


def _do(request: HttpRequest, found: Receiver) -> None:
    act, now = request.POST.get("act", ""), licensing.now_ms()
    if act in _OF_ALL:
        _OF_ALL[act](found.pk, now=now)
    elif act in _OF_ONE:
        _OF_ONE[act](_row(request, found), now=now)
    else:
        raise Http404(_("There is nothing of that kind to be done."))


def _row(request: HttpRequest, found: Receiver) -> int:
    """One of this receiver, of no other."""
    asked = request.POST.get("owed", "")
    if asked.isascii() and asked.isdigit() and len(asked) <= 18 and owed_reading.is_of(found, int(asked)):
        return int(asked)
    raise Http404(_("There is no such delivery."))


# --- the pages --------------------------------------------------------------------------------------------------------


def _page(request: HttpRequest, found: Receiver, refused: Refused | None = None) -> HttpResponse:
    zone = timezone.get_current_timezone()
    state, before = _state(request), _before(request)
    rows = owed_reading.rows_of(found, state, before=before, limit=ROWS + 1)
    (health,) = owed_reading.health_of([found])
    context = {
        "page": "deliveries",
        "one": _health(health, zone),
        "path": f"/deliveries/{found.pk}",
        "states": _states(health, state),
        "is_of_persons": not state,
        "rows": [_shown(one, zone) for one in rows[:ROWS]],
        "more": f"?{f'state={state}&' if state else ''}before={rows[ROWS - 1].owed.pk}" if len(rows) > ROWS else "",
        "answers": [_answer(one, found, zone) for one in owed_reading.answers_of(found, ANSWERS)],
        "refused": refused,
        "said": said(request),
    }
    return render(request, "delivery.html", context, status=refused.status if refused else 200)


def _state(request: HttpRequest) -> str:
    asked = request.GET.get("state", "")
    return asked if asked in set(Owing) else ""


def _before(request: HttpRequest) -> int | None:
    asked = request.GET.get("before", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) <= 18 else None


def _health(one: Health, zone: tzinfo) -> dict[str, Any]:
    receiver, way = one.receiver, one.receiver.way
    waiting = sum(one.states.get(state, 0) for state in owed_reading.UNDER_WAY)
    is_tried = waiting and receiver.paused_until > licensing.now_ms()
    return {
        "pk": receiver.pk,
        "lms": visible(receiver.platform.name) or receiver.platform.site,
        "organisation": visible(receiver.platform.organisation.name),
        "way": told.way_name(way),
        "is_stopped": receiver.is_stopped,
        "trouble": told.trouble_of(receiver, way) if receiver.trouble else None,
        "since": times.day_and_clock(receiver.trouble_at, zone) if receiver.trouble else "",
        "until": times.day_and_clock(receiver.paused_until, zone) if is_tried else "",
        "answered": times.day_and_clock(receiver.answered_at, zone),
        "sent": formatting.number(one.states.get(Owing.SENT, 0)),
        "waiting": formatting.number(waiting),
        "wants": formatting.number(one.wants_a_person) if one.wants_a_person else "",
        "troubled": [_target(target, way) for target in one.troubled],
    }


def _target(target: CompletionTarget, way: str) -> dict[str, str]:
    trouble, hint = told.trouble_of(target, way)
    key = bytes(target.activity.key).hex()
    return {"activity": visible(target.activity.label), "address": f"/activities/{key}", "said": trouble, "hint": hint}


def _states(health: Health, chosen: str) -> list[dict[str, Any]]:
    return [
        {
            "state": state.value,
            "word": told.state_name(state),
            "number": formatting.number(health.states[state]),
            "is_it": state == chosen,
        }
        for state in Owing
        if health.states.get(state)
    ]


def _shown(one: OwedRow, zone: tzinfo) -> dict[str, Any]:
    """The sentence about the verdict is the one that the person and the teacher read."""
    owed, completion = one.owed, one.completion
    key, user = bytes(owed.target.activity.key).hex(), bytes(owed.user_key).hex()
    words = told.tell(owed)
    return {
        "pk": owed.pk,
        "name": visible(completion.name.strip() if completion else "") or _participant(owed.external_user_id),
        "address": f"/activities/{key}/people/{user}" if completion else "",
        "activity": visible(owed.target.activity.label),
        "why": sentence(bytes(completion.detail if completion else owed.reasons), zone),
        "state": told.state_name(owed.state),
        "words": words,
        "at": times.day_and_clock(words.at, zone) if words.at else "",
        "acts": _acts(Owing(owed.state)),
    }


def _participant(user_id: str) -> str:
    """As on the roster, where the LMS does not share the name."""
    return _("Participant %(id)s") % {"id": visible(user_id)}


def _acts(state: Owing) -> list[tuple[str, str]]:
    """What may be done with a row."""
    match state:
        case Owing.SENT:
            return [("resend", _("Send again"))]
        case Owing.WAITING | Owing.DUE:
            return [("retry", _("Send now")), ("cancel", _("Cancel"))]
        case Owing.SENDING:
            return []
        case Owing.CANCELLED:
            return [("retry", _("Send after all"))]
        case Owing.HELD:
            return [("retry", _("Send it")), ("cancel", _("Cancel"))]
        case Owing.LEFT | Owing.REFUSED:
            return [("retry", _("Send again"))]


def _answer(one: Try, found: Receiver, zone: tzinfo) -> dict[str, str]:
    """One request that was made: what came back, in plain words."""
    heard = f"{one.status} {one.phrase}".strip() if one.status is not None else ""
    wrong = codes.told(Way(found.way), one.fault)[0] if one.fault else ""
    return {
        "at": times.day_and_clock(one.at, zone),
        "activity": visible(one.owed.target.activity.label),
        "user": visible(one.owed.external_user_id),
        "answer": visible(heard),
        "said": wrong or ("" if heard else _("No answer was seen.")),
        "took": _("%(ms)s ms") % {"ms": formatting.number(one.took_ms)} if one.took_ms is not None else "",
    }
