"""What people decide about activities: append-only, the truth beside the facts of meetings."""

from __future__ import annotations

from django.db import models

from rollcall.store.fields import DigestField, ExactCharField, WireTextField


class Activity(models.Model):
    """A series of classes of which somebody has decided something. `key` is Summary.activity_key, within its owner.

    `appended` rises with everything its verdicts depend on (a decision, a meeting folded anew, a roster), in the same
    transaction; `folded` is what they were last folded from. `label`, `site` and `context_id` are those of its latest
    meeting.
    """

    organisation = models.IntegerField()
    key = DigestField(db_index=True)
    site = WireTextField()
    context_id = WireTextField(blank=True)
    instance = WireTextField(blank=True, help_text="of Moodle: the id of the BigBlueButton activity")
    label = WireTextField(blank=True)
    made_at = models.BigIntegerField()
    last_seq = models.BigIntegerField(default=0)
    appended = models.BigIntegerField(default=0)
    folded = models.BigIntegerField(default=0)
    begun = models.BigIntegerField(default=0, help_text="the newest fold that writes; an older one then stops")
    due_at = models.BigIntegerField(null=True, db_index=True)
    folded_at = models.BigIntegerField(null=True)
    fold_version = models.IntegerField(default=0, help_text="of the rules that made its verdicts; see derive.activity")

    class Meta:
        app_label = "store"
        constraints = (models.UniqueConstraint(fields=("organisation", "key"), name="one_activity_per_key"),)


class Decision(models.Model):
    """One thing that a person decided: a policy, hours, a class switched off or on, a correction, or an undoing.

    `payload` is canonical JSON, by kind as rollcall.derive.decided reads it. `digest` is of what makes it the same
    again (a form sent twice decides once). `author` is as the audit log names them.
    """

    activity = models.ForeignKey(Activity, on_delete=models.PROTECT, related_name="decisions")
    seq = models.BigIntegerField()
    digest = DigestField()
    kind = ExactCharField(max_length=16)
    payload = models.BinaryField()
    reason = WireTextField(blank=True)
    author = WireTextField()
    role = ExactCharField(max_length=16)
    at = models.BigIntegerField()

    class Meta:
        app_label = "store"
        constraints = (
            models.UniqueConstraint(fields=("activity", "seq"), name="one_decision_per_seq"),
            models.UniqueConstraint(fields=("activity", "digest"), name="one_decision_per_digest"),
        )
