"""What the folds made: disposable, replaced as a whole, never written by anything but derive/."""

from __future__ import annotations

from typing import Final

from django.db import models

from rollcall.store.facts import Meeting
from rollcall.store.fields import DigestField, ExactCharField, SortKeyField, WireTextField

UNCLAIMED = 0
"""The organisation of what belongs to none: the operator's own."""

SEARCHED: Final = ("chats", "raise_hands", "emojis", "poll_answers", "cameras", "talk_ms")
"""What somebody did that stands in columns of its own, so that it can be asked for."""

SUMMED: Final = ("proved_ms", "possible_ms", "share", *SEARCHED)
"""Columns of an attendance of which totals are told."""


class Person(models.Model):
    """Somebody by whom attendance is found: a user of an LMS, or all guests and callers of one name at one site.

    Only users (`is_user`) are people with a name and totals, over all their meetings; an entry of guests joins nobody,
    it is there for the search. `names_key` holds every name they had, folded, a line each; `name` is that of the latest
    meeting and `sort_key` its order (as in Attendance). An entry goes when the last of its rows has gone.
    """

    key = DigestField(unique=True)
    is_user = models.BooleanField()
    organisation = models.IntegerField(default=UNCLAIMED)
    site = WireTextField()
    external_user_id = WireTextField(blank=True)
    external_key = DigestField(db_index=True, help_text="of the external user id alone, whatever the site")
    name = WireTextField(blank=True)
    sort_key = SortKeyField()
    names_key = models.TextField(blank=True)
    meetings = models.IntegerField(default=0)
    proved_ms = models.BigIntegerField(default=0)
    possible_ms = models.BigIntegerField(default=0, help_text="of the meetings in which it is known")
    open = models.IntegerField(default=0, help_text="meetings in which it is not known yet how long they were there")
    share = models.SmallIntegerField(null=True, help_text="the mean of their known shares, in whole thousandths")
    chats = models.IntegerField(default=0)
    raise_hands = models.IntegerField(default=0)
    emojis = models.IntegerField(default=0)
    poll_answers = models.IntegerField(default=0)
    cameras = models.IntegerField(default=0)
    talk_ms = models.BigIntegerField(default=0)
    first_at = models.BigIntegerField(null=True, help_text="when their first meeting began")
    last_at = models.BigIntegerField(null=True, help_text="when their latest meeting began")

    class Meta:
        app_label = "store"
        indexes = (
            models.Index(fields=("organisation", "sort_key"), name="person_by_name"),
            models.Index(fields=("organisation", "is_user", "proved_ms", "id"), name="person_by_time"),
            models.Index(fields=("organisation", "is_user", "meetings", "id"), name="person_by_meetings"),
            models.Index(fields=("organisation", "is_user", "last_at", "id"), name="person_by_last"),
        )


class Recount(models.Model):
    """A person whose rows a fold has changed: their totals are to be counted again, in a transaction of its own."""

    # Without a constraint: checking one would have each fold wait for whoever counts the same people just then.
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+", db_constraint=False)

    class Meta:
        app_label = "store"


class Course(models.Model):
    """A course (context) of one site. `label` is that of its latest meeting, `labels_key` all it had, folded.

    `sort_key` is its order in a list: by its label or, without one, its id.
    """

    key = DigestField(unique=True)
    organisation = models.IntegerField(default=UNCLAIMED)
    site = WireTextField()
    context_id = WireTextField(blank=True)
    label = WireTextField(blank=True)
    sort_key = SortKeyField(default=b"")
    labels_key = models.TextField(blank=True)
    meetings = models.IntegerField(default=0)
    last_at = models.BigIntegerField(null=True, help_text="when its latest meeting began")

    class Meta:
        app_label = "store"
        indexes = (
            models.Index(fields=("organisation", "sort_key", "id"), name="course_by_name"),
            models.Index(fields=("organisation", "meetings", "id"), name="course_by_meetings"),
            models.Index(fields=("organisation", "last_at", "id"), name="course_by_last"),
        )


class Summary(models.Model):
    """One family as a list shows it. Open ends are null; times are epoch ms.

    `person_ms` is the proved time of all its people together, `length_ms` the longest it can have lasted, null while it
    runs. `sort_key` is its order by name. `detail` is the canonical JSON of what the page of the
    meeting shows beside its attendees (rooms, blind spans, notes).
    """

    meeting = models.OneToOneField(Meeting, on_delete=models.CASCADE, related_name="summary")
    pool_name = ExactCharField(max_length=100)
    external_meeting_id = WireTextField()
    external_key = DigestField(default=bytes(16), db_index=True, help_text="of the external meeting id")
    name = WireTextField()
    name_key = models.TextField(help_text="for search: the name folded to Latin letters")
    sort_key = SortKeyField(default=b"")
    site = WireTextField()
    site_key = DigestField(db_index=True)
    context_id = WireTextField(blank=True)
    context_label = WireTextField(blank=True)
    organisation = models.IntegerField(default=UNCLAIMED)
    course = models.ForeignKey(Course, on_delete=models.PROTECT, null=True, related_name="meetings_of", db_index=False)
    activity_key = DigestField(db_index=True)
    group_id = ExactCharField(max_length=32, default="", help_text="of the LMS, whose room it is; blank: everybody's")
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
    person_ms = models.BigIntegerField(default=0)
    length_ms = models.BigIntegerField(null=True)
    fold_version = models.IntegerField(default=0, help_text="of the rules that made this; see derive.rows")
    detail = models.BinaryField()

    class Meta:
        app_label = "store"
        indexes = (
            models.Index(fields=("-started_at", "-meeting"), name="summary_newest_first"),
            # Also answers how much Rollcall was used when, without a look at the rows.
            models.Index(fields=("organisation", "started_at", "id", "attendees", "person_ms"), name="summary_use"),
            # With what a course's meetings come to.
            models.Index(fields=("course", "started_at", "id", "attendees", "person_ms"), name="summary_course_sums"),
            models.Index(fields=("pool_name", "started_at", "id"), name="summary_of_server"),
            models.Index(fields=("ended_possible_at", "started_at"), name="summary_running"),
            models.Index(fields=("fold_version", "started_at", "meeting"), name="summary_outdated"),
            models.Index(fields=("organisation", "sort_key", "id"), name="summary_by_name"),
            models.Index(fields=("organisation", "attendees", "id"), name="summary_by_people"),
            models.Index(fields=("organisation", "person_ms", "id"), name="summary_by_time"),
            models.Index(fields=("organisation", "length_ms", "id"), name="summary_by_length"),
        )


class Attendance(models.Model):
    """One person in one family. `possible_ms` counts to the possible end; null while a span is open.

    `sort_key` is the report's own order (name key, then digest), the same bytes on every database. `organisation` and
    `started_at` are the meeting's, as they stand in each order of the list. `share` is the part of the class's longest
    length that is proved, in thousandths, null while there is no length. The counts are what was seen, at least.
    `person` is null only until the first fold after an upgrade. `detail` is the canonical JSON of spans, sessions and
    engagement.
    """

    summary = models.ForeignKey(Summary, on_delete=models.CASCADE, related_name="attendance", db_index=False)
    attendee_key = DigestField()
    sort_key = models.BinaryField(max_length=80)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="attendance", db_index=False)
    organisation = models.IntegerField(default=UNCLAIMED)
    started_at = models.BigIntegerField(default=0)
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
    share = models.SmallIntegerField(null=True)
    chats = models.IntegerField(default=0)
    raise_hands = models.IntegerField(default=0)
    emojis = models.IntegerField(default=0)
    poll_answers = models.IntegerField(default=0)
    cameras = models.IntegerField(default=0)
    talk_ms = models.BigIntegerField(default=0)
    detail = models.BinaryField()

    class Meta:
        app_label = "store"
        indexes = (
            # With all that is summed, so that what many attendances come to is known without a look at their rows.
            models.Index(fields=("person", "started_at", "summary", *SUMMED), name="attendance_person_sums"),
            models.Index(fields=("summary", "person", *SUMMED), name="attendance_meeting_sums"),
            models.Index(fields=("organisation", "proved_ms", "id"), name="attendance_by_time"),
            models.Index(fields=("organisation", "share", "id"), name="attendance_by_share"),
        )
        constraints = (models.UniqueConstraint(fields=("summary", "attendee_key"), name="one_row_per_attendee"),)

    @property
    def person_key(self) -> bytes | None:
        """The key of the user of the LMS who this is; None for people without such an identity."""
        return bytes(self.person.key) if self.person is not None and self.person.is_user else None


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
