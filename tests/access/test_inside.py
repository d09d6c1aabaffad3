"""Inside of what somebody sees anything is found once for a request, and anew for whoever else turns out to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rollcall.core.access import Reader, Role
from rollcall.core.errors import RollcallError
from rollcall.reports import access
from tests.makers import make_meeting

if TYPE_CHECKING:
    from django.test import RequestFactory

OPERATOR = Reader(role=Role.OPERATOR, name="op")


@pytest.mark.django_db
def test_it_is_looked_for_once(rf: RequestFactory, django_assert_num_queries: Any) -> None:
    make_meeting()
    request = rf.get("/meetings")
    access.let_in(request, OPERATOR)
    found = access.inside(request)
    with django_assert_num_queries(0):
        assert access.inside(request) == found


@pytest.mark.django_db
def test_nobody_sees_what_another_reader_of_the_same_request_would(rf: RequestFactory) -> None:
    request = rf.get("/meetings")
    access.let_in(request, OPERATOR)
    assert access.inside(request).organisation is None
    access.let_in(request, Reader(role=Role.PROGRAM, name="reads", organisation=7))
    assert access.inside(request).organisation == 7
    access.let_in(request, None)
    with pytest.raises(RollcallError):
        access.inside(request)
