"""Every page and file is answered the same on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.makers import Attendee, make_meeting

pytestmark = pytest.mark.usefixtures("database")


def test_every_page_and_file_is_answered() -> None:
    from django.contrib.auth.models import User

    from rollcall.store.derived import Attendance
    from rollcall.store.reading import Filter, people

    people_of_it = [Attendee(name=f"Παπαδόπουλος {number}", uid=str(number)) for number in range(3)]
    summary = make_meeting(*people_of_it, Attendee(kind="dial-in", name="🦊"), blind=(("10:20", "10:25", "downtime"),))
    client = Client()
    client.force_login(User.objects.create_user("teacher"))
    meeting = f"/meetings/{summary.meeting_id}"
    person = f"/people/{people(Filter())[0].key.hex()}"
    facts = f"{meeting}/facts/{bytes(Attendance.objects.all()[0].attendee_key).hex()}"

    pages = (
        meeting,
        f"{meeting}/facts",
        facts,
        "/meetings?name=papad&meeting=alg",
        "/people?name=papad",
        person,
        "/servers",
    )
    for address in (*pages, f"{meeting}/watch"):
        assert client.get(address).status_code == 200, address
    for address in ("/meetings", "/attendance", "/people", meeting, person):
        for kind in ("csv", "json"):
            response = client.get(f"{address}.{kind}")
            assert response.status_code == 200
            assert b"Algebra" in response.content or "Παπαδόπουλος".encode() in response.content
