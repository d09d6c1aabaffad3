"""Where in an LMS the verdicts of an activity can go: the courses it belongs to there, and their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from rollcall.store.keys import key_of
from rollcall.store.platforms import Context, Platform, ResourceLink

if TYPE_CHECKING:
    from rollcall.store.decisions import Activity


def platforms_of(activity: Activity) -> list[Platform]:
    """The registrations in the LMS that the activity is of; several where an LMS has Rollcall more than once."""
    of_owner = Platform.objects.filter(organisation=activity.organisation, removed_at=None)
    is_its = Q(site=activity.site) | Q(host=activity.site)
    if not activity.context_id:
        is_its |= Q(contexts__links__activity=hex_of(activity))
    return list(of_owner.filter(is_its).distinct().order_by("pk"))


def course_of(activity: Activity, platform: Platform) -> Context | None:
    """The course there whose gradebook is the activity's; None while nobody has come from it.

    Where its meetings name their course it is that one, whatever links say: a teacher of any course can make a link to
    any activity, and would have its verdicts in a gradebook of their own. Elsewhere a link is all there is.
    """
    courses = Context.objects.filter(platform=platform)
    if activity.context_id:
        return courses.filter(key=key_of(activity.context_id)).first()
    return courses.filter(links__activity=hex_of(activity)).order_by("-launched_at", "pk").first()


def links_with_columns(activity: Activity, course: Context) -> list[ResourceLink]:
    """Links of this course that have a column of their own: those to the activity, then those to the whole course."""
    links = course.links.filter(activity__in=(hex_of(activity), "")).exclude(line_item_url="")
    return sorted(links, key=lambda link: (not link.activity, -link.launched_at, link.pk))


def hex_of(activity: Activity) -> str:
    """As links name an activity."""
    return bytes(activity.key).hex()
