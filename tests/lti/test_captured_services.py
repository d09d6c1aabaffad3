"""What a running Moodle was heard to answer, read by our clients."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from rollcall.core.roster import Enrolled
from rollcall.lti import grades, roster, tokens
from rollcall.lti.grades import Gradebook, Outcome, with_path
from rollcall.lti.paging import next_link
from rollcall.lti.tokens import Client
from rollcall.lti.trouble import ServiceTrouble, Trouble
from rollcall.outgoing.asking import Question, Reply
from tests.lti.asked_platform import run_with

CAPTURES = Path(__file__).resolve().parents[3] / "shared" / "captures" / "moodle-4.5"

pytestmark = pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captures of a running Moodle are not here")


def captured(name: str) -> dict[str, Any]:
    return dict(json.loads((CAPTURES / f"{name}.json").read_text()))


def exchanges(name: str) -> list[Any]:
    return [pytest.param(one, id=one["note"]) for one in captured(name)["exchanges"]] if CAPTURES.is_dir() else []


def reply(exchange: dict[str, Any]) -> Reply:
    told = exchange["response"]
    body = told["body"]
    content = body if isinstance(body, str) else json.dumps(body)
    headers = httpx.Headers([(name.encode(), value.encode("latin-1")) for name, value in told["headers"].items()])
    return Reply(told["status"], told["reason"], headers, content.encode())


TOKENS = {
    "default curl security: keyset host 127.0.0.1 blocked": None,
    "unknown scope only": Trouble.NO_SCOPE,
    "assertion expired": Trouble.CLOCK_BEHIND,
    "assertion iat 30 s ahead": Trouble.CLOCK_AHEAD,
    "kid missing": Trouble.UNKNOWN_KEY,
    "kid unknown": Trouble.UNKNOWN_KEY,
    "signed by another key": Trouble.BAD_SIGNATURE,
    "unknown client": Trouble.UNKNOWN_CLIENT,
    "grant_type missing": Trouble.TOKEN_REFUSED,
    "scope missing": Trouble.TOKEN_REFUSED,
    "JSON content type": Trouble.TOKEN_REFUSED,
    "GET": Trouble.TOKEN_REFUSED,
}


@pytest.mark.parametrize("exchange", exchanges("lti-1.3-access-token"))
def test_each_answer_of_the_token_endpoint_is_a_token_or_a_named_error(exchange: dict[str, Any]) -> None:
    answer = reply(exchange)
    scope = frozenset({"https://purl.imsglobal.org/spec/lti-ags/scope/score"})
    if answer.status == 200:
        assert tokens.read(answer, scope, 0).text == exchange["response"]["body"]["access_token"]
        return
    with pytest.raises(ServiceTrouble) as caught:
        tokens.read(answer, scope, 0)
    assert caught.value.trouble is (TOKENS[exchange["note"]] or Trouble.KEYS_UNREACHABLE)


def _v2(exchange: dict[str, Any]) -> bool:
    return (
        "v2.membershipcontainer" in exchange["response"]["headers"]["Content-Type"]
        and "nrps" in exchange["response"]["headers"]["Content-Type"]
    )


@pytest.mark.parametrize("exchange", exchanges("lti-nrps"))
def test_each_answer_of_the_roster_is_one_or_a_named_error(exchange: dict[str, Any]) -> None:
    async def ask(_question: Question) -> Reply:
        return without_link(reply(exchange))

    if exchange["response"]["status"] != 200 or not _v2(exchange):
        with pytest.raises(ServiceTrouble):
            run_with(roster.read("https://moodle.example.org/memberships", ask))
        return
    found = run_with(roster.read("https://moodle.example.org/memberships", ask))
    told = exchange["response"]["body"]["members"]
    assert [one.user_id for one in found.values()] == [one["user_id"] for one in told]
    assert [one.is_instructor for one in found.values()] == ["Instructor" in one["roles"] for one in told]
    assert [one.name for one in found.values()] == [" ".join(one["name"].split()) for one in told]


def without_link(answer: Reply) -> Reply:
    return Reply(answer.status, answer.phrase, httpx.Headers({}), answer.content)


def test_pages_follow_each_other_as_they_did() -> None:
    by_url = {
        one["request"]["url"]: one for one in captured("lti-nrps")["exchanges"] if "limit=2" in one["request"]["url"]
    }
    first = by_url["http://127.0.0.1:8085/mod/lti/services.php/CourseSection/2/bindings/1/memberships?limit=2"]
    following = next_link(reply(first).headers.get_list("link"))
    assert following in by_url
    assert next_link(reply(by_url[following]).headers.get_list("link")) == ""


def test_names_that_are_not_shared_are_blank() -> None:
    content = json.dumps(captured("lti-privacy-never")["nrps_names_and_email_never"]).encode()

    async def ask(_question: Question) -> Reply:
        return Reply(200, "OK", httpx.Headers({}), content)

    found = run_with(roster.read("https://moodle.example.org/memberships", ask))
    assert found["4"] == Enrolled("4", "", is_learner=True)
    assert {one.name for one in found.values()} == {""}


def test_a_tutor_is_an_instructor_at_launch_and_a_learner_on_the_roster() -> None:
    seen = captured("lti-roles-by-moodle-role")["observations"]
    members = [{"user_id": user, "roles": roles} for user, _name, roles in seen["nrps"]]

    async def ask(_question: Question) -> Reply:
        return Reply(200, "OK", httpx.Headers({}), json.dumps({"members": members}).encode())

    tutor = run_with(roster.read("https://moodle.example.org/memberships", ask))[seen["tutor1"]["sub"]]
    assert (tutor.is_instructor, tutor.is_learner) == (False, True)


AGS = [*exchanges("lti-ags-line-items-scores-results"), *exchanges("lti-ags-overrides-locks-hidden")]


class Replayed:
    """Tokens that answer every call with what was captured."""

    def __init__(self, exchange: dict[str, Any]) -> None:
        self.exchange, self.asked = exchange, list[Question]()

    async def call(self, _client: Client, _scopes: frozenset[str], question: Question) -> Reply:
        self.asked.append(question)
        return without_link(reply(self.exchange))


@pytest.mark.parametrize("exchange", AGS)
def test_each_answer_of_the_gradebook_is_understood(exchange: dict[str, Any]) -> None:
    held: Any = Replayed(exchange)
    request, response = exchange["request"], exchange["response"]
    book = Gradebook(held, Client(1, "x", "x", "x"), request["url"], frozenset({grades.READ_SCOPE}))
    url, method = request["url"], request["method"]
    if "/scores" in url:
        told = run_with(book.post(url.replace("/scores", ""), grades.Score("4", 1, 1, 0)))
        assert told.outcome is _wanted(response["status"], response["reason"])
        assert held.asked[0].url == url
        return
    ways: dict[str, Callable[[], Any]] = {
        "GET": lambda: book.results(url.replace("/results", "")) if "/results" in url else _read(book, url),
        "POST": lambda: book.make(grades.Column("x", 10)),
        "PUT": lambda: book.change(grades.Column("x", 10, url), is_ours=True),
        "DELETE": lambda: book.remove(grades.Column("x", 10, url), is_ours=True),
    }
    work = ways[method]
    if response["status"] < 300:
        found = run_with(work())
        assert not isinstance(response["body"], list) or len(found) == len(response["body"])
    else:
        with pytest.raises(ServiceTrouble):
            run_with(work())


def _read(book: Gradebook, url: str) -> Any:
    return book.column(url) if url.partition("?")[0].endswith("/lineitem") else book.columns()


def _wanted(status: int, reason: str) -> Outcome:
    if status == 400:
        return Outcome.NOT_GRADED if reason.startswith("Incorrect score") else Outcome.REFUSED
    known = {200: Outcome.ACCEPTED, 401: Outcome.UNAUTHORIZED, 409: Outcome.CONFLICT, 500: Outcome.LOCKED}
    return known.get(status, Outcome.FAILED)


def test_addresses_are_made_as_they_were_called() -> None:
    called = [one["request"]["url"] for one in captured("lti-ags-line-items-scores-results")["exchanges"]]
    item = "http://127.0.0.1:8085/mod/lti/services.php/2/lineitems/2/lineitem?type_id=1"
    assert with_path(item, "scores") in called
    assert with_path(item, "results") in called
