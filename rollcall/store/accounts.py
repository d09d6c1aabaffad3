"""Who may come in without an LMS: staff accounts and their sessions, and the tokens of programs."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from rollcall.store.fields import DigestField, ExactCharField, WireTextField
from rollcall.store.organisations import Organisation


class Account(models.Model):
    """What a staff account may see: one organisation, or (null) everything, as whoever runs Rollcall.

    An account without one sees nothing.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="account")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, null=True, related_name="accounts")

    class Meta:
        app_label = "store"


class StaffSession(models.Model):
    """A session of a staff account, so that it can be seen and ended. Nothing is kept of the browser or its address."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = DigestField(unique=True, help_text="of the session key")
    made_at = models.BigIntegerField()
    seen_at = models.BigIntegerField(help_text="to the minute")

    class Meta:
        app_label = "store"


class Token(models.Model):
    """What a program shows to the API: of one organisation, or (null) of all. Only its digest is kept."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, null=True, related_name="tokens")
    name = WireTextField()
    key = DigestField(unique=True, help_text="BLAKE2b of the token")
    start = ExactCharField(max_length=12, help_text="its first letters, to tell tokens apart")
    scopes = ExactCharField(max_length=255, help_text="separated by blanks")
    made_at = models.BigIntegerField()
    expires_at = models.BigIntegerField(null=True)
    used_at = models.BigIntegerField(null=True, help_text="to the minute")
    revoked_at = models.BigIntegerField(null=True)

    class Meta:
        app_label = "store"
