"""What is owed to other systems: one row per thing owed, kept until it is there or a person has decided.

A row is claimed by compare-and-set, and what is about to be sent is written down before it is sent: whatever happens to
the process, the rows tell what an other system may already hold.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from django.db import models

from rollcall.store.connections import Pool, Secret
from rollcall.store.facts import Meeting
from rollcall.store.fields import DigestField, ExactCharField, WireTextField


class State(StrEnum):
    """How far one delivery is."""

    WAITING = "waiting"  # no whole record of the meeting yet
    DUE = "due"  # to be sent at `due_at`
    SENDING = "sending"  # in the hands of one worker, until `leased_until`
    SENT = "sent"  # accepted, and the answer was seen
    ALREADY = "already"  # held there; most likely from an attempt of ours whose answer was lost
    FOREIGN = "foreign"  # held there, and not from us
    GONE = "gone"  # what it was meant for does not exist any more
    REFUSED = "refused"  # perhaps stored in part: trying again blindly could only do harm
    HELD = "held"  # not sent unless somebody asks for it; `reason` says why
    CANCELLED = "cancelled"  # by a person


OVER: Final = (State.SENT, State.ALREADY, State.FOREIGN, State.GONE, State.REFUSED)
"""The other system has had its say; nothing more happens by itself."""

DONE: Final = (State.SENT, State.ALREADY)


class Target(models.Model):
    """One receiver: the LMS at `site`, for the meetings of one pool. In trouble it is paused as a whole.

    `secret` is the one of the pool's that the receiver was last seen to verify with; `padding` names the stray blanks
    it keeps around it, where it does.
    """

    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="targets")
    key = DigestField(help_text="of the kind of target and the site")
    site = WireTextField()
    secret = models.ForeignKey(Secret, null=True, on_delete=models.SET_NULL, related_name="+")
    padding = ExactCharField(max_length=16, default="", help_text="code; blank: the secret is used as it is")
    paused_until = models.BigIntegerField(default=0)
    failures = models.IntegerField(default=0, help_text="attempts in a row that met trouble of the target's own")
    trouble = ExactCharField(max_length=32, default="", help_text="code of it; blank when all is well")
    trouble_phrase = WireTextField(blank=True)
    trouble_at = models.BigIntegerField(null=True)

    class Meta:
        app_label = "store"
        constraints = (models.UniqueConstraint(fields=("pool", "key"), name="one_target_per_pool_and_site"),)


class Delivery(models.Model):
    """One meeting owed to one target. `revision` 0 is the meeting itself, 1 and on are repairs asked for by a person.

    `is_unanswered`: an attempt may have reached the target without our seeing its answer. `was_refused`: the target
    has stored a part of it, perhaps. `people` is the canonical JSON of the only external ids to send; null: all.
    """

    target = models.ForeignKey(Target, on_delete=models.PROTECT, related_name="deliveries")
    meeting = models.ForeignKey(Meeting, on_delete=models.PROTECT, related_name="deliveries")
    revision = models.IntegerField(default=0)
    url = WireTextField()
    state = ExactCharField(max_length=16)
    reason = ExactCharField(max_length=32, default="", help_text="code: why it is held, or what went wrong last")
    needs_record = models.BooleanField(default=True, help_text="false: a person asked for it as it stands")
    people = models.BinaryField(null=True)
    wanted_at = models.BigIntegerField()
    due_at = models.BigIntegerField(null=True)
    worker = ExactCharField(max_length=32, default="")
    leased_until = models.BigIntegerField(default=0)
    tries = models.IntegerField(default=0)
    is_unanswered = models.BooleanField(default=False)
    was_refused = models.BooleanField(default=False)
    status = models.IntegerField(null=True, help_text="of the last answer")
    phrase = WireTextField(blank=True)
    answered_at = models.BigIntegerField(null=True)
    accepted_at = models.BigIntegerField(null=True, help_text="first time it was accepted")
    body_digest = DigestField(null=True, help_text="of the body last sent")

    class Meta:
        app_label = "store"
        constraints = (
            models.UniqueConstraint(
                fields=("target", "meeting", "revision"), name="one_delivery_per_target_and_meeting"
            ),
        )
        indexes = (
            models.Index(fields=("state", "due_at"), name="delivery_next"),
            models.Index(fields=("target", "state", "due_at"), name="delivery_next_of_target"),
        )


class Attempt(models.Model):
    """One request that was made, written down before it: without `status` and `fault` its answer was never seen."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    at = models.BigIntegerField()
    took_ms = models.BigIntegerField(null=True)
    status = models.IntegerField(null=True)
    phrase = WireTextField(blank=True)
    fault = ExactCharField(max_length=32, default="", help_text="code: what went wrong before or instead of an answer")

    class Meta:
        app_label = "store"
