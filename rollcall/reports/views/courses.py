"""One course: its people under each other, its meetings beside each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from rollcall.reports import access, asking, words
from rollcall.reports.pictures.figure import figures
from rollcall.reports.registry import REPORTS
from rollcall.reports.rows import Format
from rollcall.reports.subjects import course_of
from rollcall.reports.tables import courses
from rollcall.reports.to_html import to_html
from rollcall.reports.views import lists
from rollcall.reports.views.frame import answer, pages
from rollcall.reports.views.nothing_yet import own_course
from rollcall.store import searching
from rollcall.store.searching import Counted, activities
from rollcall.wording import formatting
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from datetime import tzinfo

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from rollcall.reports.asking import Asked
    from rollcall.store.derived import Course
    from rollcall.store.searching import Inside

PAGE = 50
"""Rows of a page; a file has them all."""
MOST_ACTIVITIES = 20


@require_safe
def course(request: HttpRequest, key: str) -> HttpResponseBase:
    """The matrix of a course."""
    report = REPORTS["course"]
    access.require(request, report)
    try:
        found = course_of(key, access.inside(request))
    except Http404:
        if (empty := own_course(request, key)) is not None:
            return empty
        raise
    return answer(
        request,
        report,
        "course.html",
        lambda asked: _page(found, asked, request.path),
        others=asking.PLACES,
        beside={
            "course": found,
            "name": visible(courses.course_name(found)),
            "activities": _activities(found, access.inside(request)),
        },
    )


def _activities(found: Course, inside: Inside) -> list[dict[str, str]]:
    """The ways to who has attended enough, the activity that met last first."""
    wanted = replace(inside.filter(), course=bytes(found.key).hex())
    return [
        {"name": visible(one.name.strip()) or _("(no name)"), "address": f"/activities/{one.hexed}"}
        for one in activities.activities(wanted, limit=MOST_ACTIVITIES).rows
    ]


def _page(found: Course, asked: Asked, path: str) -> dict[str, Any]:
    places = {name: asked.places.get(name, "") for name in asking.PLACES}
    matrix = courses.latest(courses.matrix(found, asked, limit=PAGE, **places))
    table = courses.matrix_table(matrix, asked, Format.HTML)
    key = bytes(found.key).hex()
    totals = searching.totals(replace(asked.wanted, course=key), "matrix")
    if totals.people is None:
        totals = totals._replace(people=Counted(matrix.everybody))
    return {
        "count": len(matrix.members),
        "told": lists.counted("people", Counted(matrix.everybody)),
        "table": to_html(table, asked.zone, caption=_("People and meetings"), kind="matrix"),
        "totals": _totals(totals, asked, key),
        "drawn": figures(courses.pictures(matrix, asked.zone, part=(PAGE, 60))[:1], asked.zone),
        "notes": _notes(matrix, totals, asked.zone),
        "empty": _("Nobody was in such a meeting of this course."),
        "loosen": not asked.is_blank,
    } | pages(asked, before=matrix.before, after=matrix.after, path=path)


def _totals(totals: searching.Totals, asked: Asked, key: str) -> list[dict[str, str]]:
    """Each number leads to its rows."""
    shown = []
    for what in ("meetings", "attendances", "people"):
        query = asked.query_for(REPORTS[what].takes.filters, course=key)
        if (count := getattr(totals, what)) is not None:
            shown.append({"said": lists.counted(what, count), "address": f"/{what}{query}"})
    return shown


def _notes(matrix: courses.Matrix, totals: searching.Totals, zone: tzinfo) -> list[str]:
    notes = []
    if len(matrix.meetings) < totals.meetings.number:
        told = _("These are the latest %(count)s meetings; choose a time to see earlier ones.")
        notes.append(told % {"count": formatting.number(len(matrix.meetings))})
    if matrix.guests:
        told = ngettext(
            "%(number)s attendance of a guest or caller is not shown: nobody knows who they are in other meetings.",
            "%(number)s attendances of guests and callers are not shown: nobody knows who they are in other meetings.",
            matrix.guests,
        )
        notes.append(told % {"number": formatting.number(matrix.guests)})
    if matrix.roster is None:
        notes.append(_("No roster of the course is known: whoever was in none of these meetings does not stand here."))
    else:
        told = _("The roster was last read on %(time)s; whoever of it was in none of these meetings stands last.")
        notes.append(told % {"time": words.day_and_clock(matrix.roster.read_at, zone)})
    return notes
