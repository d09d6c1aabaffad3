"""Assignment and Grade Services: the columns of a gradebook that Rollcall may see, their results, and scores.

This is the client; what is sent when is not decided here. Of a column that Rollcall did not make nothing is ever
changed: Moodle would let a tool rename, or delete, even the column of an activity.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from rollcall.core.errors import Refused
from rollcall.lti.bodies import MOST_BYTES, read_json
from rollcall.lti.paging import PAGE, each_page, with_query
from rollcall.lti.tokens import AGS, Client, Tokens, trouble_of
from rollcall.lti.trouble import ServiceTrouble, Trouble, printable
from rollcall.outgoing.asking import Question, Reply
from rollcall.outgoing.patience import retry_after_ms

LINE_ITEM: Final = "application/vnd.ims.lis.v2.lineitem+json"
LINE_ITEMS: Final = "application/vnd.ims.lis.v2.lineitemcontainer+json"
RESULTS: Final = "application/vnd.ims.lis.v2.resultcontainer+json"
SCORE: Final = "application/vnd.ims.lis.v1.score+json"

READ_SCOPE: Final = AGS + "lineitem.readonly"
MANAGE_SCOPE: Final = AGS + "lineitem"
RESULT_SCOPE: Final = AGS + "result.readonly"
SCORE_SCOPE: Final = AGS + "score"

SECONDS: Final = 60.0
SECOND_MS: Final = 1000


class NotOurs(Refused):
    """A column that somebody else made."""

    code = "not-our-column"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the gradebook (a line item). `url` is blank for one that is still to be made."""

    label: str
    maximum: float
    url: str = ""
    resource_id: str = ""
    tag: str = ""
    link_id: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What the gradebook holds for one person. `score` None: nothing, or zero, which Moodle does not tell apart.

    `at` is epoch ms of a whole second, None where it was not told.
    """

    user_id: str
    score: float | None
    maximum: float | None
    comment: str = ""
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """What is to stand in a column for one person, `at` epoch ms of a whole second (see `next_second`).

    `given` None empties the grade. A score without a comment takes away the one that was there.
    """

    user_id: str
    given: float | None
    maximum: float
    at: int
    comment: str = ""


class Outcome(StrEnum):
    """What came of a score."""

    ACCEPTED = "accepted"
    CONFLICT = "conflict"  # the LMS holds one of the same second, or a later one: read the result
    NOT_GRADED = "not-graded"  # whoever it is for is not enrolled there, or is no student
    REFUSED = "refused"  # it was asked in a way the LMS does not know
    UNAUTHORIZED = "unauthorized"  # also with a token that was given just before
    FORBIDDEN = "forbidden"
    GONE = "gone"  # the course or the column
    LOCKED = "locked"  # Moodle's word for a locked grade or column is that it failed
    LATER = "later"  # the LMS is too busy
    FAILED = "failed"  # the LMS, or what stands in front of it
    MOVED = "moved"
    PAGE = "page"  # a page for people, as of a proxy or a maintenance, and be it with the status of success


@dataclass(frozen=True, slots=True)
class Told:
    """The outcome, and the status line, which is all the explanation there is."""

    outcome: Outcome
    status: int
    phrase: str
    retry_after_ms: int | None = None


def next_second(now: int, last: int | None) -> int | None:
    """The second to put on a score: after that of the `last` one for the same person and column, never after `now`.

    The LMS compares whole seconds and refuses what is not later, and a score of the future bars all others until then.
    None: there is no such second yet, it is to be tried again in a moment. All are epoch ms.
    """
    second = now // SECOND_MS * SECOND_MS
    return second if last is None or second > last else None


def with_path(url: str, path: str) -> str:
    """The address of something that belongs to a column: the path goes before the query string."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{path}"))


def _unheard(_reply: Reply) -> None:
    """For whoever needs no more than the answer."""


@dataclass(frozen=True, slots=True)
class Gradebook:
    """The gradebook of one course. `columns_url` is what a launch named as `lineitems`; blank if it named none.

    `scopes` are those the launch said are granted. `heard` is shown every reply: in its headers is the LMS's own clock.
    """

    tokens: Tokens
    client: Client
    columns_url: str
    scopes: frozenset[str]
    heard: Callable[[Reply], None] = _unheard

    async def columns(self, *, link_id: str = "", resource_id: str = "", tag: str = "") -> list[Column]:
        """The columns that Rollcall is shown, or those with these marks. Moodle also has those of other links."""
        wanted = {"resource_link_id": link_id, "resource_id": resource_id, "tag": tag}
        asked = {name: value for name, value in wanted.items() if value}
        found = [_column(one) for one in await self._list(self.columns_url, LINE_ITEMS, self._reading(), asked)]
        # An LMS that knows no filters sends all.
        return [one for one in found if _fits(one, link_id=link_id, resource_id=resource_id, tag=tag)]

    async def column(self, url: str) -> Column:
        """One column as it stands."""
        return _column(
            _read(await self._call(self._reading(), Question(url, headers={"Accept": LINE_ITEM}, **_BOUNDS)))
        )

    async def make(self, column: Column) -> Column:
        """A new column; what comes back has its address. Moodle never completes an activity by such a one."""
        body = _body(column) | ({"resourceLinkId": column.link_id} if column.link_id else {})
        return _column(_read(await self._write("POST", self.columns_url, body)))

    async def change(self, column: Column, *, is_ours: bool) -> Column:
        """Another label or maximum, of a column that Rollcall made; NotOurs otherwise."""
        if not is_ours:
            raise NotOurs(f"{column.label} is not a column of Rollcall's, so it is left as it is.")
        return _column(_read(await self._write("PUT", column.url, _body(column))))

    async def remove(self, column: Column, *, is_ours: bool) -> None:
        """Take away a column that Rollcall made, with all its grades; NotOurs otherwise."""
        if not is_ours:
            raise NotOurs(f"{column.label} is not a column of Rollcall's, so it is left as it is.")
        reply = await self._call(frozenset({MANAGE_SCOPE}), Question(column.url, "DELETE", **_BOUNDS))
        if (trouble := trouble_of(reply)) is not None and trouble.trouble is not Trouble.GONE:
            raise trouble

    async def results(self, column_url: str, user_id: str = "") -> list[Result]:
        """What the column holds, of everybody or of one person; for some it may hold nothing.

        Pages are not asked for: Moodle 4.5 breaks down on it as soon as the column holds anything.
        """
        asked = {"user_id": user_id} if user_id else {}
        url, scopes = with_path(column_url, "results"), frozenset({RESULT_SCOPE})
        found = await self._list(url, RESULTS, scopes, asked, size=None)
        results = [_result(one) for one in found]
        return [one for one in results if not user_id or one.user_id == user_id]

    async def post(self, column_url: str, score: Score) -> Told:
        """Put a score into a column; ServiceTrouble only where there was no token or no answer."""
        content = json.dumps(_score(score), ensure_ascii=False, separators=(",", ":")).encode()
        question = Question(
            with_path(column_url, "scores"), "POST", {"Content-Type": SCORE, "Accept": "*/*"}, content, **_BOUNDS
        )
        reply = await self._call(frozenset({SCORE_SCOPE}), question)
        # Moodle repeats the whole score there, with user id and comment.
        phrase = printable(reply.phrase.partition("{")[0])
        return Told(_outcome(reply), reply.status, phrase, retry_after_ms(reply.headers))

    def _reading(self) -> frozenset[str]:
        """With `lineitem` alone, as some LMSs grant it, columns can be read too."""
        return frozenset({READ_SCOPE if READ_SCOPE in self.scopes else MANAGE_SCOPE})

    async def _call(self, scopes: frozenset[str], question: Question) -> Reply:
        reply = await self.tokens.call(self.client, scopes, question)
        self.heard(reply)
        return reply

    async def _write(self, method: str, url: str, body: Mapping[str, Any]) -> Reply:
        headers = {"Content-Type": LINE_ITEM, "Accept": LINE_ITEM}
        content = json.dumps(body, ensure_ascii=False).encode()
        return await self._call(frozenset({MANAGE_SCOPE}), Question(url, method, headers, content, **_BOUNDS))

    async def _list(
        self,
        url: str,
        media_type: str,
        scopes: frozenset[str],
        asked: Mapping[str, str],
        *,
        size: int | None = PAGE,
    ) -> list[Any]:
        """All pages of a list; ServiceTrouble unless its end was reached."""

        async def ask(page: str) -> Reply:
            return await self._call(scopes, Question(page, headers={"Accept": media_type}, **_BOUNDS))

        return [one async for page in each_page(with_query(url, **asked), ask, _listed, size=size) for one in page]


_BOUNDS: Final[dict[str, Any]] = {"at_most": MOST_BYTES, "seconds": SECONDS}


def _fits(column: Column, **wanted: str) -> bool:
    return all(not value or getattr(column, name) == value for name, value in wanted.items())


def _listed(reply: Reply) -> list[Any]:
    found = _read(reply)
    if not isinstance(found, list):
        raise ServiceTrouble(Trouble.NOT_GRADES)
    return found


# -- bodies -------------------------------------------------------------------------------------------------------


def _body(column: Column) -> dict[str, Any]:
    told = {"resourceId": column.resource_id, "tag": column.tag}
    return {"label": column.label, "scoreMaximum": column.maximum} | {k: v for k, v in told.items() if v}


def _score(score: Score) -> dict[str, Any]:
    """Any progress but these words would have Moodle empty the grade."""
    body: dict[str, Any] = {
        "userId": score.user_id,
        "timestamp": datetime.fromtimestamp(score.at // SECOND_MS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "activityProgress": "Completed" if score.given is not None else "Initialized",
        "gradingProgress": "FullyGraded" if score.given is not None else "NotReady",
    }
    if score.given is not None:
        body |= {"scoreGiven": score.given, "scoreMaximum": score.maximum}
    return body | ({"comment": score.comment} if score.comment else {})


def _read(reply: Reply) -> object:
    if (trouble := trouble_of(reply)) is not None:
        raise trouble
    told = read_json(reply.content)
    if told is None:
        raise ServiceTrouble(Trouble.NOT_GRADES)
    return told


def _column(told: object) -> Column:
    """One as the LMS tells it; that of the course total has no label."""
    if not isinstance(told, dict) or not isinstance(told.get("id"), str):
        raise ServiceTrouble(Trouble.NOT_GRADES)
    maximum = _number(told.get("scoreMaximum"))
    if maximum is None:
        raise ServiceTrouble(Trouble.NOT_GRADES)
    return Column(
        _text(told.get("label")),
        maximum,
        told["id"],
        _text(told.get("resourceId")),
        _text(told.get("tag")),
        _text(told.get("resourceLinkId")),
    )


def _result(told: object) -> Result:
    if not isinstance(told, dict) or not _text(told.get("userId")):
        raise ServiceTrouble(Trouble.NOT_GRADES)
    return Result(
        _text(told["userId"]),
        _number(told.get("resultScore")),
        _number(told.get("resultMaximum")),
        _text(told.get("comment")),
        _moment(told.get("timestamp")),
    )


def _text(value: object) -> str:
    is_told = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value) if is_told else ""


def _number(value: object) -> float | None:
    """A number, also one that is written as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _moment(value: object) -> int | None:
    """Epoch ms; of a grade that is empty Moodle knows no time, and may write the begin of all times."""
    try:
        at = datetime.fromisoformat(str(value))
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()) * SECOND_MS or None
    except (ValueError, OverflowError):
        return None


def _outcome(reply: Reply) -> Outcome:
    is_page = reply.content.lstrip()[:1] == b"<"
    if reply.is_success:
        return Outcome.PAGE if is_page else Outcome.ACCEPTED
    if reply.status == 400 and "incorrect score" in reply.phrase.lower():
        return Outcome.NOT_GRADED
    if is_page and reply.status in {404, 500}:  # 404 is what Moodle says of its own errors
        return Outcome.FAILED
    if reply.status in _OUTCOMES:
        return _OUTCOMES[reply.status]
    if 300 <= reply.status < 400:
        return Outcome.MOVED
    return Outcome.FAILED if reply.status >= 500 else Outcome.REFUSED


_OUTCOMES: Final = {
    401: Outcome.UNAUTHORIZED,
    403: Outcome.FORBIDDEN,
    404: Outcome.GONE,
    409: Outcome.CONFLICT,
    410: Outcome.GONE,
    422: Outcome.NOT_GRADED,
    429: Outcome.LATER,
    500: Outcome.LOCKED,
    503: Outcome.LATER,
}
