"""`rollcall demo`: serve, on data of its own, with a school that is not there and a class that runs now."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rollcall.cli import EXIT_FAILED, new_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.cli.serve import Supervisor
    from rollcall.simulate.school import School
    from rollcall.simulate.server import SimulatedServer
    from rollcall.store.connections import Pool

app = new_app()

MARK = "demo"
WEEKS = 10
A_YEAR_MS = 365 * 24 * 3_600_000
USER = "demo"
POOL = "bbb.demo.example"
ORGANISATION = "Demo School"
# The class shall not begin before its webhooks can arrive, or its first minutes would be blind.
HOOKS_SECONDS = 60.0
FOLDS_SECONDS = 5.0
SEED = 20_261_122


@app.command()
def demo(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8000,
    history: Annotated[bool, typer.Option(help="Weeks of past classes.")] = True,
) -> None:
    """Serve with a simulated school and a class running now; nothing stays unless --data names a folder."""
    from rollcall.cli.serve import address_of, listen

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))  # until the supervisor takes over
    with _folder() as data:
        _forget_other_settings(data)
        listener = listen(host, port)
        os.environ["ROLLCALL_URL"] = address_of(listener)
        # The web process and the worker read their settings when they start, this one when Django does.
        is_well = asyncio.run(_run(listener, has_history=history))
    if not is_well:
        raise typer.Exit(EXIT_FAILED)


@contextmanager
def _folder() -> Iterator[Path]:
    """The folder --data names, if it is a demo's or new; else one that is thrown away at the end."""
    from rollcall.core.errors import Refused

    if not os.environ.get("ROLLCALL_DATA"):
        made = Path(tempfile.mkdtemp(prefix="rollcall-demo-"))
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return
    folder = Path(os.environ["ROLLCALL_DATA"]).expanduser().absolute()
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise Refused(
            f"{folder} holds something that is not a demo's.",
            hint="Name a new folder with --data; without it (and without ROLLCALL_DATA) the demo makes one of its own.",
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / MARK).touch()
    yield folder


def _forget_other_settings(data: Path) -> None:
    """Whatever instance the environment describes, a demo must not write to its database."""
    kept = {"ROLLCALL_LOG_LEVEL", "ROLLCALL_LOG_FORMAT", "ROLLCALL_TIME_ZONE"}
    for name in [name for name in os.environ if name.startswith("ROLLCALL_") and name not in kept]:
        del os.environ[name]
    os.environ |= {"ROLLCALL_DATA": str(data), "ROLLCALL_POLL_SECONDS": "10"}


async def _run(listener: socket.socket, *, has_history: bool) -> bool:
    from rollcall.cli.serve import Supervisor

    await asyncio.to_thread(_open_database)
    supervisor = Supervisor(listener)
    show = asyncio.create_task(_Show(supervisor, has_history=has_history).run())
    show.add_done_callback(lambda _: supervisor.stopping.set())  # it only ends when it fails, or is told to
    is_well = await supervisor.run()
    show.cancel()
    (error,) = await asyncio.gather(show, return_exceptions=True)
    if isinstance(error, asyncio.CancelledError):
        return is_well
    print(f"rollcall: the demo's school failed: {error!r}", file=sys.stderr)
    return False


def _open_database() -> None:
    from rollcall.cli.database import open_database

    open_database()


@dataclass(frozen=True, slots=True)
class _Show:
    """Everything beside serve: the past, the server that is not there, and the class on it."""

    supervisor: Supervisor
    has_history: bool

    async def run(self) -> None:
        """Until cancelled."""
        from random import Random

        from rollcall.simulate.school import make_school
        from rollcall.simulate.server import SimulatedServer

        school = make_school(Random(SEED))  # noqa: S311  # a seed must repeat
        pool = await asyncio.to_thread(_make_pool)
        await asyncio.to_thread(_make_organisation, pool)
        await asyncio.to_thread(_enrol, school)
        if self.has_history:
            await asyncio.to_thread(self._load, school, pool)
            await asyncio.to_thread(_decide_all)
        with SimulatedServer() as server:
            link = await asyncio.to_thread(_make_server_and_user, pool, server)
            url = await asyncio.to_thread(_callback_url, pool)
            await self.supervisor.answering.wait()
            _welcome(school, link)
            await self._play(school, server, url)

    def _load(self, school: School, pool: Pool) -> None:
        """Put the past into the log; stops between two classes when the demo is ended."""
        from random import Random

        from rollcall.cli.history import Past
        from rollcall.feed.append import append
        from rollcall.simulate.server import wall_clock
        from rollcall.store.facts import Meeting

        if Meeting.objects.filter(pool=pool).exists():
            return
        facts = 0
        classes = Past(school, pool, wall_clock(), WEEKS).classes(Random(SEED))  # noqa: S311  # a seed must repeat
        for number, arrivals in enumerate(classes, 1):
            if self.supervisor.stopping.is_set():
                return
            append(arrivals)
            facts += len(arrivals)
            _progress(f"{number} classes, {facts} facts")
        self._wait_for_folds()
        _progress("", is_last=True)

    def _wait_for_folds(self) -> None:
        """The worker folds while the past is loaded; the first page shall show all of it."""
        from rollcall.store.facts import Meeting

        until = time.monotonic() + FOLDS_SECONDS
        while not self.supervisor.stopping.is_set() and time.monotonic() < until:
            if not Meeting.objects.filter(root__isnull=True, summary__isnull=True).exists():
                return
            time.sleep(0.1)

    async def _play(self, school: School, server: SimulatedServer, url: str) -> None:
        """The class that runs, and the next when it is over; then its records come, as from a real server."""
        from random import Random

        from rollcall.simulate.archive import CALLBACK, EVENTS, Archive
        from rollcall.simulate.classes import make_class
        from rollcall.simulate.player import PlayClock, post_records
        from rollcall.simulate.running import Timetable
        from rollcall.simulate.school import running_class
        from rollcall.simulate.server import wall_clock
        from rollcall.simulate.signing import Signer
        from rollcall.simulate.truth import Truth

        rng, held = Random(), count()  # noqa: S311  # a class need not be secret

        def next_class(at: int) -> Truth:
            return make_class(rng, running_class(rng, school, next(held), at))

        async def post(held: Truth) -> None:
            posts = Archive(formats=(EVENTS, CALLBACK)).posts(held, rng, server.secret, int(time.time()))
            await post_records(url, posts)

        await _until_hooked(server)
        clock = PlayClock(wall_clock())
        signer = Signer(secret=server.secret, regime=server.generation.regime)
        timetable = Timetable(server=server, signer=signer, clock=clock, next_class=next_class, rng=rng, on_over=post)
        await timetable.run()


async def _until_hooked(server: SimulatedServer) -> None:
    try:
        async with asyncio.timeout(HOOKS_SECONDS):
            while not server.hooks:  # noqa: ASYNC110  # another thread changes it
                await asyncio.sleep(0.1)
    except TimeoutError:
        print("rollcall: no webhooks were asked for; the demo's class is seen by polls alone", file=sys.stderr)


def _make_pool() -> Pool:
    from rollcall.store.connections import Pool

    return Pool.objects.get_or_create(name=POOL)[0]


def _make_organisation(pool: Pool) -> None:
    """Whose the school's meetings are: courses and people are told apart inside of an organisation."""
    from rollcall.derive import platforms
    from rollcall.lti.registration import Registration
    from rollcall.simulate.school import NORTH, SOUTH
    from rollcall.store.licensing import now_ms
    from rollcall.store.organising import Terms, add_licence, add_organisation

    now = now_ms()
    organisation, is_new = add_organisation(ORGANISATION, "", now=now)
    if not is_new:
        return
    add_licence(organisation, Terms(starts_at=now - A_YEAR_MS), now=now)
    for host in (NORTH, SOUTH):
        site = f"https://{host}"
        lms = Registration(
            issuer=site,
            client_id="demo",
            authorization_url=f"{site}/mod/lti/auth.php",
            keys_url=f"{site}/mod/lti/certs.php",
        )
        platforms.add(organisation, lms, [pool], now=now)


def _enrol(school: School) -> None:
    from rollcall.cli.demo_rosters import enrol
    from rollcall.store.licensing import now_ms

    enrol(school, WEEKS, now_ms())


def _decide_all() -> None:
    from rollcall.cli.demo_verdicts import decide_all
    from rollcall.store.licensing import now_ms
    from rollcall.store.organisations import Organisation

    decide_all(USER, Organisation.objects.get(name=ORGANISATION).pk, now_ms())


def _callback_url(pool: Pool) -> str:
    from rollcall.bbb.callback_url import callback_url

    return callback_url(pool)


def _make_server_and_user(pool: Pool, simulated: SimulatedServer) -> str:
    """Store the server for the worker to find, and the account; the address of a link that signs it in."""
    from django.contrib.auth.models import User

    from rollcall.bbb.servers import now_ms
    from rollcall.store.accounts import Account
    from rollcall.store.connections import Hook, Secret, Server
    from rollcall.store.sealing import seal
    from rollcall.web.sign_in import make_link

    server, _ = Server.objects.update_or_create(
        pool=pool,
        defaults={"api_url": simulated.url},
        create_defaults={
            "api_url": simulated.url,
            "wants_raw": True,
            "added_at": now_ms(),
            "reported_at": _last_record(pool),
        },
    )
    Secret.objects.get_or_create(server=server, defaults={"encrypted": seal(simulated.secret), "added_at": now_ms()})
    Hook.objects.filter(server=server).delete()  # of an earlier run, under an earlier port
    user, is_new = User.objects.get_or_create(username=USER, defaults={"is_staff": True})
    if is_new:
        user.set_unusable_password()
        user.save()
    Account.objects.get_or_create(user=user)
    return os.environ["ROLLCALL_URL"] + make_link(user)


def _last_record(pool: Pool) -> int | None:
    """When the last record of the past came."""
    from django.db.models import Max

    from rollcall.core.events import Source
    from rollcall.store.facts import Fact

    records = Fact.objects.filter(meeting__pool=pool, source__in=(Source.CALLBACK, Source.RECORDING))
    found: int | None = records.aggregate(at=Max("received_at"))["at"]
    return found


def _progress(text: str, *, is_last: bool = False) -> None:
    """On one line of a terminal; a log gets nothing."""
    if sys.stderr.isatty():
        print(f"\r\033[KLoading the past: {text}" if not is_last else "\r\033[K", end="", file=sys.stderr, flush=True)


def _welcome(school: School, link: str) -> None:
    print(
        f"\nA school that is not there: {school.students()} students on two Moodle sites, a class begins in a moment.\n"
        f"This link signs you in once, within ten minutes:\n\n    {link}\n\nCtrl-C ends it.",
        flush=True,
    )
