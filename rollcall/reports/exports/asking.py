"""Asking for a file that a worker makes, and how a view learns that it is a worker who asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language

from rollcall.core.errors import Refused
from rollcall.reports.access import reader_of
from rollcall.store.exports import Export, ExportState
from rollcall.store.keys import key_of
from rollcall.wording.translating import gettext as _

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from rollcall.core.access import Reader

KEPT_MS: Final = 24 * 3_600_000
AT_ONCE_PER_USER: Final = 10
UNDER_WAY: Final = (ExportState.WAITING, ExportState.MAKING)

_PROGRESS: Final = "export_progress"
"""The attribute of a request that is replayed."""


def now_ms() -> int:
    """Our own clock."""
    return time.time_ns() // 1_000_000


def later(request: HttpRequest, name: str, kind: str, **options: str) -> HttpResponse:
    """Have a worker make what this address asks for, and send whoever asked to where they see how far it is.

    `options` are words of the query that the address leaves to the reader's browser, which the worker does not have.
    """
    query = request.GET.copy()
    for option, word in options.items():
        query[option] = word
    export = order(request, request.path, query.urlencode(), name, kind)
    answer = HttpResponseRedirect(f"/exports/{export.pk}")
    answer.status_code = 303
    return answer


def offer(request: HttpRequest, why: str, others: Sequence[tuple[str, str]]) -> HttpResponse:
    """Ask whether a worker shall make it: no GET begins that, as browsers fetch addresses that nobody has clicked.

    The form, or a program, sends the same address as POST, which is `later`. `others` are addresses of other forms.
    """
    if "text/html" not in request.headers.get("Accept", ""):
        hint = _("Send the same address as POST: the answer leads to the page of the file.")
        raise Refused(why, code="made-later", status=409, hint=hint)
    shown = {"page": "exports", "why": why, "address": request.get_full_path(), "others": others}
    return render(request, "export_offer.html", shown)


def order(request: HttpRequest, path: str, query: str, name: str, kind: str) -> Export:
    """What a worker is to make: the file of this address. The same one is not made twice at a time."""
    reader = reader_of(request)
    owner = owner_of(reader)
    under_way = Export.objects.filter(owner=owner, state__in=UNDER_WAY)
    language, zone = get_language() or "en", str(timezone.get_current_timezone())
    for one in under_way:
        if (one.path, one.query, one.kind, one.language, one.zone) == (path, query, kind, language, zone):
            return one
    if under_way.count() >= AT_ONCE_PER_USER:
        raise Refused(
            _("%(count)d files of yours are being made already.") % {"count": AT_ONCE_PER_USER},
            code="too-many-exports",
            status=429,
            hint=_("Wait until one of them is ready."),
        )
    now = now_ms()
    return Export.objects.create(
        user_id=request.user.pk,
        owner=owner,
        reader=msgspec.json.encode(reader).decode(),
        path=path,
        query=query,
        name=name,
        kind=kind,
        language=language,
        zone=zone,
        state=ExportState.WAITING,
        created_at=now,
        expires_at=now + KEPT_MS,
    )


def owner_of(reader: Reader) -> bytes:
    """Whose files somebody's are: of one from an LMS, those of the same course, inside of the same groups.

    Whoever sees less than when they asked for a file, or something else, cannot fetch it any more.
    """
    groups = "*" if reader.groups is None else ",".join(sorted(reader.groups))
    return key_of(reader.role, str(reader.organisation), reader.site, reader.context_id, reader.name, groups)


def is_replayed(request: HttpRequest) -> bool:
    """Whether a worker asks, so that the file is to be made now, however long that takes."""
    return hasattr(request, _PROGRESS)


def progress_of(request: HttpRequest) -> Callable[[int], None]:
    """Whom to tell how many rows are done."""
    found: Callable[[int], None] = getattr(request, _PROGRESS, _nobody)
    return found


def mark_replayed(request: HttpRequest, progress: Callable[[int], None]) -> None:
    """Say of a request that a worker makes it."""
    setattr(request, _PROGRESS, progress)


def _nobody(_done: int) -> None:
    pass
