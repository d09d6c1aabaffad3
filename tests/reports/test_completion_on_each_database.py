"""Verdicts and their deliveries are found the same on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.makers import Attendee, make_meeting, make_organisation, operator
from tests.verdicts import judge, owe, verdict_in

pytestmark = pytest.mark.usefixtures("database")


def test_verdicts_and_deliveries_are_found() -> None:
    from django.contrib.auth.models import User

    from rollcall.core.access import Reader, Role
    from rollcall.reports.access import inside_of
    from rollcall.store.owed import Receiver
    from rollcall.store.searching import Filter
    from rollcall.store.searching.completions import completions_of, completions_page

    people = [Attendee(name=f"Παπαδόπουλος {number}", uid=str(number)) for number in range(3)]
    summary = make_meeting(*people, course="c1", label="Mathematics", organisation=make_organisation().pk)
    for row in summary.attendance.select_related("person", "summary"):
        owe(judge(row, detail=verdict_in(summary.meeting_id, row)), state="refused", reason="locked", status=403)
    first = completions_page(Filter(), limit=2)
    second = completions_page(Filter(), after=first.after, limit=2)
    assert [one.completion.external_user_id for one in (*first.rows, *second.rows)] == ["0", "1", "2"]
    course = {"organisation": summary.organisation, "site": summary.site, "context_id": summary.context_id}
    learner = inside_of(Reader(role=Role.LEARNER, name="1", user_id="1", **course))
    groups = inside_of(Reader(role=Role.INSTRUCTOR, name="9", groups=frozenset({"7"}), **course))
    assert len(completions_of("1", summary.site, learner, limit=9)) == 1
    assert len(completions_page(groups.filter(), limit=9).rows) == 3

    client = Client()
    client.force_login(operator(User, "teacher"))
    receiver = f"/deliveries/{Receiver.objects.get().pk}"
    for address, told in (
        ("/completion?name=papad&verdict=not-met&delivery=refused&course=math", "38:10 of 45:00 needed"),
        ("/completion.csv?meeting=alg", "38:10 of 45:00 needed"),
        ("/deliveries", "Gradebook"),
        (receiver, "locked in the gradebook"),
        (f"{receiver}?state=refused&before=999", "locked in the gradebook"),
        (f"/meetings/{summary.meeting_id}", "This class: Not met."),
    ):
        answered = client.get(address)
        assert answered.status_code == 200, address
        assert told in b"".join(answered).decode(), address
