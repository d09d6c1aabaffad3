"""Files that take longer than somebody waits for a page: asked for, made by a worker, kept for a day.

A file stands in the database, in pieces, so that the process that made it and the one that hands it out need not run on
one machine, and nothing is left on a disk when the row is gone.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models

from rollcall.store.fields import DIGEST_BYTES, DigestField, ExactCharField, WireTextField

if TYPE_CHECKING:
    from collections.abc import Collection


class ExportState(StrEnum):
    """How far one file is."""

    WAITING = "waiting"
    MAKING = "making"  # in the hands of one worker, until `leased_until`
    READY = "ready"
    FAILED = "failed"  # `sentence` and `hint` say why
    TOO_LONG = "too-long"  # for this format; there are others


class Export(models.Model):
    """One report as a file, told by the address it was asked for under; `name` and `kind` make the file's name.

    `owner` is who may fetch it, and `reader` (JSON of core.access.Reader) inside which bounds it is made. `language`
    and `zone` are those of who asked; `done` of `total` rows are drawn.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+")
    owner = DigestField(default=bytes(DIGEST_BYTES), db_index=True)
    reader = WireTextField(default="")
    path = WireTextField()
    query = WireTextField(blank=True)
    name = ExactCharField(max_length=64)
    kind = ExactCharField(max_length=16)
    language = ExactCharField(max_length=16)
    zone = ExactCharField(max_length=64)
    state = ExactCharField(max_length=16)
    sentence = WireTextField(blank=True)
    hint = WireTextField(blank=True)
    done = models.IntegerField(default=0)
    total = models.IntegerField(null=True)
    media_type = ExactCharField(max_length=128, default="")
    size = models.BigIntegerField(null=True)
    created_at = models.BigIntegerField()
    started_at = models.BigIntegerField(null=True)
    finished_at = models.BigIntegerField(null=True)
    expires_at = models.BigIntegerField()
    worker = ExactCharField(max_length=32, default="")
    leased_until = models.BigIntegerField(default=0)
    tries = models.IntegerField(default=0)

    class Meta:
        app_label = "store"
        indexes = (
            models.Index(fields=("state", "created_at"), name="export_next"),
            models.Index(fields=("expires_at",), name="export_expiry"),
        )


class ExportPart(models.Model):
    """A piece of a file, small enough for every database's largest message; its number tells the try, too."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="parts")
    number = models.IntegerField()
    content = models.BinaryField()

    class Meta:
        app_label = "store"
        constraints = (models.UniqueConstraint(fields=("export", "number"), name="one_piece_per_export_and_number"),)


def withdraw(organisations: Collection[int]) -> None:
    """Nobody fetches any more what was made for readers of these organisations: a part of it may be another's now."""
    for one in organisations:
        made = Export.objects.filter(reader__contains=f'"organisation":{one},')
        made.update(expires_at=0, state=ExportState.FAILED)
