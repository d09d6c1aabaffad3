"""Everybody asks for everything: what is not theirs is not there, and nothing of it is told.

The addresses are those of the url configuration, so that a new one without a rule fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from django.urls import get_resolver

from rollcall.store.keys import key_of
from rollcall.store.organisations import Licence
from tests.access.asking import EVERYBODY, Someone, leaks, said_by, somebody
from tests.access.places import A1, A2, ADA, B1, BOB, CYD, FIRST_NUMBER, NOBODYS, ONE, TWO, School, attendee_key

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db

ALL = frozenset({"operator", "staff", "administrator", "instructor", "learner"})
OTHERS = ALL - {"learner"}
"""Who may see other people at all."""
ACCOUNTS = frozenset({"operator", "staff"})
OPERATOR = frozenset({"operator"})
READS_LICENCE = frozenset({"operator", "staff", "administrator"})
PROGRAMS = frozenset({"program", "operator"})
"""Tokens: one of all organisations comes as an operator."""
NONE = frozenset[str]()

UNLICENSED = frozenset({"api/v1/platforms"}) | frozenset(
    {"licence", "account", "account/password", "account/sessions/<int:pk>/end", "account/sessions/end"}
)
"""What somebody has whose organisation has no licence in force: its own licence, their own account."""

MISSING = FIRST_NUMBER + 9_999
UNKNOWN = "0" * 32


class Rule(NamedTuple):
    """Whose an address is: for which roles, what it is about, and whether it is no place of records at all."""

    roles: frozenset[str]
    about: str = ""
    is_open: bool = False
    method: str = "GET"


PUBLIC = Rule(NONE, is_open=True)
OPEN_POST = Rule(NONE, is_open=True, method="POST")
LIST = Rule(OTHERS)
MEETING = Rule(OTHERS, "meeting")
OWN_FACTS = Rule(ALL, "attendance")
PERSON = Rule(ALL, "person")
COURSE = Rule(OTHERS, "course")
ACTIVITY = Rule(OTHERS, "activity")
SERVERS = Rule(OPERATOR)
AUDIT = Rule(ACCOUNTS)
MANAGE = Rule(OPERATOR)
FORM = Rule(OPERATOR, method="POST")
EXPORT = Rule(ALL, "export")
PLATFORM = Rule(READS_LICENCE, "platform")

RULES = {
    "": LIST,
    **dict.fromkeys(("meetings", "attendances", "people", "courses", "use"), LIST),
    **{f"{one}.<file:kind>": LIST for one in ("meetings", "attendances", "people", "courses", "use", "attendance")},
    "meetings/<int:pk>": MEETING,
    "meetings/<int:pk>.<file:kind>": MEETING,
    "meetings/<int:pk>/watch": MEETING,
    "meetings/<int:pk>/live": MEETING,
    "meetings/<int:pk>/facts": MEETING,
    "meetings/<int:pk>/facts.<file:kind>": MEETING,
    "meetings/<int:pk>/facts/<digest:key>": OWN_FACTS,
    "meetings/<int:pk>/facts/<digest:key>.<file:kind>": OWN_FACTS,
    "activities": LIST,
    **{f"activities/<digest:key>{page}": ACTIVITY for page in ("", "/policy", "/classes", "/sending")},
    "activities/<digest:key>/people/<digest:user>": Rule(OTHERS, "verdict"),
    "people/<digest:key>": PERSON,
    "people/<digest:key>.<file:kind>": PERSON,
    "courses/<digest:key>": COURSE,
    "courses/<digest:key>.<file:kind>": COURSE,
    **dict.fromkeys(("servers", "coverage", "servers.<file:kind>", "coverage.<file:kind>"), SERVERS),
    **dict.fromkeys(("audit", "audit.<file:kind>"), AUDIT),
    **dict.fromkeys(("completion", "completion.<file:kind>"), LIST),
    "exports": Rule(ALL),
    "exports/<int:pk>": EXPORT,
    "exports/<int:pk>/progress": EXPORT,
    "exports/<int:pk>/file": EXPORT,
    "exports/<int:pk>/delete": EXPORT._replace(method="POST"),
    **dict.fromkeys(("organisations", "unclaimed", "unclaimed/claim"), MANAGE),
    "organisations/<int:pk>": MANAGE._replace(about="organisation"),
    "organisations/<int:pk>/edit": FORM._replace(about="organisation"),
    "organisations/<int:pk>/licences": FORM._replace(about="organisation"),
    "organisations/<int:pk>/licences/<act:act>": FORM._replace(about="organisation"),
    "claims/<int:pk>/remove": FORM._replace(about="claim"),
    "licence": Rule(READS_LICENCE),
    "deliveries": Rule(READS_LICENCE),
    "deliveries/<int:pk>": Rule(READS_LICENCE, "receiver"),
    "platforms/<int:pk>": PLATFORM,
    **{f"platforms/<int:pk>/moodle/{one}": PLATFORM._replace(method="POST") for one in ("give", "test", "forget")},
    "account": Rule(ACCOUNTS),
    "account/password": Rule(ACCOUNTS, method="POST"),
    "account/sessions/<int:pk>/end": Rule(ACCOUNTS, "session", method="POST"),
    "account/sessions/end": Rule(ACCOUNTS, method="POST"),
    **dict.fromkeys(("login", "login/link/<str:token>", "logout", "in/stopped"), PUBLIC),
    **dict.fromkeys(("language", "in/window", "zone"), OPEN_POST),
    **dict.fromkeys(("lti/login", "lti/keys", "lti/register/<str:token>", "lti/configuration"), PUBLIC),
    **dict.fromkeys(("lti/launch", "lti/choose"), OPEN_POST),
    **dict.fromkeys(("api/v1/openapi.json", "api/v1/"), PUBLIC),
    **{
        f"api/v1/{one}": Rule(PROGRAMS)
        for one in ("meetings", "attendances", "people", "courses", "audit", "completion")
    },
    "api/v1/meetings/<int:pk>": Rule(PROGRAMS, "meeting"),
    "api/v1/meetings/<int:pk>/facts": Rule(PROGRAMS, "meeting"),
    "api/v1/people/<digest:key>": Rule(PROGRAMS, "person"),
    "api/v1/courses/<digest:key>": Rule(PROGRAMS, "course"),
    "api/v1/servers": Rule(OPERATOR),
    "api/v1/platforms": Rule(PROGRAMS),
    "api/v1/exports": Rule(PROGRAMS),
    "api/v1/exports/<int:pk>": Rule(PROGRAMS, "export"),
    "api/v1/exports/<int:pk>/file": Rule(PROGRAMS, "export"),
}


def routes() -> Iterator[str]:
    """Each address there is, as the url configuration has it."""
    yield from _routes(get_resolver().url_patterns, "")


def _routes(patterns: Iterable[Any], before: str) -> Iterator[str]:
    for one in patterns:
        route = before + str(one.pattern)
        if hasattr(one, "url_patterns"):
            yield from _routes(one.url_patterns, route)
        else:
            yield route


def test_each_address_has_a_rule_and_each_rule_an_address() -> None:
    assert sorted(set(routes())) == sorted(RULES)


# --- what an address may be about -------------------------------------------------------------------------------------

SITES = (("A", A1), ("A", A2), ("B", B1), ("", NOBODYS))


class Cell(NamedTuple):
    """One address, whether what it is about is there for whoever asks, and of which thing that is it would be one."""

    path: str
    is_there: bool
    of: str = ""


def cells(school: School, someone: Someone, route: str, rule: Rule) -> Iterator[Cell]:
    """An address for each thing there is, and for one that there is not."""
    for words, is_there, *of in _THINGS[rule.about](school, someone):
        path = "/" + route
        for kind, word in words.items():
            path = re.sub(rf"<{kind}>" if ":" in kind else rf"<{kind}:\w+>", word, path)
        path = path.replace("<file:kind>", "json").replace("<act:act>", "ended").replace("<str:token>", "qtoken")
        yield Cell(path, is_there, *of)


Things = Iterator[tuple[Any, ...]]
"""What stands in an address, whether that is there for whoever asks, and what it would be one of."""


def _sees(school: School, someone: Someone) -> Callable[[str], bool]:
    hidden = set(school.not_for(someone.reader))
    return lambda text: text in school.whose and text not in hidden


def _meetings(school: School, someone: Someone) -> Things:
    sees = _sees(school, someone)
    yield {"int": str(MISSING)}, False
    for name, summary in school.meetings.items():
        yield {"int": str(summary.meeting_id)}, sees(f"qmeet{name}")


def _attendances(school: School, someone: Someone) -> Things:
    sees = _sees(school, someone)
    yield {"int": str(MISSING), "digest": attendee_key(ADA)}, False
    for name, summary in school.meetings.items():
        is_seen = sees(f"qmeet{name}")
        for user in (ADA, BOB, "nobody"):
            one = summary.attendance.filter(kind="user", external_user_id=user).first()
            words = {"int": str(summary.meeting_id), "digest": attendee_key(user)}
            yield words, is_seen and one is not None and sees(one.name), name if is_seen else ""


def _people(school: School, someone: Someone) -> Things:
    sees = _sees(school, someone)
    yield {"digest": UNKNOWN}, False
    for organisation, site in SITES:
        for user in (ADA, BOB, CYD):
            name = f"qname{organisation or 'n'}{site[8:13]}{user}"
            yield {"digest": school.person_key(organisation, site, user)}, sees(name)


def _courses(school: School, someone: Someone) -> Things:
    sees = _sees(school, someone)
    yield {"digest": UNKNOWN}, False
    for organisation, site in SITES:
        for course in (ONE, TWO):
            label = f"qlabel{organisation or 'n'}{site[8:13]}{course}"
            yield {"digest": school.course_key(organisation, site, course)}, sees(label)


def _activities(school: School, someone: Someone) -> Things:
    sees = _sees(school, someone)
    yield {"digest:key": UNKNOWN}, False
    for key, names in school.activities().items():
        yield {"digest:key": key}, any(sees(f"qmeet{name}") for name in names)


def _verdicts(school: School, someone: Someone) -> Things:
    sees = _sees(school, someone)
    yield {"digest:key": UNKNOWN, "digest:user": UNKNOWN}, False
    for key, names in school.activities().items():
        is_seen = any(sees(f"qmeet{name}") for name in names)
        for user in (ADA, BOB, "nobody"):
            here = [one for name in names for one in school.meetings[name].attendance.filter(external_user_id=user)]
            is_there = is_seen and any(sees(one.name) for one in here)
            yield {"digest:key": key, "digest:user": key_of(user).hex()}, is_there, key if is_seen else ""


def _organisations(school: School, _someone: Someone) -> Things:
    yield {"int": str(MISSING)}, False
    for one in school.organisations.values():
        yield {"int": str(one.pk)}, True


def _platforms(school: School, someone: Someone) -> Things:
    reader = someone.reader
    yield {"int": str(MISSING)}, False
    for site, one in school.platforms.items():
        is_inside = reader is not None and reader.organisation in {None, one.organisation_id}
        yield {"int": str(one.pk)}, is_inside and reader is not None and reader.site in {"", site}


def _none(_school: School, _someone: Someone) -> Things:
    yield {"int": str(MISSING)}, False


_THINGS: dict[str, Callable[[School, Someone], Things]] = {
    "": lambda _school, _someone: iter([({}, True)]),
    "meeting": _meetings,
    "attendance": _attendances,
    "person": _people,
    "course": _courses,
    "activity": _activities,
    "verdict": _verdicts,
    "organisation": _organisations,
    "platform": _platforms,
    **dict.fromkeys(("export", "claim", "session", "receiver"), _none),
}


# --- the matrix -------------------------------------------------------------------------------------------------------


def ask(someone: Someone, rule: Rule, path: str) -> Any:
    """As the address wants to be asked."""
    return someone.post(path) if rule.method == "POST" else someone.get(path)


def is_turned_away(someone: Someone, response: Any) -> bool:
    """Not there, not theirs; whoever is nobody is sent to sign in, a program told that it has no token."""
    if response.status_code in {403, 404}:
        return True
    if someone.reader is None or someone.has_token:
        to_sign_in = response.status_code == 302 and response["Location"].startswith("/login")
        return bool(to_sign_in or response.status_code == 401)
    return bool(response.status_code == 401)


def may(someone: Someone, route: str, rule: Rule) -> bool:
    """Whether a page is anything for somebody at all; a token opens the API, and nothing else does."""
    return someone.has_token is route.startswith("api/") and someone.role in rule.roles


@pytest.mark.parametrize("name", EVERYBODY)
def test_everybody_sees_what_is_theirs_and_nothing_is_told_of_the_rest(school: School, name: str) -> None:
    someone = somebody(school, name)
    wrong = [fault for route, rule in RULES.items() for fault in faults(school, someone, route, rule)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "name",
    ["staff of A", "administrator of A1", "instructor of A1 one", "instructor of red", "ada in A1 one", "token of B"],
)
def test_without_a_licence_there_is_nothing_but_the_licence(school: School, name: str) -> None:
    someone = somebody(school, name)
    Licence.objects.update(**({"suspended_at": 1} if name.startswith("staff") else {"ends_at": 1}))
    wrong: list[str] = []
    for route, rule in RULES.items():
        is_kept = rule.is_open or route in UNLICENSED
        wrong += faults(school, someone, route, rule if is_kept else rule._replace(roles=NONE), only=1)
    assert not wrong, "\n".join(wrong)


def faults(  # noqa: C901 - one question after the other
    school: School, someone: Someone, route: str, rule: Rule, *, only: int = 0
) -> Iterator[str]:
    """What is wrong with the answers at one address; with `only` for so many of the things that are there."""
    away: dict[str, dict[str, str]] = {}
    asked = list(cells(school, someone, route, rule))
    if not may(someone, route, rule):  # one thing is as good as another, whose page is nothing for them at all
        asked = asked[::4]
    for path, is_there, of in [cell for cell in asked if cell.is_there][:only] or asked:
        response = ask(someone, rule, path)
        if rule.is_open:  # framed before it is known by whom: each LMS is named in it, to everybody
            response.headers.pop("Content-Security-Policy", None)
        said = said_by(response)
        if route.startswith("audit"):  # what they asked for before stands there, as they wrote it
            said = re.sub(r"/meetings/\d+", "", said)
        if found := leaks(school, someone, said, path):
            yield f"{path}: {response.status_code} tells {found}"
        if response.status_code >= 500:
            yield f"{path}: {response.status_code}"
        if rule.is_open:
            continue
        is_theirs = may(someone, route, rule) and is_there
        if is_turned_away(someone, response) is is_theirs:
            yield f"{path}: {response.status_code}, {'theirs' if is_theirs else 'not theirs'}"
        elif not is_theirs:
            away.setdefault(of, {}).setdefault(_plain(said, path), path)
    for alike in away.values():
        if len(alike) > 1:
            yield f"not there and not theirs differ: {list(alike.values())}"


def _plain(said: str, path: str) -> str:
    """Without what is another in each answer."""
    said = re.sub(r"(?m)^(Page-Prefix|RateLimit-\w+|ETag|Content-Length|Content-Security-Policy):.*$", "", said)
    return re.sub(r"/in/[^/\"]*", "/in", said).replace(path, "")
