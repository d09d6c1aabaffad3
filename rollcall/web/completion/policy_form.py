"""The form of a policy: plain sentences with fields in them. A field that is left blank asks for nothing.

One form holds every condition once. Two of one kind would say no more than the stricter or the laxer of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from rollcall.core.policy import MINUTE_MS, OF_HOURS, Condition, Join, OnChange, Policy, Quantity, Scope
from rollcall.web.completion.typed import (
    Wrong,
    WrongForm,
    instant,
    last_of,
    read_clock,
    read_day,
    read_length,
    read_number,
    read_share,
    typed_length,
    typed_share,
)
from rollcall.wording import times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import tzinfo

_DAY_MS: Final = 24 * 60 * MINUTE_MS
_LEAST_MS: Final = MINUTE_MS // 10
_LONGEST_MS: Final = 1000 * 60 * MINUTE_MS
MOST_CLASSES: Final = 1000
_MOST: Final = 10_000
_MOST_MINUTES: Final = 60_000

LENGTHS: Final = frozenset({Quantity.TIME, Quantity.TALK_TIME})
ORDER: Final = (
    Quantity.SHARE,
    Quantity.TIME,
    Quantity.PRESENT_BY,
    Quantity.PRESENT_UNTIL,
    Quantity.CHATS,
    Quantity.TALKS,
    Quantity.TALK_TIME,
    Quantity.RAISED_HANDS,
    Quantity.REACTIONS,
    Quantity.POLL_ANSWERS,
    Quantity.WHOLE_MINUTES,
)
"""The conditions as the form has them, the ones that are asked for most first."""

FIRST: Final = frozenset({Quantity.SHARE, Quantity.TIME})
"""They stand outside the fold."""


@dataclass(frozen=True, slots=True)
class Line:
    """One condition in the form: a sentence in two parts with a field between them."""

    name: str
    before: str
    after: str
    value: str
    error: str
    hint: str = ""
    is_whole: bool = True


def read_policy(typed: Mapping[str, str], zone: tzinfo) -> Policy:
    """What a form means; WrongForm names each wrong field."""
    form = _Reading(typed)
    scope = Scope(form.choice("scope", Scope, Scope.CLASSES))
    conditions = tuple(found for quantity in ORDER if (found := _condition(form, quantity)) is not None)
    if not conditions and not form.wrong:
        form.wrong["conditions"] = _("Fill in at least one condition: without one, nobody could be judged.")
    if scope is Scope.SUMMED and any(one.quantity in OF_HOURS for one in conditions):
        form.wrong["scope"] = _(
            "When somebody came and went is asked of each class by itself: choose that, or leave these two blank."
        )
    needed, planned = _classes(form, scope)
    policy = Policy(
        conditions=conditions or (Condition(Quantity.TIME, 1),),
        join=Join(form.choice("join", Join, Join.ALL)),
        scope=scope,
        needed=needed,
        planned=planned,
        starts_at=_starts_at(form, zone),
        apart_ms=form.length("apart", 0, _DAY_MS, 10 * MINUTE_MS),
        shortest_ms=form.length("shortest", 0, _DAY_MS, 5 * MINUTE_MS),
        fewest=form.number("fewest", 0, _MOST, 2),
        on_change=OnChange(form.choice("on_change", OnChange, OnChange.CORRECT)),
        lowers_until=_lowers_until(form, zone),
        waits=bool(typed.get("waits")),
    )
    if form.wrong:
        raise WrongForm(form.wrong)
    return policy


def form_of(policy: Policy, zone: tzinfo) -> dict[str, str]:
    """What the fields of a policy hold."""
    start, lowers = policy.starts_at, policy.lowers_until
    return {
        "scope": policy.scope.value,
        "join": policy.join.value,
        "needed": str(policy.needed),
        "planned": "" if policy.planned is None else str(policy.planned),
        "from": f"{times.moment(start, zone):%Y-%m-%d}" if start else "",
        "from-time": f"{times.moment(start, zone):%H:%M}" if start else "",
        "apart": typed_length(policy.apart_ms),
        "shortest": typed_length(policy.shortest_ms),
        "fewest": str(policy.fewest),
        "on_change": policy.on_change.value,
        "lowers_until": f"{times.moment(lowers - 999, zone):%Y-%m-%d}" if lowers is not None else "",
        "waits": "1" if policy.waits else "",
        **{one.quantity.value: _typed(one) for one in policy.conditions},
    }


def lines(typed: Mapping[str, str], wrong: Mapping[str, str], quantities: Iterable[Quantity]) -> list[Line]:
    """The conditions as they are drawn."""
    return [_line(one, typed.get(one.value, ""), wrong.get(one.value, "")) for one in quantities]


# --- reading ----------------------------------------------------------------------------------------------------------


class _Reading:
    """A form as it was sent; `wrong` gathers what cannot be meant, so that all of it is told at once."""

    def __init__(self, typed: Mapping[str, str]) -> None:
        self.typed = typed
        self.wrong: dict[str, str] = {}

    def number(self, name: str, least: int, most: int, otherwise: int) -> int:
        found = self.read(name, lambda text: read_number(text, least, most))
        return otherwise if found is None else found

    def length(self, name: str, least: int, most: int, otherwise: int) -> int:
        found = self.read(name, lambda text: read_length(text, least, most))
        return otherwise if found is None else found

    def choice(self, name: str, of: type[Scope | Join | OnChange], otherwise: str) -> str:
        """One of a few; a browser sends no other, so that anything else is as if nothing had been sent."""
        value = self.typed.get(name, "")
        return value if value in tuple(of) else otherwise

    def read(self, name: str, by: Callable[[str], int | None]) -> int | None:
        try:
            return by(self.typed.get(name, ""))
        except Wrong as wrong:
            self.wrong[name] = str(wrong)
            return None


def _condition(form: _Reading, quantity: Quantity) -> Condition | None:
    amount = form.read(quantity.value, _BY.get(quantity, _read_count))
    return None if amount is None else Condition(quantity, amount)


def _classes(form: _Reading, scope: Scope) -> tuple[int, int | None]:
    """How many classes are needed, and of how many; where all are added together nobody is asked."""
    if scope is Scope.SUMMED:
        return 1, None
    needed = form.number("needed", 1, MOST_CLASSES, 1)
    planned = form.read("planned", lambda text: read_number(text, 1, MOST_CLASSES))
    if planned is not None and planned < needed and "needed" not in form.wrong:
        form.wrong["planned"] = _("There cannot be more classes needed than are planned.")
    return needed, planned


def _starts_at(form: _Reading, zone: tzinfo) -> int:
    day = clock = None
    try:
        day = read_day(form.typed.get("from", ""))
        clock = read_clock(form.typed.get("from-time", ""))
    except Wrong as wrong:
        form.wrong["from"] = str(wrong)
        return 0
    if day is None:
        if clock is not None:
            form.wrong["from"] = _("A time of day needs its day.")
        return 0
    return instant(day, clock, zone)


def _lowers_until(form: _Reading, zone: tzinfo) -> int | None:
    try:
        day = read_day(form.typed.get("lowers_until", ""))
    except Wrong as wrong:
        form.wrong["lowers_until"] = str(wrong)
        return None
    return None if day is None else last_of(day, zone)


def _read_count(text: str) -> int | None:
    return read_number(text, 1, _MOST)


def _read_time(text: str) -> int | None:
    return read_length(text, _LEAST_MS, _LONGEST_MS)


def _read_grace(text: str) -> int | None:
    return read_length(text, 0, _DAY_MS)


_BY: Final[Mapping[Quantity, Callable[[str], int | None]]] = {
    Quantity.SHARE: read_share,
    Quantity.TIME: _read_time,
    Quantity.TALK_TIME: _read_time,
    Quantity.PRESENT_BY: _read_grace,
    Quantity.PRESENT_UNTIL: _read_grace,
    Quantity.WHOLE_MINUTES: lambda text: read_number(text, 1, _MOST_MINUTES),
}


# --- showing ----------------------------------------------------------------------------------------------------------


def _typed(one: Condition) -> str:
    if one.quantity is Quantity.SHARE:
        return typed_share(one.amount)
    return typed_length(one.amount) if one.quantity in LENGTHS | OF_HOURS else str(one.amount)


def _line(quantity: Quantity, value: str, error: str) -> Line:
    before, after, hint = _words(quantity)
    is_whole = quantity not in LENGTHS | OF_HOURS | {Quantity.SHARE}
    return Line(quantity.value, before, after, value, error, hint, is_whole)


def _words(quantity: Quantity) -> tuple[str, str, str]:
    """What stands before a field, behind it, and below it. Translators: the number stands between the two."""
    needs_hours = _("It is judged only in classes whose hours were entered.")
    cut = _("Each meeting is cut down to whole minutes before they are added.")
    return {
        Quantity.SHARE: (_("was there for at least"), _("% of the class"), ""),
        Quantity.TIME: (_("was there for at least"), _("minutes"), ""),
        Quantity.PRESENT_BY: (_("was there at the latest"), _("minutes after the class begins"), needs_hours),
        Quantity.PRESENT_UNTIL: (_("was there until"), _("minutes before the class ends, or longer"), needs_hours),
        Quantity.CHATS: (_("wrote at least"), _("chat messages"), ""),
        Quantity.TALKS: (_("talked at least"), _("times"), ""),
        Quantity.TALK_TIME: (_("talked for at least"), _("minutes in all"), ""),
        Quantity.RAISED_HANDS: (_("raised a hand at least"), _("times"), ""),
        Quantity.REACTIONS: (_("reacted at least"), _("times (thumbs up, applause …)"), ""),
        Quantity.POLL_ANSWERS: (_("answered at least"), _("polls of the class"), ""),
        Quantity.WHOLE_MINUTES: (_("was there for at least"), _("whole minutes, as Moodle counts them"), cut),
    }[quantity]
