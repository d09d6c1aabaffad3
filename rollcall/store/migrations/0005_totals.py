"""People know all that their attendances come to; indexes have what is summed. New indexes stand before old ones go:
MariaDB needs one for each foreign key all the time."""

from __future__ import annotations

from django.db import migrations, models

_COUNTS = ("chats", "raise_hands", "emojis", "poll_answers", "cameras", "talk_ms")
_TOTALS = {"share": "FLOOR(SUM(share) / COUNT(share))", **{name: f"COALESCE(SUM({name}), 0)" for name in _COUNTS}}
_SETTINGS = ", ".join(
    f"{name} = (SELECT {total} FROM store_attendance WHERE store_attendance.person_id = store_person.id)"  # noqa: S608 - our own names
    for name, total in _TOTALS.items()
)
_SUMMED = ["proved_ms", "possible_ms", "share", *_COUNTS]


class Migration(migrations.Migration):
    dependencies = [("store", "0004_when_they_began")]

    operations = [
        migrations.AddField(
            model_name="person",
            name="share",
            field=models.SmallIntegerField(null=True, help_text="the mean of their known shares, in whole thousandths"),
        ),
        migrations.AddField(model_name="person", name="chats", field=models.IntegerField(default=0)),
        migrations.AddField(model_name="person", name="raise_hands", field=models.IntegerField(default=0)),
        migrations.AddField(model_name="person", name="emojis", field=models.IntegerField(default=0)),
        migrations.AddField(model_name="person", name="poll_answers", field=models.IntegerField(default=0)),
        migrations.AddField(model_name="person", name="cameras", field=models.IntegerField(default=0)),
        migrations.AddField(model_name="person", name="talk_ms", field=models.BigIntegerField(default=0)),
        migrations.AddIndex(
            model_name="attendance",
            index=models.Index(fields=["person", "started_at", "summary", *_SUMMED], name="attendance_person_sums"),
        ),
        migrations.AddIndex(
            model_name="attendance",
            index=models.Index(fields=["summary", "person", *_SUMMED], name="attendance_meeting_sums"),
        ),
        migrations.AddIndex(
            model_name="summary",
            index=models.Index(
                fields=["course", "started_at", "id", "attendees", "person_ms"], name="summary_course_sums"
            ),
        ),
        migrations.RunSQL(
            f"UPDATE store_person SET {_SETTINGS} WHERE is_user",  # noqa: S608 - our own names
            migrations.RunSQL.noop,
        ),
        migrations.RemoveIndex(model_name="attendance", name="attendance_of_person"),
        migrations.RemoveIndex(model_name="attendance", name="attendance_of_meeting"),
        migrations.RemoveIndex(model_name="summary", name="summary_of_course"),
    ]
