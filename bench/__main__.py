"""`python -m bench`: a table on standard output, the same as JSON in bench/latest.json."""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench import results, servers
from bench.results import Result

SHORT: dict[str, Any] = {
    "seconds": 0.4,
    "recordings": 40,
    "attendances": 100_000,
    "rounds": 3,
    "live": "short",
    "owed": 1_500,
}
"""For a look in two or three minutes: less of everything whose figures are found by less, too."""

WHOLE: dict[str, Any] = {
    "seconds": 1.5,
    "recordings": 200,
    "attendances": 300_000,
    "rounds": 10,
    "live": "quiet large thousand page",
    "owed": 10_000,
}
POSTGRESQL = ("shared_buffers=512MB",)
NAMED = ("ROLLCALL_WEASYPRINT",)
"""What of the environment is for a benchmark and not of an instance: see docs/speed.md."""


def main() -> None:
    """Each part is measured in a process of its own, with a data folder of its own."""
    wanted = _arguments()
    queries = ("--attendances", str(wanted.attendances), "--rounds", str(wanted.rounds))
    parts: dict[str, tuple[str, ...]] = {
        "queries": queries,
        "queries-postgresql": queries,
        "documents": ("whole",) if wanted.whole else (),
        "sheets": (),
        "live": tuple(wanted.live.split()),
        "folding": (),
        "activities": (),
        "deliveries": (str(wanted.owed),),
        "pages": (),
        "startup": (),
        "events": (str(wanted.events_mb),),
        "importing": (str(wanted.recordings),),
        "memory": (str(wanted.arrivals),),
        "arrivals": (str(wanted.seconds),),
    }
    found: list[Result] = []
    for name, arguments in parts.items():
        if name in (wanted.parts or parts) and _is_possible(name):
            print(f"… {name}", file=sys.stderr, flush=True)
            found += _measure(name, *arguments)
    print(results.as_table(found))
    results.LATEST.write_text(results.as_json(found), encoding="utf-8")


def _measure(name: str, *arguments: str) -> list[Result]:
    module, _, database = name.partition("-")
    with servers.folder() as data, _database(database) as url:
        command = [sys.executable, "-m", f"bench.{module}", *arguments]
        env = _environment(servers.environment(data) | ({"ROLLCALL_DATABASE_URL": url} if url else {}))
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True)
    return results.from_lines(done.stdout.decode())


def _is_possible(part: str) -> bool:
    """Whether the machine has the server that a part is measured on; it says so if not."""
    from tests.programs import find

    if not part.endswith("postgresql") or find("initdb"):
        return True
    print(f"… {part}: PostgreSQL is not installed", file=sys.stderr, flush=True)
    return False


@contextlib.contextmanager
def _database(kind: str) -> Iterator[str]:
    """The address of an empty database of this kind; blank is SQLite in the data folder."""
    if not kind:
        yield ""
        return
    from tests.servers import fresh_database, postgresql

    with postgresql(*POSTGRESQL) as server:
        yield fresh_database(server)


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    named = {name: os.environ[name] for name in NAMED if name in os.environ}
    return {**env, **named, "PYTHONPATH": os.pathsep.join(filter(None, (str(Path.cwd()), env.get("PYTHONPATH"))))}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "parts",
        nargs="*",
        help="queries, queries-postgresql, documents, sheets, live, folding, activities, deliveries, pages, startup, "
        "events, importing, memory, arrivals; all if none is named",
    )
    parser.add_argument("--whole", action="store_true", help="as much of everything as docs/speed.md tells of")
    parser.add_argument("--seconds", type=float, help="of each round of arrivals")
    parser.add_argument("--arrivals", type=int, default=30_000, help="before the memory is measured")
    parser.add_argument("--million", dest="arrivals", action="store_const", const=1_000_000, help="a million of them")
    parser.add_argument("--events-mb", type=int, default=200, help="length of the events.xml that is never on a disk")
    parser.add_argument(
        "--ten-gigabytes", dest="events_mb", action="store_const", const=10_240, help="ten gigabytes of it"
    )
    parser.add_argument("--recordings", type=int, help="files that are imported")
    parser.add_argument("--attendances", type=int, help="in the database that is searched")
    parser.add_argument(
        "--bulk", dest="attendances", action="store_const", const=10_000_000, help="ten million of them; takes an hour"
    )
    parser.add_argument("--owed", type=int, help="verdicts that are delivered")
    parser.add_argument("--rounds", type=int, help="of all queries")
    parser.add_argument("--live", help="cases of bench.live: quiet large thousand page short")
    given = parser.parse_args()
    for name, usual in (WHOLE if given.whole else SHORT).items():
        if getattr(given, name) is None:
            setattr(given, name, usual)
    return given


if __name__ == "__main__":
    main()
