"""The column of a gradebook that a target's scores go into: a link's own, one that was made before, or a new one.

A column that Rollcall makes completes no activity in Moodle: only the one that an activity has of itself does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from rollcall.deliveries.completions.places import course_of, hex_of
from rollcall.deliveries.driver import Outcome, Result
from rollcall.lti import grades
from rollcall.lti.deep_linking import MAXIMUM, TAG
from rollcall.lti.tokens import Client
from rollcall.store.keys import key_of
from rollcall.store.owed import CompletionTarget
from rollcall.store.platforms import LineItem

if TYPE_CHECKING:
    from rollcall.lti.grades import Column, Gradebook
    from rollcall.lti.tokens import InThread
    from rollcall.store.platforms import Context, ResourceLink

MOODLE: Final = "moodle"


@dataclass(frozen=True, slots=True)
class Place:
    """A column and what is needed to speak to its gradebook. `column_url` is blank until it is found or made."""

    target: int
    context: int
    client: Client
    columns_url: str
    scopes: frozenset[str]
    column_url: str
    resource_id: str
    label: str
    is_moodle: bool

    @property
    def can_be_read(self) -> bool:
        """Whether the LMS tells what it holds."""
        return grades.RESULT_SCOPE in self.scopes


def place_of(target: CompletionTarget) -> Place | Outcome:
    """Where this target's scores go, or why they can go nowhere."""
    item, platform = target.line_item, target.receiver.platform
    course = item.context if item else course_of(target.activity, platform)
    if course is None:
        return Outcome(Result.TARGET, "no-course")
    scopes = scopes_of(course)
    if grades.SCORE_SCOPE not in scopes:
        return Outcome(Result.TARGET, "no-scope")
    if item is None and not may_make(course):
        return Outcome(Result.TARGET, "no-column")
    return Place(
        target=target.pk,
        context=course.pk,
        client=Client.of(platform),
        columns_url=course.line_items_url,
        scopes=scopes,
        column_url=_address(item) if item else "",
        resource_id=hex_of(target.activity),
        label=label_of(target),
        is_moodle=platform.product == MOODLE,
    )


def _address(item: LineItem) -> str:
    """Where it is; of a link's own column as its last launch named it.

    The same column has another query under another registration, of which Moodle writes the number there.
    """
    named = item.link.line_item_url if item.link is not None else ""
    is_same = bool(named) and urlsplit(named)[:3] == urlsplit(item.url)[:3]
    return str(named if is_same else item.url)


def scopes_of(course: Context) -> frozenset[str]:
    """What of the gradebook the last launch said is granted."""
    return frozenset(course.grade_scopes.split())


def may_make(course: Context) -> bool:
    """Whether Rollcall may add a column to this course."""
    return grades.MANAGE_SCOPE in scopes_of(course) and bool(course.line_items_url)


def label_of(target: CompletionTarget) -> str:
    """How a column that Rollcall makes is headed, in the language of the comments."""
    with override(target.language):
        return _("Attendance: %(activity)s") % {"activity": target.activity.label or target.activity.instance}


async def column_at(place: Place, book: Gradebook, in_thread: InThread, now: int) -> str | Outcome:
    """The address of the column: found by the marks of the activity, else made; ServiceTrouble from the LMS."""
    found = await book.columns(resource_id=place.resource_id, tag=TAG)
    # That of a link completes its activity; one without a link was made here, before the last answer was lost.
    if found:
        one = min(found, key=lambda column: not column.link_id)
        return str(await in_thread(adopt, place, one, not one.link_id, now))
    if grades.MANAGE_SCOPE not in place.scopes:
        return Outcome(Result.TARGET, "no-column")
    made = await book.make(grades.Column(place.label, MAXIMUM, resource_id=place.resource_id, tag=TAG))
    url = str(await in_thread(adopt, place, made, True, now))  # noqa: FBT003 - InThread takes no names
    if url != made.url:  # another worker was faster by a moment
        await book.remove(made, is_ours=True)
    return url


def adopt(place: Place, column: Column, is_ours: bool, now: int) -> str:  # noqa: FBT001 - the same
    """Remember the column as the target's, unless it has another by now; the address of the one that holds."""
    with transaction.atomic():
        target = CompletionTarget.objects.select_for_update().select_related(None).get(pk=place.target)
        if target.line_item_id is None:
            known = {
                "url": column.url,
                "label": column.label,
                "resource_id": column.resource_id,
                "tag": column.tag,
                "maximum": column.maximum,
                "is_ours": is_ours,
                "seen_at": now,
            }
            item, _made = LineItem.objects.get_or_create(
                context_id=place.context, key=key_of(column.url), defaults=known
            )
            CompletionTarget.objects.filter(pk=place.target).update(line_item=item)
            return str(item.url)
    return str(LineItem.objects.values_list("url", flat=True).get(pk=target.line_item_id))


def column_of_link(link: ResourceLink, now: int) -> LineItem:
    """The column that a link has of itself, as its last launch named it."""
    known = {"url": link.line_item_url, "label": link.title, "maximum": float(MAXIMUM), "is_ours": False}
    item, _made = LineItem.objects.update_or_create(
        context_id=link.context_id,
        key=key_of(link.line_item_url),
        defaults={"link": link, "seen_at": now},
        create_defaults={**known, "link": link, "seen_at": now},
    )
    return item
