"""Who and which course is meant: words looked up in the small directories before the large tables are touched.

Up to MOST entries are named by their ids. More than that match so much that whoever walks a list meets one soon, and
tests each row instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from django.db import connection
from django.db.models import OuterRef, Q, Subquery
from django.db.models.lookups import Contains

from rollcall.store.connections import Pool
from rollcall.store.derived import Course, Person, Summary
from rollcall.store.facts import Meeting
from rollcall.store.fields import DIGEST_BYTES, storable
from rollcall.store.keys import key_of, meeting_key
from rollcall.store.names import search_terms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import QuerySet

    from rollcall.store.searching.wanted import Filter

MOST = 2_000
LONGEST = 200
"""Characters of a name that are looked at."""

_MOST_WORDS = 12
_RUNS = 100
"""Meetings of one internal id: one on each server, if at all."""

_INDEXED_LETTERS = 3
"""The index of names knows every three letters in a row, and nothing shorter."""

Terms: TypeAlias = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some entries of a directory. `ids` is None if there are more than MOST; then `means` tells who is one.

    `first` are the ids of some of them in any case. `means` takes what leads from the rows that are tested to the
    entry: "" or such as "person__".
    """

    ids: tuple[int, ...] | None
    means: Callable[[str], Q]
    first: tuple[int, ...] = ()

    def condition(self, column: str) -> Q:
        """That a column leads to one of them."""
        return self.means(f"{column}__") if self.ids is None else Q(**{f"{column}__in": self.ids})

    def of_themselves(self) -> Q:
        """The same of the entries of the directory."""
        return self.means("") if self.ids is None else Q(pk__in=self.ids)


def terms_of(query: str) -> Terms:
    """The words of a query, each with its spellings; of a very long one its beginning."""
    return search_terms(query[:LONGEST])[:_MOST_WORDS]


def contains(query: str, column: str) -> Q:
    """Every word somewhere in the column, in any order; a query without a single letter finds nothing."""
    return contains_terms(terms_of(query), column)


def contains_terms(terms: Terms, column: str) -> Q:
    """The same for words that were read already."""
    return _every_word(terms, lambda spelling: Q(**{f"{column}__contains": spelling}))


def tests_terms(terms: Terms, person: str) -> Q:
    """The same of the names of whom a column leads to, where something better has found the rows.

    Looked up for each row: of a join planners expect so many rows that they read the whole directory first.
    """
    names = Subquery(Person.objects.filter(pk=OuterRef(person)).values("names_key"))
    return _every_word(terms, lambda spelling: Q(Contains(names, spelling)))


def _every_word(terms: Terms, is_in: Callable[[str], Q]) -> Q:
    if not terms:
        return Q(pk__in=())
    every_word = Q()
    for spellings in terms:
        any_spelling = Q()
        for spelling in spellings:
            any_spelling |= is_in(spelling)
        every_word &= any_spelling
    return every_word


# --- people -----------------------------------------------------------------------------------------------------------


def people_of(wanted: Filter) -> Chosen | None:
    """The people a filter names, None if it names nobody."""
    is_bound = wanted.bounds.person is not None
    if not (wanted.name or wanted.user or wanted.person is not None or is_bound):
        return None
    terms = terms_of(wanted.name)

    def means(prefix: str) -> Q:
        if not wanted.name:
            return _exactly(wanted, prefix)
        is_named = tests_terms(terms, prefix.removesuffix("__")) if prefix else contains_terms(terms, "names_key")
        return _exactly(wanted, prefix) & is_named

    rows = Person.objects.all()
    if wanted.organisation is not None:
        rows = rows.filter(organisation=wanted.organisation)
    found = _ids_of_names(rows.filter(_exactly(wanted)), terms, "store_person_names") if wanted.name else None
    if found is None:
        found = _first(rows.filter(means("")))
    return Chosen(None if len(found) > MOST else tuple(found), means, tuple(found[:MOST]))


def _exactly(wanted: Filter, prefix: str = "") -> Q:
    condition = Q()
    if wanted.user:
        condition &= Q(**{f"{prefix}external_key": key_of(wanted.user), f"{prefix}is_user": True})
    if wanted.person is not None:
        condition &= Q(**{f"{prefix}key": wanted.person})
    if wanted.bounds.person is not None:
        # Of two different keys nobody has both.
        condition &= Q(**{f"{prefix}key": wanted.bounds.person, f"{prefix}is_user": True})
    return condition


def _first(rows: QuerySet[Any]) -> list[int]:
    return list(rows.order_by().values_list("pk", flat=True)[: MOST + 1])


# --- meetings ---------------------------------------------------------------------------------------------------------


def courses_of(wanted: Filter) -> Chosen | None:
    """The courses a filter speaks of, None if of none."""
    text = wanted.course.strip()
    bound = wanted.bounds.course
    if not text and bound is None:
        return None
    key = _key_in(text)

    def means(prefix: str) -> Q:
        inside = Q() if bound is None else Q(**{f"{prefix}key": bound})
        if key:
            return inside & Q(**{f"{prefix}key": key})
        if not text:
            return inside
        return inside & (Q(**{f"{prefix}context_id": storable(text)}) | contains(text, f"{prefix}labels_key"))

    rows = Course.objects.filter(means(""))
    if wanted.organisation is not None:
        rows = rows.filter(organisation=wanted.organisation)
    found = _first(rows)
    return Chosen(None if len(found) > MOST else tuple(found), means)


def _key_in(hexadecimal: str) -> bytes | None:
    try:
        key = bytes.fromhex(hexadecimal)
    except ValueError:
        return None
    return key if len(key) == DIGEST_BYTES and len(hexadecimal) == 2 * DIGEST_BYTES else None


def meetings_named(wanted: Filter) -> Chosen | None:
    """The meetings a filter names, None if it names none."""
    text = wanted.meeting.strip()
    if not text:
        return None
    terms = terms_of(text)
    internal, activity = _with_internal_id(text), _key_in(text)

    def is_the_id(prefix: str) -> Q:
        condition = Q(**{f"{prefix}external_key": key_of(text)}) | Q(**{f"{prefix}meeting__in": internal})
        return condition | Q(**{f"{prefix}activity_key": activity}) if activity else condition

    def means(prefix: str) -> Q:
        return contains_terms(terms, f"{prefix}name_key") | is_the_id(prefix)

    rows = Summary.objects.all()
    if wanted.organisation is not None:
        rows = rows.filter(organisation=wanted.organisation)
    named = _ids_of_names(rows, terms, "store_summary_names")
    if named is None:
        return Chosen(None, means)
    found = {*named, *_first(rows.filter(is_the_id("")))}
    return Chosen(None if len(found) > MOST else tuple(found), means)


def _with_internal_id(text: str) -> list[int]:
    """The meetings with one of BigBlueButton's own ids; the index goes by pool."""
    pools = list(Pool.objects.values_list("pk", flat=True))
    return list(Meeting.objects.filter(pool__in=pools, key=meeting_key(text)).values_list("pk", flat=True)[:_RUNS])


# --- the index of names -----------------------------------------------------------------------------------------------


def _ids_of_names(rows: QuerySet[Any], terms: Terms, index: str) -> list[int] | None:
    """The first of the rows whose name has these words, by the index of this database; None if it has none to use."""
    if not any(_is_indexed(spellings) for spellings in terms):
        return None
    column = "names_key" if rows.model is Person else "name_key"
    if connection.vendor == "postgresql":
        return _first(rows.filter(contains_terms(terms, column)))
    if connection.vendor != "sqlite" or not _has_table(index):
        return None
    # Joined and not looked up: a subquery would be read to its end before the first row is known.
    where = [f"{index}.{index} MATCH %s", f"{index}.rowid = {rows.model._meta.db_table}.id"]  # noqa: SLF001 - its name
    found = rows.filter(contains_terms(terms, column))
    return _first(found.extra(tables=[index], where=where, params=[_phrase(terms)]))  # noqa: S610 - names of our own


def _is_indexed(spellings: Iterable[str]) -> bool:
    return all(len(spelling) >= _INDEXED_LETTERS for spelling in spellings)


def _has_table(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = %s", [name])
        return cursor.fetchone() is not None


def _phrase(terms: Terms) -> str:
    """For FTS5: letters and digits alone come here, and inside quotation marks no word is an operator."""
    words = (" OR ".join(f'"{spelling}"' for spelling in one) for one in terms if _is_indexed(one))
    return " AND ".join(f"({word})" for word in words)
