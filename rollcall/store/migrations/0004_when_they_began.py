"""Attendance knows when its meeting began from the first moment, not only once its meeting is folded again."""

from __future__ import annotations

from django.db import migrations

_BEGAN = """
UPDATE store_attendance
SET started_at = (SELECT started_at FROM store_summary WHERE store_summary.id = store_attendance.summary_id)
WHERE started_at = 0
"""


class Migration(migrations.Migration):
    dependencies = [("store", "0003_reports")]

    operations = [migrations.RunSQL(_BEGAN, migrations.RunSQL.noop)]
