"""The activities whose classes somebody may see, and of one of them everybody's verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from rollcall.core.access import Area
from rollcall.core.activity import Verdict
from rollcall.deliveries import completion_words
from rollcall.deliveries.completions.choosing import targets_of
from rollcall.deliveries.completions.told import troubles_of, way_name
from rollcall.reports import access
from rollcall.reports.addresses import person_page
from rollcall.reports.views.frame import files
from rollcall.store import licensing
from rollcall.store.searching import activities as searching
from rollcall.store.searching.activities import TEACHERS
from rollcall.web.completion.owed import owed_of
from rollcall.web.completion.policy import class_notes
from rollcall.web.completion.presets import PRESETS
from rollcall.web.completion.subject import around, is_being_worked_out, no_name, subject_of, zone_of
from rollcall.web.operator.noting import said
from rollcall.wording import formatting, times
from rollcall.wording.policies import policy_sentence
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from rollcall.core.policy import Policy
    from rollcall.deliveries.completions.told import OwedInWords
    from rollcall.store.completions import Completion
    from rollcall.store.decisions import Activity
    from rollcall.store.searching.activities import FoundActivity
    from rollcall.store.searching.wanted import Page
    from rollcall.web.completion.subject import Subject

PAGE: Final = 50
LONGEST_NAME: Final = 200
PLACES: Final = ("after", "before")
ORDER: Final = (Verdict.MET, Verdict.NOT_MET, Verdict.CANNOT_TELL)


@require_safe
def activities(request: HttpRequest) -> HttpResponse:
    """All of them, those without a policy too; the one that met last first."""
    access.require(request, area=Area.VERDICTS)
    name, inside = _name(request), access.inside(request)
    wanted = replace(inside.filter(), meeting=name)
    found = searching.activities(wanted, limit=PAGE, **_places(request))
    known = searching.known(found.rows)
    sees_all = inside.bounds.groups is None
    counts = searching.counts_of_each(known.values()) if sees_all else {}
    with_policy = searching.with_policy(known.values())
    context = {
        "page": "activities",
        "name": name,
        "path": request.path,
        "told": _told(len(found.rows), found),
        "activities": [
            _line(one, row.pk if (row := known.get((one.organisation, one.key))) else 0, counts, with_policy)
            for one in found.rows
        ],
    } | _pages(request.path, found, name=name)
    return render(request, "activities.html", context)


@require_safe
def activity(request: HttpRequest, key: str) -> HttpResponse:
    """Everybody's verdict in one of them, with its sentence."""
    subject = subject_of(request, key)
    policy = subject.policy_at(licensing.now_ms())
    context = around(request, subject) | {
        "said": said(request),
        "policy": "" if policy is None else policy_sentence(policy),
        "more_held": _more_held(subject, policy),
        "is_judged": bool(subject.decided.versions),
        "presets": PRESETS,
    }
    if subject.activity is not None:
        context |= _verdicts(request, subject, subject.activity)
    return render(request, "activity.html", context)


def _more_held(subject: Subject, policy: Policy | None) -> list[str]:
    """That more classes count than were planned, as the verdict of anybody who is judged has them."""
    if subject.activity is None or policy is None or policy.planned is None:
        return []
    anybody = searching.completions(subject.activity, subject.inside).first()
    if anybody is None:
        return []
    classes = completion_words.verdict_from(bytes(anybody.detail)).classes
    return class_notes(policy, sum(one.counts is not Verdict.NOT_MET for one in classes))


# --- the list ---------------------------------------------------------------------------------------------------------


def _line(
    one: FoundActivity, pk: int, counts: Mapping[int, Mapping[str, int]], with_policy: Collection[int]
) -> dict[str, Any]:
    """`pk` is 0 as long as nothing was decided of it."""
    counted = counts.get(pk, {})
    address = f"/activities/{one.hexed}"
    return {
        "name": visible(one.name.strip()) or _("(no name)"),
        "course": visible(one.course_name),
        "address": address,
        "last": times.UNKNOWN if one.last_at is None else times.near_day_and_clock(one.last_at, zone_of()),
        "has_policy": pk in with_policy,
        "counts": [_count(verdict, counted[verdict], address) for verdict in ORDER if counted.get(verdict)],
    }


def _count(verdict: str, number: int, address: str, *, name: str = "", chosen: str = "") -> dict[str, Any]:
    """A number that leads to its people."""
    asked = {"verdict": verdict, "name": name}
    query = urlencode({key: value for key, value in asked.items() if value})
    return {
        "label": ngettext("teacher", "teachers", number)
        if verdict == TEACHERS
        else completion_words.verdict_word(verdict),
        "number": formatting.number(number),
        "verdict": verdict,
        "address": f"{address}?{query}",
        "is_chosen": verdict == chosen,
    }


# --- one activity -----------------------------------------------------------------------------------------------------


def _verdicts(request: HttpRequest, subject: Subject, of: Activity) -> dict[str, Any]:
    name, verdict = _name(request), request.GET.get("verdict", "")
    verdict = verdict if verdict in {*ORDER, TEACHERS} else ""
    counted = searching.counts(of, subject.inside)
    found = searching.completions_page(of, subject.inside, verdict=verdict, name=name, limit=PAGE, **_places(request))
    owed = owed_of(of, found.rows)
    everybody = sum(number for word, number in counted.items() if word != TEACHERS)
    shown = [one for one in (*ORDER, TEACHERS) if counted.get(one)]
    return {
        "counts": [_count(one, counted[one], subject.address, name=name, chosen=verdict) for one in shown],
        "everybody": ngettext("%(number)s person", "%(number)s people", everybody)
        % {"number": formatting.number(everybody)},
        "verdict": verdict,
        "told": _told(len(found.rows), found),
        "asked_name": name,
        "people": [_person(one, subject, owed.get(bytes(one.user_key), ())) for one in found.rows],
        "files": _files(subject, verdict, name),
        "troubles": _troubles(of),
        "is_being_worked_out": is_being_worked_out(of),
        "folded": times.day_and_clock(of.folded_at, zone_of()) if of.folded_at is not None else "",
    } | _pages(subject.address, found, name=name, verdict=verdict)


def _troubles(of: Activity) -> list[dict[str, str]]:
    """What keeps everybody's verdict from the LMS, said once for all."""
    return [
        {
            "way": way_name(target.receiver.way),
            "said": told,
            "hint": hint,
            "since": times.day_and_clock(since, zone_of()),
        }
        for target in targets_of(of)
        if target.is_on
        for told, hint, since in troubles_of(target)
    ]


def _files(subject: Subject, verdict: str, name: str) -> list[dict[str, str]]:
    """The same people as a file: the report of verdicts has them, and teachers among the others."""
    asked = {"meeting": subject.found.hexed, "verdict": "" if verdict == TEACHERS else verdict, "name": name}
    return files("/completion", f"?{urlencode({key: value for key, value in asked.items() if value})}")


def _person(one: Completion, subject: Subject, owed: Sequence[OwedInWords]) -> dict[str, Any]:
    """A person with the verdict and why, as they read it themselves."""
    return {
        "name": visible(one.name.strip()) or no_name(one.external_user_id),
        "user_id": visible(one.external_user_id),
        "address": f"{subject.address}/people/{bytes(one.user_key).hex()}",
        "record": person_page(bytes(one.person.key)) if one.person is not None else "",
        "verdict": one.verdict,
        "word": completion_words.verdict_word(one.verdict),
        "sentence": completion_words.sentence(bytes(one.detail), zone_of()),
        "is_corrected": one.is_corrected,
        "is_teacher": one.is_teacher,
        "has_left": one.is_on_roster is False and not one.is_teacher,
        "owed": owed,
    }


# --- what is asked for ------------------------------------------------------------------------------------------------


def _name(request: HttpRequest) -> str:
    return request.GET.get("name", "").replace("\0", "").strip()[:LONGEST_NAME]


def _told(number: int, found: Page[Any]) -> str:
    """How many were found, said aloud while one types."""
    words = {"number": formatting.number(number) + ("+" if found.after else "")}
    return ngettext("%(number)s found", "%(number)s found", number) % words


def _places(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "") for name in PLACES}


def _pages(path: str, found: Page[Any], **asked: str) -> dict[str, Any]:
    """The addresses of the pages beside this one."""
    kept = {name: value for name, value in asked.items() if value}

    def beside(**place: str) -> str:
        query = urlencode(kept | place)
        return f"{path}?{query}" if query else path

    return {
        "older": beside(after=found.after) if found.after else "",
        "newer": beside(before=found.before) if found.before else "",
        "first": beside(),
        "is_first": not found.before,
    }
