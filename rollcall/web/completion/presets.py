"""Policies to begin with: each a sentence that is understood without a manual, and can be changed before it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from rollcall.core.policy import MINUTE_MS, Condition, Policy, Quantity, Scope

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True, slots=True)
class Preset:
    """`title` is what a link says, `about` what it is for."""

    name: str
    title: _StrPromise
    about: _StrPromise
    policy: Policy


PRESETS: Final = (
    Preset(
        "share",
        _("Attended 80%"),
        _("Whoever was there for at least 80% of a class."),
        Policy(conditions=(Condition(Quantity.SHARE, 800),)),
    ),
    Preset(
        "time",
        _("At least 45 minutes"),
        _("Whoever was there for at least 45 minutes of a class."),
        Policy(conditions=(Condition(Quantity.TIME, 45 * MINUTE_MS),)),
    ),
    Preset(
        "some",
        _("3 of 4 classes"),
        _("Whoever was there for at least 80% of the class, in at least 3 of 4 classes."),
        Policy(conditions=(Condition(Quantity.SHARE, 800),), needed=3, planned=4),
    ),
    Preset(
        "part",
        _("Attended and took part"),
        _("Whoever was there for at least 80% of a class, and wrote at least one chat message in it."),
        Policy(conditions=(Condition(Quantity.SHARE, 800), Condition(Quantity.CHATS, 1))),
    ),
    Preset(
        "moodle",
        _("Moodle's own rule"),
        _("60 whole minutes of all meetings added together, counted exactly as Moodle's activity counts them."),
        Policy(
            conditions=(Condition(Quantity.WHOLE_MINUTES, 60),),
            scope=Scope.SUMMED,
            shortest_ms=0,
            fewest=0,
        ),
    ),
)


def preset(name: str) -> Preset | None:
    """The one of a name, None if there is none."""
    return next((one for one in PRESETS if one.name == name), None)
