"""The classes of an activity: which count and why not, their hours as somebody enters them, and each off or on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.http import Http404
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from rollcall.core.access import Area
from rollcall.core.activity import Hours, Verdict
from rollcall.core.classes import ENDLESS, classes_of
from rollcall.core.errors import Refused
from rollcall.core.intervals import OPEN
from rollcall.core.policy import MINUTE_MS
from rollcall.derive.activity import held_of
from rollcall.feed.deciding import Switch, Undo
from rollcall.web.completion.subject import around, decided, note, subject_of, zone_of
from rollcall.web.completion.typed import Wrong, WrongForm, instant, read_clock
from rollcall.web.operator.noting import go, page_number, said
from rollcall.wording import formatting, times
from rollcall.wording.doubts import doubt_sentence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from rollcall.core.classes import Class
    from rollcall.web.completion.subject import Subject

PAGE: Final = 30
MUCH: Final = 95
"""Percent of its hours in which a class was held at the least for nothing to be said."""
LONGEST_MS: Final = 24 * 60 * MINUTE_MS

_HERE: Final = "/classes"


@require_http_methods(["GET", "HEAD", "POST"])
def classes(request: HttpRequest, key: str) -> HttpResponse:
    """All of them, the latest first; and one of them given hours, switched off, or on again."""
    if request.method != "POST":
        return _page(request, subject_of(request, key))
    subject = subject_of(request, key, Area.DECIDE)
    chosen = _chosen(subject, request.POST.get("meeting", ""))
    try:
        word = _decide(request, subject, chosen)
    except Refused as refused:
        return _page(request, subject, refused=refused, typed=request.POST.dict())
    note(subject, "hours" if word in {"hours", "hours-forgotten"} else "class")
    return go(f"{subject.address}{_HERE}", word)


def _decide(request: HttpRequest, subject: Subject, chosen: Class) -> str:
    """What the page says of it afterwards."""
    meeting = chosen.meetings[0]
    match request.POST.get("act"):
        case "off":
            decided(request, subject, Switch(meeting, is_on=False))
            return "class-off"
        case "on":
            # Of a class of several meetings any one may be the one that was switched off.
            for one in chosen.meetings:
                if one in subject.decided.switched_off:
                    decided(request, subject, Switch(one, is_on=True))
            return "class-on"
        case "forget":
            _forget_hours(request, subject, chosen)
            return "hours-forgotten"
        case _:
            decided(request, subject, _hours(chosen, request.POST.dict()))
            return "hours"


def _forget_hours(request: HttpRequest, subject: Subject, chosen: Class) -> None:
    """All that were entered of it: behind the last ones there may be earlier ones."""
    for one in subject.history():
        if isinstance(one.what, Hours) and one.undone_by is None and one.what.meeting in chosen.meetings:
            decided(request, subject, Undo(one.row.seq))


def _all(subject: Subject) -> list[Class]:
    """The classes that the reader may see: of whoever sees some groups those that a room of theirs was part of."""
    held = held_of(subject.found.organisation, subject.found.key)
    return [one for one in classes_of(held, subject.decided) if subject.seen_of(one.meetings)]


def _chosen(subject: Subject, meeting: str) -> Class:
    found = next((one for one in _all(subject) if meeting in one.meetings), None)
    if found is None:
        raise Http404(_("There is no such class."))
    return found


# --- hours ------------------------------------------------------------------------------------------------------------


def _hours(chosen: Class, typed: Mapping[str, str]) -> Hours:
    """What was entered, on the day on which the class began; its end may be after midnight if the class was."""
    zone, wrong = zone_of(), {}
    clocks = {}
    for name in ("begin", "end"):
        try:
            clocks[name] = read_clock(typed.get(name, ""))
        except Wrong as fault:
            wrong[name] = str(fault)
            continue
        if clocks[name] is None:
            wrong[name] = _("Write when the class begins and when it ends, such as 10:00 and 11:30.")
    if wrong:
        raise WrongForm(wrong)
    day = times.moment(chosen.began_at, zone).date()
    first, last = _span(chosen)
    begin, end = instant(day, clocks["begin"], zone), instant(day, clocks["end"], zone)
    if end <= begin and last is not None and times.moment(last, zone).date() > day:
        end = instant(day + timedelta(days=1), clocks["end"], zone)
    if end <= begin:
        raise WrongForm({"end": _("The class cannot end before it begins.")})
    if end - begin > LONGEST_MS:
        raise WrongForm({"end": _("A class cannot be longer than a day.")})
    if end <= first or (last is not None and begin >= last):
        told = _("Nobody can have been there then: the class was held from %(first)s to %(last)s.")
        words = {"first": times.clock(first, zone)[:5], "last": times.clock(last, zone)[:5]}
        raise WrongForm({"begin": told % words})
    return Hours(chosen.meetings[0], begin, end)


def _span(chosen: Class) -> tuple[int, int | None]:
    """From when to when it was held at the most, epoch ms; None while nobody knows."""
    ends = max(one.ended[1] for one in chosen.held)
    return chosen.began_at, None if ends >= OPEN else ends


# --- the page ---------------------------------------------------------------------------------------------------------


def _page(
    request: HttpRequest,
    subject: Subject,
    *,
    refused: Refused | None = None,
    typed: Mapping[str, str] | None = None,
) -> HttpResponse:
    number = page_number(request)
    every = _all(subject)[::-1]
    shown = every[(number - 1) * PAGE : number * PAGE]
    path = f"{subject.address}{_HERE}"
    fields = refused.fields if isinstance(refused, WrongForm) else {}
    told = ngettext("%(number)s class", "%(number)s classes", len(every)) % {"number": formatting.number(len(every))}
    context = around(request, subject, _HERE) | {
        "said": said(request),
        "told": told,
        "classes": [_line(subject, one, typed or {}, fields) for one in shown],
        "refused": refused,
        "has_policy": bool(subject.decided.versions),
        "newer": f"{path}?page={number - 1}" if number > 1 else "",
        "older": f"{path}?page={number + 1}" if len(every) > number * PAGE else "",
        "first": path,
        "is_first": number == 1,
    }
    return render(request, "classes.html", context, status=refused.status if refused else 200)


def _line(subject: Subject, one: Class, typed: Mapping[str, str], wrong: Mapping[str, str]) -> dict[str, Any]:
    zone = zone_of()
    is_typed = typed.get("meeting") in one.meetings
    begin, end = _shown_hours(one, typed if is_typed else {})
    first, last = _span(one)
    seen = subject.seen_of(one.meetings)
    sees_all = len(seen) == len(one.meetings)
    is_running = one.settles_at is not None and one.settles_at >= OPEN
    return {
        "meeting": seen[0],
        "held": _held(first, last),
        "meetings": _meetings(one, seen),
        "length": _length(one.length),
        "people": _people(one.attendees) if sees_all else "",
        "counts": one.counts.value,
        "is_running": is_running,
        "why": []
        if is_running and one.counts is Verdict.CANNOT_TELL
        else [doubt_sentence(each, zone) for each in one.why],
        "is_off": any(doubt.code == "switched-off" for doubt in one.why),
        "hours": "" if one.hours is None else _interval(one.hours, zone),
        "beyond": _beyond(one, first, last),
        "begin": begin,
        "end": end,
        "wrong": wrong if is_typed else {},
        "is_open": is_typed,
    }


def _beyond(one: Class, first: int, last: int | None) -> str:
    """Of hours in which nobody can have been there for all of the time; blank where it is next to nothing."""
    if one.hours is None or last is None:
        return ""
    inside = min(last, one.hours.end) - max(first, one.hours.begin)
    percent = -(-100 * inside // (one.hours.end - one.hours.begin))
    if percent >= MUCH:
        return ""
    told = _("It was held from %(first)s to %(last)s: nobody can have been there for more than %(share)s of its hours.")
    zone = zone_of()
    clocks = {"first": times.clock(first, zone)[:5], "last": times.clock(last, zone)[:5]}
    return told % (clocks | {"share": formatting.percent(percent)})


def _held(first: int, last: int | None) -> str:
    """On which day, from when to when."""
    began = times.day_and_clock(first, zone_of())
    return began if last is None else formatting.interval(began, times.clock(last, zone_of())[:5])


def _shown_hours(one: Class, typed: Mapping[str, str]) -> tuple[str, str]:
    if typed:
        return typed.get("begin", ""), typed.get("end", "")
    if one.hours is None:
        return "", ""
    zone = zone_of()
    return times.clock(one.hours.begin, zone)[:5], times.clock(one.hours.end, zone)[:5]


def _interval(hours: Hours, zone: Any) -> str:  # noqa: ANN401 - a tzinfo
    return formatting.interval(times.clock(hours.begin, zone)[:5], times.clock(hours.end, zone)[:5])


def _meetings(one: Class, seen: Sequence[str]) -> Sequence[dict[str, str]]:
    """Each leads to its page; of several the times tell them apart."""
    zone = zone_of()
    return [
        {"address": f"/meetings/{held.meeting}", "began": times.clock(held.began_at, zone)[:5]}
        for held in one.held
        if held.meeting in seen
    ]


def _length(length: tuple[int, int]) -> str:
    least, most = length
    if most >= ENDLESS:
        return _("%(time)s or more") % {"time": times.duration(least)}
    if times.duration(least) == times.duration(most):
        return times.duration(least)
    return formatting.interval(times.duration(least), times.duration(most))


def _people(attendees: tuple[int, int]) -> str:
    least, most = attendees
    words = {"number": formatting.number(least)}
    if most > least:
        return _("%(number)s people or more") % words
    return ngettext("%(number)s person", "%(number)s people", least) % words
