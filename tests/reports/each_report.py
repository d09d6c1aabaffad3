"""Every report there is, of classes with everything in them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from rollcall.store import auditing
from rollcall.store.auditing import Action
from tests.reports.test_formats import make_school
from tests.reports.three_witnesses import WITNESSES, class_of, keep
from tests.verdicts import judge, owe

ATHENS = ZoneInfo("Europe/Athens")

NAMES = (
    *("audit", "completion"),
    *("meetings", "attendance", "meeting", "attendances", "people", "person", "courses", "course", "use"),
    *("servers", "coverage", "facts", "facts-of-person"),
)


def make_subjects() -> dict[str, tuple[str, ...]]:
    """Classes, and what each report with an address of its own is about."""
    from rollcall.store.derived import Attendance, Course

    make_school()
    auditing.write(0, Action.OPENED, None, actor="teacher", subject="people")
    summary = keep(class_of(rooms=2), *WITNESSES)
    keep(class_of(name="Geometry", seed=9, days=1), "webhooks", "polls")
    attendance = Attendance.objects.filter(summary=summary, person__is_user=True).select_related("person").first()
    course = Course.objects.filter(meetings__gt=0).first()
    assert attendance is not None
    assert attendance.person is not None
    assert course is not None
    owe(judge(attendance), state="refused", reason="locked")
    meeting, person = str(summary.meeting_id), bytes(attendance.person.key).hex()
    return {
        "meeting": (meeting,),
        "person": (person,),
        "course": (bytes(course.key).hex(),),
        "facts": (meeting,),
        "facts-of-person": (meeting, bytes(attendance.attendee_key).hex()),
    }


def table_of(name: str, subjects: dict[str, tuple[str, ...]], form: str, query: str = "") -> Any:
    """One report as that format asks for it."""
    from rollcall.reports.asking import ask
    from rollcall.reports.registry import REPORTS
    from rollcall.reports.rows import Format

    report = REPORTS[name]
    return report.table(ask(report.takes, parse_qs(query), zone=ATHENS), subjects.get(name, ()), Format[form])
