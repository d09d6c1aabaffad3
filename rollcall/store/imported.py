"""Which files of old records are in the log already, so that an import that broke off goes on where it was."""

from __future__ import annotations

from django.db import models

from rollcall.store.connections import Pool
from rollcall.store.fields import DigestField, ExactCharField


class ImportedFile(models.Model):
    """One file, or one member of an archive, that was read to its end and whose facts are durable.

    It stands in the database and not beside it, so that a backup that is put back has forgotten both. Of the path
    only a digest is kept; a file counts as the same while its size and its time of change are. `damage` is a code,
    blank for an undamaged one.
    """

    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="+")
    key = DigestField(help_text="BLAKE2b-128 of the absolute path, and of the member's name")
    size = models.BigIntegerField()
    modified_at = models.BigIntegerField(help_text="as the file system or the archive tells it, in nanoseconds")
    reader = models.IntegerField(help_text="the version of the rules it was read by; see importing.journal")
    documents = models.IntegerField(help_text="how many it held: many in an archive")
    damage = ExactCharField(max_length=32, blank=True)

    class Meta:
        app_label = "store"
        constraints = (models.UniqueConstraint(fields=("pool", "key"), name="one_imported_file_per_pool_and_path"),)
