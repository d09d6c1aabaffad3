"""Which BigBlueButton wrote an events.xml, and what it writes down or leaves out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Era:
    """One line of BigBlueButton. `version` is what its files claim to be, `at` a morning when such servers ran.

    `has_utc`: each event tells its time in epoch ms; else the create time in the meeting's id is the only anchor.
    """

    name: str
    version: str
    at: int
    has_utc: bool = True

    @property
    def number(self) -> tuple[int, ...]:
        """Such as (2, 6)."""
        return tuple(int(part) for part in self.name.partition(" ")[0].split("."))

    @property
    def has_end(self) -> bool:
        """The file ends with EndAndKickAllEvent."""
        return self.number >= (2, 4)

    @property
    def has_full_polls(self) -> bool:
        """Question, kind, secrecy and the answer's text are told, and that a poll was published."""
        return self.number >= (2, 5)

    @property
    def has_tldraw(self) -> bool:
        """The new whiteboard, and the configuration as first event."""
        return self.number >= (2, 6)

    @property
    def has_own_hand(self) -> bool:
        """Hand, reaction and absence are three things; before, one emoji stood for whichever came last."""
        return self.number >= (2, 7)


ERAS = {
    era.name: era
    for era in (
        Era(name="2.0", version="2.0.0", at=1_536_044_400_000, has_utc=False),
        Era(name="2.0 with UTC", version="2.0.0", at=1_552_467_600_000),
        Era(name="2.1", version="2.1.0", at=1_588_755_600_000),
        Era(name="2.2", version="2.2.36", at=1_606_298_400_000),
        Era(name="2.3", version="2.3.14", at=1_622_624_400_000),
        Era(name="2.4", version="2.1.0", at=1_637_139_600_000),
        Era(name="2.5", version="2.1.0", at=1_664_355_600_000),
        Era(name="2.6", version="2.6.10", at=1_684_314_000_000),
        Era(name="2.7", version="2.7.4", at=1_707_904_800_000),
        Era(name="3.0", version="3.0.4", at=1_760_518_800_000),
    )
}
