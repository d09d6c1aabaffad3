"""What is left behind of a class: files in folders, and signed posts to a callback URL."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pytest

from rollcall.bbb.documents import keep_callback, keep_recording
from rollcall.simulate.archive import Archive, describe
from rollcall.simulate.callback import token
from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.player import PlayClock
from rollcall.simulate.running import Timetable
from rollcall.simulate.server import SimulatedServer
from rollcall.simulate.signing import Signer
from rollcall.simulate.truth import Truth
from tests.serving import on_a_port

ROLLCALL = str(Path(sys.executable).parent / "rollcall")


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROLLCALL, "simulate", *arguments], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """An address that answers 200, and what was posted to it."""
    got: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(403 if self.path == "/refuses" else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with on_a_port(Handler) as port:
        yield f"http://127.0.0.1:{port}", got


def test_every_meeting_has_a_folder_with_its_records(tmp_path: Path) -> None:
    told = simulate(
        "--into", str(tmp_path / "old"), "--classes", "3", "--truth", str(tmp_path / "truth"), "--seed", "3"
    )
    assert told.returncode == 0, told.stderr
    truths = [json.loads(line) for line in (tmp_path / "truth").read_text().splitlines()]
    meetings = [name for truth in truths for name in (truth["meeting"], *truth["rooms"])]
    assert len(truths) == 3
    assert sorted(path.name for path in (tmp_path / "old").iterdir()) == sorted(meetings)
    for name in meetings:
        folder = tmp_path / "old" / name
        assert {path.name for path in folder.iterdir()} == {"events.xml", "data.json", "callback.json"}
        with (folder / "events.xml").open("rb") as stream:
            kept = keep_recording(stream, "x", received_at=1, pool=1)
        assert kept.is_whole
        assert kept.arrival.meeting == name
        for file in ("data.json", "callback.json"):
            body = (folder / file).read_bytes()
            assert keep_callback(body, "x", received_at=1, pool=1, meeting=name).arrival.meeting == name


def test_the_same_seed_writes_the_same_and_each_class_its_own(tmp_path: Path) -> None:
    for name in ("one", "two"):
        words = ("--classes", "2", "--era", "2.4", "--gem", "1.2.0", "--damage", "cut", "--damage", "blank=0.2")
        assert simulate("--into", str(tmp_path / name), *words).returncode == 0
    one, two = (
        {str(path.relative_to(tmp_path / name)): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in ("one", "two")
    )
    assert one == two
    assert len(set(one.values())) == len(one)


def test_records_are_posted_signed_when_the_class_is_over(
    receiver: tuple[str, list[tuple[dict[str, str], bytes]]],
) -> None:
    url, got = receiver
    told = simulate("--people", "3", "--callback-url", url, "--formats", "callback,events", "--secret", "s3cret")
    assert told.returncode == 0, told.stderr
    kinds = [headers["Content-Type"] for headers, _ in got]
    assert {"application/json", "application/gzip"} == set(kinds)
    for headers, body in got:
        scheme, _, given = headers["Authorization"].partition(" ")
        claims = given.split(".")[1]
        expires = json.loads(base64.urlsafe_b64decode(claims + "=="))["exp"]
        assert (scheme, given) == ("Bearer", token("s3cret", expires - 86_400))
        if headers["Content-Type"] == "application/json":
            kept = keep_callback(body, "x", received_at=1, pool=1).arrival
        else:
            kept = keep_recording(BytesIO(gzip.decompress(body)), "x", received_at=1, pool=1).arrival
        assert kept.is_end


def test_a_receiver_that_refuses_is_told(receiver: tuple[str, list[tuple[dict[str, str], bytes]]]) -> None:
    told = simulate("--people", "2", "--callback-url", f"{receiver[0]}/refuses")
    assert told.returncode == 1
    assert "403" in told.stdout
    assert len(receiver[1]) == told.stdout.count("403")  # once each, never again


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--formats", "pdf"), "events, callback, data"),
        (("--era", "1.0"), "2.7"),
        (("--gem", "9"), "2.0.1"),
        (("--damage", "rust"), "no-leave"),
    ],
)
def test_what_there_is_not_is_refused(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    found = simulate("--into", str(tmp_path / "x"), *words)
    assert found.returncode == 1
    assert told in found.stderr
    assert not (tmp_path / "x").exists()


def test_the_truth_is_written_down_in_full() -> None:
    truth = make_class(Random(1), Plan(people=4))
    told = describe(truth)
    assert [one["id"] for one in told["people"]] == sorted(truth.people)
    assert {one["present_ms"] for one in told["people"]} == {truth.present_ms(key) for key in truth.people}
    assert json.loads(json.dumps(told)) is not None


def test_a_room_is_posted_before_its_parent() -> None:
    truth = next(one for one in (make_class(Random(n), Plan(rooms=2)) for n in range(9)) if one.rooms)
    posts = list(Archive(formats=("callback",)).posts(truth, Random(0), "s", 1))
    assert [json.loads(post.body)["internal_meeting_id"] for post in posts][-1] == truth.root.internal_meeting_id
    assert len(posts) == 3


def test_what_follows_a_class_follows_each_class() -> None:
    over: list[Truth] = []

    async def play() -> None:
        done = asyncio.Event()

        async def on_over(truth: Truth) -> None:
            over.append(truth)
            done.set()

        with SimulatedServer() as server:
            timetable = Timetable(
                server=server,
                signer=Signer(secret=server.secret),
                clock=PlayClock(1_795_309_400_000, 20_000.0),
                next_class=lambda at: make_class(Random(1), Plan(people=2, minutes=1, rooms=0, starts_at=at)),
                rng=Random(1),
                on_over=on_over,
            )
            playing = asyncio.create_task(timetable.run())
            await asyncio.wait_for(done.wait(), 10)
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)

    asyncio.run(play())
    assert over[0].started_at >= 1_795_309_400_000
