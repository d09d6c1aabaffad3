"""Who looked at, took away or changed whose record, and when: kept for its own time, whatever becomes of the rest."""

from __future__ import annotations

from django.db import models

from rollcall.store.fields import DigestField, ExactCharField, WireTextField


class AuditEntry(models.Model):
    """One act. `actor` is an account's name, a token's or a user id of the platform's LMS; `address` holds no name.

    What it was about: one `person` (a key of the directory), one `meeting` (its primary key), one `course` (a key), or
    a list, of which `rows` were shown. `organisation` is the one whose records they were, null: all.
    """

    at = models.BigIntegerField(db_index=True)
    organisation = models.IntegerField(null=True)
    role = ExactCharField(max_length=16)
    actor = WireTextField()
    actor_key = DigestField(help_text="of platform and actor")
    platform = models.BigIntegerField(null=True)
    action = ExactCharField(max_length=32)
    subject = ExactCharField(max_length=32)
    person = DigestField(null=True)
    course = DigestField(null=True)
    meeting = models.BigIntegerField(null=True)
    rows = models.IntegerField(null=True)
    address = WireTextField(blank=True)

    class Meta:
        app_label = "store"
        indexes = (
            models.Index(fields=("organisation", "at"), name="audit_of_organisation"),
            models.Index(fields=("person", "at"), name="audit_of_person"),
            models.Index(fields=("meeting", "at"), name="audit_of_meeting"),
            models.Index(fields=("actor_key", "at"), name="audit_of_actor"),
        )
