"""Why a service of an LMS could not be used: named errors, each with a sentence and what to do about it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rollcall import environment
from rollcall.core.errors import RollcallError

LONGEST_DETAIL: Final = 200


class Trouble(StrEnum):
    """Codes, as they are stored. The first group is of the whole LMS, the second of one course or one request."""

    UNREACHABLE = "unreachable"
    NO_SUCH_HOST = "no-such-host"
    TLS = "tls"
    TIMEOUT = "timeout"
    BROKEN_CONNECTION = "broken-connection"
    NOT_HTTPS = "not-https"
    PRIVATE_ADDRESS = "private-address"
    NOT_AN_ADDRESS = "not-an-address"
    OWN_FAULT = "own-fault"
    NO_TOKEN_URL = "no-token-url"  # noqa: S105 - a code
    KEYS_UNREACHABLE = "keys-unreachable"
    NO_KEYS = "no-keys"
    UNKNOWN_KEY = "unknown-key"
    BAD_SIGNATURE = "bad-signature"
    CLOCK_AHEAD = "clock-ahead"
    CLOCK_BEHIND = "clock-behind"
    UNKNOWN_CLIENT = "unknown-client"
    NO_SCOPE = "no-scope"
    TOKEN_REFUSED = "token-refused"  # noqa: S105 - a code
    NOT_A_TOKEN = "not-a-token"  # noqa: S105 - a code
    FAILED = "failed"
    BUSY = "busy"

    NOT_AUTHORIZED = "not-authorized"
    FORBIDDEN = "forbidden"
    GONE = "gone"
    WRONG_REQUEST = "wrong-request"
    NOT_A_ROSTER = "not-a-roster"
    NOT_GRADES = "not-grades"
    CUT_OFF = "cut-off"
    TOO_BIG = "too-big"
    EMPTY = "empty"


OF_THE_REQUEST: Final = frozenset(list(Trouble)[list(Trouble).index(Trouble.NOT_AUTHORIZED) :])
"""Troubles that say nothing of other courses; all others concern the whole LMS, which is then left alone for a time."""


class ServiceTrouble(RollcallError):
    """A call that came to nothing. `detail` is what the LMS itself said: a reason phrase, or the text of its error."""

    def __init__(self, trouble: Trouble, detail: str = "") -> None:
        self.trouble = trouble
        self.detail = printable(detail)
        super().__init__(sentence_of(trouble, self.detail), code=trouble.value, hint=hint_of(trouble), status=502)

    @property
    def is_of_the_platform(self) -> bool:
        """Whether anything else asked of this LMS would fail in the same way."""
        return self.trouble not in OF_THE_REQUEST

    def kept(self) -> str:
        """What is stored: the code, and after a blank the detail."""
        return f"{self.trouble} {self.detail}".strip()


_SENTENCES: Final = {
    Trouble.UNREACHABLE: gettext_noop("The LMS cannot be reached."),
    Trouble.NO_SUCH_HOST: gettext_noop("The host name of the LMS has no address."),
    Trouble.TLS: gettext_noop("The certificate of the LMS cannot be trusted."),
    Trouble.TIMEOUT: gettext_noop("The LMS did not answer in time."),
    Trouble.BROKEN_CONNECTION: gettext_noop("The LMS broke the connection off before it had answered."),
    Trouble.NOT_HTTPS: gettext_noop("The address of the LMS is not https, and nothing is sent unprotected."),
    Trouble.PRIVATE_ADDRESS: gettext_noop(
        "The address of the LMS belongs to a private network, of which nothing is asked unless it is allowed."
    ),
    Trouble.NOT_AN_ADDRESS: gettext_noop("The address that the LMS named cannot be used."),
    Trouble.OWN_FAULT: gettext_noop("Rollcall itself failed before it had an answer, which is a fault to be reported."),
    Trouble.NO_TOKEN_URL: gettext_noop("It is not known where the LMS gives access tokens."),
    Trouble.KEYS_UNREACHABLE: gettext_noop("The LMS answers its page for errors instead of an access token."),
    Trouble.NO_KEYS: gettext_noop("What the address of the LMS's key set answers holds no key."),
    Trouble.UNKNOWN_KEY: gettext_noop("The LMS does not know the key that Rollcall signs with."),
    Trouble.BAD_SIGNATURE: gettext_noop("The LMS verifies with another key than the one that Rollcall signs with."),
    Trouble.CLOCK_AHEAD: gettext_noop("The clock of this machine is ahead of that of the LMS."),
    Trouble.CLOCK_BEHIND: gettext_noop("The clock of this machine is behind that of the LMS."),
    Trouble.UNKNOWN_CLIENT: gettext_noop("The LMS does not know the client id under which Rollcall is registered."),
    Trouble.NO_SCOPE: gettext_noop("The LMS does not allow Rollcall this service."),
    Trouble.TOKEN_REFUSED: gettext_noop("The LMS gives no access token."),
    Trouble.NOT_A_TOKEN: gettext_noop("What the LMS answers is no access token."),
    Trouble.FAILED: gettext_noop("The LMS failed."),
    Trouble.BUSY: gettext_noop("The LMS asks for patience: it is in maintenance, or too busy."),
    Trouble.NOT_AUTHORIZED: gettext_noop("The LMS does not accept the access token it has just given."),
    Trouble.FORBIDDEN: gettext_noop("The LMS forbids it."),
    Trouble.GONE: gettext_noop("The LMS says that there is no such course, or no such column."),
    Trouble.WRONG_REQUEST: gettext_noop("The LMS says that it was asked in a way it does not know."),
    Trouble.NOT_A_ROSTER: gettext_noop("What the LMS answers is no roster."),
    Trouble.NOT_GRADES: gettext_noop("What the LMS answers is no list of grades or columns."),
    Trouble.CUT_OFF: gettext_noop("The roster broke off in the middle, so that nobody was taken off it."),
    Trouble.TOO_BIG: gettext_noop("The answer of the LMS is larger than any course."),
    Trouble.EMPTY: gettext_noop("The LMS says that nobody is in this course any more, which is not believed."),
}
_HINTS: Final = {
    Trouble.NO_SUCH_HOST: gettext_noop("See that its address is right here, and that the name server knows it."),
    Trouble.TLS: gettext_noop("Renew the certificate, with its whole chain."),
    Trouble.NOT_HTTPS: gettext_noop("Add its host to %(setting)s if it is meant to be so, and start Rollcall again."),
    Trouble.PRIVATE_ADDRESS: gettext_noop(
        "Add its host to %(setting)s if it is meant to be so, and start Rollcall again."
    ),
    Trouble.OWN_FAULT: gettext_noop("What failed stands in the log of the worker (logs, in the data folder)."),
    Trouble.NO_TOKEN_URL: gettext_noop("Copy the access token URL from the LMS: rollcall platform add."),
    Trouble.KEYS_UNREACHABLE: gettext_noop(
        "Mostly the LMS cannot fetch Rollcall's key set. In Moodle see Site administration > General > Security > HTTP "
        "security: blocked hosts and allowed ports; else its name server and its trust in Rollcall's certificate. "
        "Where Moodle cannot reach Rollcall at all, register it with a public key (RSA_KEY) instead of a key set URL."
    ),
    Trouble.NO_KEYS: gettext_noop("Compare it with the one the LMS shows for the tool. Redirects are not followed."),
    Trouble.UNKNOWN_KEY: gettext_noop("See that the key set URL that the LMS has is Rollcall's own (…/lti/keys)."),
    Trouble.BAD_SIGNATURE: gettext_noop(
        "See that the key set URL, or the public key, that the LMS has is Rollcall's own."
    ),
    Trouble.CLOCK_AHEAD: gettext_noop("Set both clocks (timedatectl)."),
    Trouble.CLOCK_BEHIND: gettext_noop("Set both clocks (timedatectl)."),
    Trouble.UNKNOWN_CLIENT: gettext_noop("The tool was removed there, or the client id mistyped: register it again."),
    Trouble.NO_SCOPE: gettext_noop(
        "In Moodle: Manage tools > Rollcall > Services; for rosters allow Names and Role Provisioning, for grades "
        "Assignment and Grade Services."
    ),
    Trouble.NOT_AUTHORIZED: gettext_noop(
        "In Moodle see that the service is allowed for the tool. With Apache and PHP-FPM the web server may drop the "
        "Authorization header: put `CGIPassAuth On` into the <Directory> of Moodle."
    ),
    Trouble.WRONG_REQUEST: gettext_noop(
        "In front of Moodle the web server must pass the path after services.php on (PATH_INFO)."
    ),
    Trouble.GONE: gettext_noop("If the course is there, open Rollcall from it once more."),
    Trouble.EMPTY: gettext_noop("If it is true nothing need be done."),
}


def printable(text: str) -> str:
    """What an LMS said, fit to be stored and shown: one line of bounded length."""
    shown = re.sub(r"\s+", " ", "".join(one if one.isprintable() else " " for one in text[: 4 * LONGEST_DETAIL]))
    return shown.strip()[:LONGEST_DETAIL]


def sentence_of(trouble: Trouble, detail: str = "") -> str:
    """The trouble in words, with what the LMS itself said."""
    said = _(_SENTENCES[trouble])
    return f"{said} ({detail})" if detail else said


def hint_of(trouble: Trouble) -> str:
    """What to do about it; blank where only waiting helps."""
    return _(_HINTS[trouble]) % {"setting": environment.LMS_HOSTS.name} if trouble in _HINTS else ""


def told(kept: str) -> tuple[str, str]:
    """Sentence and hint of what ServiceTrouble.kept stored; two blanks when all is well."""
    code, _blank, detail = kept.partition(" ")
    try:
        trouble = Trouble(code)
    except ValueError:
        return kept, ""
    return sentence_of(trouble, detail), hint_of(trouble)
