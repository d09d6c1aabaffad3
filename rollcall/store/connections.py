"""The systems Rollcall is connected to. A pool is one BigBlueButton server, or all nodes behind one balancer."""

from __future__ import annotations

import secrets

from django.db import models

from rollcall.store.fields import DigestField, ExactCharField, WireTextField


def new_callback_token() -> str:
    """192 unguessable bits for a URL: whoever posts a record must know the address as well as a secret."""
    return secrets.token_urlsafe(24)


class Pool(models.Model):
    """One name space of meetings. `name` is unique, short and printable; it is part of every digest."""

    name = ExactCharField(max_length=100, unique=True)
    callback_token = ExactCharField(
        max_length=64, unique=True, null=True, help_text="the last part of the URL records are sent to; null: none yet"
    )
    is_captured = models.BooleanField(default=True, help_text="false: what arrives is answered and not kept")
    relays = models.BooleanField(default=False, help_text="records are passed on to the LMS's own receiver")

    class Meta:
        app_label = "store"


class Server(models.Model):
    """One BigBlueButton API to ask. Times are epoch ms; a null one means never."""

    pool = models.OneToOneField(Pool, on_delete=models.PROTECT, related_name="server")
    api_url = WireTextField(help_text="ends in /bigbluebutton/api/")
    wants_raw = models.BooleanField(default=False)
    allows_constant_checksum = models.BooleanField(default=True)
    is_polled = models.BooleanField(default=True)
    has_hooks = models.BooleanField(default=True, help_text="false: polls are all there is, by the operator's word")
    added_at = models.BigIntegerField()
    removed_at = models.BigIntegerField(null=True)
    polled_at = models.BigIntegerField(null=True, help_text="last getMeetings that was answered")
    hooks_seen_at = models.BigIntegerField(null=True, help_text="last time every hook was found in place")
    reported_at = models.BigIntegerField(null=True, help_text="last record (callback or events.xml) accepted")
    arrived_at = models.BigIntegerField(null=True, help_text="last webhook accepted, to the minute")
    trouble = WireTextField(blank=True, help_text="one sentence, blank when all is well")
    watcher = ExactCharField(max_length=32, blank=True, help_text="the worker that polls it…")
    watched_until = models.BigIntegerField(default=0, help_text="…and until when no other one does")

    class Meta:
        app_label = "store"


class Secret(models.Model):
    """A shared secret of a server, encrypted; several while one is being changed."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="secrets")
    encrypted = models.BinaryField()
    added_at = models.BigIntegerField()
    matched_at = models.BigIntegerField(null=True)
    retired_at = models.BigIntegerField(null=True)

    class Meta:
        app_label = "store"


class CaptureSwitch(models.Model):
    """Whether the classes of one site, or of one activity, are kept. The activity's beats its site's; none means yes.

    `key` is what Summary calls site_key or activity_key. A pool has a switch of its own, `is_captured`.
    """

    key = DigestField(unique=True)
    site = WireTextField(help_text="the site; of an activity outside of Moodle, its pool")
    activity = WireTextField(blank=True, help_text="course and instance, or the external meeting id; blank: the site")
    is_on = models.BooleanField()
    changed_at = models.BigIntegerField(help_text="epoch ms")

    class Meta:
        app_label = "store"


class Hook(models.Model):
    """A callback URL as it was registered, byte for byte: checksums are made over this string."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="hooks")
    registered_url = WireTextField()
    token = ExactCharField(max_length=64, db_index=True, help_text="the unguessable last part of its path")
    is_raw = models.BooleanField(default=False)
    is_ours = models.BooleanField(default=True, help_text="false: registered by the operator, never touched by us")
    remote_id = WireTextField(blank=True, help_text="hookID; blank until the server has confirmed it")
    added_at = models.BigIntegerField()
    verified_at = models.BigIntegerField(null=True)
    verifies_until = models.BigIntegerField(null=True, help_text="null: as long as the server stays")

    class Meta:
        app_label = "store"
