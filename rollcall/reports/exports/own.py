"""The files of whoever asks, and nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.http import Http404

from rollcall.core.access import Area
from rollcall.reports.access import require
from rollcall.reports.exports.asking import now_ms, owner_of
from rollcall.reports.exports.queue import content_of
from rollcall.reports.file_names import disposition
from rollcall.reports.files import Sent
from rollcall.store.exports import Export, ExportState
from rollcall.wording.translating import gettext as _

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

LISTED: Final = 100
"""The latest of a day; whoever asks for more has them by their addresses."""


def own(request: HttpRequest) -> QuerySet[Export]:
    """Those that are still kept, the latest first."""
    owner = owner_of(require(request, area=Area.OWN))
    return Export.objects.filter(owner=owner, expires_at__gt=now_ms()).order_by("-created_at", "-pk")


def find_own(request: HttpRequest, pk: int) -> Export:
    """One of them; else Http404."""
    found = own(request).filter(pk=pk).first()
    if found is None:
        raise Http404(_("There is no such file, or it is not yours. A file is kept for a day; ask for it again."))
    return found


def sent(export: Export) -> Sent:
    """The file itself; Http404 before it is ready."""
    if export.state != ExportState.READY:
        raise Http404(_("This file is not ready."))
    answer = Sent(content_of(export), content_type=export.media_type)
    answer["Content-Disposition"] = disposition(export.name, export.kind)
    answer["Content-Length"] = str(export.size)
    return answer
