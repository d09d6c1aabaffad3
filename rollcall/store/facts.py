"""The truth: what arrived, append-only. Everything in derived.py can be made again from these rows."""

from __future__ import annotations

from django.db import models

from rollcall.store.connections import Pool
from rollcall.store.fields import DigestField, WireTextField


class Meeting(models.Model):
    """One run on a BigBlueButton server: (pool, internal_meeting_id).

    A family is a root meeting and its breakout rooms, folded together: `root` is null on the root itself. The
    counters `appended` and `folded`, `due_at` and the row lock count on the root alone; `seq` numbers run per meeting.

    `parent` is the meeting this one was split from, as told or as found by its participants; roots follow from the
    parents (feed.families) and from nothing else, so that the order in which they were learned does not matter.
    """

    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="meetings")
    key = DigestField(help_text="BLAKE2b-128 of the internal meeting id")
    internal_meeting_id = WireTextField()
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    is_parent_told = models.BooleanField(default=False, help_text="being told beats being found")
    root = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="breakouts")
    last_seq = models.BigIntegerField(default=0)
    appended = models.BigIntegerField(default=0)
    folded = models.BigIntegerField(default=0)
    due_at = models.BigIntegerField(null=True, db_index=True)
    folded_at = models.BigIntegerField(null=True)
    watched_until = models.BigIntegerField(default=0)
    is_over = models.BooleanField(default=False, help_text="an end was appended; only speeds up the next fold")
    is_refused = models.BooleanField(default=False, help_text="capture is switched off for it: facts are not kept")

    class Meta:
        app_label = "store"
        constraints = (models.UniqueConstraint(fields=("pool", "key"), name="one_meeting_per_pool_and_id"),)
        indexes = (models.Index(fields=("pool", "is_over"), name="meeting_open_by_pool"),)


class Fact(models.Model):
    """One happening as it was told.

    `payload` has no identity but internal ids; `identity` may be overwritten to erase a person.
    """

    meeting = models.ForeignKey(Meeting, on_delete=models.PROTECT, related_name="facts")
    seq = models.BigIntegerField()
    digest = DigestField()
    source = models.CharField(max_length=16)
    kind = models.CharField(max_length=64)
    at = models.BigIntegerField()
    received_at = models.BigIntegerField()
    payload = models.BinaryField()
    identity = models.BinaryField(null=True)

    class Meta:
        app_label = "store"
        constraints = (
            models.UniqueConstraint(fields=("meeting", "seq"), name="one_fact_per_meeting_and_seq"),
            models.UniqueConstraint(fields=("meeting", "digest"), name="one_fact_per_meeting_and_digest"),
        )


class SetAside(models.Model):
    """Something genuine that could not be read: never its content, only what a person needs to look for the cause."""

    pool = models.ForeignKey(Pool, null=True, on_delete=models.PROTECT, related_name="set_aside")
    received_at = models.BigIntegerField(db_index=True)
    length = models.BigIntegerField()
    digest = DigestField()
    regime = models.CharField(max_length=32)
    error = models.CharField(max_length=200)

    class Meta:
        app_label = "store"
        constraints = (models.UniqueConstraint(fields=("pool", "digest"), name="one_set_aside_per_digest"),)
