"""The stand-in answers each request that a running Moodle was sent as that Moodle did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest

from tests.lti.service_standin import SCOPES, SPEC, Site, instructor, learner, standing
from tests.lti.test_captured_services import CAPTURES, captured

pytestmark = pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captures of a running Moodle are not here")

SCORE_ONLY = frozenset({f"{SPEC}lti-ags/scope/score"})
_TOKENS = {"no token": "", "bad token": "bad", "token with score scope only": "score"}


@pytest.fixture
def site() -> Iterator[Site]:
    """The course as it was: columns of links, three students, a teacher."""
    people = [learner("4"), learner("5"), learner("6"), instructor("3")]
    with standing(Site(members=people, tokens={"all": SCOPES, "score": SCORE_ONLY})) as one:
        for number, link in ((1, "1"), (2, "1"), (3, "2"), (4, "3"), (5, "4"), (6, "6"), (7, "7")):
            one.columns[number] = column(one, number, link)
        yield one


def column(site: Site, number: int, link: str) -> dict[str, Any]:
    told = {"id": site.column_url(number), "label": f"L{link}", "scoreMaximum": 100, "resourceId": "", "tag": ""}
    return told | {"resourceLinkId": link, "ltiLinkId": link}


def answer(site: Site, exchange: dict[str, Any]) -> httpx.Response:
    request, note = exchange["request"], exchange["note"]
    parts, here = urlsplit(request["url"]), urlsplit(site.base)
    url = urlunsplit(parts._replace(scheme=here.scheme, netloc=here.netloc))
    token = _TOKENS.get(note, "score" if "score-only" in note else "all")
    names = ("Accept", "Content-Type")
    headers = {name: request["headers"][name] for name in names if name in request["headers"]}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    content = None if request["body"] is None else json.dumps(request["body"]).encode()
    return httpx.request(request["method"], url, headers=headers, content=content, trust_env=False)


def compared(site: Site, name: str) -> list[tuple[str, int, int]]:
    """Each exchange whose status differs: its note, what was captured, what the stand-in says."""
    found = []
    for exchange in captured(name)["exchanges"]:
        told, seen = exchange["response"], answer(site, exchange)
        if told["status"] != seen.status_code or (told["status"] == 409 and told["reason"] != seen.reason_phrase):
            found.append((exchange["note"], told["status"], seen.status_code))
    return found


def test_columns_scores_and_results(site: Site) -> None:
    assert compared(site, "lti-ags-line-items-scores-results") == []
    assert (site.seen(3, "4"), site.seen(3, "5"), site.seen(6, "5")) == (0, 100, 60)


def test_overrides_and_locks(site: Site) -> None:
    """What a teacher does in between is done here as it was there."""
    site.columns[12] = column(site, 12, "9")
    first, second, results, third, grade, item, *hidden = captured("lti-ags-overrides-locks-hidden")["exchanges"]
    assert answer(site, first).status_code == 200
    site.override(12, "6", 33)
    assert answer(site, second).status_code == 200
    told, seen = results["response"]["body"][0], answer(site, results).json()[0]
    assert {name: seen[name] for name in ("userId", "resultScore", "resultMaximum")} == {
        name: told[name] for name in ("userId", "resultScore", "resultMaximum")
    }
    assert answer(site, third).status_code == 200
    site.locked_for.add((12, "4"))
    locked = answer(site, grade)
    assert (locked.status_code, locked.content) == (500, b"[]")
    site.locked_for.clear()
    site.locked.add(12)
    assert answer(site, item).status_code == 500
    site.locked.clear()
    assert [answer(site, one).status_code for one in hidden] == [200, 200]
