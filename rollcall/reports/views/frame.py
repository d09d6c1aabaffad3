"""What stands around the rows of a report's page: the form, the filters in use, the files, the way to other pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from rollcall.core.errors import Refused
from rollcall.reports import access
from rollcall.reports.asking import PLACES, as_written, ask, is_canonical
from rollcall.reports.filters import FIELDS, LONGEST, Control, WrongFilter, is_activity
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from rollcall.reports.asking import Asked
    from rollcall.reports.filters import FilterField
    from rollcall.reports.tables.report import Report
    from rollcall.store.searching import Inside

EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})

FIRST = ("name", "from", "to", "course")
"""The filters that are asked for most stand outside the fold, as far as a report takes them."""

_KINDS = (("csv", "CSV"), ("xlsx", "XLSX"), ("pdf", "PDF"), ("json", "JSON"))

_INPUTS = {Control.SEARCH: "search", Control.CLOCK: "time", Control.MOMENT: "date"}
_READS = {"date": date.fromisoformat, "time": time.fromisoformat}
"""What a browser shows in such a field; of anything else it shows nothing."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One field of the form, as it is to be drawn."""

    name: str
    label: str
    control: str
    value: str
    about: str = ""
    error: str = ""
    input: str = "text"
    clock: str = ""
    choices: Sequence[tuple[str, str, bool]] = ()
    longest: int = LONGEST


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in use, and the address without it."""

    label: str
    said: str
    address: str


def answer(
    request: HttpRequest,
    report: Report,
    template: str,
    page_of: Callable[[Asked], Mapping[str, Any]],
    *,
    others: Sequence[str] = (),
    beside: Mapping[str, Any] = EMPTY,
) -> HttpResponseBase:
    """The page of a report that is searched; of what cannot be meant, the same form with what is wrong with it.

    `others` may stand in the address beside the filters, `beside` is what the page shows either way.
    """
    refused = None
    try:
        asked = read(request, report, *others)
        if not is_canonical(dict(request.GET.lists())):
            # A form sends its blank fields too; the address that stays says only what was asked for.
            return HttpResponseRedirect(f"{request.path}{asked.query(**asked.places)}")
        context = {**frame(request, report, asked), **beside, **page_of(asked)}
    except Refused as error:
        refused = error
        context = {**frame(request, report, read_again(request, report), refused), **beside}
    return render(request, template, context, status=refused.status if refused else 200)


def read(request: HttpRequest, report: Report, *others: str) -> Asked:
    """What the address asks of the report; Refused says what is wrong with it."""
    return ask(
        report.takes,
        dict(request.GET.lists()),
        zone=timezone.get_current_timezone(),
        others=others,
        inside=access.inside(request, report),
    )


def read_again(request: HttpRequest, report: Report) -> Asked:
    """What was typed, for the form beside what is wrong with it."""
    zone, inside = timezone.get_current_timezone(), access.inside(request)
    return as_written(report.takes, dict(request.GET.lists()), zone=zone, inside=inside)


def frame(request: HttpRequest, report: Report, asked: Asked, refused: Refused | None = None) -> dict[str, Any]:
    """What the page of a report shows around its rows."""
    errors = refused.fields if isinstance(refused, WrongFilter) else {}
    taken = [FIELDS[name] for name in report.takes.filters]
    fields = [_shown(field, asked, errors) for field in taken if field.is_for(asked.inside)]
    folded = [field for field in fields if field.name not in FIRST]
    return {
        "report": report.name,
        "title": report.title,
        "page": report.address.strip("/").split("/", maxsplit=1)[0],
        "asked": asked,
        "is_blank": asked.is_blank,
        "is_first": True,
        "path": request.path,
        "query": asked.query(),
        "fields": [field for field in fields if field.name in FIRST],
        "folded": folded,
        "unfolds": any(field.error or (field.value and not is_activity(field.value)) for field in folded),
        "slots": ",".join(f"#f-{field.name}-error" for field in fields),
        "chips": chips(request.path, asked),
        "files": files(request.path, asked.query()),
        "refused": refused,
        "wrong": [(name, FIELDS[name].label, error) for name, error in errors.items()],
    }


def files(path: str, query: str, kinds: Iterable[str] = ("csv", "xlsx", "pdf", "json")) -> list[dict[str, str]]:
    """The same as files: the address of each kind."""
    return [
        {"kind": kind, "label": label, "address": f"{path}.{kind}{query}"} for kind, label in _KINDS if kind in kinds
    ]


def chips(path: str, asked: Asked) -> list[Chip]:
    """The filters in use, each of which can be taken away."""
    return [
        Chip(str(FIELDS[name].label), FIELDS[name].said(visible(word)), (asked.query(without=(name,)) or path))
        for name, word in asked.words.items()
    ]


def pages(asked: Asked, *, before: str, after: str, path: str) -> dict[str, Any]:
    """The addresses of the pages beside this one."""
    return {
        "older": asked.query(after=after) if after else "",
        "newer": asked.query(before=before) if before else "",
        "first": asked.query() or path,
        "is_first": not any(asked.places.get(name) for name in PLACES),
    }


# --- the form ---------------------------------------------------------------------------------------------------------


def _shown(field: FilterField, asked: Asked, errors: Mapping[str, Refused]) -> Shown:
    value = asked.words.get(field.name, "")
    error = errors.get(field.name)
    said = f"{error} {error.hint}".strip() if error is not None else ""
    first, clock = value, ""
    if field.control is Control.MOMENT:
        first, _t, clock = value.strip().partition("T")
    return Shown(
        name=field.name,
        label=str(field.label),
        control=field.control.value,
        value=first,
        about=str(field.about),
        error=said,
        input=_input(field.control, first, clock),
        clock=clock,
        choices=_choices(field, value, asked.inside),
    )


def _input(control: Control, value: str, clock: str) -> str:
    """A browser shows nothing of a date that is none: such a one is shown as the text it is."""
    kind = _INPUTS.get(control, "text")
    is_shown = _is_read(kind, value) and _is_read("time" if kind == "date" else "", clock)
    return kind if is_shown else "text"


def _is_read(kind: str, value: str) -> bool:
    try:
        _READS.get(kind, str)(value or "2026-11-22" if kind == "date" else value or "00:00")
    except ValueError:
        return False
    return True


def _choices(field: FilterField, value: str, inside: Inside) -> list[tuple[str, str, bool]]:
    if field.choices is None:
        return []
    chosen = {one.lower() for one in value.split(",")} if field.control is Control.DAYS else {value}
    found = [(code, label, code in chosen) for code, label in field.choices(inside)]
    if field.control is Control.CHOICE:
        odd = [] if not value or any(is_it for _code, _label, is_it in found) else [(value, value, True)]
        return [("", _("any"), not value), *found, *odd]
    return found
