"""Access tokens beside an LMS that answers as a running Moodle did."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from rollcall.lti import tokens
from rollcall.lti.roster import MEDIA_TYPE
from rollcall.lti.tokens import AGS, ROSTER_SCOPE, Client, Tokens
from rollcall.lti.trouble import ServiceTrouble, Trouble, told
from rollcall.outgoing.asking import Question
from tests.lti.asked_platform import Clock, Desk, client_of, with_tokens
from tests.lti.service_standin import Site

ROSTER = frozenset({ROSTER_SCOPE})
SCORE = frozenset({AGS + "score"})


def ask(site: Site, clock: Clock, desk: Desk | None = None, scopes: frozenset[str] = ROSTER, **client: Any) -> str:
    who = client_of(site) if not client else Client(1, **{"client_id": "tool", "audience": "x", **client})
    return with_tokens(lambda held: held.token(who, scopes), clock, desk)


def trouble(site: Site, clock: Clock, **more: Any) -> ServiceTrouble:
    with pytest.raises(ServiceTrouble) as caught:
        ask(site, clock, **more)
    return caught.value


def test_a_token_is_given_whatever_its_media_type(site: Site, clock: Clock) -> None:
    desk = Desk()
    assert site.tokens == {ask(site, clock, desk): ROSTER}
    assert desk.noted == [(1, clock.now, "")]


def test_the_assertion_is_signed_by_the_key_it_names_and_short_lived(site: Site, clock: Clock) -> None:
    ask(site, clock)
    ask(site, clock)
    forms = [dict(part.split("=") for part in one.body.decode().split("&")) for one in site.requests]
    headers = [jwt.get_unverified_header(form["client_assertion"]) for form in forms]
    claims = [jwt.decode(form["client_assertion"], options={"verify_signature": False}) for form in forms]
    assert headers == [{"alg": "RS256", "typ": "JWT", "kid": "kid-1"}] * 2
    assert claims[0]["iss"] == claims[0]["sub"] == "tool"
    assert claims[0]["aud"] == site.token_url
    assert claims[0]["iat"] == clock.now // 1000 - 30
    assert claims[0]["exp"] == clock.now // 1000 + 120
    assert claims[0]["jti"] != claims[1]["jti"]


def test_a_named_audience_stands_in_place_of_the_address(site: Site, clock: Clock) -> None:
    ask(site, clock, token_url=site.token_url, audience="https://lms.example.org/audience")
    (request,) = site.requests
    assertion = dict(part.split("=") for part in request.body.decode().split("&"))["client_assertion"]
    assert jwt.decode(assertion, options={"verify_signature": False})["aud"] == "https://lms.example.org/audience"


def test_it_is_kept_until_shortly_before_it_ends(site: Site, clock: Clock) -> None:
    async def several(held: Tokens) -> list[str]:
        who, given = client_of(site), []
        for later in (0, 3_000_000, 539_999, 1):
            clock.now += later
            given.append(await held.token(who, ROSTER))
        return given

    first, *others = with_tokens(several, clock)
    assert others[:2] == [first, first]
    assert others[2] != first


def test_of_many_that_want_one_only_the_first_asks(site: Site, clock: Clock) -> None:
    async def many(held: Tokens) -> list[str]:
        return await asyncio.gather(*(held.token(client_of(site), ROSTER) for _ in range(9)))

    assert len(set(with_tokens(many, clock))) == len(site.requests) == 1


def test_each_set_of_scopes_has_its_own(site: Site, clock: Clock) -> None:
    async def both(held: Tokens) -> tuple[str, str]:
        return await held.token(client_of(site), ROSTER), await held.token(client_of(site), SCORE)

    one, two = with_tokens(both, clock)
    assert one != two


@pytest.mark.parametrize("expires_in", ["3600", 3600.0, None, "soon", -5, 10**30, [], True])
def test_an_odd_time_to_live_is_bounded(site: Site, clock: Clock, expires_in: Any) -> None:
    site.expires_in = expires_in
    assert ask(site, clock)


def _say(status: int, content: bytes) -> Callable[..., Any]:
    return lambda *_: (status, content, "text/html; charset=utf-8", {})


@pytest.mark.parametrize(
    ("fault", "wanted", "detail"),
    [
        (_say(400, b'{"error":"Expired token"}'), Trouble.CLOCK_BEHIND, "Expired token"),
        (_say(400, b'{"error":"Cannot handle token with iat prior to 2026"}'), Trouble.CLOCK_AHEAD, "prior to 2026"),
        (_say(400, b'{"error":"error/Error: kid must be provided in JWT header."}'), Trouble.UNKNOWN_KEY, "kid must"),
        (_say(400, b'{\n "error" : ""kid" invalid, unable"\n}'), Trouble.UNKNOWN_KEY, '"kid" invalid, unable'),
        (_say(400, b'{"error":"Signature verification failed"}'), Trouble.BAD_SIGNATURE, "Signature"),
        (_say(400, b'{"error":"invalid_client"}'), Trouble.UNKNOWN_CLIENT, "invalid_client"),
        (_say(401, b'{"error":"invalid_client","error_description":"No."}'), Trouble.UNKNOWN_CLIENT, "No."),
        (_say(400, b'{"error":"invalid_scope"}'), Trouble.NO_SCOPE, "invalid_scope"),
        (_say(400, b'{"error":"invalid_request"}'), Trouble.TOKEN_REFUSED, "invalid_request"),
        (_say(400, b""), Trouble.TOKEN_REFUSED, "400"),
        (_say(404, b"<!DOCTYPE html>Exception - fix_jwks_alg()"), Trouble.KEYS_UNREACHABLE, "404"),
        (_say(302, b""), Trouble.TOKEN_REFUSED, "302"),
        (500, Trouble.FAILED, "500"),
        (502, Trouble.FAILED, "502"),
        (503, Trouble.BUSY, "503"),
        (429, Trouble.BUSY, "429"),
        (_say(200, b"<html>maintenance</html>"), Trouble.NOT_A_TOKEN, ""),
        (_say(200, b"[]"), Trouble.NOT_A_TOKEN, ""),
        (_say(200, b"{}"), Trouble.NOT_A_TOKEN, ""),
        (_say(200, b'{"access_token":17}'), Trouble.NOT_A_TOKEN, ""),
        (_say(200, b'{"access_token":"a\\r\\nX-Evil: 1"}'), Trouble.NOT_A_TOKEN, ""),
        (_say(200, b'{"access_token":"a","token_type":"mac"}'), Trouble.NOT_A_TOKEN, "mac"),
        (_say(200, b'{"access_token":"a","scope":"other"}'), Trouble.NO_SCOPE, "contextmembership.readonly"),
        (_say(200, b"[" * 50_000), Trouble.NOT_A_TOKEN, ""),
        (_say(200, b" " * 200_000), Trouble.TOO_BIG, ""),
        ("drop", Trouble.BROKEN_CONNECTION, ""),
    ],
)
def test_whatever_else_is_answered_is_a_named_error(
    site: Site, clock: Clock, fault: Any, wanted: Trouble, detail: str
) -> None:
    desk = Desk()
    site.faults.append(("token.php", fault))
    error = trouble(site, clock, desk=desk)
    assert error.trouble is wanted
    assert detail in error.detail
    assert desk.noted == [(1, None, error.kept())]
    assert told(error.kept()) == (str(error), error.hint)


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        ({"can_fetch_keys": False}, Trouble.KEYS_UNREACHABLE),
        ({"keys": {}}, Trouble.UNKNOWN_KEY),
        ({"client_id": "another"}, Trouble.UNKNOWN_CLIENT),
        ({"permitted": SCORE}, Trouble.NO_SCOPE),
    ],
)
def test_a_wrong_registration_is_told_as_what_it_is(site: Site, clock: Clock, setting: Any, wanted: Trouble) -> None:
    for name, value in setting.items():
        setattr(site, name, value)
    assert trouble(site, clock, token_url=site.token_url).trouble is wanted


@pytest.mark.parametrize(("ahead_ms", "wanted"), [(31_000, Trouble.CLOCK_AHEAD), (-120_000, Trouble.CLOCK_BEHIND)])
def test_a_clock_that_is_wrong_is_told(site: Site, clock: Clock, ahead_ms: int, wanted: Trouble) -> None:
    assert trouble(site, Clock(clock.now + ahead_ms)).trouble is wanted


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("", Trouble.NO_TOKEN_URL),
        ("http://[::1", Trouble.NOT_AN_ADDRESS),
        ("ftp://127.0.0.1/", Trouble.NOT_AN_ADDRESS),
        ("http://127.0.0.2/token", Trouble.NOT_HTTPS),
        ("https://10.0.0.1/token", Trouble.PRIVATE_ADDRESS),
        ("http://127.0.0.1:1/token", Trouble.UNREACHABLE),
    ],
)
def test_nothing_is_asked_where_it_may_not_be(site: Site, clock: Clock, url: str, wanted: Trouble) -> None:
    assert trouble(site, clock, token_url=url).trouble is wanted


def test_a_token_that_is_not_taken_any_more_is_asked_for_once_again(site: Site, clock: Clock) -> None:
    async def twice(held: Tokens) -> list[int]:
        question = Question(site.memberships_url, headers={"Accept": MEDIA_TYPE})
        first = await held.call(client_of(site), ROSTER, question)
        site.tokens.clear()
        second = await held.call(client_of(site), ROSTER, question)
        return [first.status, second.status]

    assert with_tokens(twice, clock) == [200, 200]
    assert [one.status for one in site.asked("/memberships")] == [200, 401, 200]
    assert len(site.asked("token.php")) == 2


def test_one_that_is_never_taken_is_not_asked_for_for_ever(site: Site, clock: Clock) -> None:
    async def call(held: Tokens) -> int:
        question = Question(site.columns_url, headers={"Accept": "application/vnd.ims.lis.v2.lineitemcontainer+json"})
        return (await held.call(client_of(site), SCORE, question)).status

    assert with_tokens(call, clock) == 401
    assert len(site.asked("token.php")) == 2


@pytest.mark.django_db
def test_the_row_of_the_platform_says_how_it_went(site: Site) -> None:
    from rollcall.store.platforms import Platform
    from tests.lti.asked_platform import make_context

    platform = make_context(site).platform
    tokens.note(platform.pk, 5, "")
    tokens.note(platform.pk, None, "busy 503")
    row = Platform.objects.get(pk=platform.pk)
    assert (row.token_at, row.token_trouble) == (5, "busy 503")


@pytest.mark.parametrize("trouble", Trouble)
def test_each_trouble_is_a_sentence(trouble: Trouble) -> None:
    sentence, hint = told(f"{trouble} 400 Bad\x00\nRequest")
    assert sentence.endswith(("Request)",))
    assert not hint or hint.endswith((".", "…"))
    assert told("") == ("", "")


def test_what_an_lms_says_is_one_line_of_bounded_length() -> None:
    error = ServiceTrouble(Trouble.FAILED, "a\r\nb\x1b[31m" + "x" * 10_000)
    assert len(error.detail) == 200
    assert error.detail.startswith("a b [31mx")
