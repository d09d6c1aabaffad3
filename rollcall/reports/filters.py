"""Every filter a report may take, each a declaration: what an address calls it, what it means, how it is said again.

What cannot be meant is refused in a sentence that names the field; all fields are read, so that all faults are told at
once.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rollcall.core.errors import Refused
from rollcall.core.verdicts import Verdict
from rollcall.deliveries.completion_words import verdict_word
from rollcall.deliveries.completions.told import state_name
from rollcall.reports import audit_words, words
from rollcall.store.names import search_terms
from rollcall.store.owed import Owing
from rollcall.store.reading import server_names
from rollcall.store.searching import EVERYTHING, Filter, State
from rollcall.store.searching.enrolled import STANDINGS
from rollcall.wording import formatting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from django.utils.functional import _StrPromise

    from rollcall.store.searching import Inside

LONGEST = 200
"""Characters of what is asked for in one field."""

_MOST_WORDS = 12
_MINUTES_OF_A_DAY = 24 * 60
_LONGEST_MINUTES = 1000 * 60
_MOST = 1_000_000

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""What an address calls the days of the week, in every language."""

_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_PERCENT = re.compile(r"(\d{1,3})(?:[.,](\d))?\s*%?", re.ASCII)
_ACTIVITY = re.compile(r"[0-9a-f]{32}")
_CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})", re.ASCII)
_LENGTH = re.compile(r"(\d{1,6})(?::(\d{2}))?(?::(\d{2}))?", re.ASCII)


class Control(StrEnum):
    """What a form asks with."""

    SEARCH = "search"  # answered as one types
    MOMENT = "moment"  # a date, and a time if wanted
    CLOCK = "clock"
    CHOICE = "choice"
    DAYS = "days"
    NUMBER = "number"
    LENGTH = "length"


class WrongFilter(Refused):
    """What was asked for cannot be meant; `fields` says of each wrong field what is wrong with it."""

    code = "wrong-filter"

    def __init__(self, fields: Mapping[str, Refused]) -> None:
        first = next(iter(fields.values()))
        super().__init__(" ".join(str(one) for one in fields.values()), code=first.code, hint=first.hint)
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Word:
    """What stands in one field, under which label, in which zone its days are, and inside what it is asked."""

    text: str
    label: str
    zone: tzinfo
    inside: Inside = EVERYTHING

    def wrong(self, sentence: str, code: str, hint: str = "") -> Refused:
        """A refusal; the sentence may name the %(field)s and the %(word)s."""
        return Refused(sentence % {"field": self.label, "word": formatting.typed(self.text)}, code=code, hint=hint)


@dataclass(frozen=True, slots=True)
class FilterField:
    """One filter. `read` takes its word to the value of the Filter's `to`, `said` to what is shown once it is used.

    One that `is_wide` is of no use to whoever sees a single course; one `of_rosters` is for nobody
    who sees only some groups: a roster does not tell who is in which. What `tells_apart` people, or states of meetings,
    only fills the screen of somebody who sees their own record alone.
    """

    name: str
    label: _StrPromise
    to: str
    control: Control
    read: Callable[[Word], Any]
    said: Callable[[str], str] = str.strip
    about: str | _StrPromise = ""
    choices: Callable[[Inside], Sequence[tuple[str, str]]] | None = None
    is_wide: bool = False
    of_rosters: bool = False
    tells_apart: bool = False

    def is_for(self, inside: Inside) -> bool:
        """Whether whoever sees no more than that is asked for it."""
        if self.of_rosters and inside.bounds.groups is not None:
            return False
        if self.tells_apart and inside.bounds.person is not None:
            return False
        return not self.is_wide or inside.bounds.course is None


# --- reading one word -------------------------------------------------------------------------------------------------


def _read_text(word: Word) -> str:
    return word.text.strip()


def _read_server(word: Word) -> str:
    name = word.text.strip()
    if name not in (known := server_names(word.inside)):
        hint = _("There are: %(names)s.") % {"names": formatting.listed(known) or words.UNKNOWN}
        raise word.wrong(_("%(field)s: there is no server “%(word)s”."), "unknown-server", hint)
    return name


def _read_state(word: Word) -> State:
    try:
        return State(word.text.strip())
    except ValueError:
        hint = _("It may be running, ended or settled.")
        raise word.wrong(_("%(field)s: there is no state “%(word)s”."), "unknown-state", hint) from None


def _read_role(word: Word) -> str:
    if (role := word.text.strip().upper()) in words.ROLES:
        return role
    raise word.wrong(_("%(field)s: there is no role “%(word)s”."), "unknown-role", _("It may be moderator or viewer."))


def _read_kind(word: Word) -> str:
    if (kind := word.text.strip().lower()) in words.KINDS:
        return kind
    hint = _("It may be user, guest, dial-in or connection.")
    raise word.wrong(_("%(field)s: there is no kind “%(word)s”."), "unknown-kind", hint)


def _read_roster(word: Word) -> str:
    if word.inside.bounds.groups is not None:
        hint = _("The roster does not tell who is in which group: who is missing is not known.")
        raise word.wrong(_("%(field)s: there is no standing “%(word)s”."), "unknown-standing", hint)
    if (standing := word.text.strip().lower()) in STANDINGS:
        return standing
    hint = _("It may be enrolled, left or not-enrolled.")
    raise word.wrong(_("%(field)s: there is no standing “%(word)s”."), "unknown-standing", hint)


def _read_action(word: Word) -> str:
    if (action := word.text.strip().lower()) in (known := audit_words.action_words()):
        return action
    hint = _("There are: %(names)s.") % {"names": formatting.listed(known)}
    raise word.wrong(_("%(field)s: there is no act “%(word)s”."), "unknown-action", hint)


def _read_verdict(word: Word) -> str:
    return _one_of(word, dict(_verdicts()), _("%(field)s: there is no verdict “%(word)s”."), "unknown-verdict")


def _read_delivery(word: Word) -> str:
    known = dict(_delivery_states())
    return _one_of(word, known, _("%(field)s: no delivery is “%(word)s”."), "unknown-delivery")


def _one_of(word: Word, known: Mapping[str, str], sentence: str, code: str) -> str:
    if (found := word.text.strip().lower()) in known:
        return found
    raise word.wrong(sentence, code, _("There are: %(names)s.") % {"names": formatting.listed(known)})


def _read_since(word: Word) -> int:
    return _read_moment(word, is_last=False)


def _read_until(word: Word) -> int:
    return _read_moment(word, is_last=True)


def _read_moment(word: Word, *, is_last: bool) -> int:
    """A day, or a day and a time, in the reader's zone, as epoch ms; the last one is included, a day to its end."""
    text = word.text.strip()
    if text.startswith("T"):
        raise word.wrong(_("%(field)s: a time of day needs its day."), "time-without-day", _("Write the day too."))
    try:
        moment = datetime.fromisoformat(text)
        if is_last:
            moment += timedelta(minutes=1) if has_time(text) else timedelta(days=1)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=word.zone)
        return round(moment.astimezone(UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        hint = _("Write a date as 2026-11-22, or with a time as 2026-11-22T10:30.")
        raise word.wrong(_("%(field)s: “%(word)s” is not a date."), "not-a-date", hint) from None


def has_time(text: str) -> bool:
    """Whether a moment has a time beside its day."""
    return len(text) > len("2026-11-22")


def _read_clock(word: Word) -> int:
    """Minutes of the day."""
    found = _CLOCK.fullmatch(word.text.strip())
    minutes = 60 * int(found[1]) + int(found[2]) if found else -1
    if found is None or int(found[2]) > 59 or minutes > _MINUTES_OF_A_DAY:
        hint = _("Write it as 08:30.")
        raise word.wrong(_("%(field)s: “%(word)s” is not a time of day."), "not-a-time", hint)
    return minutes


def _read_days(word: Word) -> frozenset[int]:
    chosen = [day for day in re.split(r"[\s,]+", word.text.strip().lower()) if day]
    if not chosen or any(day not in DAYS for day in chosen):
        hint = _("Write days as mon,tue,wed,thu,fri,sat,sun.")
        raise word.wrong(_("%(field)s: “%(word)s” is not a day of the week."), "not-a-weekday", hint)
    return frozenset(map(DAYS.index, chosen))


def _read_length(word: Word) -> int:
    """Minutes, or hours and minutes, as ms."""
    found = _LENGTH.fullmatch(word.text.strip())
    first, second, third = (int(part or 0) for part in found.groups()) if found else (-1, 0, 0)
    seconds = 60 * first if found and found[2] is None else 3600 * first + 60 * second + third
    if found is None or max(second, third) > 59 or seconds > 60 * _LONGEST_MINUTES:
        hint = _("Write minutes as 45, or hours and minutes as 1:30.")
        raise word.wrong(_("%(field)s: “%(word)s” is not a time in minutes or hours."), "not-a-duration", hint)
    return 1000 * seconds


def _read_percent(word: Word) -> int:
    """Thousandths."""
    found = _PERCENT.fullmatch(word.text.strip())
    share = 10 * int(found[1]) + int(found[2] or 0) if found else -1
    if found is None or share > 1000:
        raise word.wrong(_("%(field)s: “%(word)s” is not a percentage."), "not-a-percentage", _("Write 0 to 100."))
    return share


def _read_number(word: Word) -> int:
    found = _NUMBER.fullmatch(word.text.strip())
    number = int(found[0]) if found else -1
    if found is None or number > _MOST:
        hint = _("Write a whole number such as 3.")
        raise word.wrong(_("%(field)s: “%(word)s” is not a number from 0 on."), "not-a-number", hint)
    return number


# --- saying one word again --------------------------------------------------------------------------------------------


def _say_moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return text
    return formatting.date_and_time(moment) if has_time(text.strip()) else formatting.short_date(moment.date())


def _say_days(text: str) -> str:
    chosen = [DAYS.index(day) for day in re.split(r"[\s,]+", text.lower()) if day in DAYS]
    return formatting.listed(formatting.weekday(number) for number in sorted(set(chosen)))


def _say_percent(text: str) -> str:
    found = _PERCENT.fullmatch(text.strip())
    return formatting.percent(int(found[1])) if found and not found[2] else text.strip()


def _say_length(text: str) -> str:
    if not text.strip().isdecimal():
        return text.strip()
    minutes = int(text)
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}


def _say_meeting(text: str) -> str:
    """A launch of one activity names it by its key, which says nothing to anybody."""
    return _("one activity") if is_activity(text) else text.strip()


def is_activity(text: str) -> bool:
    """Whether the word for a meeting is the key of an activity, of which there may be no meeting yet."""
    return _ACTIVITY.fullmatch(text.strip()) is not None


def _say_state(text: str) -> str:
    return words.state_name(State(text)) if text in tuple(State) else text


def _say_role(text: str) -> str:
    return words.role(text.upper(), "user")


def _say_action(text: str) -> str:
    return audit_words.action_words().get(text.lower(), text)


def _say_kind(text: str) -> str:
    return words.kind(text.lower())


def _say_roster(text: str) -> str:
    return dict(_standings()).get(text.strip().lower(), text)


def _say_verdict(text: str) -> str:
    return dict(_verdicts()).get(text.strip().lower(), text)


def _say_delivery(text: str) -> str:
    return dict(_delivery_states()).get(text.strip().lower(), text)


# --- choices ----------------------------------------------------------------------------------------------------------


def _servers(inside: Inside) -> Sequence[tuple[str, str]]:
    return [(name, name) for name in server_names(inside)]


def _states(_inside: Inside) -> Sequence[tuple[str, str]]:
    return [(state.value, words.state_name(state)) for state in State]


def _roles(_inside: Inside) -> Sequence[tuple[str, str]]:
    return [(role, words.role(role, "user")) for role in words.ROLES]


def _actions(_inside: Inside) -> Sequence[tuple[str, str]]:
    return list(audit_words.action_words().items())


def _kinds(_inside: Inside) -> Sequence[tuple[str, str]]:
    return [(kind, words.kind(kind)) for kind in words.KINDS]


def _standings(_inside: Inside | None = None) -> Sequence[tuple[str, str]]:
    return list(zip(STANDINGS, (_("enrolled"), _("has left"), _("not enrolled")), strict=True))


def _verdicts(_inside: Inside | None = None) -> Sequence[tuple[str, str]]:
    return [(verdict.value, verdict_word(verdict)) for verdict in Verdict]


def _delivery_states(_inside: Inside | None = None) -> Sequence[tuple[str, str]]:
    return [(state.value, state_name(state)) for state in Owing]


def _days(_inside: Inside) -> Sequence[tuple[str, str]]:
    first = formatting.first_weekday()
    return [(DAYS[number % 7], formatting.weekday(number % 7)) for number in range(first, first + 7)]


# --- the filters ------------------------------------------------------------------------------------------------------

_CLOCK_ABOUT = gettext_lazy("By the clock of your time zone, such as 08:30.")
_LENGTH_ABOUT = gettext_lazy("Minutes, or hours and minutes as 1:30.")
_OF_LENGTH = (Control.LENGTH, _read_length, _say_length, _LENGTH_ABOUT)
_LEAST = gettext_lazy("This many or more.")

FIELDS: Mapping[str, FilterField] = {
    field.name: field
    for field in (
        FilterField("name", gettext_lazy("Full name"), "name", Control.SEARCH, _read_text),
        FilterField("user", gettext_lazy("User id"), "user", Control.SEARCH, _read_text),
        FilterField("from", gettext_lazy("Began on or after"), "since", Control.MOMENT, _read_since, _say_moment),
        FilterField("to", gettext_lazy("Began until"), "until", Control.MOMENT, _read_until, _say_moment),
        FilterField("weekday", gettext_lazy("Weekdays"), "weekdays", Control.DAYS, _read_days, _say_days, "", _days),
        FilterField(
            "hour-from", gettext_lazy("Time of day from"), "hour_from", Control.CLOCK, _read_clock, about=_CLOCK_ABOUT
        ),
        FilterField(
            "hour-to", gettext_lazy("Time of day before"), "hour_to", Control.CLOCK, _read_clock, about=_CLOCK_ABOUT
        ),
        FilterField("course", gettext_lazy("Course"), "course", Control.SEARCH, _read_text),
        FilterField("meeting", gettext_lazy("Meeting"), "meeting", Control.SEARCH, _read_text, _say_meeting),
        FilterField(
            "server", gettext_lazy("Server"), "server", Control.CHOICE, _read_server, choices=_servers, is_wide=True
        ),
        FilterField(
            "role", gettext_lazy("Role"), "role", Control.CHOICE, _read_role, _say_role, "", _roles, tells_apart=True
        ),
        FilterField(
            "kind", gettext_lazy("Kind"), "kind", Control.CHOICE, _read_kind, _say_kind, "", _kinds, tells_apart=True
        ),
        FilterField(
            "roster",
            gettext_lazy("On the roster"),
            "roster",
            Control.CHOICE,
            _read_roster,
            _say_roster,
            "",
            _standings,
            of_rosters=True,
            tells_apart=True,
        ),
        FilterField(
            "state",
            gettext_lazy("State"),
            "state",
            Control.CHOICE,
            _read_state,
            _say_state,
            "",
            _states,
            tells_apart=True,
        ),
        FilterField(
            "min-time",
            gettext_lazy("Time at least"),
            "min_ms",
            Control.LENGTH,
            _read_length,
            _say_length,
            _LENGTH_ABOUT,
        ),
        FilterField("max-time", gettext_lazy("Time at most"), "max_ms", *_OF_LENGTH),
        FilterField(
            "min-percent", gettext_lazy("Share at least (%)"), "min_share", Control.NUMBER, _read_percent, _say_percent
        ),
        FilterField(
            "max-percent",
            gettext_lazy("Proved share at most (%)"),
            "max_share",
            Control.NUMBER,
            _read_percent,
            _say_percent,
        ),
        FilterField("chats", gettext_lazy("Chats"), "chats", Control.NUMBER, _read_number, about=_LEAST),
        FilterField("hands", gettext_lazy("Hands"), "raise_hands", Control.NUMBER, _read_number, about=_LEAST),
        FilterField("reactions", gettext_lazy("Reactions"), "emojis", Control.NUMBER, _read_number, about=_LEAST),
        FilterField("polls", gettext_lazy("Poll answers"), "poll_answers", Control.NUMBER, _read_number, about=_LEAST),
        FilterField("cameras", gettext_lazy("Cameras"), "cameras", Control.NUMBER, _read_number, about=_LEAST),
        FilterField("talk", gettext_lazy("Talked"), "talk_ms", *_OF_LENGTH),
        FilterField("actor", gettext_lazy("Who did it"), "actor", Control.SEARCH, _read_text),
        FilterField(
            *("action", gettext_lazy("Did what"), "action", Control.CHOICE, _read_action, _say_action, "", _actions)
        ),
        FilterField(
            *("verdict", gettext_lazy("Verdict"), "verdict", Control.CHOICE, _read_verdict, _say_verdict, "", _verdicts)
        ),
        FilterField(
            *("delivery", gettext_lazy("Delivery"), "delivery", Control.CHOICE, _read_delivery, _say_delivery),
            *("", _delivery_states),
        ),
    )
}
"""All filters there are, in the order of the form. A report takes some of them."""

OF_MEETINGS = ("from", "to", "weekday", "hour-from", "hour-to", "course", "meeting", "server", "state")
OF_PEOPLE = ("name", "user")
OF_ATTENDANCE = (
    *("role", "kind", "roster", "min-time", "max-time", "min-percent", "max-percent"),
    *("chats", "hands", "reactions", "polls", "cameras", "talk"),
)

_ORDERED = (("min-time", "max-time", "min_ms", "max_ms"), ("min-percent", "max-percent", "min_share", "max_share"))


# --- all of them ------------------------------------------------------------------------------------------------------


def read_filter(asked: Mapping[str, str], *, zone: tzinfo, as_of: int, inside: Inside = EVERYTHING) -> Filter:
    """The filter that these words mean; days are those of the reader's zone. WrongFilter names the fields at fault."""
    values: dict[str, Any] = {}
    wrong: dict[str, Refused] = {}
    for name, text in asked.items():
        if not text.strip():
            continue
        field = FIELDS[name]
        word = Word(in_ascii(text) if field.control in _OF_DIGITS else text, str(field.label), zone, inside)
        try:
            _refuse_odd(word)
            values[field.to] = field.read(word)
        except Refused as refused:
            wrong[name] = refused
    wrong |= _out_of_order(values)
    if wrong:
        raise WrongFilter(wrong)
    return Filter(**values, zone=zone, as_of=as_of)


_OF_DIGITS = (Control.NUMBER, Control.LENGTH, Control.CLOCK, Control.MOMENT)


def in_ascii(text: str) -> str:
    """The same with the digits 0 to 9, whichever an Arabic or Indian keyboard wrote."""
    return "".join(str(unicodedata.decimal(character, character)) for character in text)


def _refuse_odd(word: Word) -> None:
    if "\0" in word.text:
        raise word.wrong(
            _("%(field)s: what is asked for has a character that no text has."),
            "filter-unreadable",
            _("Write it again."),
        )
    if len(word.text) > LONGEST or len(search_terms(word.text[:LONGEST])) > _MOST_WORDS:
        # The word itself is not said again: it would be the whole page.
        raise word.wrong(
            _("%(field)s: what is asked for is too long."), "filter-too-long", _("A few words are enough.")
        )


def _out_of_order(values: Mapping[str, Any]) -> Iterable[tuple[str, Refused]]:
    since, until = values.get("since"), values.get("until")
    if since is not None and until is not None and since >= until:
        sentence = _("“From” is later than “to”, so nothing can lie between.")
        yield "to", Refused(sentence, code="from-after-to", hint=_("Swap the two."))
    if values.get("hour_from") is not None and values.get("hour_from") == values.get("hour_to"):
        sentence = _("“Time of day from” and “Time of day before” are the same, so nothing can lie between.")
        yield "hour-to", Refused(sentence, code="no-time-of-day", hint=_("Write a later one, or leave both out."))
    for least, most, lower, upper in _ORDERED:
        if lower in values and upper in values and values[lower] > values[upper]:
            sentence = _("“%(least)s” is more than “%(most)s”, so nothing can lie between.") % {
                "least": FIELDS[least].label,
                "most": FIELDS[most].label,
            }
            yield most, Refused(sentence, code="least-over-most", hint=_("Swap the two."))
