"""Column types that mean the same on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

DIGEST_BYTES = 16


class DigestField(models.BinaryField):
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
