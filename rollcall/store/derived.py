"""What the folds made: disposable, replaced as a whole, never written by anything but derive/."""

from __future__ import annotations

from django.db import models

from rollcall.store.facts import Meeting
from rollcall.store.fields import DigestField, ExactCharField, WireTextField


class Summary(models.Model):
    """One family as a list shows it. Open ends are null; times are epoch ms.

    `detail` is the canonical JSON of what the page of the meeting shows beside its attendees (rooms, blind spans,
    notes).
    """

    meeting = models.OneToOneField(Meeting, on_delete=models.CASCADE, related_name="summary")
    pool_name = ExactCharField(max_length=100)
    external_meeting_id = WireTextField()
    name = WireTextField()
    name_key = models.TextField(help_text="for search: the name folded to Latin letters")
    site = WireTextField()
    site_key = DigestField(db_index=True)
    context_id = WireTextField(blank=True)
    context_label = WireTextField(blank=True)
    activity_key = DigestField(db_index=True)
    started_at = models.BigIntegerField(help_text="created, else first seen")
    ended_proved_at = models.BigIntegerField(null=True, help_text="it had ended at this time at the latest…")
    ended_possible_at = models.BigIntegerField(null=True, help_text="…or lasted until this one; null while it runs")
    settles_at = models.BigIntegerField(null=True)
    record = ExactCharField(
        max_length=16, default="", help_text="best document of the whole family: recording, callback, partial, or blank"
    )
    unwitnessed_ms = models.BigIntegerField(default=0, help_text="time of the meeting that no witness covers…")
    witnessed_once_ms = models.BigIntegerField(default=0, help_text="…that one does…")
    witnessed_twice_ms = models.BigIntegerField(default=0, help_text="…and that two or more do")
    attendees = models.IntegerField()
    present = models.IntegerField(help_text="people with an open span")
    fold_version = models.IntegerField(default=0, help_text="of the rules that made this; see derive.rows")
    detail = models.BinaryField()

    class Meta:
        app_label = "store"
        indexes = (models.Index(fields=("-started_at", "-meeting"), name="summary_newest_first"),)


class Attendance(models.Model):
    """One person in one family. `possible_ms` counts to the possible end; null while a span is open.

    `sort_key` is the report's own order (name key, then digest), the same bytes on every database. `person_key` is the
    digest of (site, external user id) and null for people without an LMS identity. `detail` is the canonical JSON of
    spans, sessions and engagement.
    """

    summary = models.ForeignKey(Summary, on_delete=models.CASCADE, related_name="attendance")
    attendee_key = DigestField()
    sort_key = models.BinaryField(max_length=80)
    person_key = DigestField(null=True, db_index=True)
    kind = models.CharField(max_length=16, help_text="user, guest, dial-in or connection")
    external_user_id = WireTextField(blank=True)
    name = WireTextField(blank=True)
    name_key = models.TextField(blank=True)
    role = WireTextField(blank=True)
    first_in_at = models.BigIntegerField(null=True)
    last_out_at = models.BigIntegerField(null=True)
    is_present = models.BooleanField(default=False)
    proved_ms = models.BigIntegerField()
    possible_ms = models.BigIntegerField(null=True)
    detail = models.BinaryField()

    class Meta:
        app_label = "store"
        constraints = (models.UniqueConstraint(fields=("summary", "attendee_key"), name="one_row_per_attendee"),)


class Orphan(models.Model):
    """A breakout room whose parent was not named: it waits for a meeting in which this participant was seen."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="+")
    parent_participant_key = DigestField(db_index=True)

    class Meta:
        app_label = "store"


class Seen(models.Model):
    """Which meeting a participant (internal user id) was in, so that orphans find their parents."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="+")
    participant_key = DigestField(db_index=True)

    class Meta:
        app_label = "store"
