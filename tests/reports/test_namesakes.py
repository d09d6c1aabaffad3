"""Two people of one name are told apart by their user ids; a register on paper always has these."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest

from tests.makers import make_meeting
from tests.reports.browsing import ADA, PAPADOPOULOS

pytestmark = pytest.mark.django_db

OTHER = replace(ADA, uid="78")


def _ids(page: Any, address: str) -> list[str]:
    return [cell.text_content() for cell in page(address).xpath("//td[@data-label='User id']")]


def test_ids_stand_on_a_meetings_page_only_where_a_name_stands_twice(page: Any) -> None:
    alone = make_meeting(ADA, PAPADOPOULOS, internal="one", day="2026-11-18")
    both = make_meeting(ADA, OTHER, PAPADOPOULOS, internal="two", day="2026-11-19")

    assert _ids(page, f"/meetings/{alone.meeting_id}") == []
    assert sorted(_ids(page, f"/meetings/{both.meeting_id}")) == sorted([ADA.uid, OTHER.uid, PAPADOPOULOS.uid])


def test_ids_stand_in_the_list_of_attendances_where_a_name_stands_for_several(page: Any) -> None:
    make_meeting(ADA, internal="one", day="2026-11-18")
    make_meeting(ADA, internal="two", day="2026-11-19")
    assert _ids(page, "/attendances") == []

    make_meeting(OTHER, internal="three", day="2026-11-20")
    assert _ids(page, "/attendances") == [OTHER.uid, ADA.uid, ADA.uid]


def test_a_register_has_the_ids_its_number_of_people_and_their_time_together() -> None:
    from rollcall.reports.pdf.cells import shown
    from rollcall.reports.registry import rebuild
    from rollcall.reports.rows import Format

    meeting = make_meeting(ADA, PAPADOPOULOS)
    table = rebuild("meeting", "", zone=UTC, subject=(str(meeting.meeting_id),), form=Format.PDF)

    assert "external_user_id" in [column.key for column in shown(table.inner)]
    assert table.heading is not None
    assert ("People", "2") in table.heading.lines
    group = next(iter(table.rows))
    assert table.totals["proved_ms"] == sum(row.attendance.proved_ms for row in group.rows)
