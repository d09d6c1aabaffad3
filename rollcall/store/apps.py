"""The one Django app with tables."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class StoreConfig(AppConfig):
    """Facts, what was derived from them, and the systems they came from."""

    name = "rollcall.store"
    label = "store"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """What stands beside the tables is made whenever they may have changed; each login is remembered."""
        from django.contrib.auth.signals import user_logged_in  # noqa: PLC0415 - the same

        from rollcall.store.name_index import after_migrating  # noqa: PLC0415 - Django's settings are whole only now
        from rollcall.store.staff_sessions import note_login  # noqa: PLC0415 - the same

        post_migrate.connect(after_migrating, sender=self)
        user_logged_in.connect(note_login)
