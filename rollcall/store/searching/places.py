"""Places in a list: what stands in an address so that the next page begins just after the last row of this one.

A list has an order of columns that ends in a unique one; a place is the values of them. Unknown values come first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from django.db.models import BooleanField, F, Func, Q, Value
from django.utils.translation import gettext as _

from rollcall.core.errors import Refused
from rollcall.store.searching.wanted import LARGEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models.expressions import OrderBy

Place: TypeAlias = tuple[Any, ...]

_LONGEST = 4_000
_BETWEEN = "~"
_NOTHING = "-"
_NUMBER = re.compile(r"-?[0-9]{1,19}")
_BYTES = re.compile(r"x((?:[0-9a-f]{2}){0,160})")
_TEXT = re.compile(r"t((?:[0-9a-f]{2}){0,1800})")


@dataclass(frozen=True, slots=True)
class Order:
    """The columns by which rows are sorted, all in one direction; the last one is different in every row."""

    columns: tuple[str, ...]
    is_descending: bool = False
    is_nullable: bool = False

    def reversed(self) -> Order:
        """The same list from its other end."""
        return replace(self, is_descending=not self.is_descending)

    def sorting(self) -> list[OrderBy]:
        """For order_by(), unknown values first, or last if it goes down."""
        first, *rest = (F(column) for column in self.columns)
        nulls = {"nulls_last": True} if self.is_descending else {"nulls_first": True}
        direction = "desc" if self.is_descending else "asc"
        options: dict[str, Any] = nulls if self.is_nullable else {}
        return [getattr(first, direction)(**options), *(getattr(one, direction)() for one in rest)]

    def beyond(self, place: Place) -> Q:
        """What comes after a place, as an expression that every database reads; it is not fast."""
        # Of the order's own columns alone: totals are told apart by this, too, and have no others.
        later, same = Q(), Q()
        for column, value in zip(self.columns, place, strict=True):
            if (past := self._past(column, value)) is not None:
                later |= same & past
            same &= Q(**{f"{column}__isnull": True}) if value is None else Q(**{column: value})
        return later

    def _past(self, column: str, value: object) -> Q | None:
        if value is None:
            return None if self.is_descending else Q(**{f"{column}__isnull": False})
        if not self.is_descending:
            return Q(**{f"{column}__gt": value})
        is_unknown = self.is_nullable and column == self.columns[0]
        return Q(**{f"{column}__lt": value}) | (Q(**{f"{column}__isnull": True}) if is_unknown else Q())


class _Rows(Func):
    """(a, b) < (?, ?): with an index on both a database goes there at once."""

    output_field = BooleanField()

    def __init__(self, columns: Sequence[str], operator: str, place: Place) -> None:
        super().__init__(*map(F, columns), *map(Value, place))
        self.operator = operator

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:  # type: ignore[override]  # noqa: ANN401
        """Both sides as rows."""
        del connection
        written = [compiler.compile(part) for part in self.source_expressions]
        half = len(written) // 2
        sides = [", ".join(sql for sql, _ in side) for side in (written[:half], written[half:])]
        return f"({sides[0]}) {self.operator} ({sides[1]})", [value for _, values in written for value in values]


def row_is(columns: Sequence[str], operator: str, place: Place) -> Q:
    """A comparison of columns, none of them null, with a place."""
    return Q(_Rows(columns, operator, place))


_LONGEST_KEY = 80


def beside(place: Place, *, is_greater: bool) -> Place:
    """The place next to one, so that what comes after it, on the way to that one, begins with that one."""
    *first, last = place
    if isinstance(last, bytes):
        return (*first, last + b"\0" if is_greater else _before(last))
    return (*first, min(last + 1, LARGEST) if is_greater else last - 1)


def _before(key: bytes) -> bytes:
    """What comes right before a key, of all that are no longer than a key may be."""
    if not key or key[-1] == 0:
        return key[:-1]
    return key[:-1] + bytes([key[-1] - 1]) + b"\xff" * (_LONGEST_KEY - len(key))


# --- as text ----------------------------------------------------------------------------------------------------------


def token_of(place: Place) -> str:
    """A place as it stands in an address."""
    return _BETWEEN.join(map(_written, place))


def _written(value: object) -> str:
    if value is None:
        return _NOTHING
    if isinstance(value, bytes | bytearray | memoryview):
        return f"x{bytes(value).hex()}"
    return f"t{value.encode().hex()}" if isinstance(value, str) else str(value)


def place_of(token: str, kinds: Sequence[type], *, is_nullable: bool = False) -> Place | None:
    """A place as it was written, None for none; Refused if it has not these kinds of values."""
    if not token:
        return None
    parts = token.split(_BETWEEN) if len(token) <= _LONGEST else []
    place = tuple(map(_read, parts))
    if len(place) != len(kinds):
        raise bad_place()
    for number, (value, kind) in enumerate(zip(place, kinds, strict=True)):
        if not isinstance(value, kind) and not (value is None and is_nullable and number == 0):
            raise bad_place()
    return place


def _read(text: str) -> int | bytes | str | None:
    if text == _NOTHING:
        return None
    if _NUMBER.fullmatch(text) and abs(int(text)) <= LARGEST:
        return int(text)
    if found := _BYTES.fullmatch(text):
        return bytes.fromhex(found[1])
    if found := _TEXT.fullmatch(text):
        return bytes.fromhex(found[1]).decode(errors="replace").replace("\0", "\ufffd")
    raise bad_place()


def bad_place() -> Refused:
    """For an address that was changed by hand, or is of another list."""
    return Refused(
        _("This address points to no place in the list."), code="bad-place", hint=_("Begin at its first page.")
    )
