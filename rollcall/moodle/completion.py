"""What a Moodle says of the completion of one BigBlueButton activity, and how it is set."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from rollcall.moodle.asking import ACTIVITIES, BIGBLUEBUTTON, MODULE, OVERRIDE, READ, Argument
from rollcall.moodle.trouble import MoodleTrouble, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Status:
    """One person's completion. `by` is the Moodle user who set it by hand, blank for none.

    `is_tracked` is Moodle's own word for who is enrolled now, and actively, in a role whose completion counts: what no
    roster knows as surely, and what nobody has to be listed for.
    """

    cmid: str
    is_complete: bool
    is_tracked: bool
    by: str = ""


class Move(StrEnum):
    """What is to be done where a completion stands so."""

    NOTHING = "nothing"  # it is as it should be
    SET = "set"
    LEAVE = "leave"  # a person decided otherwise, or Moodle's own rule did
    REFUSE = "refuse"  # it is never tracked


def move(status: Status, *, is_done: bool, ours: str) -> tuple[Move, Trouble | None]:
    """What brings `status` to `is_done` without undoing what anybody but our own user has set; and why not."""
    if not status.is_tracked:
        return Move.REFUSE, Trouble.NOT_TRACKED
    if status.is_complete is is_done:
        return Move.NOTHING, None
    is_ours = bool(ours) and status.by == ours
    if is_done:
        return (Move.SET, None) if is_ours or not status.by else (Move.LEAVE, Trouble.OVERRIDDEN)
    if is_ours:
        return Move.SET, None
    return Move.LEAVE, Trouble.OVERRIDDEN if status.by else Trouble.DONE_THERE


# -- calls: a function with its arguments -------------------------------------------------------------------------


def reading(course: str, user: str) -> tuple[str, Argument, Argument]:
    """Asks for the completion of everything in a course by one user."""
    return READ, ("courseid", course), ("userid", user)


def setting(cmid: str, user: str, *, is_done: bool) -> tuple[str, Argument, Argument, Argument]:
    """Sets it. Moodle looks neither whether the user is enrolled nor whether there is one."""
    return OVERRIDE, ("userid", user), ("cmid", cmid), ("newstate", int(is_done))


def finding(instance: str) -> tuple[str, Argument, Argument]:
    """Asks for the course module of an activity."""
    return MODULE, ("module", BIGBLUEBUTTON), ("instance", instance)


def listing(course: str) -> tuple[str, Argument]:
    """Asks for the BigBlueButton activities of a course."""
    return ACTIVITIES, ("courseids[0]", course)


# -- answers --------------------------------------------------------------------------------------------------------


def status_in(answer: object, instance: str) -> Status | None:
    """The completion of this activity; None where Moodle lists none, as of what its user may not see."""
    for told in _listed(answer, "statuses"):
        if told.get("modname") == BIGBLUEBUTTON and _number(told.get("instance")) == instance:
            return _status(told)
    return None


def was_taken(answer: object, user: str, *, is_done: bool) -> bool:
    """Whether what Moodle answers to a setting is that it holds it now."""
    told = _object(answer)
    if _number(told.get("userid")) != user:
        raise MoodleTrouble(Trouble.STRANGE)
    return told.get("tracking") != 0 and told.get("state") == int(is_done)


def is_untracked(answer: object) -> bool:
    """Whether completion of the activity was switched off, so that setting it did nothing."""
    return _object(answer).get("tracking") == 0


def why_unlisted(answer: object, course: str) -> Trouble:
    """Why an activity that is there, as the answer to finding() says, has no completion that could be read."""
    module = _object(_object(answer).get("cm"))
    if _number(module.get("course")) != course:
        return Trouble.ACTIVITY_MOVED
    return Trouble.NO_COMPLETION if module.get("completion") == 0 else Trouble.ACTIVITY_HIDDEN


def cmid_in(answer: object) -> str:
    """The number of the course module in the answer to finding()."""
    return _id(_object(_object(answer).get("cm")).get("id"))


def seed_in(answer: object, instance: str) -> str:
    """What the ids of the activity's meetings begin with; blank where Moodle does not show it."""
    for told in _listed(answer, "bigbluebuttonbns"):
        if _number(told.get("id")) == instance:
            return str(told.get("meetingid") or "")
    return ""


def _status(told: Mapping[str, Any]) -> Status:
    complete, tracked = told.get("isoverallcomplete"), told.get("istrackeduser")
    if not isinstance(complete, bool) or not isinstance(tracked, bool):
        raise MoodleTrouble(Trouble.STRANGE)
    return Status(_id(told.get("cmid")), complete, tracked, _number(told.get("overrideby")))


def _listed(answer: object, name: str) -> Iterable[Mapping[str, Any]]:
    found = _object(answer).get(name)
    if not isinstance(found, list):
        raise MoodleTrouble(Trouble.STRANGE)
    return [one for one in found if isinstance(one, dict)]


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise MoodleTrouble(Trouble.STRANGE)
    return value


def _id(value: object) -> str:
    if not (found := _number(value)):
        raise MoodleTrouble(Trouble.STRANGE)
    return found


def _number(value: object) -> str:
    """A number above zero as text, however it is written; blank for anything else."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return text if text.isascii() and text.isdigit() and len(text) <= 19 and text.strip("0") else ""
