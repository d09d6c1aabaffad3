"""What somebody asked of one report, read from an address or a command line, and the addresses that ask for more of it.

Everything a page shows is decided by its address: filters, order, place in the list.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from rollcall.core.errors import Refused
from rollcall.reports.filters import FIELDS, has_time, read_filter
from rollcall.store.searching import EVERYTHING, Filter, Inside
from rollcall.wording import formatting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import tzinfo

PLACES = ("after", "before")
"""Where in the list a page begins or ends."""

TIME_OF = {"from-time": "from", "to-time": "to"}
"""A form asks for the day and for the time of it in two fields; an address has them as one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The filter and the words it was written in, which a form shows again even if one of them is wrong.

    `words` are those of filters, only the ones that are used; `options` are other words the report takes.
    """

    wanted: Filter
    words: Mapping[str, str]
    zone: tzinfo
    sort: str = ""
    places: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def inside(self) -> Inside:
        """Inside what it was asked."""
        return self.wanted.inside

    @property
    def is_blank(self) -> bool:
        """Whether nothing was asked for, so that an empty answer means that there is nothing at all."""
        return not self.words

    def query(self, *, without: Iterable[str] = (), **others: str) -> str:
        """The part of an address behind the question mark that asks for the same again, but for this."""
        sort = {"sort": self.sort} if self.sort else {}
        asked = {**self.words, **self.options, **sort, **others}
        kept = {name: word for name, word in asked.items() if word and name not in without}
        return f"?{urlencode(kept)}" if kept else ""

    def query_for(self, names: Iterable[str], **others: str) -> str:
        """The same filters for another report, as far as it takes them."""
        return replace(self, sort="", options={}).query(without=set(self.words) - set(names), **others)


def now() -> int:
    """Epoch ms: pages are read at a time, folds are not."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Takes:
    """What a report may be asked: filters, orders (the first is the usual one), other words."""

    filters: Sequence[str] = ()
    sorts: Sequence[str] = ()
    options: Mapping[str, Sequence[str]] = field(default_factory=dict)


def ask(
    takes: Takes,
    query: Mapping[str, Sequence[str]],
    *,
    zone: tzinfo,
    others: Iterable[str] = (),
    inside: Inside = EVERYTHING,
) -> Asked:
    """Read what an address says; Refused tells what is wrong with it, WrongFilter of which fields."""
    _refuse_unknown(takes, query, set(others))
    words = words_of(takes, query)
    read = read_filter(words, zone=zone, as_of=now(), inside=inside)
    wanted = replace(read, organisation=inside.organisation, bounds=inside.bounds)
    first = {name: values[0] for name, values in query.items() if values}
    return Asked(
        wanted=wanted,
        words=words,
        zone=zone,
        sort=_sort(takes, first.get("sort", "")),
        places={name: first[name] for name in PLACES if first.get(name)},
        options={name: _option(name, first[name], takes.options[name]) for name in takes.options if first.get(name)},
    )


def as_written(takes: Takes, query: Mapping[str, Sequence[str]], *, zone: tzinfo, inside: Inside) -> Asked:
    """What was typed, for a form that shows it again beside what is wrong with it."""
    sort = (query.get("sort") or [""])[0]
    return Asked(inside.filter(), words_of(takes, query), zone, sort if sort in takes.sorts else "")


def words_of(takes: Takes, query: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The words of filters that say something, in the order of the form; several of one field are one."""
    words = {name: ",".join(one for one in query.get(name, ()) if one.strip()) for name in FIELDS}
    for name, of in TIME_OF.items():
        clock = (query.get(name) or [""])[0].strip()
        if clock and not has_time(words[of].strip()):
            words[of] = f"{words[of].strip()}T{clock}"
    return {name: word for name, word in words.items() if word and name in takes.filters}


def is_canonical(query: Mapping[str, Sequence[str]]) -> bool:
    """Whether an address says it in the shortest way; what a form sends without scripts has blank fields."""
    return not any(name in TIME_OF or len(values) != 1 or not values[0] for name, values in query.items())


def _refuse_unknown(takes: Takes, query: Mapping[str, Sequence[str]], others: set[str]) -> None:
    known = {*takes.filters, *takes.options, *others}
    known |= {"sort"} if takes.sorts else set()
    known |= {name for name, of in TIME_OF.items() if of in takes.filters}
    for name in query:
        if name not in known:
            raise Refused(
                _("There is no filter “%(name)s”.") % {"name": name[:100]},
                code="unknown-filter",
                hint=_("There are: %(names)s.") % {"names": formatting.listed(takes.filters)},
            )


def _sort(takes: Takes, word: str) -> str:
    if word and word not in takes.sorts:
        raise Refused(
            _("This report cannot be sorted by “%(word)s”.") % {"word": word[:100]},
            code="unknown-sort",
            hint=_("It can by: %(names)s.") % {"names": formatting.listed(takes.sorts)},
        )
    return word


def _option(name: str, word: str, known: Sequence[str]) -> str:
    if known and word not in known:
        raise Refused(
            _("“%(name)s” cannot be “%(word)s”.") % {"name": name, "word": word[:100]},
            code="unknown-option",
            hint=_("There are: %(names)s.") % {"names": formatting.listed(known)},
        )
    return word


def bad_place() -> Refused:
    """The cursor in an address is none of ours."""
    return Refused(
        _("This address points to no place in the list."), code="bad-place", hint=_("Begin at its first page.")
    )


def used(asked: Asked) -> list[tuple[str, str]]:
    """The filters that are used, each as its label and what is asked for, in plain words."""
    return [(str(FIELDS[name].label), FIELDS[name].said(word)) for name, word in asked.words.items()]
