"""The benchmarks measure what they say, and write what they are asked for; how fast is not tested."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.arrivals import STARTS
from bench.load import Load, fire
from bench.requests import Requests
from bench.results import Result, as_json, as_lines, as_table, from_lines

RESULTS = [Result("a.per_second", 1234.5, "1/s", 411.5, "plain"), Result("b.ms", 0.25, "ms")]


def test_an_entry_of_latest_json_has_value_unit_baseline_and_ratio() -> None:
    found = json.loads(as_json(RESULTS))
    assert found["a.per_second"] == {
        "value": 1234.5,
        "unit": "1/s",
        "baseline": 411.5,
        "against": "plain",
        "ratio": 3.0,
    }
    assert found["b.ms"]["ratio"] is None


def test_results_survive_the_way_between_processes() -> None:
    assert from_lines("noise\n" + as_lines(RESULTS) + "{}\n") == RESULTS


def test_the_table_has_a_row_for_each() -> None:
    rows = as_table(RESULTS).splitlines()
    assert [row.split()[0] for row in rows] == ["a.per_second", "b.ms"]
    assert "3.00 × plain" in rows[0]


def test_percentiles_are_of_the_slowest_within() -> None:
    load = Load(seconds=2.0, latencies=[n / 1000 for n in range(100, 0, -1)])
    assert load.per_second == 50
    assert load.percentile_ms(50) == pytest.approx(51)
    assert load.percentile_ms(99) == pytest.approx(100)


def test_no_request_is_made_twice() -> None:
    made = Requests().take(3_000)
    assert len(set(made)) == 3_000
    assert all(one.startswith(b"POST /hooks/benchmark-token?checksum=") for one in made)


class Answering(socketserver.BaseRequestHandler):
    """Answers each request in two pieces."""

    status = b"200 OK"

    def handle(self) -> None:
        while data := self.request.recv(65_536):
            assert data.startswith(b"POST")
            self.request.sendall(b"HTTP/1.1 " + self.status + b"\r\nContent-Le")
            self.request.sendall(b"ngth: 3\r\n\r\nok\n")


@pytest.fixture
def port() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_the_load_generator_counts_whole_answers(port: int) -> None:
    load = fire(port, Requests().take(40), connections=4, seconds=10)
    assert len(load.latencies) == 40
    assert load.seconds > 0


def test_anything_but_200_ends_the_measurement(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answering, "status", b"503 Busy")
    with pytest.raises(AssertionError, match="503"):
        fire(port, Requests().take(2), connections=1, seconds=1)


@pytest.mark.parametrize("server", STARTS)
def test_the_page_on_speed_says_what_each_server_is(server: str) -> None:
    assert f"`{server}`" in (Path(__file__).parents[2] / "docs" / "speed.md").read_text()
