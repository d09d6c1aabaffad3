"""`rollcall simulate`: a class that never was, as JSON lines, against a URL, or as a server to connect to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from rollcall.cli import new_app

if TYPE_CHECKING:
    from random import Random

    from rollcall.simulate.archive import Archive
    from rollcall.simulate.classes import Plan
    from rollcall.simulate.faults import Fault
    from rollcall.simulate.generations import Generation
    from rollcall.simulate.sendings import Sending
    from rollcall.simulate.signing import Signer
    from rollcall.simulate.truth import Truth

app = new_app()

EPILOG = (
    "Without --url, --raw-url, --callback-url, --into and --listen the signed requests are written to standard output, "
    "one JSON object a line: at (seconds), path, headers, body. With --into the records of classes that are over are "
    "written into a folder, for `rollcall import`. With --listen a whole BigBlueButton is there, to be added with "
    "`rollcall server add`."
)
DAY_MS = 86_400_000


@app.command(epilog=EPILOG)
def simulate(  # noqa: PLR0917  # typer makes options of them
    seed: Annotated[int, typer.Option(help="The same seed gives the same class.")] = 0,
    people: Annotated[int, typer.Option(min=0, help="How many, the teacher included; 0: 12, and in bulk 300,000.")] = 0,
    minutes: Annotated[int, typer.Option(min=1, help="How long the class lasts.")] = 45,
    generation: Annotated[str, typer.Option(help="Of bbb-webhooks: 2.6.1, 3.3.1, 3.3.1-on-2.6, 3.5.0.")] = "3.5.0",
    auth: Annotated[str, typer.Option(help="A (bearer), B, C or D; else as that generation signs.")] = "",
    algorithm: Annotated[str, typer.Option(help="sha1, sha256, sha384 or sha512.")] = "sha1",
    url: Annotated[str, typer.Option(help="Send mapped webhooks there: the URL as registered.")] = "",
    raw_url: Annotated[str, typer.Option(help="Send raw webhooks there.")] = "",
    callback_url: Annotated[str, typer.Option(help="Send the records there when the class is over.")] = "",
    secret: Annotated[str, typer.Option(help="The server's shared secret.")] = "simulated-secret",  # noqa: S107  # of no server
    domain: Annotated[str, typer.Option(help="The server's name in the form.")] = "bbb.example.org",
    fault: Annotated[
        list[str] | None, typer.Option(help="loss=0.1, repeat=0.2, delay=0.3, clock=-4000 and more.")
    ] = None,
    into: Annotated[Path | None, typer.Option(help="Write the records into this folder.")] = None,
    classes: Annotated[int, typer.Option(min=1, help="With --into: so many classes, one a day.")] = 1,
    formats: Annotated[str, typer.Option(help="Which records: events, callback, data.")] = "",
    era: Annotated[str, typer.Option(help="Of BigBlueButton: 2.0 to 3.0; else as the generation.")] = "",
    gem: Annotated[str, typer.Option(help="That makes callback and data.json: 1.2.0, 2.0.0, 2.0.1.")] = "2.0.1",
    damage: Annotated[
        list[str] | None, typer.Option(help="Of events.xml: none, cut, blank=0.1, no-utc=0.1, no-leave=0.1, no-end.")
    ] = None,
    truth: Annotated[Path | None, typer.Option(help="With --into: what really happened, as JSON lines.")] = None,
    listen: Annotated[
        int, typer.Option(min=-1, help="Be a server on this port (0: a free one), class after class.")
    ] = -1,
    speed: Annotated[float, typer.Option(min=0, help="How many times faster than real; 0: as fast as possible.")] = 0.0,
    now: Annotated[bool, typer.Option(help="The class begins now.")] = False,
    bulk: Annotated[bool, typer.Option("--bulk", help="Fill an empty database with years of classes.")] = False,
    attendances: Annotated[int, typer.Option(min=1, help="With --bulk: people in classes.")] = 10_000_000,
    meetings: Annotated[int, typer.Option(min=1, help="With --bulk: classes.")] = 500_000,
    organisations: Annotated[int, typer.Option(min=1, max=8, help="With --bulk: of very different sizes.")] = 8,
    years: Annotated[int, typer.Option(min=1, max=20, help="With --bulk: that end now.")] = 3,
) -> None:
    """A BigBlueButton that is not there."""
    if bulk:
        _fill(seed, attendances, meetings, people or 300_000, organisations, years)
        return
    from random import Random

    from rollcall.simulate.classes import Plan, make_class

    made, faults = _generation(generation), [_fault(text) for text in fault or []]
    signer = _signer(auth or made.regime, algorithm, secret, domain)
    archive = _archive(formats or ("callback" if into is None else "events,callback,data"), era, gem, damage, made)
    plan = Plan(people=people or 12, minutes=minutes)
    if era or into is not None:
        plan = replace(plan, starts_at=archive.era.at)
    if into is not None:
        _write_records(plan, archive, seed, classes, into, truth)
        return
    rng = Random(seed)  # noqa: S311  # a seed must repeat
    if listen >= 0:
        _serve(rng, made, signer, plan, listen, speed or 1.0, (archive, callback_url))
        return
    held = make_class(rng, _beginning_now(plan) if now else plan)
    sendings = _sendings(held, made, rng, faults, has_mapped=bool(url) or not raw_url, has_raw=bool(raw_url))
    if url or raw_url:
        _send(sendings, made, signer, (url, raw_url), speed or None)
    elif not callback_url:
        _write(sendings, made, signer)
    if callback_url:
        _post(held, archive, rng, signer.secret, callback_url)


def _fill(seed: int, attendances: int, meetings: int, people: int, organisations: int, years: int) -> None:
    import time

    from rollcall.cli.database import open_database
    from rollcall.simulate.bulk import Size

    open_database()
    from rollcall.cli.bulk import make_bulk

    began = time.monotonic()
    until = time.time_ns() // 1_000_000
    counts = {"attendances": attendances, "meetings": meetings, "people": people, "organisations": organisations}
    made = make_bulk(Size(**counts, years=years, seed=seed, until=until))
    print(f"{made}, in {time.monotonic() - began:.0f} seconds.")


def _archive(formats: str, era: str, gem: str, damage: list[str] | None, made: Generation) -> Archive:
    from rollcall.simulate.archive import FILES, Archive
    from rollcall.simulate.callback import Gem
    from rollcall.simulate.damage import parse_damage
    from rollcall.simulate.eras import ERAS

    era = era or ("2.6" if made.is_bbb_2_6 else "3.0")
    wanted = tuple(formats.split(","))
    if not set(wanted) <= set(FILES):
        _refuse(f"--formats {formats} names something else.", f"There are {', '.join(FILES)}, joined by commas.")
    if era not in ERAS:
        _refuse(f"There is no era {era!r}.", f"There are {', '.join(ERAS)}.")
    if gem not in {one.value for one in Gem}:
        _refuse(f"There is no gem {gem!r}.", f"There are {', '.join(one.value for one in Gem)}.")
    try:
        damages = tuple(parse_damage(text) for text in damage or ["none"])
    except ValueError as error:
        _refuse(f"--damage: {error}.", "Such as --damage none --damage cut --damage blank=0.05: each file gets one.")
    return Archive(era=ERAS[era], gem=Gem(gem), formats=wanted, damages=damages)


def _write_records(plan: Plan, archive: Archive, seed: int, classes: int, into: Path, truth: Path | None) -> None:
    """One folder for each meeting, as BigBlueButton has them."""
    import json
    from random import Random

    from rollcall.simulate.archive import describe
    from rollcall.simulate.classes import make_class

    lines, files = [], 0
    for number in range(classes):
        rng = Random(seed + number)  # noqa: S311  # a seed must repeat
        held = make_class(rng, replace(plan, starts_at=plan.starts_at + number * DAY_MS))
        for left in archive.files(held, rng):
            folder = into / left.meeting
            folder.mkdir(parents=True, exist_ok=True)
            (folder / left.name).write_bytes(left.content)
            files += 1
        lines.append(json.dumps(describe(held), ensure_ascii=False) + "\n")
    if truth is not None:
        truth.write_text("".join(lines), encoding="utf-8")
    print(f"{files} files of {classes} classes in {into}.")


def _post(held: Truth, archive: Archive, rng: Random, secret: str, url: str) -> None:
    import asyncio
    import time

    from rollcall.simulate.player import post_records

    replies = asyncio.run(post_records(url, archive.posts(held, rng, secret, int(time.time()))))
    print(f"Records posted: {', '.join(str(reply or 'no answer') for reply in replies) or 'none'}.")
    if any(not 200 <= reply < 300 for reply in replies):
        _refuse("Not every record was taken.", "The receiver's answer and its log say why; BigBlueButton tries once.")


def _refuse(sentence: str, hint: str) -> NoReturn:
    from rollcall.core.errors import Refused

    raise Refused(sentence, hint=hint)


def _generation(name: str) -> Generation:
    from rollcall.simulate.generations import GENERATIONS

    if name not in GENERATIONS:
        _refuse(f"There is no generation {name!r}.", f"There are {', '.join(GENERATIONS)}.")
    return GENERATIONS[name]


def _fault(text: str) -> Fault:
    from rollcall.simulate.faults import parse_fault

    try:
        return parse_fault(text)
    except ValueError as error:
        _refuse(f"--fault {text}: {error}.", "Such as --fault loss=0.1 --fault repeat=0.2.")


def _signer(regime: str, algorithm: str, secret: str, domain: str) -> Signer:
    from rollcall.simulate.signing import ALGORITHMS, REGIMES, Signer

    if regime not in REGIMES:
        _refuse(f"There is no way of signing {regime!r}.", f"There are {', '.join(REGIMES)}.")
    if algorithm not in ALGORITHMS:
        _refuse(f"There is no digest {algorithm!r}.", f"There are {', '.join(ALGORITHMS)}.")
    return Signer(secret=secret, regime=regime, algorithm=algorithm, domain=domain)


def _beginning_now(plan: Plan) -> Plan:
    from rollcall.simulate.server import wall_clock

    return replace(plan, starts_at=wall_clock())


def _sendings(
    truth: Truth, made: Generation, rng: Random, faults: list[Fault], *, has_mapped: bool, has_raw: bool
) -> list[Sending]:
    from rollcall.simulate.faults import afflict
    from rollcall.simulate.relay import relay

    return afflict(relay(truth, made, rng, mapped=has_mapped, raw=has_raw), rng, faults)


def _write(sendings: list[Sending], made: Generation, signer: Signer) -> None:
    import json

    from rollcall.simulate.play import URL

    for sending in sendings:
        signed = signer.sign(sending, URL, made)
        line = {
            "at": sending.arrives_at / 1000,
            "path": signed.path,
            "headers": dict(signed.headers),
            "body": signed.body.decode(),
        }
        print(json.dumps(line, ensure_ascii=False))


def _send(
    sendings: list[Sending], made: Generation, signer: Signer, urls: tuple[str, str], speed: float | None
) -> None:
    import asyncio

    from rollcall.simulate.answers import RegisteredHook
    from rollcall.simulate.player import PlayClock, Player, Tally, courier

    hooks = [RegisteredHook(str(n), url, is_raw=n == 1) for n, url in enumerate(urls) if url]

    async def play() -> Tally:
        async with courier(signer, made) as brings:
            clock = PlayClock(sendings[0].arrives_at if sendings else 0, speed)
            return await Player(courier=brings, clock=clock, hooks=lambda: hooks).play(sendings)

    tally = asyncio.run(play())
    replies = ", ".join(f"{status}: {count}" for status, count in sorted(tally.replies.items())) or "none"
    print(f"{tally.delivered} delivered, {tally.retried} tried again, {tally.given_up} given up. Replies: {replies}.")
    if tally.given_up or tally.refused:
        _refuse("Not everything was taken.", "A 401 or 403 means that the secret or the registered URL differs.")


def _serve(  # noqa: PLR0917  # as the command's own
    rng: Random,
    made: Generation,
    signer: Signer,
    plan: Plan,
    port: int,
    speed: float,
    records: tuple[Archive, str],
) -> None:
    import asyncio
    import time

    from rollcall.simulate.classes import make_class
    from rollcall.simulate.player import PlayClock, post_records
    from rollcall.simulate.running import Timetable
    from rollcall.simulate.server import SimulatedServer, wall_clock

    clock = PlayClock(wall_clock(), speed)
    archive, url = records

    async def post(held: Truth) -> None:
        await post_records(url, archive.posts(held, rng, signer.secret, int(time.time())))

    with SimulatedServer(secret=signer.secret, generation=made, now=clock.now, port=port) as server:
        print(f"A BigBlueButton that is not there: {server.url}\nIts secret: {server.secret}", flush=True)
        timetable = Timetable(
            server=server,
            signer=signer,
            clock=clock,
            next_class=lambda at: make_class(rng, replace(plan, starts_at=at)),
            rng=rng,
            on_over=post if url else None,
        )
        asyncio.run(timetable.run())
