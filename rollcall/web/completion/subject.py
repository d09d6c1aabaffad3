"""What these pages are about: an activity whose classes the reader may see, and what has been decided of it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from rollcall.core.access import Area, may
from rollcall.core.policy import Policy, in_force
from rollcall.derive.decided import decided_of, history_of
from rollcall.feed.deciding import By, activity_for, decide
from rollcall.reports import access
from rollcall.store import auditing, licensing
from rollcall.store.auditing import Action
from rollcall.store.decisions import Activity
from rollcall.store.derived import Summary
from rollcall.store.searching import activities as found_activities
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from django.http import HttpRequest

    from rollcall.core.access import Reader
    from rollcall.core.activity import Decided
    from rollcall.derive.decided import Told
    from rollcall.feed.deciding import What
    from rollcall.store.decisions import Decision
    from rollcall.store.searching import Inside
    from rollcall.store.searching.activities import FoundActivity

_LONGEST_ONCE: Final = 64


@dataclass(frozen=True)
class Subject:
    """An activity, for one reader. `activity` is None as long as nothing was decided of it."""

    reader: Reader
    inside: Inside
    found: FoundActivity
    activity: Activity | None
    decided: Decided

    @property
    def address(self) -> str:
        """Of its first page."""
        return f"/activities/{self.found.hexed}"

    @property
    def name(self) -> str:
        """As it is shown."""
        return visible(self.found.name.strip()) or _("(no name)")

    @property
    def may_decide(self) -> bool:
        """Whether the reader may change anything of it."""
        return may(self.reader, Area.DECIDE)

    def seen_of(self, meetings: Sequence[str]) -> list[str]:
        """Of the meetings of a class those that the reader may see: of other groups' rooms nothing is told."""
        if self.inside.bounds.groups is None:
            return list(meetings)
        return [one for one in meetings if one in self._seen]

    @cached_property
    def _seen(self) -> frozenset[str]:
        return frozenset(map(str, found_activities.seen_meetings(self.found, self.inside)))

    def policy_at(self, now: int) -> Policy | None:
        """By which a class would be judged that began then (epoch ms)."""
        at = in_force(self.decided.versions, now)
        policy = None if at is None else self.decided.versions[at]
        return policy if policy is not None and policy.conditions else None

    def history(self) -> Sequence[Told]:
        """All that was decided of it, in the order in which it was."""
        return [] if self.activity is None else history_of(self.activity)


def subject_of(request: HttpRequest, key: str, area: Area = Area.VERDICTS) -> Subject:
    """What an address is about; Http404 where there is no such activity for whoever asks."""
    reader = access.require(request, area=area)
    inside = access.inside(request)
    found = found_activities.activity(bytes.fromhex(key), inside)
    if found is None:
        raise Http404(_("There is no such activity, or none of its classes has been heard of yet."))
    activity = Activity.objects.filter(organisation=found.organisation, key=found.key).first()
    return Subject(reader, inside, found, activity, decided_of(activity))


def around(request: HttpRequest, subject: Subject, here: str | None = "") -> dict[str, Any]:
    """What every page about an activity shows: its name, the ways between its pages, and a token for one form.

    `here` is what stands behind the activity's own address, None below its pages.
    """
    pages = [
        ("", _("Completion")),
        ("/policy", _("What counts")),
        ("/classes", _("Classes")),
        ("/sending", _("Sending")),
    ]
    ways = [(label, subject.address + path, path == here) for path, label in pages]
    ways.append((_("Meetings"), f"/meetings?meeting={subject.found.hexed}", False))
    return {
        "page": "activities",
        "activity": subject.found,
        "name": subject.name,
        "title": subject.name,
        "address": subject.address,
        "path": request.path,
        "course_name": visible(subject.found.course_name),
        "course_address": f"/courses/{subject.found.course.hex()}" if subject.found.course is not None else "",
        "ways": ways,
        "may_decide": subject.may_decide,
        "once": secrets.token_urlsafe(12),
    }


def is_being_worked_out(of: Activity) -> bool:
    """Whether its verdicts follow in a moment; those of a class that runs only follow it, and nobody waits for that."""
    if of.folded >= of.appended:
        return False
    if of.folded_at is None or of.decisions.filter(at__gte=of.folded_at).exists():
        return True
    running = Summary.objects.filter(activity_key=of.key, organisation=of.organisation, ended_possible_at=None)
    return not running.exists()


def no_name(user_id: str) -> str:
    """Of whom no name is known, the id tells them apart."""
    return _("Participant %(id)s") % {"id": visible(user_id)}


def zone_of() -> tzinfo:
    """The reader's."""
    return timezone.get_current_timezone()


def last_policy(history: Sequence[Told]) -> int:
    """The number of the last decision on a policy, by which a page knows whether it is the newest; 0 for none."""
    return max((one.row.seq for one in history if isinstance(one.what, Policy)), default=0)


def decided(
    request: HttpRequest, subject: Subject, what: What, *, reason: str = "", seen: int | None = None
) -> Decision:
    """Keep what was decided; the same form sent twice decides once. Of `seen` see By."""
    now, reader = licensing.now_ms(), subject.reader
    once = request.POST.get("once", "")[:_LONGEST_ONCE]
    activity = activity_for(subject.found.organisation, subject.found.key, now=now)
    by = By(author=reader.name, role=reader.role.value, reason=reason, once=once, seen=seen)
    return decide(activity, what, by, now=now)


def note(subject: Subject, word: str, person: bytes | None = None, action: Action = Action.CHANGED) -> None:
    """In the audit log: whose, and of which course."""
    auditing.write(
        licensing.now_ms(),
        action,
        subject.reader,
        subject=word,
        organisation=subject.found.organisation,
        course=subject.found.course,
        person=person,
    )
