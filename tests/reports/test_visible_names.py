"""What a name holds that cannot be seen, or turns what stands beside it, is written out wherever it is shown."""

from __future__ import annotations

from typing import Any

import pytest

from tests.makers import Attendee, make_meeting

pytestmark = pytest.mark.django_db

TURNED = "Lo\u202egic\u2069"


def test_no_page_shows_a_name_that_turns_it(admin_client: Any) -> None:
    summary = make_meeting(
        Attendee(name=TURNED, uid=TURNED), name=TURNED, course="c", label=TURNED, site=f"https://{TURNED}", ended=None
    )
    person = bytes(summary.attendance.get().person.key).hex()
    key = bytes(summary.attendance.get().attendee_key).hex()
    meeting = f"/meetings/{summary.meeting_id}"

    for address in (meeting, f"{meeting}/live", f"{meeting}/facts", f"{meeting}/facts/{key}", f"/people/{person}"):
        shown = admin_client.get(address).content.decode()
        assert "[U+202E]" in shown, address
        assert "\u202e" not in shown, address
    listed = admin_client.get(f"/meetings?course={TURNED}").content.decode()
    assert "[U+202E]" in listed
