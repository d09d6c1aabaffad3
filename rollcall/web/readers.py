"""Who asks: an account of the staff, or somebody whom a launch let in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.core.access import Reader, Role
from rollcall.lti import visits
from rollcall.lti.entering import visit_of
from rollcall.reports.access import let_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import AnonymousUser, User
    from django.http import HttpRequest, HttpResponse

    from rollcall.store.accounts import Account


class Readers:
    """Middleware behind the one that knows the account: says for each request who asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        visit = visit_of(request)
        let_in(request, reader_of_user(request.user) if visit is None else visits.reader_of(visit))
        return self.get_response(request)


def reader_of_user(user: User | AnonymousUser) -> Reader | None:
    """What an account may see; None is nothing."""
    if not user.is_authenticated or not user.is_active:
        return None
    account: Account | None = getattr(user, "account", None)
    if account is None:
        return None
    if account.organisation_id is None:
        return Reader(role=Role.OPERATOR, name=user.get_username())
    return Reader(role=Role.STAFF, name=user.get_username(), organisation=account.organisation_id)
