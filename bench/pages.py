"""The page of a meeting with 300 people: server time and number of queries, beside a page that shows nothing."""

from __future__ import annotations

from random import Random

from bench.folding import POOL, median_seconds
from bench.results import Result, as_lines

PEOPLE = (30, 300)


def make_meeting(people: int) -> int:
    """A class in the log, folded; the primary key of its page."""
    from rollcall.bbb.redact import redact
    from rollcall.derive.log import Log
    from rollcall.derive.meeting import refold
    from rollcall.feed.append import append
    from rollcall.feed.feed import Arrival
    from rollcall.simulate.classes import Plan, make_class
    from rollcall.simulate.generations import GENERATIONS
    from rollcall.simulate.relay import relay
    from rollcall.store.connections import Pool
    from rollcall.store.facts import Meeting
    from rollcall.store.keys import fact_digest

    rng, pool = Random(people), Pool.objects.get_or_create(name=POOL)[0]
    truth = make_class(rng, Plan(people=people, minutes=90, instance=people, rooms=0))
    kept = [redact(e) for one in relay(truth, GENERATIONS["3.5.0"], rng) for e in one.elements]
    append(
        [
            Arrival(
                pool=pool.pk,
                meeting=one.meeting,
                source=one.source,
                kind=one.kind,
                at=one.at,
                received_at=one.at,
                digest=fact_digest(POOL, one.payload, one.identity),
                payload=one.payload,
                identity=one.identity,
                parent=one.parent,
                is_end=one.is_end,
            )
            for one in kept
            if one
        ]
    )
    meeting = Meeting.objects.get(internal_meeting_id=truth.root.internal_meeting_id)
    refold(meeting.pk, Log())
    return meeting.pk


def run() -> list[Result]:
    """Each page several times in this process, without a network between."""
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from rollcall.store.accounts import Account

    client = Client(headers={"Host": "127.0.0.1"})
    user = User.objects.create(username="bench", is_staff=True)
    Account.objects.create(user=user)
    client.force_login(user)

    def seconds(path: str) -> float:
        assert client.get(path).status_code == 200, path
        return 1000 * median_seconds(lambda: client.get(path))

    bare = seconds("/login?next=/") if client.get("/login?next=/").status_code == 200 else seconds("/servers")
    found = [Result("page.bare.ms", bare, "ms")]
    for people in PEOPLE:
        path = f"/meetings/{make_meeting(people)}"
        found.append(Result(f"page.{people}-people.ms", seconds(path), "ms", bare, "bare page"))
        with CaptureQueriesContext(connection) as queries:
            client.get(path)
        found.append(Result(f"page.{people}-people.queries", len(queries), "queries"))
    return found


if __name__ == "__main__":
    from rollcall.cli.database import open_database

    open_database()
    print(as_lines(run()))
