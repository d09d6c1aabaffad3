"""Where the verdicts of an activity can go: what can be chosen for it, and why not the rest, a sentence each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rollcall.core.deliveries import Scoring, Way
from rollcall.deliveries.by_callback import broker_of, is_broker
from rollcall.deliveries.completions.columns import may_make, scopes_of
from rollcall.deliveries.completions.natively import latest_meeting
from rollcall.deliveries.completions.places import course_of, links_with_columns, platforms_of
from rollcall.deliveries.relay_or_rule import was_relayed
from rollcall.lti import grades
from rollcall.moodle import service_user
from rollcall.moodle import trouble as moodle_trouble
from rollcall.store.owed import CompletionTarget
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from rollcall.store.decisions import Activity
    from rollcall.store.platforms import Context, Platform, ResourceLink

NEW: Final = "new"
"""In place of a link: a column of Rollcall's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One target that an activity may have. `key` names it in a form; `name` is of the LMS, or of the column in it.

    `sentence` says what it does, `warning` what else must be so in the LMS; `why_not` is blank where it can be chosen,
    and `hint` then too, with `is_for_administrators` where no teacher can do what it says. `target` is the one that is
    there already, of the same way and LMS.
    """

    key: str
    way: Way
    platform: Platform
    name: str
    sentence: str
    warning: str = ""
    why_not: str = ""
    hint: str = ""
    is_for_administrators: bool = False
    scorings: tuple[Scoring, ...] = (Scoring.PASS,)
    link: ResourceLink | None = None
    target: CompletionTarget | None = None
    is_on: bool = False


def choices(activity: Activity) -> list[Choice]:
    """Every target that could be thought of, in the order in which they are offered; the activity may be unsaved."""
    there = {(one.receiver.platform_id, one.receiver.way): one for one in targets_of(activity)}
    platforms = platforms_of(activity)
    found = [choice for platform in platforms for choice in _columns(activity, platform, there)]
    of_moodle = [platform for platform in platforms if activity.instance and activity.site in _names(platform)]
    return found + [choice for platform in of_moodle[:1] for choice in _of_moodle(activity, platform, there)]


def _names(platform: Platform) -> set[str]:
    """As what meetings may name this LMS: where Moodle tells no address of its own, by its host."""
    return {platform.site, platform.host}


def targets_of(activity: Activity) -> list[CompletionTarget]:
    """Those that were ever switched on, with receiver, platform and column."""
    found = CompletionTarget.objects.filter(activity=activity.pk)
    return list(found.select_related("receiver__platform", "line_item__link").order_by("pk"))


_There = dict[tuple[int, str], CompletionTarget]

# -- columns of a gradebook ---------------------------------------------------------------------------------------

_NO_COURSE: Final = (
    gettext_noop("Nobody has come to Rollcall from this course yet, so its gradebook is not known."),
    gettext_noop("Add Rollcall to the course as an External tool, and open it there once."),
)
_NO_GRADES: Final = (
    gettext_noop("%(lms)s does not let Rollcall send grades from this course."),
    gettext_noop(
        "In Moodle: Manage tools > Rollcall > Services, allow Assignment and Grade Services; then open Rollcall from "
        "the course once."
    ),
)
_NO_COLUMN: Final = (
    gettext_noop("There is no column for this activity, and %(lms)s does not let Rollcall make one."),
    gettext_noop(
        "Add Rollcall to the course as an External tool that is for this activity, let it add grades to the gradebook, "
        "and open it once."
    ),
)
_TAKEN: Final = (
    gettext_noop("This column is filled with the verdicts of another activity of the course."),
    gettext_noop("Switch it off there first."),
)


def _columns(activity: Activity, platform: Platform, there: _There) -> list[Choice]:
    course = course_of(activity, platform)
    target = there.get((platform.pk, Way.AGS))
    if course is None:
        return [_no_column(platform, target, _NO_COURSE)]
    if grades.SCORE_SCOPE not in scopes_of(course):
        return [_no_column(platform, target, _NO_GRADES)]
    found = [_of_link(activity, platform, link, target) for link in links_with_columns(activity, course)]
    if may_make(course):
        found.append(_new_column(platform, course, target))
    return found or [_no_column(platform, target, _NO_COLUMN)]


def _of_link(activity: Activity, platform: Platform, link: ResourceLink, target: CompletionTarget | None) -> Choice:
    why_not, hint = (_(one) for one in _TAKEN) if _is_filled_by_another(link, activity) else ("", "")
    title = visible(link.title)
    is_it = target is not None and target.line_item is not None and target.line_item.url == link.line_item_url
    return Choice(
        key=f"{Way.AGS}:{platform.pk}:{link.pk}",
        way=Way.AGS,
        platform=platform,
        name=title or platform.name,
        sentence=_(
            "Grades go to the gradebook, into the column of “%(link)s”, and %(lms)s completes that activity by it."
        )
        % {"link": title or _("Rollcall"), "lms": platform.name},
        warning=_(
            "Set its completion to “Receive a grade” and “Passing grade”, with a grade to pass, in its settings."
        ),
        why_not=why_not,
        hint=hint,
        scorings=(Scoring.PASS, Scoring.PERCENT),
        link=link,
        target=target if is_it else None,
        is_on=is_it and target is not None and target.is_on,
    )


def _new_column(platform: Platform, course: Context, target: CompletionTarget | None) -> Choice:
    links = set(course.links.exclude(line_item_url="").values_list("line_item_url", flat=True))
    is_it = target is not None and (target.line_item is None or target.line_item.url not in links)
    return Choice(
        key=f"{Way.AGS}:{platform.pk}:{NEW}",
        way=Way.AGS,
        platform=platform,
        name=_("A column of its own"),
        sentence=_("Grades go to the gradebook of the course, into a column that Rollcall adds."),
        warning=_("Such a column completes no activity in Moodle: it only shows the grades."),
        scorings=(Scoring.PASS, Scoring.PERCENT),
        target=target if is_it else None,
        is_on=is_it and target is not None and target.is_on,
    )


def _no_column(platform: Platform, target: CompletionTarget | None, why: tuple[str, str]) -> Choice:
    why_not, hint = (_(one) % {"lms": platform.name} for one in why)
    return Choice(
        key=f"{Way.AGS}:{platform.pk}:{NEW}",
        way=Way.AGS,
        platform=platform,
        name=platform.name,
        sentence=_("Grades go to the gradebook of the course."),
        why_not=why_not,
        hint=hint,
        scorings=(Scoring.PASS, Scoring.PERCENT),
        target=target,
        is_on=target is not None and target.is_on,
    )


def _is_filled_by_another(link: ResourceLink, activity: Activity) -> bool:
    columns = CompletionTarget.objects.filter(line_item__url=link.line_item_url, line_item__context=link.context_id)
    return columns.filter(is_on=True).exclude(activity=activity.pk).exists()


# -- the BigBlueButton activity itself -------------------------------------------------------------------------------

ALREADY_RELAYED: Final = (
    gettext_noop("Records of this activity's classes were passed on to the LMS, which keeps their minutes for ever."),
    gettext_noop("With a rule of one minute it would complete everybody in them: choose another way."),
)
_NOT_MOODLES: Final = (
    gettext_noop("This is no BigBlueButton activity of a Moodle that is known here."),
    gettext_noop("Grades can be sent to any LMS that has a gradebook."),
)
_NO_SECRET: Final = (
    gettext_noop("No shared secret of the BigBlueButton server of this activity is known here."),
    gettext_noop("rollcall server secret add, with the secret that Moodle's settings hold."),
)


def _of_moodle(activity: Activity, platform: Platform, there: _There) -> list[Choice]:
    return [_by_web_services(activity, platform, there), _by_rule(activity, platform, there)]


def _by_web_services(activity: Activity, platform: Platform, there: _There) -> Choice:
    service = service_user.service_for(activity)
    platform = service.platform if service is not None else platform
    target = there.get((platform.pk, Way.MOODLE))
    code = service_user.why_not(activity)
    why_not, hint = moodle_trouble.told(code) if code else ("", "")
    return Choice(
        key=f"{Way.MOODLE}:{platform.pk}",
        way=Way.MOODLE,
        platform=platform,
        name=platform.name,
        sentence=_("%(lms)s completes the BigBlueButton activity itself, and takes it back when a verdict changes.")
        % {"lms": platform.name},
        warning=_("It is shown there as set by the user that the administrator has made for Rollcall."),
        why_not=why_not,
        hint=hint,
        is_for_administrators=bool(code) and code != moodle_trouble.Trouble.NO_ACTIVITY,
        target=target,
        is_on=target is not None and target.is_on,
    )


def _by_rule(activity: Activity, platform: Platform, there: _There) -> Choice:
    target = there.get((platform.pk, Way.CALLBACK))
    why = _why_no_rule(activity, platform)
    why_not, hint = (_(one) for one in why) if why else ("", "")
    return Choice(
        key=f"{Way.CALLBACK}:{platform.pk}",
        way=Way.CALLBACK,
        platform=platform,
        name=platform.name,
        sentence=_(
            "%(lms)s is told of one minute for each person who has met the rule, and completes the activity by it."
        )
        % {"lms": platform.name},
        warning=_(
            "Set the completion of the BigBlueButton activity to an attendance of 1 minute, and nothing else. What is "
            "told by this way cannot be taken back, and it shows as set by the site's administrator. BigBlueButton "
            "itself must not report to this Moodle beside it."
        ),
        why_not=why_not,
        hint=hint,
        is_for_administrators=why is _NO_SECRET,
        target=target,
        is_on=target is not None and target.is_on,
    )


def receiver_url(activity: Activity, platform: Platform) -> str:
    """Where this Moodle's receiver of meeting events is, for this activity."""
    return broker_of(service_user.address_of(platform), activity.instance)


def _why_no_rule(activity: Activity, platform: Platform) -> tuple[str, str] | None:
    if not is_broker(receiver_url(activity, platform)):
        return _NOT_MOODLES
    if was_relayed(activity):
        return ALREADY_RELAYED
    meeting = latest_meeting(activity)
    server = getattr(meeting.meeting.pool, "server", None) if meeting is not None else None
    has_secret = server is not None and server.secrets.filter(retired_at=None).exists()
    return None if has_secret else _NO_SECRET
