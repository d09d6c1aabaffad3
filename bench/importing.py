"""Old recordings read in, from the disk to settled attendance: how much a core does in a second."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from random import Random

from lxml import etree

from bench import servers
from bench.results import Result, as_lines

CLASSES = 8
# The shape of a real recording of 53 minutes and 3.5 MB: some thousand events that matter, 4,700 moves of a cursor, 670
# drawn shapes.
MINUTES, PEOPLE, LIVELINESS, CURSOR = 53, 11, 8.0, 0.885
MOVES_A_SHAPE = 7
MOVE = re.compile(
    rb'<event timestamp="\d+" module="WHITEBOARD" eventname="WhiteboardCursorMoveEvent">.*?</event>\s*', re.DOTALL
)
POINTS = b"<dataPoints>" + b"42.118,17.204," * 30 + b"</dataPoints><type>pencil</type></event>"


def recordings(number: int, folder: Path) -> list[Path]:
    """So many files of lively classes, most of whose bytes move a cursor, as in real ones."""
    contents = [_class(seed) for seed in range(min(number, CLASSES))]
    paths = []
    for copy in range(number):
        meeting, content = contents[copy % len(contents)]
        other = f"{copy:040x}-{meeting.rpartition('-')[2]}"
        path = folder / other / "events.xml"
        path.parent.mkdir()
        path.write_bytes(content.replace(meeting.encode(), other.encode()))
        paths.append(path)
    return paths


def _class(seed: int) -> tuple[str, bytes]:
    from rollcall.simulate.classes import Plan, make_class
    from rollcall.simulate.eras import ERAS
    from rollcall.simulate.recording import recordings as recorded
    from rollcall.simulate.recording_xml import to_xml

    era = ERAS["2.6"]
    plan = Plan(starts_at=era.at, instance=seed, people=PEOPLE, minutes=MINUTES, rooms=0, liveliness=LIVELINESS)
    truth = make_class(Random(seed), plan)
    meeting = truth.root.internal_meeting_id
    return meeting, _with_shapes(to_xml(recorded(truth, era, Random(seed), cursor_share=CURSOR)[meeting]))


def _with_shapes(content: bytes) -> bytes:
    """Now and then something is drawn where the cursor moves."""
    moves = count()

    def drawn(move: re.Match[bytes]) -> bytes:
        if next(moves) % MOVES_A_SHAPE:
            return move[0]
        shape = move[0].replace(b"WhiteboardCursorMoveEvent", b"AddShapeEvent").replace(b"</event>", POINTS)
        return move[0] + shape

    return MOVE.sub(drawn, content)


def run(number: int) -> list[Result]:
    """Beside a bare scan of the same files by lxml, in one process."""
    with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as made, servers.folder() as data:
        paths = recordings(number, Path(made))
        megabytes = sum(path.stat().st_size for path in paths) / 1e6
        scanned = megabytes / _scan(paths)
        seconds, computed = _import(made, data)
        again, _ = _import(made, data)
    return [
        Result("import.file", megabytes / number, "MB"),
        Result("import.per_core", megabytes / computed, "MB/s", scanned, "lxml scan"),
        Result("import.wall", megabytes / seconds, "MB/s", megabytes / computed, "one core"),
        Result("import.again", number / again, "files/s"),
    ]


def _scan(paths: Iterable[Path]) -> float:
    """The seconds that it takes to look at every event and do nothing."""
    began = time.process_time()
    for path in paths:
        for _, element in etree.iterparse(path, tag="event"):
            element.clear()
    return time.process_time() - began


def _import(folder: str, data: Path) -> tuple[float, float]:
    """Seconds on the clock, and seconds that all processes together computed; their start is part of both."""
    command = [servers.ROLLCALL, "import", folder, "--server", "bench", "--create", "--quiet"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(command, env=servers.environment(data), check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollcall.settings")
    print(as_lines(run(int(sys.argv[1]))))
