"""Who may see what. Every view asks here and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from rollcall.core.errors import RollcallError
from rollcall.store.derived import UNCLAIMED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest

    from rollcall.reports.tables.report import Report


def organisation_of(request: HttpRequest) -> int | None:
    """Whose records the reader sees; None is everybody's."""
    del request
    return UNCLAIMED


def require(request: HttpRequest, report: Report | None = None, subject: Sequence[str] = ()) -> None:
    """Whoever has an account sees everything; the report and what it is about are there for finer rules."""
    del report, subject
    if not request.user.is_authenticated:
        raise RollcallError(
            _("You are not signed in."), code="signed-out", hint=_("Sign in and try again."), status=403
        )
