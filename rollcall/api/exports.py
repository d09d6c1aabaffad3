"""Files that a worker makes, ordered and fetched by programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import msgspec
from django.utils import timezone
from django.utils.translation import gettext as _

from rollcall.api.answers import answer
from rollcall.api.bearer import require_scope
from rollcall.api.described import operation
from rollcall.api.reading import BASE
from rollcall.core.errors import Refused
from rollcall.reports import access
from rollcall.reports.asking import ask
from rollcall.reports.exports.asking import order
from rollcall.reports.exports.own import LISTED, find_own, own, sent
from rollcall.reports.exports.queue import delete
from rollcall.reports.file_names import file_name
from rollcall.reports.registry import REPORTS
from rollcall.store.exports import ExportState
from rollcall.store.tokens import scope_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from rollcall.reports.files import Sent
    from rollcall.store.exports import Export

LONGEST: Final = 20_000
"""Bytes of an order."""

KINDS: Final = ("pdf", "xlsx", "csv", "json")

_FIELDS: Final[dict[str, dict[str, Any]]] = {
    "id": {"type": "integer", "description": "Its number."},
    "state": {"enum": [state.value for state in ExportState], "description": "How far it is."},
    "report": {"type": "string", "description": "The address of the report, with its filters."},
    "kind": {"enum": list(KINDS), "description": "What it is made as."},
    "done": {"type": "integer", "description": "Rows that are drawn."},
    "size": {"type": ["integer", "null"], "description": "Bytes of the file; null before it is ready."},
    "problem": {"type": "string", "description": "Why there will be no file; blank if there will."},
    "created_at": {"type": "integer", "description": "When it was ordered, epoch ms."},
    "expires_at": {"type": "integer", "description": "Until when it is kept, epoch ms."},
    "file": {"type": ["string", "null"], "description": "Where the file is; null before it is ready."},
}
EXPORT: Final[dict[str, Any]] = {
    "type": "object",
    "properties": _FIELDS,
    "required": list(_FIELDS),
    "additionalProperties": False,
}
EXPORTS: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"exports": {"type": "array", "items": EXPORT}},
    "required": ["exports"],
    "additionalProperties": False,
}


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """A report, what it is about (ids or keys in the order of its address), its filters, and what it is made as."""

    report: str
    kind: str = "pdf"
    about: list[str] = []
    filters: dict[str, str] = {}


BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "report": {"enum": sorted(REPORTS), "description": "Which report."},
                    "kind": {"enum": list(KINDS), "default": "pdf", "description": "What it is made as."},
                    "about": {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "What it is about: the number of a meeting, the key of a person or a course.",
                    },
                    "filters": {
                        "type": "object",
                        "additionalProperties": {"type": "string"},
                        "description": "As in the address of the report.",
                    },
                },
                "required": ["report"],
                "additionalProperties": False,
            }
        }
    },
}


def make(request: HttpRequest) -> HttpResponse:
    """Order a file."""
    wanted = _order(request)
    report = REPORTS[wanted.report]
    require_scope(request.auth, scope_of(report.name))  # type: ignore[attr-defined]  # set by ninja
    access.require(request, report)
    query = {name: [word] for name, word in wanted.filters.items()}
    asked = ask(
        report.takes,
        query,
        zone=timezone.get_default_timezone(),
        others=("paper", "signatures"),
        inside=access.inside(request),
    )
    path = f"{report.address.format(*wanted.about)}.{wanted.kind}"
    name = file_name(wanted.report, wanted.about, asked)
    export = order(request, path, urlencode(wanted.filters), name, wanted.kind)
    return answer(request, shown(export), status=202, Location=f"{BASE}/exports/{export.pk}")


def _order(request: HttpRequest) -> Order:
    body = request.body
    if len(body) > LONGEST:
        raise _wrong(_("The order is longer than %(bytes)d bytes.") % {"bytes": LONGEST})
    try:
        wanted = msgspec.json.decode(body, type=Order)
    except msgspec.ValidationError as error:
        raise _wrong(_("This is no order of a file: %(fault)s.") % {"fault": str(error)[:200]}) from None
    except (msgspec.DecodeError, RecursionError):
        raise _wrong(_("The body is no JSON.")) from None
    for word, known in ((wanted.report, sorted(REPORTS)), (wanted.kind, KINDS)):
        if word not in known:
            said = {"word": word[:40], "names": ", ".join(known)}
            raise _wrong(_("“%(word)s” is none of these: %(names)s.") % said)
    needed = REPORTS[wanted.report].about
    is_right = len(needed) == len(wanted.about)
    if not is_right or not all(one.is_one(word) for one, word in zip(needed, wanted.about, strict=True)):
        raise Refused(
            _("The report %(name)s is about something else.") % {"name": wanted.report},
            code="wrong-subject",
            hint=_("Give in “about”: %(things)s.") % {"things": ", ".join(one.called for one in needed) or "[]"},
        )
    return wanted


def _wrong(sentence: str) -> Refused:
    hint = _("Send JSON with report and kind, and about and filters where they are needed.")
    return Refused(sentence, code="wrong-order", hint=hint)


def listed(request: HttpRequest) -> HttpResponse:
    """The files of this token that are still kept, the latest first."""
    return answer(request, {"exports": list(map(shown, own(request)[:LISTED]))})


def one(request: HttpRequest, pk: int) -> HttpResponse:
    """How far one is."""
    return answer(request, shown(find_own(request, pk)))


def file(request: HttpRequest, pk: int) -> Sent:
    """The file itself."""
    return sent(find_own(request, pk))


def remove(request: HttpRequest, pk: int) -> None:
    """Nobody can fetch it any more."""
    delete(find_own(request, pk))


def shown(export: Export) -> dict[str, Any]:
    """As the API tells it."""
    is_ready = export.state == ExportState.READY
    return {
        "id": export.pk,
        "state": export.state,
        "report": f"{export.path}?{export.query}".removesuffix("?"),
        "kind": export.kind,
        "done": export.done,
        "size": export.size,
        "problem": export.sentence,
        "created_at": export.created_at,
        "expires_at": export.expires_at,
        "file": f"{BASE}/exports/{export.pk}/file" if is_ready else None,
    }


def described_file() -> dict[str, Any]:
    """The operation of fetching one: of any of the media types."""
    found = operation(said="The file.")
    media_types = (
        "application/pdf",
        "text/csv",
        "application/json",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )
    binary = {"schema": {"type": "string", "format": "binary"}}
    found["responses"][200]["content"] = dict.fromkeys(media_types, binary)
    return found
