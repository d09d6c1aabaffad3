"""`rollcall simulate`: a class that never was, as JSON lines, against a URL, or as a server to connect to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from rollcall.cli import new_app

if TYPE_CHECKING:
    from random import Random

    from rollcall.simulate.classes import Plan
    from rollcall.simulate.faults import Fault
    from rollcall.simulate.generations import Generation
    from rollcall.simulate.sendings import Sending
    from rollcall.simulate.signing import Signer
    from rollcall.simulate.truth import Truth

app = new_app()

EPILOG = (
    "Without --url, --raw-url and --listen the signed requests are written to standard output, one JSON object a line: "
    "at (seconds), path, headers, body. With --listen a whole BigBlueButton is there, to be added with "
    "`rollcall server add`."
)


@app.command(epilog=EPILOG)
def simulate(  # noqa: PLR0917  # typer makes options of them
    seed: Annotated[int, typer.Option(help="The same seed gives the same class.")] = 0,
    people: Annotated[int, typer.Option(min=1, help="How many, the teacher included.")] = 12,
    minutes: Annotated[int, typer.Option(min=1, help="How long the class lasts.")] = 45,
    generation: Annotated[str, typer.Option(help="Of bbb-webhooks: 2.6.1, 3.3.1, 3.3.1-on-2.6, 3.5.0.")] = "3.5.0",
    auth: Annotated[str, typer.Option(help="A (bearer), B, C or D; else as that generation signs.")] = "",
    algorithm: Annotated[str, typer.Option(help="sha1, sha256, sha384 or sha512.")] = "sha1",
    url: Annotated[str, typer.Option(help="Send mapped webhooks there: the URL as registered.")] = "",
    raw_url: Annotated[str, typer.Option(help="Send raw webhooks there.")] = "",
    secret: Annotated[str, typer.Option(help="The server's shared secret.")] = "simulated-secret",  # noqa: S107  # of no server
    domain: Annotated[str, typer.Option(help="The server's name in the form.")] = "bbb.example.org",
    fault: Annotated[
        list[str] | None, typer.Option(help="loss=0.1, repeat=0.2, delay=0.3, clock=-4000 and more.")
    ] = None,
    listen: Annotated[
        int, typer.Option(min=-1, help="Be a server on this port (0: a free one), class after class.")
    ] = -1,
    speed: Annotated[float, typer.Option(min=0, help="How many times faster than real; 0: as fast as possible.")] = 0.0,
    now: Annotated[bool, typer.Option(help="The class begins now.")] = False,
) -> None:
    """A BigBlueButton that is not there."""
    from random import Random

    from rollcall.simulate.classes import Plan, make_class

    rng, made, faults = Random(seed), _generation(generation), [_fault(text) for text in fault or []]  # noqa: S311  # a seed must repeat
    signer = _signer(auth or made.regime, algorithm, secret, domain)
    plan = Plan(people=people, minutes=minutes)
    if listen >= 0:
        _serve(rng, made, signer, plan, listen, speed or 1.0)
        return
    truth = make_class(rng, _beginning_now(plan) if now else plan)
    sendings = _sendings(truth, made, rng, faults, has_mapped=bool(url) or not raw_url, has_raw=bool(raw_url))
    if url or raw_url:
        _send(sendings, made, signer, (url, raw_url), speed or None)
    else:
        _write(sendings, made, signer)


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
    from dataclasses import replace

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


def _serve(rng: Random, made: Generation, signer: Signer, plan: Plan, port: int, speed: float) -> None:
    import asyncio
    from dataclasses import replace

    from rollcall.simulate.classes import make_class
    from rollcall.simulate.player import PlayClock
    from rollcall.simulate.running import Timetable
    from rollcall.simulate.server import SimulatedServer, wall_clock

    clock = PlayClock(wall_clock(), speed)
    with SimulatedServer(secret=signer.secret, generation=made, now=clock.now, port=port) as server:
        print(f"A BigBlueButton that is not there: {server.url}\nIts secret: {server.secret}", flush=True)
        timetable = Timetable(
            server=server,
            signer=signer,
            clock=clock,
            next_class=lambda at: make_class(rng, replace(plan, starts_at=at)),
            rng=rng,
        )
        asyncio.run(timetable.run())
