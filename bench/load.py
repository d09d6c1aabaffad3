"""A load generator: ready-made requests over many kept connections, from one thread, as fast as answers come."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

TIMEOUT_SECONDS = 10.0


@dataclass(slots=True)
class Load:
    """What came of it. Latencies in seconds, from the sending of a request to the last byte of its answer."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def percentile_ms(self, percent: float) -> float:
        """The latency that so many percent of the answers were within."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


@dataclass(slots=True)
class _Line:
    """One connection: when its request went out, and what of the answer is here."""

    connection: socket.socket
    sent_at: float = 0.0
    answer: bytes = b""


def fire(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Load:
    """Send each request once, so many at a time, until the time is over or the requests are.

    Anything but 200 ends the measurement: it would measure something else.
    """
    waiting = iter(requests)
    lines = {}
    poll = select.epoll()
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines[connection.fileno()] = _Line(connection)
        poll.register(connection.fileno(), select.EPOLLIN)
    try:
        return _fire(poll, lines, waiting, seconds)
    finally:
        poll.close()
        for line in lines.values():
            line.connection.close()


def _fire(poll: select.epoll, lines: dict[int, _Line], waiting: Iterator[bytes], seconds: float) -> Load:
    load = Load()
    began = time.perf_counter()
    until = began + seconds
    busy = sum(_send_next(line, waiting) for line in lines.values())
    while busy:
        ready = poll.poll(TIMEOUT_SECONDS)
        if not ready:
            raise TimeoutError(f"no answer for {TIMEOUT_SECONDS} s")
        for number, _ in ready:
            line = lines[number]
            line.answer += line.connection.recv(65_536)
            if not _is_whole(line.answer):
                continue
            now = time.perf_counter()
            load.latencies.append(now - line.sent_at)
            if now > until or not _send_next(line, waiting):
                busy -= 1
    load.seconds = time.perf_counter() - began
    return load


def _send_next(line: _Line, waiting: Iterator[bytes]) -> bool:
    request = next(waiting, None)
    if request is None:
        return False
    line.answer = b""
    line.sent_at = time.perf_counter()
    line.connection.sendall(request)
    return True


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        if not answer:
            raise ConnectionError("the server hung up")
        return False
    if not head.startswith(b"HTTP/1.1 200"):
        raise AssertionError(f"answered {head.splitlines()[0]!r}")
    _, _, length = head.lower().partition(b"content-length:")
    return len(body) >= int(length.split(b"\r\n", 1)[0])
