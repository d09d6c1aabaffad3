"""What was measured: one line of a table, one entry of bench/latest.json."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

LATEST = Path(__file__).with_name("latest.json")


@dataclass(frozen=True, slots=True)
class Result:
    """One number. `baseline` was measured in the same run, in the same unit; `against` says of what."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    against: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the baseline."""
        return self.value / self.baseline if self.baseline else None


LIMIT = "limit"
"""Against which it stands in a row where what counts is how much is allowed, or asked for."""


def limited(name: str, value: float, unit: str, limit: float) -> Result:
    """One number beside what it is to keep to."""
    return Result(name, value, unit, limit, LIMIT)


def as_json(results: Iterable[Result]) -> str:
    """One object, an entry for each name."""
    found = {one.name: {**asdict(one), "ratio": one.ratio} for one in results}
    for entry in found.values():
        del entry["name"]
    return json.dumps(found, indent=1) + "\n"


def as_lines(results: Sequence[Result]) -> str:
    """For passing on from the process that measured: one JSON object a line."""
    return "".join(json.dumps(asdict(one)) + "\n" for one in results)


def from_lines(text: str) -> list[Result]:
    """What `as_lines` wrote, among whatever else was printed."""
    return [Result(**json.loads(line)) for line in text.splitlines() if line.startswith('{"name"')]


def as_table(results: Sequence[Result]) -> str:
    """For reading."""
    width = max((len(one.name) for one in results), default=0)
    return "\n".join(_row(one, width) for one in results)


def _row(one: Result, width: int) -> str:
    value = f"{one.value:,.0f}" if one.value >= 100 else f"{one.value:.3g}"
    against = f"{one.ratio:6.2f} × {one.against} ({one.baseline:,.4g})" if one.ratio is not None else ""
    return f"{one.name:<{width}}  {value:>10} {one.unit:<8} {against}".rstrip()
