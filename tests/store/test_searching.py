"""Every search finds what a look at every row finds, in every order, page by page, on every database."""

from __future__ import annotations

from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.makers import Attendee, at, make_meeting
from tests.store import school

ZONES = (UTC, ZoneInfo("Europe/Athens"), ZoneInfo("America/New_York"), ZoneInfo("Asia/Kathmandu"))
LISTS = ("meetings", "attendances", "people", "courses")


def optional(strategy: st.SearchStrategy[Any], default: Any) -> st.SearchStrategy[Any]:
    return st.one_of(st.just(default), st.just(default), st.just(default), strategy)


def bounds(people: list[bytes], courses: list[bytes]) -> st.SearchStrategy[Any]:
    """Inside what somebody may see anything: an LMS, a course of it, some groups' rooms, one person."""
    from rollcall.store.searching import Bounds

    some = {
        "site": optional(st.sampled_from(school.SITES), ""),
        "course": optional(st.sampled_from(courses), None),
        "person": optional(st.sampled_from(people), None),
        "groups": optional(st.frozensets(st.sampled_from(school.GROUPS)), None),
    }
    return st.builds(Bounds, **some)


@st.composite
def filters(draw: st.DrawFn) -> Any:
    from rollcall.store.derived import Course, Person
    from rollcall.store.searching import Filter, State

    moments = st.sampled_from([at("01:00", day) for day in school.DAYS])
    people = [bytes(key) for key in Person.objects.order_by("pk").values_list("key", flat=True)]
    courses = [bytes(key).hex() for key in Course.objects.order_by("pk").values_list("key", flat=True)]
    names = ("papad", "ada", "li", "müller jürgen", "ouyang", "a", "zzz", "%", '"', "king ada", "NEAR(ada)")
    milliseconds, share = st.sampled_from((0, 300_000, 900_000, 1_500_000)), st.sampled_from((0, 100, 200, 900))
    few = optional(st.sampled_from((1, 5)), 0)
    wanted = {
        "name": optional(st.sampled_from(names), ""),
        "user": optional(st.sampled_from(("1", "2", "x")), ""),
        "person": optional(st.sampled_from(people), None),
        "meeting": optional(st.sampled_from(("algebra", "istor", "ext-logic", "internal-3", "?", "lo")), ""),
        "course": optional(st.sampled_from(("algevra", "15", "hist", *courses)), ""),
        "server": optional(st.sampled_from(("bbb1", "bbb2", "none")), ""),
        "site": optional(st.sampled_from(school.SITES), ""),
        "state": optional(st.sampled_from(tuple(State)), None),
        "since": optional(moments, None),
        "until": optional(moments, None),
        "weekdays": optional(st.frozensets(st.integers(0, 6)), frozenset()),
        "hour_from": optional(st.sampled_from((0, 60, 180, 1320)), None),
        "hour_to": optional(st.sampled_from((60, 120, 180, 1440, 1500)), None),
        "zone": st.sampled_from(ZONES),
        "role": optional(st.sampled_from(("VIEWER", "MODERATOR")), ""),
        "kind": optional(st.sampled_from(("user", "guest", "dial-in")), ""),
        "min_ms": optional(milliseconds, None),
        "max_ms": optional(milliseconds, None),
        "min_share": optional(share, None),
        "max_share": optional(share, None),
        **dict.fromkeys(("chats", "raise_hands", "emojis", "poll_answers", "cameras"), few),
        "talk_ms": optional(st.just(60_000), 0),
        "organisation": st.sampled_from((None, *school.ORGANISATIONS)),
        "bounds": bounds(people, [bytes.fromhex(key) for key in courses]),
        "as_of": st.just(at("23:35", "2026-11-20")),
    }
    return Filter(**draw(st.fixed_dictionaries(wanted)))


def expected(name: str, wanted: Any, sort: str) -> list[Any]:
    """The keys of the rows of a list as a look at every row finds them."""
    from rollcall.store.searching import attendances, meetings

    descending, bare = sort.startswith("-"), sort.removeprefix("-")
    rows = [row for row in school.all_rows() if school.means_row(wanted, row)]
    if name == "attendances":
        return [
            one.pk for one in school.in_order(rows, attendances.SORTS.orders[bare].columns, is_descending=descending)
        ]
    if name == "meetings":
        found = [one for one in school.all_meetings() if school.means_meeting(wanted, one)]
        if school.has_rows_asked(wanted):
            found = [one for one in found if any(row.summary_id == one.pk for row in rows)]
        return [one.pk for one in school.in_order(found, meetings.SORTS.orders[bare].columns, is_descending=descending)]
    return _grouped(name, wanted, rows, bare, is_descending=descending)


def _grouped(name: str, wanted: Any, rows: list[Any], sort: str, *, is_descending: bool) -> list[Any]:
    groups: dict[Any, list[Any]] = {}
    if name == "people":
        for row in rows:
            if row.person.is_user:
                groups.setdefault(row.person, []).append(row)
        values = {one: _total(sort, one, of) for one, of in groups.items()}
    else:
        for meeting in school.all_meetings():
            of = [row for row in rows if row.summary_id == meeting.pk]
            if school.means_meeting(wanted, meeting) and meeting.course and (of or not school.has_rows_asked(wanted)):
                groups.setdefault(meeting.course, []).append(meeting)
        values = {one: _course_total(sort, one, of) for one, of in groups.items()}
    keyed = sorted(((value is not None, value or 0, one.pk) for one, value in values.items()), reverse=is_descending)
    return [pk for *_, pk in keyed]


def _total(sort: str, person: Any, rows: list[Any]) -> Any:
    from rollcall.store.searching.attendances import ENGAGEMENT

    if sort == "name":
        return bytes(person.sort_key)
    if sort == "share":
        shares = [row.share for row in rows if row.share is not None]
        return sum(shares) // len(shares) if shares else None
    if sort in {"first", "last"}:
        return (min if sort == "first" else max)(row.started_at for row in rows)
    column = "proved_ms" if sort == "time" else ENGAGEMENT.get(sort)
    return sum(getattr(row, column) for row in rows) if column else len(rows)


def _course_total(sort: str, course: Any, meetings: list[Any]) -> Any:
    if sort == "name":
        return bytes(course.sort_key)
    if sort == "last":
        return max(one.started_at for one in meetings)
    column = {"attendances": "attendees", "time": "person_ms"}.get(sort)
    return sum(getattr(one, column) for one in meetings) if column else len(meetings)


def keys_of(rows: list[Any]) -> list[int]:
    return [row.pk for row in rows]


def forwards(name: str, wanted: Any, sort: str, limit: int) -> list[list[int]]:
    from rollcall.store.searching import page

    pages, after = [], ""
    while True:
        found = page(name, wanted, sort=sort, after=after, limit=limit)
        pages.append(found)
        if not found.after:
            break
        after = found.after
    if len(pages) > 1 and pages[-1].rows and pages[-1].before:
        last = page(name, wanted, sort=sort, before=pages[-1].before, limit=10_000)
        assert [key for one in pages[:-1] for key in keys_of(one.rows)] == keys_of(last.rows)
    return [keys_of(one.rows) for one in pages]


def walk_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if nothing were small enough to be sorted."""
    from rollcall.store.searching import directory, meetings, scope, walking

    monkeypatch.setattr(directory, "MOST", 0)
    monkeypatch.setattr(scope, "MOST", 0)
    monkeypatch.setattr(scope, "FEW_ROWS", -1)
    monkeypatch.setattr(meetings, "FEW_ROWS", -1)
    monkeypatch.setattr(walking, "FIRST_WINDOW", 3)


@pytest.mark.parametrize("way", ["sorted", "walked"])
def test_every_filter_and_order_finds_what_a_look_at_every_row_finds(
    database: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rollcall.core.errors import Refused
    from rollcall.store import searching

    if way == "walked":
        walk_everything(monkeypatch)
    school.make_school(7, organisations=school.ORGANISATIONS)

    @settings(
        max_examples=10 if database else 120,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=[Phase.generate],
    )
    @given(wanted=filters(), name=st.sampled_from(LISTS), number=st.integers(0, 99), limit=st.integers(1, 9))
    def check(wanted: Any, name: str, number: int, limit: int) -> None:
        sorts = searching.SORTS[name]
        sort = sorts[number % len(sorts)]
        try:
            found = forwards(name, wanted, sort, limit)
        except Refused as refused:
            assert (way, refused.code) == ("walked", "too-many-to-sort")  # noqa: PT017 - most filters are not refused
            assert name in {"meetings", "courses"}
            assert school.has_rows_asked(wanted)
            return
        assert [key for page in found for key in page] == expected(name, wanted, sort)
        assert all(len(page) == limit for page in found[:-1])

    check()


def test_a_night_belongs_to_the_day_on_which_it_began(database: str) -> None:
    from rollcall.store.searching import Filter, every

    begun = (("2026-11-20", "01:00"), ("2026-11-20", "23:00"), ("2026-11-21", "01:00"), ("2026-11-23", "01:00"))
    for day, clock in begun:
        make_meeting(internal=f"{day} {clock}", day=day, began=clock)
    for weekday, expected in ((4, ["2026-11-20 23:00", "2026-11-21 01:00"]), (6, ["2026-11-23 01:00"])):
        wanted = Filter(weekdays=frozenset({weekday}), hour_from=22 * 60, hour_to=2 * 60)
        assert [one.meeting.internal_meeting_id for one in every("meetings", wanted)] == expected


@pytest.mark.parametrize("way", ["sorted", "walked"])
def test_without_an_organisation_all_are_searched_and_with_one_no_other(
    database: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rollcall.core.errors import Refused
    from rollcall.store.derived import Attendance, Course, Person, Summary
    from rollcall.store.searching import SORTS, Filter, count, every, facets, totals, use

    if way == "walked":
        walk_everything(monkeypatch)
    school.make_school(13, meetings=12)
    for site, organisation in zip(school.SITES, (3, 7), strict=True):
        for table in (Summary, Course, Person):
            table.objects.filter(site=site).update(organisation=organisation)
        Attendance.objects.filter(summary__site=site).update(organisation=organisation)
    for name in LISTS:
        for sort in SORTS[name]:
            try:
                of_all = forwards(name, Filter(), sort, 9)
            except Refused:
                assert way == "walked"
                continue
            assert [key for page in of_all for key in page] == expected(name, Filter(), sort), (name, sort)
        apart = [{row.pk for row in every(name, Filter(organisation=one))} for one in (3, 7)]
        assert apart[0].isdisjoint(apart[1])
        assert all(apart)
        assert apart[0] | apart[1] == {row.pk for row in every(name, Filter())}
        assert sum(count(name, Filter(organisation=one)).number for one in (3, 7)) == count(name, Filter()).number
    assert not count("meetings", Filter(organisation=0)).number
    rows = [totals(Filter(organisation=one)).attendances.number for one in (3, 7)]
    assert sum(rows) == totals(Filter()).attendances.number
    assert sum(one.meetings for one in use(Filter())) == count("meetings", Filter()).number
    assert facets(Filter(), "server")


@pytest.mark.parametrize("narrowed", [{}, {"since": at("01:00", school.DAYS[2])}, {"name": "a", "chats": 1}], ids=str)
def test_people_are_sorted_by_any_total_however_many_they_are(
    database: str, narrowed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By bounds a few at a time, or, where that takes too long, by summing up all that there is."""
    from rollcall.store.searching import SORTS, Filter, people

    walk_everything(monkeypatch)
    school.make_school(7)
    wanted = Filter(organisation=0, **narrowed)
    for at_once, by_bound in ((2, 1_000), (1_000, -1)):
        monkeypatch.setattr(people, "_LOOKED_AT_ONCE", at_once)
        monkeypatch.setattr(people, "_BY_BOUND", by_bound)
        for sort in SORTS["people"]:
            found = forwards("people", wanted, sort, 4)
            assert [key for page in found for key in page] == expected("people", wanted, sort), sort


def test_more_than_can_be_read_or_summed_up_is_refused(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollcall.core.errors import Refused
    from rollcall.store.searching import Filter, attendances, page, people

    walk_everything(monkeypatch)
    school.make_school(7)
    monkeypatch.setattr(people, "MOST_SUMMED", 1)
    monkeypatch.setattr(attendances, "_MOST_READ", 1)
    for name in ("people", "attendances"):
        with pytest.raises(Refused, match="cannot be sorted"):
            page(name, Filter(chats=1), sort="talk")


def test_who_was_just_folded_is_counted_from_their_rows(database: str) -> None:
    from rollcall.derive.directory import note_changed
    from rollcall.store.derived import Attendance, Person
    from rollcall.store.searching import Filter, page, person

    make_meeting(Attendee(name="Ada"), day="2026-11-18")
    ada = Person.objects.get()
    Attendance.objects.update(proved_ms=5, talk_ms=7)
    shown = person(bytes(ada.key), Filter())
    assert shown is not None
    assert shown.proved_ms == ada.proved_ms, "as the directory keeps it"
    note_changed([ada.pk])
    (listed,) = page("people", Filter()).rows
    assert (listed.proved_ms, listed.talk_ms) == (5, 7)
