"""Which relay stands between BigBlueButton and us, and what it leaves out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One version of bbb-webhooks on one line of BigBlueButton; `regime` is how it signs when not by bearer."""

    name: str
    relay: tuple[int, int, int]
    is_bbb_2_6: bool
    regime: str

    @property
    def is_2x(self) -> bool:
        """The old relay: one queue per hook, several events in one POST, few fields."""
        return self.relay < (3, 0, 0)

    @property
    def is_3_5(self) -> bool:
        """The first that tells addresses and session tokens."""
        return self.relay >= (3, 5, 0)


GENERATIONS = {
    made.name: made
    for made in (
        Generation(name="2.6.1", relay=(2, 6, 1), is_bbb_2_6=True, regime="D"),
        Generation(name="3.3.1", relay=(3, 3, 1), is_bbb_2_6=False, regime="C"),
        Generation(name="3.3.1-on-2.6", relay=(3, 3, 1), is_bbb_2_6=True, regime="C"),
        Generation(name="3.5.0", relay=(3, 5, 0), is_bbb_2_6=False, regime="B"),
    )
}
