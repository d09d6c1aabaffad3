"""Whether a token can do what Rollcall needs, found out without changing anything: each function, each right.

Functions are told by Moodle itself. Rights are tried, on an activity that has met: reading somebody's completion, and
setting that of our own user to a state that there is not, which Moodle refuses as such only where setting is allowed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rollcall.lti.trouble import printable
from rollcall.moodle.asking import ACTIVITIES, FUNCTIONS, MODULE, OVERRIDE, READ, SITE_INFO, Access, call_now
from rollcall.moodle.completion import cmid_in, finding, reading, status_in
from rollcall.moodle.trouble import MoodleTrouble, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SECONDS: Final = 8.0
"""For each of the handful of calls: a person waits for them."""

ENTER: Final = "moodle/course:view"
SEE: Final = "mod/bigbluebuttonbn:view"
READS: Final = "report/progress:view"
SETS: Final = "moodle/course:overridecompletion"
GROUPS: Final = "moodle/site:accessallgroups"
REST: Final = "webservice/rest:use"
HIDDEN: Final = "moodle/course:viewhiddenactivities"
CAPABILITIES: Final = (REST, ENTER, SEE, READS, SETS, GROUPS, HIDDEN)
"""What Rollcall's role in Moodle has, and nothing else."""

_NO_SUCH_STATE: Final = 7
_USER: Final = re.compile(r"[1-9][0-9]{0,18}")


class Sample(NamedTuple):
    """An activity that has met, and somebody who was there."""

    course: str
    instance: str
    user: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found. `missing` are functions and capabilities by their names; `trouble` of whatever broke it off.

    `was_tried`: rights were tried on an activity. `detail` is what Moodle itself said.
    """

    user_id: str = ""
    release: str = ""
    missing: tuple[str, ...] = ()
    trouble: str = ""
    detail: str = ""
    was_tried: bool = False
    is_administrator: bool = False


def check(access: Access, samples: Sequence[Sample]) -> Checked:
    """Ask a Moodle; of the samples the first is taken whose activity and person it still has."""
    try:
        info = _called(access, SITE_INFO)
        if not isinstance(info, dict) or not _USER.fullmatch(str(info.get("userid"))):
            raise MoodleTrouble(Trouble.STRANGE)  # noqa: TRY301 - it ends as whatever else Moodle answers
        if not _is_same(str(info.get("siteurl", "")), access.site):
            return Checked(trouble=Trouble.OTHER_SITE, detail=printable(str(info.get("siteurl", ""))))
        return _rights(access, info, samples)
    except MoodleTrouble as error:
        return Checked(trouble=error.kind.value, detail=error.detail)


def _rights(access: Access, info: dict[str, Any], samples: Sequence[Sample]) -> Checked:
    told = {one.get("name") for one in info.get("functions", ()) if isinstance(one, dict)}
    missing = [one for one in FUNCTIONS if one not in told]
    user = str(info["userid"])
    tried = None if missing else _first_tried(access, user, samples)
    missing += tried or ()
    return Checked(
        user_id=user,
        release=printable(str(info.get("release", ""))),
        missing=tuple(missing),
        trouble=Trouble.MISSING if missing else "",
        was_tried=tried is not None,
        is_administrator=info.get("userissiteadmin") is True,
    )


def _is_same(one: str, other: str) -> bool:
    """Schemes may differ where a certificate stands in front of Moodle only; then its own answer says which it is."""
    return one.rstrip("/").casefold() == other.rstrip("/").casefold()


def _first_tried(access: Access, ours: str, samples: Iterable[Sample]) -> list[str] | None:
    """What is missing for the first activity that is there and seen; None where none is there."""
    found: list[str] | None = None
    for sample in samples:
        try:
            found = list(_lacking(access, ours, sample))
        except MoodleTrouble as error:
            if error.kind not in _NOT_THERE:
                raise
            continue
        if SEE not in found:  # it may only be hidden
            break
    return found


_NOT_THERE: Final = frozenset(
    {Trouble.COURSE_GONE, Trouble.ACTIVITY_GONE, Trouble.USER_GONE, Trouble.USER_SUSPENDED, Trouble.NO_COMPLETION}
)


def _lacking(access: Access, ours: str, sample: Sample) -> Iterator[str]:
    """The capabilities that are missing, one after the other as Moodle asks for them."""
    try:
        status = status_in(_called(access, *reading(sample.course, sample.user)), sample.instance)
    except MoodleTrouble as error:
        if error.kind not in _OF_READING:
            raise
        status = None
        yield _OF_READING[error.kind]
        if error.kind is Trouble.MAY_NOT_ENTER:
            return  # nothing else is looked at where the course is shut
    try:
        cmid = status.cmid if status else cmid_in(_called(access, *finding(sample.instance)))
    except MoodleTrouble as error:
        if error.kind is not Trouble.MAY_NOT_ENTER:
            raise
        yield SEE
        return
    yield from _setting(access, ours, cmid)


_OF_READING: Final[dict[object, str]] = {
    Trouble.MAY_NOT_ENTER: ENTER,
    Trouble.MAY_NOT_READ: READS,
    Trouble.MAY_NOT_SEE_GROUP: GROUPS,
}


def _setting(access: Access, ours: str, cmid: str) -> Iterator[str]:
    try:
        _called(access, OVERRIDE, ("userid", ours), ("cmid", cmid), ("newstate", _NO_SUCH_STATE))
    except MoodleTrouble as error:
        if error.kind is Trouble.MAY_NOT_OVERRIDE:
            yield SETS
        elif error.kind is not Trouble.ERROR:
            raise


def _called(access: Access, function: str, *arguments: tuple[str, object]) -> object:
    return call_now(access, function, *arguments, seconds=SECONDS)


# -- in words -------------------------------------------------------------------------------------------------------

_FOR: Final = {
    SITE_INFO: gettext_noop("to learn which Moodle and which user it is"),
    READ: gettext_noop("to read somebody's completion before it is changed"),
    OVERRIDE: gettext_noop("to set somebody's completion"),
    MODULE: gettext_noop("to learn what has become of an activity"),
    ACTIVITIES: gettext_noop("to see that it is the activity whose classes were seen"),
    REST: gettext_noop("to be let in at all"),
    ENTER: gettext_noop("to enter courses without being enrolled"),
    SEE: gettext_noop("to see BigBlueButton activities"),
    READS: gettext_noop("to read other people's completion"),
    SETS: gettext_noop("to set somebody's completion"),
    GROUPS: gettext_noop("for courses with separate groups"),
    HIDDEN: gettext_noop("for activities that are hidden"),
}


class Lack(NamedTuple):
    """Something that is missing: what for, and what to do in Moodle."""

    name: str
    purpose: str
    todo: str


def lacks(missing: Iterable[str]) -> list[Lack]:
    """What is missing, in words."""
    return [Lack(one, _(_FOR[one]) if one in _FOR else "", _todo(one)) for one in missing]


def _todo(name: str) -> str:
    if "/" in name:
        return _("Site administration > Users > Permissions > Define roles: allow it in Rollcall's role.")
    return _("Site administration > Server > Web services > External services > Functions: add it to the service.")
