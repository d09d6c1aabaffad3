"""Whose records these are: organisations, the licences under which they see them, the meetings claimed by hand."""

from __future__ import annotations

from django.db import models

from rollcall.store.connections import Pool
from rollcall.store.fields import DigestField, ExactCharField, WireTextField

GRACE_MS = 30 * 24 * 3_600_000


class Organisation(models.Model):
    """A school or a university. `contact` is shown to whoever is refused: an e-mail address, a URL or a sentence."""

    name = ExactCharField(max_length=200, unique=True)
    contact = WireTextField(blank=True)
    added_at = models.BigIntegerField(help_text="epoch ms")
    not_kept = models.IntegerField(default=0, help_text="meetings that came after the grace of its licence…")
    not_kept_at = models.BigIntegerField(null=True, help_text="…and when the last of them did")

    class Meta:
        app_label = "store"


class Licence(models.Model):
    """A time in which an organisation may see its records. Times are epoch ms, from the first to before the last.

    Several may follow or overlap each other; one in force is enough. For `grace_ms` after the last one capture goes on.
    A limit of null is none: registered `platforms`, attached `pools`, different people in a calendar month.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="licences")
    starts_at = models.BigIntegerField()
    ends_at = models.BigIntegerField(null=True, help_text="null: until it is ended")
    suspended_at = models.BigIntegerField(null=True)
    grace_ms = models.BigIntegerField(default=GRACE_MS)
    platforms = models.IntegerField(null=True)
    pools = models.IntegerField(null=True)
    people_a_month = models.IntegerField(null=True)
    added_at = models.BigIntegerField()

    class Meta:
        app_label = "store"
        indexes = (models.Index(fields=("organisation", "ends_at"), name="licence_of_organisation"),)


class Rehoming(models.Model):
    """A site whose meetings may be somebody else's now: all up to the Summary `done` are marked to be folded again."""

    site_key = DigestField()
    done = models.BigIntegerField(default=0)

    class Meta:
        app_label = "store"


class Claim(models.Model):
    """The meetings of one site on one pool are an organisation's, by the operator's word.

    With a `platform` they are read as those of its site, so that its courses and users are found in them.
    """

    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="+")
    site = WireTextField(help_text="as the facts tell it; blank in none")
    site_key = DigestField()
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="claims")
    platform = models.ForeignKey("store.Platform", on_delete=models.SET_NULL, null=True, related_name="+")
    claimed_at = models.BigIntegerField()
    claimed_by = WireTextField(blank=True)

    class Meta:
        app_label = "store"
        constraints = (models.UniqueConstraint(fields=("pool", "site_key"), name="one_claim_per_pool_and_site"),)
