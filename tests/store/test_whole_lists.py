"""Files have the rows of the pages in their order; rows that are alike in it lie the same on every database."""

from __future__ import annotations

from typing import Any

import pytest

from tests.makers import Attendee, make_meeting
from tests.store import school


def internal_ids(rows: Any) -> list[str]:
    return [row.internal_meeting_id for row in rows]


@pytest.mark.parametrize("way", ["sorted", "walked"])
def test_lines_of_a_file_are_sorted_as_pages_are(database: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollcall.core.errors import Refused
    from rollcall.store.searching import SORTS, Filter, attendances, each_attendance, scope, whole

    monkeypatch.setattr(whole, "_AT_ONCE", 5)
    if way == "walked":
        monkeypatch.setattr(scope, "MOST", 0)
        monkeypatch.setattr(scope, "FEW_ROWS", -1)
    school.make_school(11, meetings=8)
    everything = school.all_rows()
    for sort in SORTS["attendances"]:
        name, order = attendances.SORTS.named(sort)
        try:
            lines = list(each_attendance(Filter(organisation=0), sort))
        except Refused as refused:
            assert (way, refused.code, name in attendances.SORTS.walked) == ("walked", "too-many-to-sort", False)  # noqa: PT017 - the others are not refused
            continue
        expected = school.in_order(everything, order.columns[:1], is_descending=order.is_descending)
        shown = {"started": "started_at", "time": "proved_ms", "share": "share", "chats": "chats", "role": "role"}
        if name in shown:
            assert [getattr(one, shown[name]) for one in lines] == [getattr(one, shown[name]) for one in expected]
        assert len(lines) == len(everything)


@pytest.mark.parametrize("sort", ["time", "-time", "-chats", "server", "started", "meeting", "-course", "name"])
def test_rows_alike_are_in_an_order_of_their_own(database: str, sort: str) -> None:
    from rollcall.store.searching import Filter, each_attendance, every

    ids = ["d", "a", "c", "b"]
    for internal in ids:
        make_meeting(Attendee(name="Ada", uid="1"), internal=internal, course=internal, label="Algebra")
    ordered = sorted(ids, reverse=sort.startswith("-"))
    assert internal_ids(each_attendance(Filter(), sort)) == ordered
    assert [one.summary.meeting.internal_meeting_id for one in every("attendances", Filter(), sort)] == ordered


def test_lists_of_files_do_not_go_by_what_came_first(database: str) -> None:
    from rollcall.store.searching import SORTS, Filter, every

    for number in ("3", "1", "2"):
        make_meeting(Attendee(name="Ada", uid=number), internal=number, course=number, label="Algebra")
    for name in ("people", "courses"):
        for sort in SORTS[name]:
            keys = [row.key for row in every(name, Filter(), sort)]
            if (name, sort.removeprefix("-")) != ("people", "name"):
                assert keys == sorted(keys, reverse=sort.startswith("-")), (name, sort)
    for sort in SORTS["meetings"]:
        if sort.removeprefix("-") != "started":
            found = [one.meeting.internal_meeting_id for one in every("meetings", Filter(), sort)]
            assert found == sorted(found, reverse=sort.startswith("-")), sort
