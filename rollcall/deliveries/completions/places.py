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
    linked = Q(contexts__links__activity=hex_of(activity))
    return list(of_owner.filter(Q(site=activity.site) | Q(host=activity.site) | linked).distinct().order_by("pk"))


def course_of(activity: Activity, platform: Platform) -> Context | None:
    """The course there whose gradebook is the activity's; None while nobody has come from it.

    One that a teacher has linked to the activity goes before the one of the same id, for elsewhere than in Moodle the
    meetings need not name the course as launches do.
    """
    courses = Context.objects.filter(platform=platform)
    linked = courses.filter(links__activity=hex_of(activity)).order_by("-launched_at", "pk").first()
    return linked or (courses.filter(key=key_of(activity.context_id)).first() if activity.context_id else None)


def links_with_columns(activity: Activity, course: Context) -> list[ResourceLink]:
    """Links of this course that have a column of their own: those to the activity, then those to the whole course."""
    links = course.links.filter(activity__in=(hex_of(activity), "")).exclude(line_item_url="")
    return sorted(links, key=lambda link: (not link.activity, -link.launched_at, link.pk))


def hex_of(activity: Activity) -> str:
    """As links name an activity."""
    return bytes(activity.key).hex()
