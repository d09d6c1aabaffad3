"""The token that an LMS's administrator has given Rollcall: kept sealed, found for an activity, taken away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _

from rollcall.core.deliveries import Way
from rollcall.core.errors import Refused
from rollcall.core.people import USER
from rollcall.moodle.asking import Access
from rollcall.moodle.checking import Checked, Sample, check
from rollcall.moodle.trouble import MoodleTrouble, Trouble, told
from rollcall.store.derived import Attendance, Summary
from rollcall.store.keys import key_of
from rollcall.store.owed import CompletionTarget, MoodleService, Owed, Owing, Receiver
from rollcall.store.platforms import Platform
from rollcall.store.sealing import Purpose, WrongKey, seal, unseal

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from rollcall.store.decisions import Activity

_LATEST: Final = 50
_SAMPLES: Final = 3
_LASTING: Final = frozenset(
    {Trouble.BAD_TOKEN, Trouble.SEALED, Trouble.NO_ACCESS, Trouble.ACCOUNT, Trouble.OTHER_SITE, Trouble.MISSING}
)
_TOKEN: Final = re.compile(r"[0-9A-Za-z_-]{8,128}")
_MEETING: Final = re.compile(r"-([0-9]+)-([0-9]+)$")


def opened(platform: Platform, service: MoodleService) -> Access:
    """Where this Moodle's web services are, and the token; MoodleTrouble where that cannot be opened.

    A token goes nowhere but to the address that it was given for, whatever the registration says by now.
    """
    try:
        token, _, address = unseal(service.sealed, Purpose.MOODLE_TOKENS).partition(" ")
    except WrongKey:
        raise MoodleTrouble(Trouble.SEALED) from None
    if address != address_of(platform):
        raise MoodleTrouble(Trouble.OTHER_SITE)
    return Access(address, token)


def sealed_for(platform: Platform, token: str) -> bytes:
    """A token as it is kept, with the address that it is for."""
    return seal(f"{token} {address_of(platform)}", Purpose.MOODLE_TOKENS)


def address_of(platform: Platform) -> str:
    """What Moodle calls itself; meetings may name the host alone."""
    site: str = platform.site if "://" in platform.site else platform.issuer
    return site.rstrip("/")


def forget(platform: Platform) -> bool:
    """Give up the token; whether there was one. In Moodle it has to be revoked there."""
    gone, _ = MoodleService.objects.filter(platform=platform).delete()
    return bool(gone)


def service_for(activity: Activity) -> MoodleService | None:
    """The one of the Moodle that the activity is in; None where it has none."""
    found = MoodleService.objects.filter(platform__in=_platforms(activity)).select_related("platform")
    return found.order_by("platform").first()


def why_not(activity: Activity) -> str:
    """Why completion of this activity cannot be written by web services, as a code; blank where it can.

    That Moodle was down when it was last asked is no reason.
    """
    if not activity.instance or not activity.context_id:
        return Trouble.NO_ACTIVITY
    if not _platforms(activity).exists():
        return Trouble.NO_PLATFORM
    service = service_for(activity)
    if service is None:
        return Trouble.NO_TOKEN
    return service.trouble if service.trouble in _LASTING else ""


def _platforms(activity: Activity) -> QuerySet[Platform]:
    """Registrations in the Moodle of an activity; of one whose meetings name its host alone, by that."""
    known = Platform.objects.filter(organisation=activity.organisation, removed_at=None)
    by_site = known.filter(site_key=key_of(activity.site))
    return by_site if "://" in activity.site or by_site.exists() else known.filter(host=activity.site)


def seeds_of(activity: Activity) -> frozenset[str]:
    """What the external ids of its latest meetings begin with: of Moodle one text for each activity, for ever."""
    of = Summary.objects.filter(activity_key=activity.key, organisation=activity.organisation)
    ids = of.order_by("-started_at").values_list("external_meeting_id", flat=True)[:_LATEST]
    tail = f"-{activity.context_id}-{activity.instance}"
    before = (one.partition("[")[0] for one in ids)
    return frozenset(one.removesuffix(tail) for one in before if one.endswith(tail))


# -- given and tested -----------------------------------------------------------------------------------------------


def give(platform: Platform, token: str, *, now: int) -> Checked:
    """Keep a token, if it is one of this Moodle; Refused otherwise, and what was kept before stays.

    One that lacks rights is kept: they are given in Moodle.
    """
    token = token.strip()
    if not _TOKEN.fullmatch(token):
        raise Refused(
            _("This is no token."), code="not-a-token", hint=_("Copy it as Moodle shows it: letters and digits.")
        )
    found = check(Access(address_of(platform), token), samples_of(platform))
    if found.trouble not in {"", Trouble.MISSING}:
        sentence, hint = told(found.trouble, found.detail)
        raise Refused(sentence, code=found.trouble, hint=hint)
    row = _columns(found, now) | {"sealed": sealed_for(platform, token)}
    MoodleService.objects.update_or_create(platform=platform, defaults=row, create_defaults=row | {"added_at": now})
    resume(platform, now)
    return found


def examine(service: MoodleService, *, now: int) -> Checked:
    """Test the connection with the token that is kept, and write down what was found."""
    platform = service.platform
    try:
        found = check(opened(platform, service), samples_of(platform))
    except MoodleTrouble as error:
        found = Checked(trouble=error.kind.value)
    known = {name: value for name, value in _columns(found, now).items() if value or name not in {"user_id", "release"}}
    MoodleService.objects.filter(pk=service.pk).update(**known)
    service.refresh_from_db()
    if not found.trouble:
        resume(platform, now)
    return found


def _columns(found: Checked, now: int) -> dict[str, Any]:
    return {
        "user_id": found.user_id,
        "release": found.release,
        "checked_at": now,
        "trouble": found.trouble,
        "missing": "\n".join(found.missing),
    }


def resume(platform: Platform, now: int) -> None:
    """What waits for this Moodle is tried now: somebody has mended it."""
    receivers = Receiver.objects.filter(platform=platform, way=Way.MOODLE)
    targets = CompletionTarget.objects.filter(receiver__in=receivers)
    receivers.update(paused_until=0)
    targets.update(paused_until=0)
    Owed.objects.filter(target__in=targets, state=Owing.DUE, due_at__gt=now).update(due_at=now)


def samples_of(platform: Platform) -> list[Sample]:
    """Activities of this Moodle that met last, each with somebody who was there."""
    of = Summary.objects.filter(organisation=platform.organisation_id, site_key=platform.site_key)
    found: dict[str, Sample] = {}
    for summary in of.order_by("-started_at")[:_LATEST]:
        match = _MEETING.search(summary.external_meeting_id.partition("[")[0])
        if match is None or match[0] in found:
            continue
        for user in _users(summary):
            found.setdefault(match[0], Sample(match[1], match[2], user))
        if len(found) == _SAMPLES:
            break
    return list(found.values())


def _users(summary: Summary) -> list[str]:
    people = Attendance.objects.filter(summary=summary, kind=USER).order_by("pk")
    return [one for one in people.values_list("external_user_id", flat=True)[:_SAMPLES] if one.isdecimal()][:1]
