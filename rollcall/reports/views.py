"""The pages of the reports, and each of them as a file. Everything a page shows is decided by its address."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from rollcall.core.errors import Refused
from rollcall.reports import rows, to_csv, to_json, words
from rollcall.reports.explaining import explain
from rollcall.reports.facts import facts_of_attendee, facts_of_meeting
from rollcall.reports.filters import NAMES, Asked, read_filter
from rollcall.reports.meeting_page import meeting_parts
from rollcall.reports.to_html import to_html
from rollcall.store import reading
from rollcall.store.reading import FactCursor, Filter, MeetingCursor, PersonCursor, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from django.http import HttpRequest

    from rollcall.reports.rows import Table
    from rollcall.store.derived import Attendance, Summary
    from rollcall.store.facts import Fact

PAGE = 50
FACTS_PAGE = 200

FILES: dict[str, tuple[str, Callable[[Table], Iterator[bytes]]]] = {
    "csv": (to_csv.MEDIA_TYPE, lambda table: to_csv.to_csv(table, timezone.get_current_timezone())),
    "json": (to_json.MEDIA_TYPE, to_json.to_json),
}


def now() -> int:
    """Epoch ms: pages are read at a time, folds are not."""
    return time.time_ns() // 1_000_000


# --- what was asked for -----------------------------------------------------------------------------------------------


def read_asked(request: HttpRequest, *others: str) -> Asked:
    """The filter in the address; `others` are what else may stand there. Refused says what is wrong with it."""
    for name in request.GET:
        if name not in NAMES and name not in others:
            raise Refused(
                _("There is no filter “%(name)s”.") % {"name": name},
                code="unknown-filter",
                hint=_("There are: %(names)s.") % {"names": ", ".join(NAMES)},
            )
    asked = {name: request.GET.get(name, "") for name in NAMES}
    return Asked(read_filter(asked, zone=timezone.get_current_timezone(), as_of=now()), asked)


def _words_only(request: HttpRequest) -> Asked:
    """What was typed, for a form that shows it again beside what is wrong with it."""
    return Asked(Filter(), {name: request.GET.get(name, "") for name in NAMES})


def _query(asked: Asked, **others: str) -> str:
    """The part of an address behind the question mark that asks for the same again."""
    query = urlencode({name: word for name, word in asked.words.items() if word} | others)
    return f"?{query}" if query else ""


def _frame_of_list(request: HttpRequest, asked: Asked, name: str) -> dict[str, Any]:
    """What a list's page shows around its rows."""
    return {
        "page": name,
        "asked": asked.words,
        "is_blank": asked.is_blank(),
        "servers": reading.server_names(),
        "states": [(state.value, words.state_name(state)) for state in State],
        "query": _query(asked),
        "path": request.path,
    }


def _file(table: Table, kind: str, name: str) -> HttpResponse:
    media_type, render_as = FILES[kind]
    response = HttpResponse(b"".join(render_as(table)), content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return response


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The first page is the list of meetings."""
    del request
    return HttpResponseRedirect("/meetings")


# --- meetings ---------------------------------------------------------------------------------------------------------


@require_safe
def meetings(request: HttpRequest) -> HttpResponse:
    """The list, newest first; a page goes by the last meeting of the one before it."""
    try:
        asked = read_asked(request, "after", "before")
        page = _page_of_meetings(request, asked)
    except Refused as refused:
        asked = _words_only(request)
        frame = _frame_of_list(request, asked, "meetings")
        return render(request, "meetings.html", frame | {"refused": refused}, status=refused.status)
    return render(request, "meetings.html", _frame_of_list(request, asked, "meetings") | page)


def _page_of_meetings(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    after, before = (_meeting_cursor(request.GET.get(name, "")) for name in ("after", "before"))
    if before is not None:
        found = reading.meetings_before(asked.wanted, before, limit=PAGE + 1)
        has_newer, found = len(found) > PAGE, found[-PAGE:]
        has_older = True
    else:
        found = reading.newest_meetings(asked.wanted, after=after, limit=PAGE + 1)
        has_older, found = len(found) > PAGE, found[:PAGE]
        has_newer = after is not None
    table = rows.meetings_table(rows.meeting_row(summary, as_of=asked.wanted.as_of) for summary in found)
    return {
        "count": len(found),
        "table": to_html(table, timezone.get_current_timezone(), caption=_("Meetings")),
        "older": _query(asked, after=_cursor_of(found[-1])) if found and has_older else "",
        "newer": _query(asked, before=_cursor_of(found[0])) if found and has_newer else "",
        "first": _query(asked) or request.path,
        "is_first": not has_newer,
        "here": request.get_full_path(),
        "may_change": not has_newer or any(summary.ended_possible_at is None for summary in found),
    }


def _cursor_of(summary: Summary) -> str:
    return f"{summary.started_at}-{summary.meeting_id}"


def _meeting_cursor(text: str) -> MeetingCursor | None:
    if not text:
        return None
    return MeetingCursor(*_numbers(text, 2))


def _numbers(text: str, count: int) -> list[int]:
    """A place as it stands in an address: whole numbers with dashes between."""
    try:
        numbers = [int(part) for part in text.rsplit("-", count - 1)]
    except ValueError:
        raise _bad_place() from None
    if len(numbers) != count or any(abs(number) > reading.LARGEST for number in numbers):
        raise _bad_place()
    return numbers


def _bad_place() -> Refused:
    return Refused(
        _("This address points to no place in the list."), code="bad-place", hint=_("Begin at its first page.")
    )


@require_safe
def meetings_file(request: HttpRequest, kind: str) -> HttpResponse:
    """The whole list, oldest first."""
    return _file(rows.meetings_report(read_asked(request).wanted), kind, "meetings")


@require_safe
def attendance_file(request: HttpRequest, kind: str) -> HttpResponse:
    """Everybody in every meeting of the filter."""
    return _file(rows.attendance_report(read_asked(request).wanted), kind, "attendance")


# --- one meeting ------------------------------------------------------------------------------------------------------


def _summary(pk: int) -> Summary:
    summary = reading.meeting(pk)
    if summary is None:
        if reading.is_refused(pk):
            raise Http404(_("Nothing of this meeting is kept: capture is switched off for it."))
        raise Http404(_("There is no such meeting, or nothing of it has been worked out yet."))
    return summary


@require_safe
def meeting(request: HttpRequest, pk: int) -> HttpResponse:
    """One class: a row per person. A room's page is that of the class it belongs to."""
    summary = _summary(pk)
    if summary.meeting_id != pk:
        return HttpResponseRedirect(f"/meetings/{summary.meeting_id}")
    parts = meeting_parts(
        summary, as_of=now(), zone=timezone.get_current_timezone(), after=request.GET.get("after", "")
    )
    if parts is None:
        raise _bad_place()
    return render(request, "meeting.html", parts | {"page": "meetings"})


@require_safe
def meeting_file(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """One class with its people."""
    del request
    summary = _summary(pk)
    people = reading.attendees(summary)
    group = rows.meeting_group(summary, people, as_of=now())
    return _file(rows.attendance_table([group]), kind, "attendance")


# --- facts ------------------------------------------------------------------------------------------------------------


@require_safe
def meeting_facts(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything that was heard of a class, in the order of its times."""
    summary = _summary(pk)
    zone = timezone.get_current_timezone()
    found = reading.facts(summary, limit=FACTS_PAGE + 1, after=_fact_cursor(request.GET.get("after", "")))
    shown, more = found[:FACTS_PAGE], len(found) > FACTS_PAGE
    last = shown[-1] if shown else None
    older = f"?after={last.at}-{last.meeting_id}-{last.seq}" if last is not None and more else ""
    lines = facts_of_meeting(summary, shown, zone)
    context = {
        "page": "meetings",
        "summary": summary,
        "facts": lines,
        "has_rooms": any(line.room for line in lines),
        "more": older,
        "path": request.path,
    }
    return render(request, "facts.html", context)


def _fact_cursor(text: str) -> FactCursor | None:
    return FactCursor(*_numbers(text, 3)) if text else None


def _attendance(summary: Summary, key: str) -> Attendance:
    attendance = reading.attendee(summary, bytes.fromhex(key))
    if attendance is None:
        raise Http404(_("There is no such person in this meeting."))
    return attendance


@require_safe
def attendee_facts(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    """Everything that was heard of one person in a class."""
    summary = _summary(pk)
    attendance = _attendance(summary, key)
    facts = facts_of_attendee(summary, attendance, timezone.get_current_timezone())
    context = {
        "page": "meetings",
        "summary": summary,
        "attendance": attendance,
        "why": explain(summary, attendance, timezone.get_current_timezone()),
        "facts": facts,
        "has_rooms": any(fact.room for fact in facts),
        "path": request.path,
    }
    return render(request, "facts.html", context)


@require_safe
def meeting_facts_file(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Everything that was heard of a class, all of its pages in one."""
    del request
    summary = _summary(pk)
    facts = facts_of_meeting(summary, _each_fact(summary), timezone.get_current_timezone())
    return _file(rows.facts_table(facts), kind, "facts")


def _each_fact(summary: Summary) -> Iterator[Fact]:
    after = None
    while found := reading.facts(summary, limit=FACTS_PAGE, after=after):
        yield from found
        after = FactCursor(found[-1].at, found[-1].meeting_id, found[-1].seq)


@require_safe
def attendee_facts_file(request: HttpRequest, pk: int, key: str, kind: str) -> HttpResponse:
    """Everything that was heard of one person in a class."""
    del request
    summary = _summary(pk)
    facts = facts_of_attendee(summary, _attendance(summary, key), timezone.get_current_timezone())
    return _file(rows.facts_table(facts), kind, "facts")


# --- people -----------------------------------------------------------------------------------------------------------


@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Everybody with an identity in the LMS, by name, with totals over the meetings of the filter."""
    try:
        asked = read_asked(request, "after")
        page = _page_of_people(request, asked)
    except Refused as refused:
        frame = _frame_of_list(request, _words_only(request), "people")
        return render(request, "people.html", frame | {"refused": refused}, status=refused.status)
    return render(request, "people.html", _frame_of_list(request, asked, "people") | page)


def _page_of_people(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    after = _person_cursor(request.GET.get("after", ""), asked.wanted)
    found = reading.people(asked.wanted, after=after, limit=PAGE + 1)
    shown = found[:PAGE]
    return {
        "count": len(shown),
        "table": to_html(rows.people_table(shown), timezone.get_current_timezone(), caption=_("People")),
        "older": _query(asked, after=shown[-1].key.hex()) if len(found) > PAGE else "",
        "first": _query(asked) or request.path,
        "is_first": after is None,
    }


def _person_cursor(text: str, wanted: Filter) -> PersonCursor | None:
    """The address tells the place by a person's key, not by their name."""
    if not text:
        return None
    try:
        person = reading.person(bytes.fromhex(text), wanted)
    except ValueError:
        person = None
    if person is None:
        raise _bad_place()
    return PersonCursor(person.name_key, person.key)


@require_safe
def people_file(request: HttpRequest, kind: str) -> HttpResponse:
    """Everybody in the meetings of the filter."""
    return _file(rows.people_report(read_asked(request).wanted), kind, "people")


@require_safe
def person(request: HttpRequest, key: str) -> HttpResponse:
    """One person: all their meetings, newest first, and totals."""
    asked = read_asked(request, "after")
    found = reading.person(bytes.fromhex(key), asked.wanted)
    if found is None:
        raise Http404(_("Nobody of that kind was in any meeting."))
    after = _meeting_cursor(request.GET.get("after", ""))
    attendance = reading.attendance_of_person(found.key, asked.wanted, after=after, limit=PAGE + 1)
    table = rows.person_table(found, attendance[:PAGE], as_of=asked.wanted.as_of)
    zone = timezone.get_current_timezone()
    context = {
        "page": "people",
        "person": found,
        "time": words.bounds(rows.Bounds(found.proved_ms, found.possible_ms)),
        "table": to_html(table, zone, caption=_("Meetings")),
        "older": _older_of(attendance[:PAGE], asked) if len(attendance) > PAGE else "",
        "is_first": after is None,
        "first": _query(asked) or request.path,
        "query": _query(asked),
        "path": request.path,
    }
    return render(request, "person.html", context)


def _older_of(shown: Sequence[Attendance], asked: Asked) -> str:
    return _query(asked, after=_cursor_of(shown[-1].summary))


@require_safe
def person_file(request: HttpRequest, key: str, kind: str) -> HttpResponse:
    """All meetings of one person."""
    wanted = read_asked(request).wanted
    found = reading.person(bytes.fromhex(key), wanted)
    if found is None:
        raise Http404(_("Nobody of that kind was in any meeting."))
    attendance = reading.attendance_of_person(found.key, wanted)
    return _file(rows.person_table(found, attendance, as_of=wanted.as_of), kind, "person")


# --- servers ----------------------------------------------------------------------------------------------------------


@require_safe
def servers_file(request: HttpRequest, kind: str) -> HttpResponse:
    """Every connected BigBlueButton server; what its page shows."""
    del request
    return _file(rows.servers_table(reading.servers()), kind, "servers")


@require_safe
def coverage(request: HttpRequest) -> HttpResponse:
    """Each server's meetings of the filter: which share of their time was witnessed by nobody, by one, by several."""
    try:
        asked = read_asked(request)
        table = rows.coverage_report(asked.wanted)
    except Refused as refused:
        frame = _frame_of_list(request, _words_only(request), "servers") | {"is_of_meetings": True}
        return render(request, "coverage.html", frame | {"refused": refused}, status=refused.status)
    found = list(table.rows)
    page = {
        "is_of_meetings": True,
        "count": len(found),
        "table": to_html(rows.coverage_table(found), timezone.get_current_timezone(), caption=_("Servers")),
    }
    return render(request, "coverage.html", _frame_of_list(request, asked, "servers") | page)


@require_safe
def coverage_file(request: HttpRequest, kind: str) -> HttpResponse:
    """What the page of it shows."""
    return _file(rows.coverage_report(read_asked(request).wanted), kind, "coverage")
