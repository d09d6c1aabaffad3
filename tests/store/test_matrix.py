"""A course as a table: users of the LMS down, the rest counted."""

from __future__ import annotations

from tests.makers import Attendee, make_meeting


def test_guests_and_callers_are_counted_and_never_joined_by_their_names(database: str) -> None:
    from rollcall.store.derived import Course
    from rollcall.store.searching import Filter, matrix

    ada, eva = Attendee(name="Ada", uid="1"), Attendee(name="Eva", uid="9", kind="guest")
    caller = Attendee(name="", uid="8", kind="dial-in")
    for internal in ("b", "a"):
        make_meeting(ada, eva, caller, internal=internal, course="1", label="Algebra")
    make_meeting(ada, internal="c", course="1", label="Algebra", began="11:00")
    found = matrix(bytes(Course.objects.get().key), Filter())
    (row,) = found.people.rows
    assert (row.person.external_user_id, len(row.cells)) == ("1", 3)
    assert (found.guests, found.guests_in) == (4, 2)
    assert [one.meeting.internal_meeting_id for one in found.meetings] == ["a", "b", "c"]
