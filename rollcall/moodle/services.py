"""The token that an LMS's administrator has given Rollcall: kept sealed, found for an activity, taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rollcall.moodle.asking import Access
from rollcall.moodle.trouble import MoodleTrouble, Trouble
from rollcall.store.derived import Summary
from rollcall.store.keys import key_of
from rollcall.store.owed import MoodleService
from rollcall.store.platforms import Platform
from rollcall.store.sealing import Purpose, WrongKey, seal, unseal

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from rollcall.store.decisions import Activity

_LATEST: Final = 50


def access_of(platform: Platform) -> Access:
    """Where this Moodle's web services are, and the token; MoodleTrouble where there is none that can be opened."""
    service = MoodleService.objects.filter(platform=platform).first()
    if service is None:
        raise MoodleTrouble(Trouble.NO_TOKEN)
    return opened(platform, service)


def opened(platform: Platform, service: MoodleService) -> Access:
    """The same of one that was read already."""
    try:
        return Access(address_of(platform), unseal(service.sealed, Purpose.MOODLE_TOKENS))
    except WrongKey:
        raise MoodleTrouble(Trouble.SEALED) from None


def address_of(platform: Platform) -> str:
    """What Moodle calls itself; meetings may name the host alone."""
    site: str = platform.site if "://" in platform.site else platform.issuer
    return site.rstrip("/")


def sealed(token: str) -> bytes:
    """A token as it is stored."""
    return seal(token, Purpose.MOODLE_TOKENS)


def forget(platform: Platform) -> bool:
    """Give up the token; whether there was one. In Moodle it has to be revoked there."""
    gone, _ = MoodleService.objects.filter(platform=platform).delete()
    return bool(gone)


def service_for(activity: Activity) -> MoodleService | None:
    """The one of the Moodle that the activity is in; None where it has none."""
    found = MoodleService.objects.filter(platform__in=_platforms(activity)).select_related("platform")
    return found.order_by("platform").first()


def why_not(activity: Activity) -> str:
    """Why completion of this activity cannot be written by web services, as a code; blank where it can."""
    if not activity.instance or not activity.context_id:
        return Trouble.NO_ACTIVITY
    if not _platforms(activity).exists():
        return Trouble.NO_PLATFORM
    service = service_for(activity)
    return Trouble.NO_TOKEN if service is None else service.trouble


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
