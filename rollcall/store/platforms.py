"""LMSs that speak LTI: what they are registered as, what their launches told, who is enrolled where.

Texts of a platform are of any length, so each that rows are found by has a digest (store.keys.key_of) beside it.
"""

from __future__ import annotations

from django.db import models

from rollcall.store.connections import Pool
from rollcall.store.fields import DigestField, ExactCharField, WireTextField
from rollcall.store.organisations import Organisation


class Platform(models.Model):
    """One registration of Rollcall in one LMS. `site` is what meetings of the LMS name: of Moodle, its issuer.

    `keys` is the key set as it was last fetched from `keys_url`; `public_key` (PEM) stands instead where the LMS has no
    address for it. `pools` are those whose meetings may be its own.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="platforms")
    name = WireTextField()
    issuer = WireTextField()
    client_id = WireTextField()
    key = DigestField(unique=True, help_text="of issuer and client id")
    site = WireTextField()
    site_key = DigestField(db_index=True)
    host = ExactCharField(max_length=255, db_index=True, help_text="of the site, in small letters")
    authorization_url = WireTextField()
    token_url = WireTextField(blank=True)
    token_audience = WireTextField(blank=True, help_text="blank: the token URL")
    keys_url = WireTextField(blank=True)
    public_key = models.TextField(blank=True)
    keys = models.TextField(blank=True)
    keys_fetched_at = models.BigIntegerField(null=True)
    keys_trouble = WireTextField(blank=True, help_text="a code of rollcall.lti.trouble, blank when all is well")
    product = WireTextField(blank=True)
    product_version = WireTextField(blank=True)
    pools = models.ManyToManyField(Pool, related_name="platforms")
    added_at = models.BigIntegerField()
    removed_at = models.BigIntegerField(null=True)
    launched_at = models.BigIntegerField(null=True)
    token_at = models.BigIntegerField(null=True, help_text="last access token given")
    token_trouble = WireTextField(blank=True, help_text="a code of rollcall.lti.trouble, blank when all is well")
    services_failures = models.IntegerField(default=0, help_text="in a row, of calls that concern the whole LMS")
    services_paused_until = models.BigIntegerField(null=True, help_text="until then it is asked for nothing")

    class Meta:
        app_label = "store"


class Deployment(models.Model):
    """A deployment id under which launches of a platform may come."""

    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="deployments")
    deployment_id = WireTextField()
    key = DigestField()
    added_at = models.BigIntegerField()

    class Meta:
        app_label = "store"
        constraints = (models.UniqueConstraint(fields=("platform", "key"), name="one_deployment_per_id"),)


class Context(models.Model):
    """A course of a platform from which somebody has launched; of no other is anything asked of the LMS."""

    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="contexts")
    context_id = WireTextField()
    key = DigestField()
    label = WireTextField(blank=True)
    title = WireTextField(blank=True)
    memberships_url = WireTextField(blank=True)
    line_items_url = WireTextField(blank=True)
    grade_scopes = WireTextField(blank=True, help_text="separated by blanks")
    launched_at = models.BigIntegerField()
    roster_at = models.BigIntegerField(null=True, help_text="when the roster was last read whole")
    roster_due_at = models.BigIntegerField(null=True, db_index=True)
    roster_trouble = WireTextField(blank=True, help_text="a code of rollcall.lti.trouble, blank when all is well")
    roster_failures = models.IntegerField(default=0, help_text="in a row")

    class Meta:
        app_label = "store"
        constraints = (models.UniqueConstraint(fields=("platform", "key"), name="one_context_per_id"),)


class ResourceLink(models.Model):
    """A link of a course that launches Rollcall. `activity` is Summary.activity_key in hex, blank: the course."""

    context = models.ForeignKey(Context, on_delete=models.CASCADE, related_name="links")
    link_id = WireTextField()
    key = DigestField()
    title = WireTextField(blank=True)
    activity = WireTextField(blank=True)
    line_item_url = WireTextField(blank=True)
    launched_at = models.BigIntegerField()

    class Meta:
        app_label = "store"
        constraints = (models.UniqueConstraint(fields=("context", "key"), name="one_resource_link_per_id"),)


class LineItem(models.Model):
    """A column of a course's gradebook that Rollcall may fill."""

    context = models.ForeignKey(Context, on_delete=models.CASCADE, related_name="line_items")
    link = models.ForeignKey(ResourceLink, on_delete=models.SET_NULL, null=True, related_name="line_items")
    url = WireTextField()
    key = DigestField(help_text="of the URL")
    label = WireTextField(blank=True)
    resource_id = WireTextField(blank=True)
    tag = WireTextField(blank=True)
    maximum = models.FloatField()
    is_ours = models.BooleanField(help_text="made by Rollcall: any other is never deleted or renamed")
    seen_at = models.BigIntegerField()

    class Meta:
        app_label = "store"
        constraints = (models.UniqueConstraint(fields=("context", "key"), name="one_line_item_per_url"),)


class Member(models.Model):
    """Somebody on the roster of a course for a time; `until_at` is null while they are. No name unless it is shared.

    Times are those of whole readings: `from_at` the first that had them, `absent_at` the one before it, `seen_at` the
    last that had them (written when the stay ends), `until_at` the one after it.
    """

    context = models.ForeignKey(Context, on_delete=models.CASCADE, related_name="members")
    user_id = WireTextField()
    user_key = DigestField(help_text="of the user id")
    name = WireTextField(blank=True)
    is_instructor = models.BooleanField()
    is_learner = models.BooleanField()
    from_at = models.BigIntegerField()
    until_at = models.BigIntegerField(null=True)
    absent_at = models.BigIntegerField(null=True)
    seen_at = models.BigIntegerField(null=True)

    class Meta:
        app_label = "store"
        constraints = (models.UniqueConstraint(fields=("context", "user_key", "from_at"), name="one_member_per_stay"),)
        indexes = (models.Index(fields=("user_key", "context"), name="member_by_user"),)


class Teacher(models.Model):
    """Somebody who came to a course as its instructor: whatever its roster says of them, they are no absentee."""

    context = models.ForeignKey(Context, on_delete=models.CASCADE, related_name="teachers")
    user_id = WireTextField()
    user_key = DigestField(help_text="of the user id")
    came_at = models.BigIntegerField(help_text="when they last did")

    class Meta:
        app_label = "store"
        constraints = (models.UniqueConstraint(fields=("context", "user_key"), name="one_teacher_per_user"),)


class ToolKey(models.Model):
    """A key pair of Rollcall's own. All that are not retired stand in the key set; the newest that is due signs."""

    kid = ExactCharField(max_length=64, unique=True)
    sealed = models.BinaryField(help_text="the private key, PEM, sealed")
    public = models.TextField(help_text="a JSON Web Key")
    made_at = models.BigIntegerField()
    signs_from = models.BigIntegerField(help_text="later than made: key sets are cached by platforms")
    retired_at = models.BigIntegerField(null=True)

    class Meta:
        app_label = "store"


class Invitation(models.Model):
    """A registration URL that works once, for one organisation and these pools."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="invitations")
    pools = models.ManyToManyField(Pool, related_name="+")
    key = DigestField(unique=True, help_text="of the unguessable part of the URL")
    made_at = models.BigIntegerField()
    expires_at = models.BigIntegerField()
    used_at = models.BigIntegerField(null=True)
    platform = models.ForeignKey(Platform, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        app_label = "store"


class PendingLaunch(models.Model):
    """A login that was begun: the state and the nonce that its launch must bring back, once."""

    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="+")
    state_key = DigestField(unique=True)
    nonce_key = DigestField(unique=True)
    target = WireTextField()
    deployment_id = WireTextField(blank=True)
    expires_at = models.BigIntegerField(db_index=True)
    used_at = models.BigIntegerField(null=True)

    class Meta:
        app_label = "store"


class Visit(models.Model):
    """A session that a launch began. As whom somebody comes was decided then; the roster may narrow it (`groups`).

    `key` is of the random text that stands in the cookie; addresses without a cookie are signed over it, and open
    nothing any more once the cookie has come back (`has_cookie`). Language and zone are what was chosen in it.
    """

    key = DigestField(unique=True)
    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="+")
    context = models.ForeignKey(Context, on_delete=models.CASCADE, null=True, related_name="+")
    link = models.ForeignKey(ResourceLink, on_delete=models.SET_NULL, null=True, related_name="+")
    user_id = WireTextField()
    role = ExactCharField(max_length=16)
    groups = WireTextField(null=True, help_text="their own, separated by commas; null: the LMS did not say")
    language = ExactCharField(max_length=16, blank=True)
    zone = ExactCharField(max_length=64, blank=True)
    has_cookie = models.BooleanField(default=False)
    made_at = models.BigIntegerField()
    used_at = models.BigIntegerField(help_text="to the minute")
    expires_at = models.BigIntegerField(db_index=True)
    ended_at = models.BigIntegerField(null=True)

    class Meta:
        app_label = "store"
