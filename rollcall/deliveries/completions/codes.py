"""Every code with which a delivery of a verdict can end or wait, in words with what to do about it, by its way."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rollcall.core.deliveries import Way
from rollcall.deliveries import told as relayed
from rollcall.lti import trouble as lti
from rollcall.moodle import trouble as moodle

_EVERYWHERE: Final = {
    "history": (
        gettext_noop("Its classes were over long before anything was heard of them, or before this was switched on."),
        gettext_noop("Ask for it if it is wanted nevertheless: “Send those of long past classes too”."),
    ),
    "not-enrolled": (
        gettext_noop("They are not enrolled in the course as a learner."),
        gettext_noop("It is sent by itself once they are."),
    ),
    "not-judged": (
        gettext_noop("The classes that it rests on are no longer here, or belong to somebody else."),
        gettext_noop("It is sent by itself once there is a verdict again."),
    ),
    "not-certain": (
        gettext_noop("It is no longer certain: the rule, or what is known of the classes, has changed."),
        gettext_noop("It is sent by itself once it is certain again."),
    ),
    "changed": (
        gettext_noop("The verdict has changed since it was to be sent, so it is not sent."),
        gettext_noop("It is sent by itself once it is so again, or once a teacher has decided."),
    ),
    "no-rule": (
        gettext_noop("Nobody is judged in this activity any more."),
        gettext_noop("It is sent by itself once a rule holds again that says so."),
    ),
    "teacher": (gettext_noop("They teach the course, and nothing is delivered of teachers."), ""),
    "gave-up": (
        gettext_noop("Two weeks of attempts did not get through."),
        gettext_noop("When the LMS works again, send it again."),
    ),
    "not-ours": (gettext_noop("Something newer is to be sent instead."), ""),
    "tried-on": (gettext_noop("It was asked differently right after."), ""),
    "no-such-way": (
        gettext_noop("This Rollcall does not know how to send there; a newer one has switched it on."),
        gettext_noop("Upgrade Rollcall, or switch this delivery off."),
    ),
    "too-many": (gettext_noop("The LMS asks for fewer requests (429)."), ""),
    "no-lms-user": (
        gettext_noop("The user id is none that this LMS gave out."),
        gettext_noop("Nothing need be done for a guest, or somebody who came from another LMS."),
    ),
}
_OF_AGS: Final = {
    "overridden": (
        gettext_noop("The gradebook holds a grade that somebody gave by hand, and it is left so."),
        gettext_noop("Take it back there if Rollcall's is wanted, then send it again."),
    ),
    "not-gradable": (
        gettext_noop("They are not enrolled there as a student, so the gradebook takes no grade."),
        gettext_noop("Send it again once they are."),
    ),
    "locked": (
        gettext_noop("The grade, or its column, is locked in the gradebook."),
        gettext_noop("Unlock it there, then send it again."),
    ),
    "conflict": (
        gettext_noop("The gradebook refused two scores in a row as not newer than its own."),
        gettext_noop("Send it again; if it lasts, compare the clocks of both machines (timedatectl)."),
    ),
    "not-taken-back": (
        gettext_noop("The LMS took the empty score, and still shows the old grade."),
        gettext_noop("Empty the grade there by hand."),
    ),
    "later-score": (
        gettext_noop("The gradebook holds a score of a later time, until which it takes none."),
        gettext_noop("It is sent by itself then; compare the clocks of both machines (timedatectl)."),
    ),
    "no-course": (
        gettext_noop("Nobody has come to Rollcall from this course any more, so its gradebook is not known."),
        gettext_noop("Open Rollcall from the course once."),
    ),
    "no-column": (
        gettext_noop("There is no column in the gradebook, and Rollcall may make none."),
        gettext_noop(
            "In Moodle: Manage tools > Rollcall > Services, “Use this service for grade sync and column management”."
        ),
    ),
    "column-gone": (
        gettext_noop("The column was deleted from the gradebook."),
        gettext_noop("Switch this delivery off and on again; another column is made."),
    ),
    "course-gone": (
        gettext_noop("The LMS says that the course was deleted."),
        gettext_noop("If so, switch this delivery off."),
    ),
    "moved": (
        gettext_noop("The LMS answers with a redirect, which is not followed."),
        gettext_noop("See that Moodle's own address (wwwroot) is the one that it is registered by here."),
    ),
    "error-page": (
        gettext_noop("A page for people came instead of an answer."),
        gettext_noop("Look at what stands in front of the LMS: a proxy, a filter, a notice of maintenance."),
    ),
}
_OF_CALLBACK: Final = {
    "broken-off": (gettext_noop("Moodle kept it, and failed while it worked on it."), gettext_noop("Send it again.")),
    "takes-nothing-back": (
        gettext_noop("Moodle's plugin cannot be told that somebody has not met the rule after all."),
        gettext_noop("A teacher can change it there, in the activity completion report."),
    ),
    "activity-gone": (
        gettext_noop("Moodle says that the activity does not exist any more."),
        gettext_noop("If it was deleted, switch this delivery off."),
    ),
    "no-meeting": (
        gettext_noop("No class of this activity is known any more."),
        gettext_noop("It goes on by itself after the next one."),
    ),
    "relayed": (
        gettext_noop("The attendance records of this activity are relayed to Moodle already."),
        gettext_noop("Choose one of the two: both together would count people twice."),
    ),
}
_OWN: Final[dict[Way, dict[str, tuple[str, str]]]] = {
    Way.AGS: _EVERYWHERE | _OF_AGS,
    Way.CALLBACK: _EVERYWHERE | _OF_CALLBACK,
    Way.MOODLE: {code: words for code, words in _EVERYWHERE.items() if code not in set(moodle.Trouble)},
}


def told(way: Way, code: str, phrase: str = "") -> tuple[str, str]:
    """What has happened, and what to do about it (blank where only waiting helps); two blanks for no code."""
    if not code:
        return "", ""
    if code not in _OWN[way]:
        return _of_the_way(way, code, phrase)
    sentence, hint = _OWN[way][code]
    sentence = _(sentence)
    return (f"{sentence} ({phrase})" if phrase else sentence), (_(hint) if hint else "")


def _of_the_way(way: Way, code: str, phrase: str) -> tuple[str, str]:
    """What can be wrong with an address, a certificate, a token, and whatever only this way knows."""
    match way:
        case Way.AGS:
            return lti.told(f"{code} {phrase}".strip())
        case Way.MOODLE:
            return moodle.told(code, phrase)
        case Way.CALLBACK:
            return relayed.trouble_of(code, phrase), relayed.mend_of(code)
