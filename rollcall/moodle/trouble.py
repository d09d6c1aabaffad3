"""Why completion could not be read or written in a Moodle: codes, each with a sentence and what to do about it.

Trouble on the way there (a certificate, a time-out, a private address) has the codes and words of rollcall.lti.trouble.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rollcall.core.errors import RollcallError
from rollcall.lti import trouble as lti
from rollcall.lti.trouble import printable


class Trouble(StrEnum):
    """Codes, as they are stored: of the whole Moodle and its token, of rights, of one activity, of one person."""

    NO_TOKEN = "no-token"  # noqa: S105 - a code
    BAD_TOKEN = "bad-token"  # noqa: S105 - a code
    SEALED = "wrong-secret-key"
    NO_ACCESS = "no-access"
    ACCOUNT = "account-closed"
    SERVICES_OFF = "services-off"
    MAINTENANCE = "maintenance"
    OTHER_SITE = "other-site"
    REDIRECTED = "redirected"
    NOT_MOODLE = "not-moodle"
    HALF = "half-an-answer"
    STRANGE = "strange-answer"
    ERROR = "moodle-error"

    MISSING = "missing-rights"
    MAY_NOT_ENTER = "may-not-enter"
    MAY_NOT_READ = "may-not-read"
    MAY_NOT_OVERRIDE = "may-not-override"
    MAY_NOT_SEE_GROUP = "may-not-see-group"

    NO_ACTIVITY = "no-moodle-activity"
    NO_PLATFORM = "no-platform"
    COURSE_GONE = "course-gone"
    ACTIVITY_GONE = "activity-gone"
    ACTIVITY_HIDDEN = "activity-hidden"
    ACTIVITY_MOVED = "activity-moved"
    OTHER_ACTIVITY = "other-activity"
    NO_COMPLETION = "no-completion"
    NOT_TAKEN = "not-taken"

    NOT_A_USER = "not-a-user"
    USER_GONE = "user-gone"
    USER_SUSPENDED = "user-suspended"
    NOT_TRACKED = "no-student"
    OVERRIDDEN = "overridden"
    DONE_THERE = "done-there"


class MoodleTrouble(RollcallError):
    """A call that came to nothing. `detail` is what Moodle itself said, without the token should that stand in it.

    `kind` is one of Trouble or, of the way there, of rollcall.lti.trouble; `retry_after_ms` what it asked for;
    `http_status` None: there was no answer at all.
    """

    def __init__(
        self,
        kind: Trouble | lti.Trouble,
        detail: str = "",
        *,
        http_status: int | None = None,
        retry_after_ms: int | None = None,
    ) -> None:
        self.kind = kind
        self.detail = printable(detail)
        self.http_status = http_status
        self.retry_after_ms = retry_after_ms
        sentence, hint = told(kind.value, self.detail)
        super().__init__(sentence, code=kind.value, hint=hint, status=502)


_SENTENCES: Final = {
    Trouble.NO_TOKEN: gettext_noop("Rollcall has no token for the web services of this Moodle."),
    Trouble.BAD_TOKEN: gettext_noop("Moodle does not know the token: it was revoked, or its time is over."),
    Trouble.SEALED: gettext_noop("The token cannot be opened with this ROLLCALL_SECRET_KEY."),
    Trouble.NO_ACCESS: gettext_noop("Moodle refuses the token a function that Rollcall needs."),
    Trouble.ACCOUNT: gettext_noop("Moodle does not let the user of the token in."),
    Trouble.SERVICES_OFF: gettext_noop("Web services, or their REST protocol, are switched off in this Moodle."),
    Trouble.MAINTENANCE: gettext_noop("Moodle is in maintenance."),
    Trouble.OTHER_SITE: gettext_noop("The token is of another Moodle than the one that is registered here."),
    Trouble.REDIRECTED: gettext_noop("The address of Moodle leads to another one, which is not followed."),
    Trouble.NOT_MOODLE: gettext_noop("What answers at the address of Moodle is no web service, but some page."),
    Trouble.HALF: gettext_noop("The answer of Moodle broke off in the middle."),
    Trouble.STRANGE: gettext_noop("Moodle answered something that Rollcall does not know."),
    Trouble.ERROR: gettext_noop("Moodle met an error of its own."),
    Trouble.MISSING: gettext_noop("The user of the token lacks rights, or its service functions, that Rollcall needs."),
    Trouble.MAY_NOT_ENTER: gettext_noop("Rollcall's user may not enter this course, or not see this activity."),
    Trouble.MAY_NOT_READ: gettext_noop("Rollcall's user may not read completion in this course."),
    Trouble.MAY_NOT_OVERRIDE: gettext_noop("Rollcall's user may not set completion in this course."),
    Trouble.MAY_NOT_SEE_GROUP: gettext_noop("Rollcall's user may not see all groups of this course."),
    Trouble.NO_ACTIVITY: gettext_noop("It is no BigBlueButton activity of a Moodle."),
    Trouble.NO_PLATFORM: gettext_noop("The Moodle of this activity is not registered here."),
    Trouble.COURSE_GONE: gettext_noop("Moodle says that there is no such course."),
    Trouble.ACTIVITY_GONE: gettext_noop("Moodle says that there is no such activity."),
    Trouble.ACTIVITY_HIDDEN: gettext_noop("The activity is hidden from Rollcall's user."),
    Trouble.ACTIVITY_MOVED: gettext_noop("Moodle has an activity of this number in another course."),
    Trouble.OTHER_ACTIVITY: gettext_noop("Moodle has another activity under this number than the one that met."),
    Trouble.NO_COMPLETION: gettext_noop("Completion is switched off for this activity, or for its course."),
    Trouble.NOT_TAKEN: gettext_noop("Moodle accepted the completion, and does not hold it."),
    Trouble.NOT_A_USER: gettext_noop("The user id is none that Moodle has."),
    Trouble.USER_GONE: gettext_noop("Moodle says that there is no such user any more."),
    Trouble.USER_SUSPENDED: gettext_noop("The account is suspended in Moodle."),
    Trouble.NOT_TRACKED: gettext_noop(
        "Moodle tracks no completion of this person here: they are no student of the course now."
    ),
    Trouble.OVERRIDDEN: gettext_noop("Somebody has set this completion by hand in Moodle, and it is left so."),
    Trouble.DONE_THERE: gettext_noop("The completion in Moodle is not Rollcall's doing, so it is not taken back."),
}

_FUNCTIONS: Final = gettext_noop(
    "In Moodle: Site administration > Server > Web services > External services; see that the service has the "
    "function, that the user is allowed for it, and that neither the token's time nor its list of addresses forbids it."
)
_RIGHTS: Final = gettext_noop("Test the connection on the page of the LMS: it names each right that is missing.")
_HINTS: Final = {
    Trouble.NO_TOKEN: gettext_noop("Make one in Moodle and give it to Rollcall: rollcall platform moodle set."),
    Trouble.BAD_TOKEN: gettext_noop("Make a new one in Moodle and give it to Rollcall: rollcall platform moodle set."),
    Trouble.SEALED: gettext_noop("Restore that key, or give the token again: rollcall platform moodle set."),
    Trouble.NO_ACCESS: _FUNCTIONS,
    Trouble.ACCOUNT: gettext_noop(
        "In Moodle see that the account is confirmed, not suspended, and has neither a password to change nor a policy "
        "to agree to."
    ),
    Trouble.SERVICES_OFF: gettext_noop(
        "In Moodle: Site administration > General > Advanced features, “Enable web services”; then Server > Web "
        "services > Manage protocols, REST."
    ),
    Trouble.OTHER_SITE: gettext_noop("Take the token from the Moodle whose address stands on this page."),
    Trouble.REDIRECTED: gettext_noop(
        "See that Moodle's own address (wwwroot) is the one that it is registered by here."
    ),
    Trouble.NOT_MOODLE: gettext_noop("Look at what stands in front of Moodle: a sign-in page, a filter, a notice."),
    Trouble.STRANGE: gettext_noop("Test the connection on the page of the LMS, and report what it says."),
    Trouble.ERROR: gettext_noop("If it lasts, look at Moodle's own log; what it said stands in brackets."),
    Trouble.MISSING: gettext_noop("Each is named on the page of the LMS, with what to do in Moodle."),
    Trouble.MAY_NOT_ENTER: _RIGHTS,
    Trouble.MAY_NOT_READ: _RIGHTS,
    Trouble.MAY_NOT_OVERRIDE: _RIGHTS,
    Trouble.MAY_NOT_SEE_GROUP: _RIGHTS,
    Trouble.NO_ACTIVITY: gettext_noop("Choose another way for this activity."),
    Trouble.NO_PLATFORM: gettext_noop("Register it: rollcall platform invite."),
    Trouble.COURSE_GONE: gettext_noop("If it was deleted, switch this delivery off."),
    Trouble.ACTIVITY_GONE: gettext_noop("If it was deleted, switch this delivery off."),
    Trouble.ACTIVITY_HIDDEN: gettext_noop(
        "Show the activity, or allow Rollcall's role in Moodle moodle/course:viewhiddenactivities."
    ),
    Trouble.ACTIVITY_MOVED: gettext_noop("Switch this delivery off; the activity is found anew once it has met again."),
    Trouble.OTHER_ACTIVITY: gettext_noop(
        "See whether this Moodle is a copy, or was restored: nothing is written before it is the same."
    ),
    Trouble.NO_COMPLETION: gettext_noop(
        "In the activity's settings, “Completion conditions”, choose any but “None”; in those of the course allow "
        "completion tracking."
    ),
    Trouble.NOT_TAKEN: gettext_noop("See the completion settings of the activity."),
    Trouble.USER_GONE: gettext_noop("Nothing need be done."),
    Trouble.USER_SUSPENDED: gettext_noop("Send it again once the account is open."),
    Trouble.NOT_TRACKED: gettext_noop("Send it again once they are enrolled as a student."),
    Trouble.OVERRIDDEN: gettext_noop("Whoever did it can change it there, in the activity completion report."),
    Trouble.DONE_THERE: gettext_noop("A teacher can change it there, in the activity completion report."),
}

_CODES: Final = frozenset(Trouble)


def told(code: str, detail: str = "") -> tuple[str, str]:
    """Sentence and hint of a code of this way, with what Moodle itself said; the code itself where it is none."""
    if code not in _CODES:
        return lti.told(f"{code} {detail}".strip())
    trouble = Trouble(code)
    said = _(_SENTENCES[trouble])
    hint = _(_HINTS[trouble]) if trouble in _HINTS else ""
    return (f"{said} ({detail})" if detail else said), hint
