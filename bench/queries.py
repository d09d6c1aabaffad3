"""The forty queries of queries.toml, asked of the pages as a browser would, over and over in another order each time.

Of whatever database the environment names; an empty one is filled first, by `rollcall simulate --bulk`.
"""

from __future__ import annotations

import argparse
import sys
import time
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

from bench.results import Result, as_lines, limited

if TYPE_CHECKING:
    from django.test import Client

QUERIES = Path(__file__).with_name("queries.toml")
HTTP_OK = 200
BOUNDED_MS, OTHER_MS = 100.0, 1000.0
HOPELESS_SECONDS = 30.0
"""What takes longer the first time is not asked again."""

ATTENDANCES_A_MEETING, ATTENDANCES_A_PERSON = 20, 33

LARGEST = 1
"""The organisation that has two fifths of everything, and for whom whoever asks is signed in."""


@dataclass(frozen=True, slots=True)
class Query:
    """One question, and within how many ms it is to be answered."""

    name: str
    address: str
    is_bounded: bool = False
    deep: int = 0
    within_ms: float = 0.0

    @property
    def limit_ms(self) -> float:
        """What is allowed at p95."""
        return self.within_ms or (BOUNDED_MS if self.is_bounded else OTHER_MS)


class Answer(NamedTuple):
    """The ms until the whole page was there, those that the database's statements took, those that were computed."""

    took: float
    database: float
    computed: float
    status: int


@dataclass(slots=True)
class Asked:
    """How long each answer to one query took, the first one apart; how much of that the database did; ms.

    `computed` is what this process computed for it: on SQLite, which is within, that is how long it would have taken on
    a machine that does nothing else and has the file in memory. A `status` other than 200 is a refusal: such a question
    is not answered at all.
    """

    query: Query
    path: str
    first: float = 0.0
    status: int = HTTP_OK
    took: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    computed: list[float] = field(default_factory=list)


def queries() -> list[Query]:
    """All of queries.toml."""
    return [Query(**one) for one in tomllib.loads(QUERIES.read_text(encoding="utf-8"))["query"]]


def percentile(values: Iterable[float], percent: int) -> float:
    """The least value that so many percent of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


# --- what there is to ask for -----------------------------------------------------------------------------------------


def fill(attendances: int) -> None:
    """Make a bulk of this size, with meetings and people as in ten million, if the database is empty."""
    from rollcall.cli.bulk import make_bulk
    from rollcall.simulate.bulk import Size
    from rollcall.store.facts import Meeting

    if Meeting.objects.exists():
        return
    meetings, people = attendances // ATTENDANCES_A_MEETING, attendances // ATTENDANCES_A_PERSON
    until = time.time_ns() // 1_000_000
    make_bulk(Size(attendances=attendances, meetings=meetings, people=people, until=until))


def words() -> dict[str, str]:
    """What the braces of queries.toml stand for, in the largest organisation."""
    from rollcall.store.derived import Person, Summary

    classes = Summary.objects.filter(organisation=LARGEST).select_related("course")
    newest, largest = classes.latest("started_at"), classes.latest("attendees")
    users = Person.objects.filter(organisation=LARGEST, is_user=True, meetings__gt=0)
    busiest = users.latest("meetings")
    last = datetime.fromtimestamp(newest.started_at / 1000, UTC).date()
    assert largest.course is not None
    return {
        "day": str(last),
        "month": str(last - timedelta(days=30)),
        "year": str(last - timedelta(days=364)),
        "person": bytes(busiest.key).hex(),
        "user": busiest.external_user_id,
        "course": bytes(largest.course.key).hex(),
        "label": largest.course.label,
        "rare": next(one.name for one in users.order_by("-key") if users.filter(names_key=one.names_key).count() == 1),
    }


def path_of(query: Query, known: Mapping[str, str]) -> str:
    """The address a browser would ask for."""
    address = query.address.format_map(known)
    path = quote(address, safe="/?=&,:-%")
    place = _place(address, query.deep) if query.deep else ""
    return f"{path}{'&' if '?' in path else '?'}after={quote(place)}" if place else path


def _place(address: str, deep: int) -> str:
    """Where the page begins that so many rows lie before, read by the same means as the page itself."""
    from rollcall.reports.asking import ask
    from rollcall.reports.registry import REPORTS
    from rollcall.store import searching

    parts = urlsplit(address)
    report = REPORTS[parts.path.strip("/")]
    asked = ask(report.takes, parse_qs(parts.query), zone=UTC)
    sort = asked.sort or report.takes.sorts[0]
    wanted = replace(asked.wanted, organisation=LARGEST)
    return str(searching.page(report.lists, wanted, sort=sort, limit=deep).after)


# --- asking -----------------------------------------------------------------------------------------------------------


def ask_all(wanted: Sequence[Query], rounds: int) -> list[Asked]:
    """Every query once, then all of them so many times, shuffled."""
    from django.test import override_settings

    with override_settings(SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies"):
        return _ask_all(wanted, rounds, _signed_in(), words())


def _ask_all(wanted: Sequence[Query], rounds: int, client: Client, known: Mapping[str, str]) -> list[Asked]:
    asked = []
    for query in wanted:
        asked.append(one := Asked(query, path_of(query, known)))
        first = _ask(client, one.path)
        one.first, one.status = first.took, first.status
        print(f"{one.first:9.1f} ms first, {one.status}  {one.path}", file=sys.stderr, flush=True)
    for number in range(rounds):
        for one in Random(number).sample(asked, len(asked)):
            if one.first < 1000 * HOPELESS_SECONDS:
                answer = _ask(client, one.path)
                one.took.append(answer.took)
                one.database.append(answer.database)
                one.computed.append(answer.computed)
    return asked


def _signed_in() -> Client:
    """A browser of somebody who is signed in, by a cookie alone: what is measured is not written to."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.signed_cookies import SessionStore
    from django.test import Client

    from rollcall.store.accounts import Account
    from rollcall.store.staff_sessions import make_session

    user = User.objects.get_or_create(username="bench", defaults={"is_staff": True})[0]
    Account.objects.update_or_create(user=user, defaults={"organisation_id": LARGEST})
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session.save()
    make_session(user, str(session.session_key), now=time.time_ns() // 1_000_000)
    client = Client(headers={"Host": "127.0.0.1"})
    client.cookies[settings.SESSION_COOKIE_NAME] = str(session.session_key)
    return client


def _ask(client: Client, path: str) -> Answer:
    from django.db import connection

    spent = 0.0

    def timed(execute: Any, *statement: Any) -> Any:
        nonlocal spent
        began = time.perf_counter()
        try:
            return execute(*statement)
        finally:
            spent += time.perf_counter() - began

    began, computed = time.perf_counter(), time.process_time()
    with connection.execute_wrapper(timed):
        answer = client.get(path)
    took, computed = time.perf_counter() - began, time.process_time() - computed
    return Answer(1000 * took, 1000 * spent, 1000 * computed, answer.status_code)


# --- telling ----------------------------------------------------------------------------------------------------------


def results(asked: Sequence[Asked], vendor: str) -> Iterator[Result]:
    """Per query, and over all that have the same limit and an answer; each p95 is held against that limit."""
    for one in asked:
        name, took = f"queries.{vendor}.{one.query.name.replace(' ', '-')}", one.took or [one.first]
        yield Result(f"{name}.p50", percentile(took, 50), "ms")
        yield limited(f"{name}.p95", percentile(took, 95), "ms", one.query.limit_ms)
        yield Result(f"{name}.worst", max(took), "ms")
        yield Result(f"{name}.computed.p50", percentile(one.computed or [0.0], 50), "ms")
    for kind, limit in (("bounded", BOUNDED_MS), ("other", OTHER_MS)):
        of_kind = [one for one in asked if one.query.limit_ms == limit and one.status == HTTP_OK]
        took = [ms for one in of_kind for ms in one.took or [one.first]]
        if took:
            yield Result(f"queries.{vendor}.{kind}.p50", percentile(took, 50), "ms")
            yield limited(f"queries.{vendor}.{kind}.p95", percentile(took, 95), "ms", limit)
            computed = [ms for one in of_kind for ms in one.computed or [one.first]]
            yield limited(f"queries.{vendor}.{kind}.computed.p95", percentile(computed, 95), "ms", limit)
            yield Result(f"queries.{vendor}.{kind}.first.p95", percentile([one.first for one in of_kind], 95), "ms")
    yield Result(f"queries.{vendor}.refused", sum(one.status != HTTP_OK for one in asked), "queries")
    whole, database = (sum(sum(getattr(one, name)) for one in asked) for name in ("took", "database"))
    if whole:
        yield Result(f"queries.{vendor}.database", 100 * database / whole, "% of time")


def main() -> None:
    """Fill the database if it is empty, ask, and tell."""
    parser = argparse.ArgumentParser(prog="python -m bench.queries", description=__doc__)
    parser.add_argument("--attendances", type=int, default=100_000, help="that an empty database is filled with")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--only", default="", help="queries whose name has this in it")
    given = parser.parse_args()
    from rollcall.cli.database import open_database

    open_database()
    from django.db import connection

    fill(given.attendances)
    wanted = [query for query in queries() if given.only in query.name]
    found = ask_all(wanted, given.rounds)
    print("    first      p50 computed database", file=sys.stderr)
    for one in found:
        middle = [percentile(values or [0.0], 50) for values in (one.took, one.computed, one.database)]
        print("".join(f"{ms:9.1f}" for ms in (one.first, *middle)), one.status, one.path, file=sys.stderr)
    print(as_lines(list(results(found, connection.vendor))))


if __name__ == "__main__":
    main()
