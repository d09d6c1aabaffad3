"""Why a launch is refused: to each code its status, a sentence, and what to do. Nothing of a token stands in any."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as _n

from rollcall.core.errors import Refused

_AGAIN: Final = _n("Go back to the course and open the activity again.")
_LATER: Final = _n("Wait a minute, and open the activity again.")
_ADMINISTRATOR: Final = _n(
    "Tell the administrator of your LMS: what is registered there and in Rollcall must be the same."
)
_PLATFORM: Final = _n("Tell the administrator of your LMS. It sent something that LTI 1.3 does not allow.")
_CLOCK: Final = _n("Open the activity again; if it lasts, the clock of the LMS or of Rollcall is wrong.")
_INVITE: Final = _n("Ask whoever runs Rollcall for a new registration address.")
_FROM_LMS: Final = _n("Paste the registration address into your LMS once more and begin again.")
_RUNS: Final = _n("Tell whoever runs Rollcall; “rollcall platform check” says more.")

_RUNS_HOSTS: Final = _n(
    "Tell whoever runs Rollcall; an LMS inside their network has to be allowed (ROLLCALL_LMS_HOSTS)."
)

_TABLE: Final[Mapping[str, tuple[int, str, str]]] = MappingProxyType(
    {
        # what the browser brought
        "form-too-big": (400, _n("The LMS sent more than a launch can hold."), _PLATFORM),
        "form-malformed": (400, _n("This is not a launch from an LMS."), _AGAIN),
        "platform-error": (400, _n("The LMS did not let you in."), _AGAIN),
        "login-malformed": (400, _n("The LMS began a launch with something missing or twice."), _PLATFORM),
        "platform-unknown": (400, _n("This LMS is not registered in Rollcall."), _ADMINISTRATOR),
        "client-missing": (
            400,
            _n("This LMS has several registrations, and did not say which one is meant."),
            _PLATFORM,
        ),
        "target-not-ours": (400, _n("The LMS asked for a page that is not Rollcall's."), _ADMINISTRATOR),
        "too-many-launches": (429, _n("Too many launches came from your network in this minute."), _LATER),
        # state and nonce
        "state-unknown": (401, _n("Rollcall did not begin this launch, or it was too long ago."), _AGAIN),
        "state-used": (401, _n("This launch has been used already."), _AGAIN),
        "state-expired": (401, _n("This launch took too long."), _AGAIN),
        "nonce": (401, _n("This launch does not belong to the one that was begun."), _AGAIN),
        # the token and its key
        "token-too-big": (400, _n("The LMS sent more than a launch can hold."), _PLATFORM),
        "token-malformed": (400, _n("What the LMS sent cannot be read."), _PLATFORM),
        "algorithm": (401, _n("The LMS signed in a way that is not safe."), _PLATFORM),
        "key-unknown": (401, _n("The LMS signed with a key that it does not publish."), _RUNS),
        "keys-unreachable": (401, _n("The keys of the LMS cannot be fetched."), _RUNS),
        "signature": (401, _n("The signature of the LMS is not right."), _RUNS),
        # what it says
        "issuer": (401, _n("The launch comes from another LMS than it was begun by."), _ADMINISTRATOR),
        "audience": (401, _n("The launch is meant for another tool."), _ADMINISTRATOR),
        "authorized-party": (401, _n("The launch is meant for another tool."), _ADMINISTRATOR),
        "expired": (401, _n("This launch is no longer valid."), _CLOCK),
        "early": (401, _n("This launch is not valid yet."), _CLOCK),
        "deployment": (403, _n("This deployment of the tool is not registered in Rollcall."), _ADMINISTRATOR),
        "version": (400, _n("The LMS speaks another version of LTI than 1.3."), _PLATFORM),
        "message-type": (400, _n("The LMS wants something that Rollcall does not know."), _PLATFORM),
        "target": (401, _n("The launch is for another page than the one that was begun."), _AGAIN),
        "subject": (403, _n("The LMS did not say who you are."), _ADMINISTRATOR),
        "claim-malformed": (400, _n("What the LMS sent does not have the form that LTI 1.3 asks for."), _PLATFORM),
        "no-course": (403, _n("The LMS did not say from which course you come."), _n("Open Rollcall in a course.")),
        "not-a-teacher": (
            403,
            _n("Only teachers can choose what an activity shows."),
            _n("Ask a teacher of the course."),
        ),
        # registering
        "invitation-unknown": (404, _n("There is no such registration address."), _INVITE),
        "invitation-used": (403, _n("This registration address has been used."), _INVITE),
        "invitation-expired": (403, _n("This registration address is too old."), _INVITE),
        "configuration-missing": (
            400,
            _n("This address is for your LMS, not for a browser."),
            _n("In Moodle: Site administration, Plugins, External tool, Manage tools; paste it there."),
        ),
        "configuration-address": (400, _n("The LMS named an address that Rollcall may not ask."), _RUNS_HOSTS),
        "configuration-unreachable": (502, _n("The LMS does not tell Rollcall how it is set up."), _RUNS_HOSTS),
        "configuration-unreadable": (502, _n("What the LMS tells of how it is set up cannot be read."), _PLATFORM),
        "configuration-issuer": (400, _n("The LMS speaks for another site than its own."), _PLATFORM),
        "configuration-endpoint": (400, _n("The LMS names an address that is not its own."), _RUNS_HOSTS),
        "registration-token": (
            403,
            _n("The LMS does not take the registration any more, or never began it."),
            _FROM_LMS,
        ),
        "registration-token-used": (403, _n("The LMS has registered Rollcall already."), _FROM_LMS),
        "registration-domain": (400, _n("The LMS finds that Rollcall's address is not its own."), _RUNS),
        "registration-refused": (502, _n("The LMS refused to register Rollcall."), _FROM_LMS),
        "registration-unreachable": (
            502,
            _n("The LMS did not answer when Rollcall was to be registered."),
            _RUNS_HOSTS,
        ),
        "registration-unreadable": (502, _n("What the LMS answered to the registration cannot be read."), _PLATFORM),
        "nothing-to-choose": (400, _n("The LMS does not take a link from a tool here."), _ADMINISTRATOR),
    }
)


class LaunchRefused(Refused):
    """A launch that nobody may come in by."""

    code = "launch-refused"


def refused(code: str) -> LaunchRefused:
    """The error of this code, in the reader's language."""
    status, sentence, hint = _TABLE[code]
    return LaunchRefused(_(sentence), code=code, hint=_(hint), status=status)
