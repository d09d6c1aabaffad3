"""What lets somebody watch, and whether it still does: asked while a stream is open, outside of Django's pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import close_old_connections

from rollcall.live.access import Ground, Kind
from rollcall.lti.entering import visit_of
from rollcall.reports.access import reader_of
from rollcall.store import licensing
from rollcall.store.accounts import StaffSession
from rollcall.store.licensing import Standing
from rollcall.store.platforms import Visit
from rollcall.store.staff_sessions import session_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from django.http import HttpRequest


def grounds_of(request: HttpRequest) -> Iterator[Ground]:
    """On what somebody was let in who asks for a stream."""
    organisation, session, visit = reader_of(request).organisation, session_of(request), visit_of(request)
    if organisation is not None:
        yield Ground(Kind.LICENCE, organisation)
    if session is not None:
        yield Ground(Kind.SESSION, session.pk)
    if visit is not None:
        yield Ground(Kind.VISIT, visit.pk)


def gone(grounds: Collection[Ground]) -> set[Ground]:
    """Those of them that hold no longer."""
    close_old_connections()
    now = licensing.now_ms()
    pks = {kind: {one.pk for one in grounds if one.kind is kind} for kind in Kind}
    standings = licensing.standings(pks[Kind.LICENCE], now)
    holding = {Ground(Kind.LICENCE, pk) for pk, one in standings.items() if one.standing is Standing.IN_FORCE}
    if sessions := pks[Kind.SESSION]:
        kept = StaffSession.objects.filter(pk__in=sessions).values_list("pk", flat=True)
        holding |= {Ground(Kind.SESSION, pk) for pk in kept}
    if visits := pks[Kind.VISIT]:
        open_ones = Visit.objects.filter(pk__in=visits, ended_at=None, expires_at__gt=now)
        holding |= {Ground(Kind.VISIT, pk) for pk in open_ones.values_list("pk", flat=True)}
    return set(grounds) - holding
