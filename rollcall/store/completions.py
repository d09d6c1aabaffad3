"""Verdicts, and what they are folded from: derived, disposable."""

from __future__ import annotations

from django.db import models

from rollcall.store.decisions import Activity
from rollcall.store.derived import UNCLAIMED, Person, Summary
from rollcall.store.fields import DigestField, ExactCharField, SortKeyField, WireTextField


class Evidence(models.Model):
    """What one meeting says to the policy of its activity: rollcall.core.activity.Held, packed.

    It stands beside the Summary so that an activity of many meetings is folded without reading each attendance.
    """

    summary = models.OneToOneField(Summary, on_delete=models.CASCADE, related_name="evidence")
    organisation = models.IntegerField(default=UNCLAIMED)
    activity_key = DigestField()
    started_at = models.BigIntegerField()
    packed = models.BinaryField()

    class Meta:
        app_label = "store"
        indexes = (models.Index(fields=("organisation", "activity_key", "started_at"), name="evidence_of_activity"),)


class Completion(models.Model):
    """One person's verdict in one activity. `computed` is without corrections; `detail` holds its reasons.

    `share_low` and `share_high` are thousandths. `person` is null for whoever was only ever on the roster. Rows are
    ordered by `sort_key`, as an Attendance is.
    """

    activity = models.ForeignKey(Activity, on_delete=models.CASCADE, related_name="completions", db_index=False)
    organisation = models.IntegerField()
    user_key = DigestField(help_text="of the external user id")
    external_user_id = WireTextField()
    person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="completions")
    name = WireTextField(blank=True)
    name_key = models.TextField(blank=True)
    sort_key = SortKeyField()
    verdict = ExactCharField(max_length=16)
    computed = ExactCharField(max_length=16)
    is_corrected = models.BooleanField(default=False)
    is_on_roster = models.BooleanField(null=True, help_text="null: no roster was read")
    is_teacher = models.BooleanField(default=False, help_text="of the course: judged, and never delivered")
    met_low = models.IntegerField(default=0)
    met_high = models.IntegerField(default=0)
    needed = models.IntegerField(default=0)
    share_low = models.SmallIntegerField(default=0)
    share_high = models.SmallIntegerField(default=0)
    settles_at = models.BigIntegerField(null=True)
    digest = DigestField(help_text="of all of this, so that nothing else is read to see that it is the same")
    detail = models.BinaryField()

    class Meta:
        app_label = "store"
        constraints = (models.UniqueConstraint(fields=("activity", "user_key"), name="one_completion_per_person"),)
        indexes = (
            models.Index(fields=("activity", "sort_key", "id"), name="completion_by_name"),
            models.Index(fields=("organisation", "verdict", "id"), name="completion_by_verdict"),
            models.Index(fields=("organisation", "sort_key", "id"), name="completion_of_all"),
        )
