"""Many rows of one table, each with values of its own, by as few statements as there are sets of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.db.models import Model


def update_each(model: type[Model], rows: Iterable[tuple[int, Mapping[str, object]]]) -> None:
    """Write these columns of the rows with these primary keys, inside the caller's transaction."""
    fields: dict[str, Any] = {field.name: field for field in model._meta.concrete_fields}  # noqa: SLF001 - documented
    by_names: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for pk, columns in rows:
        values = [fields[name].get_db_prep_save(value, connection) for name, value in columns.items()]
        by_names.setdefault(tuple(columns), []).append((*values, pk))
    for names, values in by_names.items():
        _update(model._meta.db_table, [fields[name].column for name in names], values)  # noqa: SLF001 - the same


def _update(table: str, columns: list[str], values: list[tuple[Any, ...]]) -> None:
    quoted = connection.ops.quote_name
    assigned = ", ".join(f"{quoted(column)} = %s" for column in columns)
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {quoted(table)} SET {assigned} WHERE id = %s", values)  # noqa: S608 - our own names
