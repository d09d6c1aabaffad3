"""One call of a function of Moodle's web services (REST, with a token), and what its answer means.

Facts observed on Moodle 4.5: every answer has the status 200, an error is an object with `exception`, `errorcode` and a
localized `message`, and without the right parameter in the address the answer is XML. The token goes in the body, never
in the address, which servers write into their logs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from rollcall.lti import trouble as lti
from rollcall.lti.bodies import MOST_BYTES, read_json
from rollcall.lti.trouble import ServiceTrouble
from rollcall.moodle.trouble import MoodleTrouble, Trouble
from rollcall.outgoing.addresses import NotAllowed
from rollcall.outgoing.asking import NoReply, Question, Reply, ask, ask_now
from rollcall.outgoing.patience import retry_after_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

PATH: Final = "/webservice/rest/server.php?moodlewsrestformat=json"
SECONDS: Final = 60.0

SITE_INFO: Final = "core_webservice_get_site_info"
READ: Final = "core_completion_get_activities_completion_status"
OVERRIDE: Final = "core_completion_override_activity_completion_status"
MODULE: Final = "core_course_get_course_module_by_instance"
ACTIVITIES: Final = "mod_bigbluebuttonbn_get_bigbluebuttonbns_by_courses"
FUNCTIONS: Final = (SITE_INFO, READ, OVERRIDE, MODULE, ACTIVITIES)
"""All that Rollcall ever calls."""

BIGBLUEBUTTON: Final = "bigbluebuttonbn"


@dataclass(frozen=True, slots=True)
class Access:
    """A Moodle and the token for it; `site` as Moodle calls itself, without a slash at its end."""

    site: str
    token: str = field(repr=False)


Argument = tuple[str, object]


async def call(
    http: httpx.AsyncClient, trusted: frozenset[str] | None, access: Access, function: str, *arguments: Argument
) -> object:
    """What the function answers; MoodleTrouble where that is an error, or where no answer came that can be used."""
    try:
        reply = await ask(http, _question(access, function, arguments), trusted)
    except (NoReply, NotAllowed) as error:
        raise _silence(error.code) from None  # what it came from may hold the request, and with it the token
    return read(reply, access, function)


def call_now(access: Access, function: str, *arguments: Argument, seconds: float = SECONDS) -> object:
    """The same, for a thread that runs no event loop."""
    try:
        reply = ask_now(_question(access, function, arguments, seconds))
    except (NoReply, NotAllowed) as error:
        raise _silence(error.code) from None
    return read(reply, access, function)


def _question(access: Access, function: str, arguments: tuple[Argument, ...], seconds: float = SECONDS) -> Question:
    form = [("wstoken", access.token), ("wsfunction", function), *arguments]
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    return Question(access.site + PATH, "POST", headers, urlencode(form).encode(), at_most=MOST_BYTES, seconds=seconds)


_ON_THE_WAY: Final = {trouble.value: trouble for trouble in lti.Trouble}


def _silence(code: str) -> MoodleTrouble:
    return MoodleTrouble(_ON_THE_WAY.get(code, lti.Trouble.UNREACHABLE))


# -- what is answered ---------------------------------------------------------------------------------------------


def read(reply: Reply, access: Access, function: str) -> object:
    """The value of an answer; MoodleTrouble of anything that is none."""
    patience = retry_after_ms(reply.headers)
    if reply.status != 200:
        phrase = _without_token(f"{reply.status} {reply.phrase}", access)
        raise MoodleTrouble(_of_status(reply.status), phrase, http_status=reply.status, retry_after_ms=patience)
    try:
        value = read_json(reply.content)
    except ServiceTrouble as error:
        raise MoodleTrouble(error.trouble, http_status=200) from None
    if value is None:
        raise MoodleTrouble(_of_no_json(reply.content), http_status=200, retry_after_ms=patience)
    if isinstance(value, dict) and "exception" in value:
        raise _refusal(value, access, function)
    return value


def _of_status(status: int) -> Trouble | lti.Trouble:
    if status in {429, 503}:
        return lti.Trouble.BUSY
    if 300 <= status < 400:
        return Trouble.REDIRECTED
    if status >= 500:
        return lti.Trouble.FAILED
    # Moodle answers so, without a word, where the protocol is switched off.
    return Trouble.SERVICES_OFF if status == 403 else Trouble.NOT_MOODLE


def _of_no_json(content: bytes) -> Trouble:
    """Half of an object, or nothing at all, came from Moodle; a page or XML did not."""
    text = content.strip()
    if text == b"null":
        return Trouble.STRANGE
    return Trouble.HALF if not text or text[:1] in b'{["' else Trouble.NOT_MOODLE


def _refusal(told: Mapping[str, object], access: Access, function: str) -> MoodleTrouble:
    code = _without_token(str(told.get("errorcode", ""))[:100], access)
    kind = _kind(code, str(told["exception"]), function)
    # The function is known to whoever reads it; the message is in the language of the token's user.
    message = _without_token(str(told.get("message", "")), access)
    detail = f"{function}: {message}" if kind is Trouble.NO_ACCESS else message
    return MoodleTrouble(kind, f"{detail} [{code}]" if code else detail, http_status=200)


def _without_token(text: str, access: Access) -> str:
    return re.sub(re.escape(access.token), "…", text, flags=re.IGNORECASE) if access.token else text


def _kind(code: str, exception: str, function: str) -> Trouble:
    """By the code of the error, else by its class; what neither tells is an error of Moodle's own."""
    if (found := _BY_FUNCTION.get((function, code))) is not None:
        return found
    if code in _BY_CODE:
        return _BY_CODE[code]
    if code.startswith(("wsaccessuser", "forcepassword", "sitepolicy", "usernotconfirmed", "passwordisexpired")):
        return Trouble.ACCOUNT
    return _BY_CLASS.get(re.split(r"[\\]", exception)[-1], Trouble.ERROR)


_MAY_NOT: Final = {
    READ: Trouble.MAY_NOT_READ,
    OVERRIDE: Trouble.MAY_NOT_OVERRIDE,
    MODULE: Trouble.MAY_NOT_ENTER,
    ACTIVITIES: Trouble.MAY_NOT_ENTER,
}
_GONE: Final = {READ: Trouble.COURSE_GONE, OVERRIDE: Trouble.ACTIVITY_GONE, MODULE: Trouble.ACTIVITY_GONE}
_BY_FUNCTION: Final[dict[tuple[str, str], Trouble]] = {
    **{(one, code): kind for one, kind in _MAY_NOT.items() for code in ("nopermission", "nopermissions")},
    **{
        (one, code): kind
        for one, kind in _GONE.items()
        for code in ("invalidrecord", "invalidrecordunknown", "invalidcourseid", "unknowncourseid")
    },
}
_BY_CODE: Final = {
    "invalidtoken": Trouble.BAD_TOKEN,
    "accessexception": Trouble.NO_ACCESS,
    "servicenotavailable": Trouble.SERVICES_OFF,
    "enablewsdescription": Trouble.SERVICES_OFF,
    "sitemaintenance": Trouble.MAINTENANCE,
    "upgraderunning": Trouble.MAINTENANCE,
    "requireloginerror": Trouble.MAY_NOT_ENTER,
    "invalidcoursemodule": Trouble.ACTIVITY_GONE,
    "invalidcoursemoduleid": Trouble.ACTIVITY_GONE,
    "completionnotenabled": Trouble.NO_COMPLETION,
    "accessdenied": Trouble.MAY_NOT_SEE_GROUP,
    "invaliduser": Trouble.USER_GONE,
    "invaliduserid": Trouble.USER_GONE,
    "userdeleted": Trouble.USER_GONE,
    "deleteduser": Trouble.USER_GONE,
    "suspended": Trouble.USER_SUSPENDED,
    "usersuspended": Trouble.USER_SUSPENDED,
}
_BY_CLASS: Final = {
    "webservice_access_exception": Trouble.NO_ACCESS,
    "require_login_exception": Trouble.MAY_NOT_ENTER,
}
