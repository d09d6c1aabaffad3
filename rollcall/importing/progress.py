"""How far it is, how fast, and how long it will take: one line."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from rollcall.importing.outcomes import State, Tally

# The rate is that of the last so many seconds: folders differ.
SPAN_SECONDS = 30.0
MEGABYTE = 1_000_000


@dataclass(slots=True)
class Total:
    """What there is, as far as it has been counted; it is not known while `is_known` is false."""

    files: int = 0
    size: int = 0
    is_known: bool = False


@dataclass(slots=True)
class Rate:
    """Files and bytes a second, from what is told of moments (in seconds of any clock)."""

    _moments: deque[tuple[float, int, int]] = field(default_factory=deque)

    def tell(self, now: float, files: int, size: int) -> None:
        """So much is done by now."""
        self._moments.append((now, files, size))
        while len(self._moments) > 2 and now - self._moments[1][0] >= SPAN_SECONDS:
            self._moments.popleft()

    def per_second(self) -> tuple[float, float]:
        """Files, and bytes."""
        if not self._moments:
            return 0.0, 0.0
        began, files, size = self._moments[0]
        now, files_now, size_now = self._moments[-1]
        seconds = max(now - began, 1e-9)
        return (files_now - files) / seconds, (size_now - size) / seconds


def progress_line(tally: Tally, done_bytes: int, total: Total, rate: Rate) -> str:
    """Such as: 1,204 of 5,310 files, 4.2 of 18.1 GB, 96 MB/s, 31 files/s, 2 min left, 3 in trouble."""
    files_per_second, bytes_per_second = rate.per_second()
    parts = [
        f"{tally.documents:,} documents",
        f"{size_text(done_bytes)} of {size_text(total.size)}" if total.is_known else size_text(done_bytes),
        f"{bytes_per_second / MEGABYTE:,.1f} MB/s",
        f"{files_per_second:,.0f}/s",
    ]
    if total.is_known and bytes_per_second > 0:
        parts.append(f"{time_text(max(0, total.size - done_bytes) / bytes_per_second)} left")
    if trouble := tally.trouble:
        parts.append(f"{trouble:,} in trouble")
    return ", ".join(parts)


def size_text(size: float) -> str:
    """In the unit that fits."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


def time_text(seconds: float) -> str:
    """Roughly, as one says it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def summary(tally: Tally) -> dict[str, int]:
    """The numbers at the end, by name. Damaged ones are new or known too."""
    return {
        "new": tally.of(State.NEW),
        "known": tally.of(State.KNOWN),
        "damaged": tally.damaged,
        "unreadable": tally.of(State.UNREADABLE),
        "refused": tally.of(State.REFUSED),
        "unfolded": tally.of(State.UNFOLDED),
        "ignored": tally.of(State.IGNORED),
        "meetings": len(tally.meetings),
        "people": len(tally.people),
    }
