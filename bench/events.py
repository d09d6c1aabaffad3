"""`rollcall events` as a whole process: beside a bare scan by lxml, beside BigBlueButton's own gem, and its memory."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from bench import recordings, servers
from bench.results import Result, as_lines

ROUNDS = 7
MEGABYTE = 1024 * 1024
CLASS_BYTES = 3_518_819  # of 53 minutes with 11 people, as they were recorded in 2019
ALLOWED_MB = 200.0

LXML = "import sys; from lxml import etree\nfor _, event in etree.iterparse(sys.argv[1], tag='event'): event.clear()"
GEM = 'require "bbbevents"; puts BBBEvents.parse(ARGV[0]).to_json'


def run(megabytes: int) -> list[Result]:
    """The same file for all, in turn: whatever else the machine does meets each of them."""
    with servers.folder() as folder:
        path = folder / "events.xml"
        path.write_bytes(b"".join(recordings.write(CLASS_BYTES)))
        commands = {
            "rollcall": [servers.ROLLCALL, "events", str(path)],
            "lxml": [sys.executable, "-c", LXML, str(path)],
        }
        if _has_gem():
            commands["gem"] = ["ruby", "-e", GEM, str(path)]
        taken = {name: median(times) for name, times in _in_turn(commands).items()}
    found = [Result("events.whole-process", taken["rollcall"], "s", taken["lxml"], "a bare scan by lxml")]
    if "gem" in taken:
        found.append(Result("events.gem", taken["gem"], "s", taken["rollcall"], "rollcall events"))
    return [*found, *_endless(megabytes)]


def _has_gem() -> bool:
    try:
        return subprocess.run(["ruby", "-e", 'require "bbbevents"'], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _in_turn(commands: dict[str, list[str]]) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            taken[name].append(time.perf_counter() - began)
    return taken


def _peak_mb(pid: int) -> float:
    told = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(told.partition("VmHWM:")[2].split()[0]) / 1024


def _endless(megabytes: int) -> list[Result]:
    """A file that is never on a disk, through a pipe: how much memory at most, how many megabytes a second."""
    began = time.perf_counter()
    process = subprocess.Popen([servers.ROLLCALL, "events", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    pipe = process.stdin
    assert pipe is not None
    for block in recordings.write(megabytes * MEGABYTE):
        pipe.write(block)
    pipe.flush()
    # Before it ends; the highest that the system tells afterwards is that of who started it.
    peak = _peak_mb(process.pid)
    pipe.close()
    status = process.wait()
    seconds = time.perf_counter() - began
    assert status == 0, f"rollcall events ended with {status}"
    assert peak < ALLOWED_MB, f"{peak:.0f} MB for a file of {megabytes} MB"
    return [
        Result(f"events.peak-of-{megabytes}-MB", peak, "MB", ALLOWED_MB, "allowed"),
        Result("events.through-a-pipe", megabytes / seconds, "MB/s"),
    ]


if __name__ == "__main__":
    print(as_lines(run(int(sys.argv[1]))))
