"""Which files were read to their end before: they are passed over.

Only a journal, never the truth: what is read again is found to be held already.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from rollcall.store.imported import ImportedFile
from rollcall.store.keys import key_of

READER = 1
"""Raise it when the same file would leave other facts behind: every file is then read again."""

_BIGINT = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or member as it was when it was read."""

    key: bytes
    size: int
    modified_at: int
    documents: int = 1
    damage: str = ""


def key_of_file(path: str, member: str = "") -> bytes:
    """What a file is found by: its path, byte for byte, and the member's name in an archive."""
    return key_of(os.fsencode(path).hex(), os.fsencode(member).hex() if member else "")


def read_before(pool: int, keys: Collection[bytes]) -> dict[bytes, Entry]:
    """Those of the keys that were read by the present rules."""
    rows = ImportedFile.objects.filter(pool_id=pool, key__in=list(keys), reader=READER)
    values = rows.values_list("key", "size", "modified_at", "documents", "damage")
    return {bytes(row[0]): Entry(bytes(row[0]), *row[1:]) for row in values}


def note_read(pool: int, entries: Iterable[Entry]) -> None:
    """Remember these, their facts being durable. If another import does the same at this moment, it does it for us."""
    by_key = {entry.key: entry for entry in entries}
    if not by_key:
        return
    rows = [
        ImportedFile(
            pool_id=pool,
            key=entry.key,
            size=min(entry.size, _BIGINT),
            modified_at=entry.modified_at,
            reader=READER,
            documents=entry.documents,
            damage=entry.damage,
        )
        for entry in by_key.values()
    ]
    try:
        with transaction.atomic():
            ImportedFile.objects.filter(pool_id=pool, key__in=list(by_key)).delete()
            ImportedFile.objects.bulk_create(rows)
    except IntegrityError:
        return
