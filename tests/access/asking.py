"""As whom pages are asked for, by the doors that there are: a session, a token, a launch; and what an answer says."""

from __future__ import annotations

import io
import json
import re
import subprocess
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.test import Client

from rollcall.core.access import Reader, Role
from rollcall.lti import visits
from rollcall.store import tokens
from rollcall.store.keys import key_of
from rollcall.store.platforms import Context, Member, Visit
from tests.access.places import A1, A2, ADA, B1, BOB, CYD, ONE, RED, TWO, School
from tests.makers import operator, staff

if TYPE_CHECKING:
    from collections.abc import Callable

TEACHER = "588"
SCOPES = [scope.value for scope in tokens.Scope]

PAGES = ("nobody", "operator", "staff of A", "staff of B", "administrator of A1", "administrator of A2")
COURSES = ("instructor of A1 one", "instructor of A1 two", "instructor of A2 one", "instructor of B one")
GROUPS = ("instructor of red", "instructor of no group")
LEARNERS = ("ada in A1 one", "bob in A1 one", "ada in A2 one", "cyd in A1 two")
TOKENS = ("token of A", "token of B", "token of all")
EVERYBODY = (*PAGES, *COURSES, *GROUPS, *LEARNERS, *TOKENS)


@dataclass(slots=True)
class Someone:
    """Who asks: `reader` is what they should be able to see, None for nobody; `before` stands before each path."""

    name: str
    reader: Reader | None
    client: Client
    before: str = ""
    visit: Visit | None = None

    @property
    def role(self) -> str:
        """As rules have it."""
        return self.reader.role.value if self.reader else "nobody"

    @property
    def has_token(self) -> bool:
        """Whether they are a program."""
        return "token" in self.name

    def get(self, path: str, **headers: str) -> Any:
        """What a browser, or a program, is answered."""
        accept = {} if self.has_token else {"accept": "text/html"}
        return self.client.get(self.before + path, headers=accept | headers)

    def rows(self, report: str, query: str = "") -> list[Any]:
        """Those of a report, as its JSON has them."""
        found = json.loads(b"".join(self.get(f"/{report}.json{query}").streaming_content))
        return next(value for value in found.values() if isinstance(value, list))

    def post(self, path: str, form: dict[str, Any] | None = None) -> Any:
        """A form of our own page, or an order of a program."""
        headers = {"accept": "text/html", "origin": "http://testserver"}
        if self.has_token:
            return self.client.post(self.before + path, form or {}, content_type="application/json")
        return self.client.post(self.before + path, form or {}, headers=headers)


def somebody(school: School, name: str) -> Someone:
    """One of EVERYBODY, just let in."""
    return next(make(school, name) for start, make in _DOORS if name.startswith(start))


def _nobody(_school: School, name: str) -> Someone:
    return Someone(name, None, _client())


def _operator(_school: School, name: str) -> Someone:
    client = _client()
    client.force_login(operator(User, "qoperator"))
    return Someone(name, Reader(role=Role.OPERATOR, name="qoperator"), client)


def _staff(school: School, name: str) -> Someone:
    which, client = name[-1], _client()
    client.force_login(staff(User, f"qstaff{which}", school.organisations[which]))
    reader = Reader(role=Role.STAFF, name=f"qstaff{which}", organisation=school.pk(which))
    return Someone(name, reader, client)


def _token(school: School, name: str) -> Someone:
    organisation = school.organisations.get(name[-1])
    _, text = tokens.make(organisation, f"q{name}", SCOPES, now=visits.clock())
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {text}"})
    if organisation is None:
        return Someone(name, Reader(role=Role.OPERATOR, name=f"q{name}"), client)
    return Someone(name, Reader(role=Role.PROGRAM, name=f"q{name}", organisation=organisation.pk), client)


def _administrator(school: School, name: str) -> Someone:
    return launched(school, name, _SITES[name[-2:]], Role.ADMINISTRATOR, TEACHER)


def _instructor(school: School, name: str) -> Someone:
    if name in GROUPS:
        own = frozenset({RED}) if name.endswith("red") else frozenset[str]()
        return launched(school, name, A1, Role.INSTRUCTOR, TEACHER, ONE, own)
    *_, site, course = name.split()
    return launched(school, name, _SITES[site], Role.INSTRUCTOR, TEACHER, _NUMBERS[course])


def _learner(school: School, name: str) -> Someone:
    user, _, site, course = name.split()
    return launched(school, name, _SITES[site], Role.LEARNER, _NUMBERS[user], _NUMBERS[course])


_SITES = {"A1": A1, "A2": A2, "B": B1}
_NUMBERS = {"one": ONE, "two": TWO, "ada": ADA, "bob": BOB, "cyd": CYD}
_DOORS: tuple[tuple[str, Callable[[School, str], Someone]], ...] = (
    ("nobody", _nobody),
    ("operator", _operator),
    ("staff", _staff),
    ("token", _token),
    ("administrator", _administrator),
    ("instructor", _instructor),
    ("", _learner),
)


def launched(  # noqa: PLR0917 - as whom and where
    school: School,
    name: str,
    site: str,
    role: Role,
    user: str,
    course: str = "",
    groups: frozenset[str] | None = None,
) -> Someone:
    """Who came from an LMS. With groups the LMS calls them an instructor, and its roster a learner."""
    platform, now = school.platforms[site], visits.clock()
    context = _context(platform, course, now) if course else None
    if context is not None and groups is not None:
        Member.objects.create(
            context=context, user_id=user, user_key=key_of(user), is_instructor=False, is_learner=True, from_at=0
        )
    visit = Visit.objects.create(
        key=key_of(name),
        platform=platform,
        context=context,
        user_id=user,
        role=role.value,
        groups=None if groups is None else ",".join(groups),
        made_at=now,
        used_at=now,
        expires_at=now + 10**9,
    )
    reader = Reader(
        role=role,
        name=user,
        organisation=platform.organisation_id,
        site=site,
        context_id=course,
        user_id="" if role is Role.ADMINISTRATOR else user,
        groups=groups,
    )
    return Someone(name, reader, _client(), f"/in/{visits.token(visit, now)}", visit)


def _context(platform: Any, course: str, now: int) -> Context:
    told = {"context_id": course, "launched_at": now}
    return Context.objects.get_or_create(platform=platform, key=key_of(course), defaults=told)[0]


def _client() -> Client:
    return Client(raise_request_exception=False)


# --- what an answer says ----------------------------------------------------------------------------------------------


def said_by(response: Any) -> str:
    """All of an answer as text: headers, cookies, the page, what is in a sheet or on paper."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    head = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
    return f"{head}\n{response.cookies.output()}\n{text_of(body)}"


def text_of(body: bytes) -> str:
    """Sheets and papers are packed."""
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as sheet:
            return "\n".join(sheet.read(name).decode() for name in sheet.namelist())
    if body.startswith(b"%PDF"):
        return subprocess.run(["pdftotext", "-", "-"], input=body, stdout=subprocess.PIPE, check=True).stdout.decode()
    return body.decode()


def leaks(school: School, someone: Someone, said: str, asked: str = "") -> list[str]:
    """What it tells of what is not theirs. What they wrote into the address themselves they may read again."""
    said = said.replace(asked, "") if asked else said
    return [text for text in school.not_for(someone.reader) if text in said and not _is_part(text, said)]


def _is_part(text: str, said: str) -> bool:
    """A number may be a part of a longer one."""
    return text.isdigit() and not re.search(rf"(?<!\d){text}(?!\d)", said)
