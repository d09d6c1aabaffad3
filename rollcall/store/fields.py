"""Column types that mean the same on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

DIGEST_BYTES = 16
SORT_KEY_BYTES = 80

# The one collation of MariaDB that tells `a`, `A`, `á` and `a ` apart; it also brings UTF-8 to a database made without.
MARIADB_COLLATION = "utf8mb4_nopad_bin"

_REFUSED = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """The text as every database takes it: NUL and lone surrogates are shown as U+FFFD; keys are made before this."""
    return _REFUSED.sub("\ufffd", text)


class _Exact:
    """Text that is equal only to itself, on every database."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, str | None]:
        """Everywhere but on MariaDB that is so without being said."""
        parameters: dict[str, str | None] = super().db_parameters(connection)  # type: ignore[misc]
        if connection.vendor == "mysql":
            parameters["collation"] = MARIADB_COLLATION
        return parameters


class ExactCharField(_Exact, models.CharField):  # type: ignore[type-arg]  # Django takes none at run time
    """A short text of our own by which rows are found."""


class WireTextField(_Exact, models.TextField):  # type: ignore[type-arg]  # the same
    """Text as somebody sent it: of any length, in any script, and made storable where it need be."""

    def get_prep_value(self, value: object) -> object:
        """What is stored and compared; equality is decided by the digest that stands beside it."""
        prepared: object = super().get_prep_value(value)
        return storable(prepared) if isinstance(prepared, str) else prepared


class DigestField(models.BinaryField):  # type: ignore[type-arg]  # the same
    """Sixteen bytes that can be indexed and compared exactly.

    Equality keys are digests because MariaDB's collations would merge `Ada`, `ada` and `adá` and drop trailing
    blanks; the text itself stands in a column beside it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = DIGEST_BYTES
        super().__init__(*args, **kwargs)

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        """A fixed width on MariaDB, which cannot index a blob without a prefix length."""
        if connection.vendor == "mysql":
            return f"binary({DIGEST_BYTES})"
        return super().db_type(connection)


class SortKeyField(models.BinaryField):  # type: ignore[type-arg]  # the same
    """Bytes that put text into our own order on every database, short enough for an index on each."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = SORT_KEY_BYTES
        super().__init__(*args, **kwargs)

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        """A bounded width on MariaDB, for the same reason as a digest's."""
        if connection.vendor == "mysql":
            return f"varbinary({SORT_KEY_BYTES})"
        return super().db_type(connection)
