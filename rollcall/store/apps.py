"""The one Django app with tables."""

from django.apps import AppConfig


class StoreConfig(AppConfig):
    """Facts, what was derived from them, and the systems they came from."""

    name = "rollcall.store"
    label = "store"
    default_auto_field = "django.db.models.BigAutoField"
