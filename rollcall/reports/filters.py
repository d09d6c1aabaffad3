"""What a report is asked for, read from an address or a command line. What cannot be meant is refused in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from rollcall.core.errors import Refused
from rollcall.store.names import search_terms
from rollcall.store.reading import Filter, State

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = ("name", "from", "to", "server", "meeting", "state")
"""The filters, as they are called in an address."""

_LONGEST = 200
_MOST_WORDS = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """The filter, and the words it was written in, so that a form shows them again even if one of them is wrong."""

    wanted: Filter
    words: Mapping[str, str]

    def is_blank(self) -> bool:
        """Whether nothing was asked for, so that an empty answer means that there is nothing at all."""
        return not any(self.words.values())


def read_filter(words: Mapping[str, str], *, zone: tzinfo, as_of: int) -> Filter:
    """The filter that these words mean; days are those of the reader's zone. Refused names the word that is wrong."""
    for name, word in words.items():
        _refuse_odd(name, word)
    since = _read_moment(words.get("from", ""), zone=zone)
    until = _read_moment(words.get("to", ""), zone=zone, is_last=True)
    if since is not None and until is not None and since >= until:
        raise Refused(
            _("“From” is later than “to”, so nothing can lie between."), code="from-after-to", hint=_("Swap the two.")
        )
    return Filter(
        name=words.get("name", "").strip(),
        meeting=words.get("meeting", "").strip(),
        server=words.get("server", "").strip(),
        state=_read_state(words.get("state", "").strip()),
        since=since,
        until=until,
        as_of=as_of,
    )


def _refuse_odd(name: str, word: str) -> None:
    if "\0" in word:
        raise Refused(
            _("What is asked for as “%(name)s” has a character that no text has.") % {"name": name},
            code="filter-unreadable",
            hint=_("Write it again."),
        )
    if len(word) > _LONGEST or len(search_terms(word[:_LONGEST])) > _MOST_WORDS:
        raise Refused(
            _("What is asked for as “%(name)s” is too long.") % {"name": name},
            code="filter-too-long",
            hint=_("A few words are enough."),
        )


def _read_state(word: str) -> State | None:
    if not word:
        return None
    try:
        return State(word)
    except ValueError:
        raise Refused(
            _("There is no state “%(word)s”.") % {"word": word},
            code="unknown-state",
            hint=_("It may be running, ended or settled."),
        ) from None


def _read_moment(word: str, *, zone: tzinfo, is_last: bool = False) -> int | None:
    """A day, or a day and a time, in the reader's zone, as epoch ms; the last one is included, a day to its end."""
    word = word.strip()
    if not word:
        return None
    try:
        moment = datetime.fromisoformat(word)
        if is_last:
            moment += timedelta(minutes=1) if _has_time(word) else timedelta(days=1)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return round(moment.astimezone(UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Refused(
            _("“%(word)s” is not a date.") % {"word": word},
            code="not-a-date",
            hint=_("Write a date as 2026-11-22, or with a time as 2026-11-22T10:30."),
        ) from None


def _has_time(word: str) -> bool:
    return len(word) > len("2026-11-22")
