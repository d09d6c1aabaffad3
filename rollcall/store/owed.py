"""Verdicts owed to an LMS: one row per (target, person), what it should hold beside what it was last seen to hold.

`wanted` differs from `sent`: that is the queue. States in between vanish, order does not matter, and a rebuild that
comes to the same verdicts writes nothing here. Texts of goals are those of rollcall.deliveries.goals.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from django.db import models

from rollcall.store.decisions import Activity
from rollcall.store.fields import DigestField, ExactCharField, WireTextField
from rollcall.store.platforms import LineItem, Platform


class Owing(StrEnum):
    """How far one row is."""

    WAITING = "waiting"  # until `due_at`: its classes are not settled, and the policy waits for that
    DUE = "due"  # to be sent at `due_at`
    SENDING = "sending"  # in the hands of one worker, until `leased_until`
    SENT = "sent"  # the target holds what is wanted
    LEFT = "left"  # a person decided otherwise there, and that is left as it is
    REFUSED = "refused"  # the target will not take it for this person; `reason` says why
    HELD = "held"  # not sent unless somebody asks for it; `reason` says why
    CANCELLED = "cancelled"  # by a person, until what is wanted changes


RESTING: Final = (Owing.SENT, Owing.LEFT, Owing.REFUSED, Owing.HELD, Owing.CANCELLED)
"""Nothing more happens by itself."""


class Receiver(models.Model):
    """One way into one LMS. In trouble it is paused as a whole; `is_stopped` is a person's doing."""

    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="receivers")
    way = ExactCharField(max_length=16)
    is_stopped = models.BooleanField(default=False)
    paused_until = models.BigIntegerField(default=0)
    failures = models.IntegerField(default=0, help_text="attempts in a row that met trouble of the receiver's own")
    trouble = ExactCharField(max_length=32, default="", help_text="code of it; blank when all is well")
    trouble_phrase = WireTextField(blank=True)
    trouble_at = models.BigIntegerField(null=True)
    answered_at = models.BigIntegerField(null=True, help_text="last time it took something")

    class Meta:
        app_label = "store"
        constraints = (models.UniqueConstraint(fields=("platform", "way"), name="one_receiver_per_way"),)


class MoodleService(models.Model):
    """Rollcall's user of a Moodle's web services. `missing`: the capabilities and functions it lacks, a line each."""

    platform = models.OneToOneField(Platform, on_delete=models.CASCADE, related_name="moodle_service")
    sealed = models.BinaryField(help_text="the token, sealed")
    user_id = ExactCharField(max_length=32, blank=True, help_text="in Moodle: overrides by this one are ours")
    release = WireTextField(blank=True)
    added_at = models.BigIntegerField()
    checked_at = models.BigIntegerField(null=True)
    trouble = ExactCharField(max_length=32, default="", help_text="code of what the last check found")
    missing = models.TextField(blank=True)

    class Meta:
        app_label = "store"


class CompletionTarget(models.Model):
    """One target of one activity: where its verdicts go, and how.

    Of classes that began before `from_at` nothing is sent unless a person asks (0: of all). `line_item` is AGS's,
    `cmid` that of the web services, `pool_url` the receiver of Moodle's plugin; each null or blank until it is known.
    """

    activity = models.ForeignKey(Activity, on_delete=models.PROTECT, related_name="targets")
    receiver = models.ForeignKey(Receiver, on_delete=models.PROTECT, related_name="targets")
    is_on = models.BooleanField(default=True)
    scoring = ExactCharField(max_length=16, default="pass")
    line_item = models.ForeignKey(LineItem, on_delete=models.SET_NULL, null=True, related_name="targets")
    cmid = ExactCharField(max_length=32, blank=True)
    pool_url = WireTextField(blank=True)
    language = ExactCharField(max_length=16, default="en", help_text="of the comments")
    from_at = models.BigIntegerField(default=0)
    added_at = models.BigIntegerField()
    added_by = WireTextField(blank=True)
    failures = models.IntegerField(default=0, help_text="attempts in a row that met trouble of the target's own")
    trouble = ExactCharField(max_length=32, default="", help_text="code: of the activity or the column, not the LMS")
    trouble_phrase = WireTextField(blank=True)
    trouble_at = models.BigIntegerField(null=True)
    paused_until = models.BigIntegerField(default=0)

    class Meta:
        app_label = "store"
        constraints = (models.UniqueConstraint(fields=("activity", "receiver"), name="one_target_per_way"),)


class Owed(models.Model):
    """What one target should hold for one person. `revision` rises each time `wanted` changes.

    `stamp` is what tells the attempt apart at the target (of AGS the second of its score, epoch ms), written down
    before it is sent. `is_unanswered`: an attempt may have arrived without our seeing its answer.
    """

    target = models.ForeignKey(CompletionTarget, on_delete=models.CASCADE, related_name="owed", db_index=False)
    user_key = DigestField(help_text="of the external user id")
    external_user_id = WireTextField()
    wanted = ExactCharField(max_length=16)
    reasons = models.BinaryField(help_text="of what is wanted: the part of Completion.detail that its sentence says")
    revision = models.IntegerField(default=1)
    wanted_at = models.BigIntegerField()
    sent = ExactCharField(max_length=16, default="")
    sent_revision = models.IntegerField(default=0)
    sent_at = models.BigIntegerField(null=True)
    proposed = ExactCharField(max_length=16, default="", help_text="what would be wanted if the teacher said so")
    state = ExactCharField(max_length=16)
    reason = ExactCharField(max_length=32, default="", help_text="code")
    due_at = models.BigIntegerField(null=True)
    worker = ExactCharField(max_length=32, default="")
    leased_until = models.BigIntegerField(default=0)
    tries = models.IntegerField(default=0, help_text="of this revision")
    stamp = models.BigIntegerField(null=True)
    is_unanswered = models.BooleanField(default=False)
    status = models.IntegerField(null=True, help_text="of the last answer")
    phrase = WireTextField(blank=True)
    answered_at = models.BigIntegerField(null=True)

    class Meta:
        app_label = "store"
        constraints = (models.UniqueConstraint(fields=("target", "user_key"), name="one_owed_per_person"),)
        indexes = (
            models.Index(fields=("state", "due_at"), name="owed_next"),
            models.Index(fields=("target", "state", "due_at", "id"), name="owed_of_target"),
        )


class Try(models.Model):
    """One request that was made, written down before it: without `status` and `fault` its answer was never seen."""

    owed = models.ForeignKey(Owed, on_delete=models.CASCADE, related_name="attempts")
    revision = models.IntegerField()
    at = models.BigIntegerField()
    took_ms = models.BigIntegerField(null=True)
    status = models.IntegerField(null=True)
    phrase = WireTextField(blank=True)
    fault = ExactCharField(max_length=32, default="", help_text="code: what went wrong before or instead of an answer")

    class Meta:
        app_label = "store"


class Reversal(models.Model):
    """A certain verdict that was delivered and has changed: for the teacher to see, or to decide."""

    owed = models.ForeignKey(Owed, on_delete=models.CASCADE, related_name="reversals")
    before = ExactCharField(max_length=16)
    after = ExactCharField(max_length=16)
    step = ExactCharField(max_length=16, help_text="rollcall.core.deliveries.Step")
    reasons = models.BinaryField(help_text="of `after`, as Owed.reasons")
    at = models.BigIntegerField()
    handled_at = models.BigIntegerField(null=True)
    handled_by = WireTextField(blank=True)

    class Meta:
        app_label = "store"
        indexes = (models.Index(fields=("handled_at", "at"), name="reversal_open"),)
