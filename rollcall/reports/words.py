"""Numbers and codes in words, as a teacher reads them. Here, and only here, times and durations become text."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from django.utils.formats import date_format
from django.utils.translation import gettext_lazy, ngettext

from rollcall.reports.translating import gettext as _
from rollcall.store.reading import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.utils.functional import _StrPromise

    from rollcall.reports.details import Count, Note, Session
    from rollcall.reports.rows import AttendeeRow, Bounds, Shares

UNKNOWN = "–"

_TWO_POLLS_MS = 60_000
"""While somebody is in, the last proof is at most so old; to name it every second would only disturb."""

STATES: dict[State, _StrPromise] = {
    State.RUNNING: gettext_lazy("running"),
    State.ENDED: gettext_lazy("ended"),
    State.SETTLED: gettext_lazy("settled"),
}

ROLES: dict[str, _StrPromise] = {
    "MODERATOR": gettext_lazy("moderator"),
    "VIEWER": gettext_lazy("viewer"),
}

KINDS: dict[str, _StrPromise] = {
    "user": gettext_lazy("user"),
    "guest": gettext_lazy("guest"),
    "dial-in": gettext_lazy("by telephone"),
    "connection": gettext_lazy("without a user id"),
}

SOURCES: dict[str, _StrPromise] = {
    "raw": gettext_lazy("BigBlueButton's own message"),
    "mapped": gettext_lazy("webhook"),
    "poll": gettext_lazy("list of who is in"),
    "ours": gettext_lazy("Rollcall itself"),
}

CAUSES: dict[str, _StrPromise] = {
    "no-polls": gettext_lazy("the server did not answer"),
    "unreachable": gettext_lazy("the server did not answer"),
    "hook-missing": gettext_lazy("the server had lost our webhook"),
    "hooks-silent": gettext_lazy("the server's webhooks were silent"),
    "no-webhooks": gettext_lazy("the server has no webhooks"),
    "downtime": gettext_lazy("Rollcall was not running"),
    "not-watched": gettext_lazy("Rollcall was not yet watching this server"),
}

# --- times ------------------------------------------------------------------------------------------------------------


def moment(at: int, zone: tzinfo) -> datetime:
    """Epoch ms in the reader's zone; what no calendar can hold is shown as its first or last second."""
    try:
        return datetime.fromtimestamp(round(at / 1000), zone)
    except (OverflowError, ValueError, OSError):
        return datetime(9999 if at > 0 else 1, 12, 31, 23, 59, 59, tzinfo=UTC)


def clock(at: int | None, zone: tzinfo) -> str:
    """10:02:11."""
    if at is None:
        return UNKNOWN
    shown = moment(at, zone)
    return f"{shown.hour:02}:{shown.minute:02}:{shown.second:02}"


def day_and_clock(at: int | None, zone: tzinfo) -> str:
    """Sun 22 Nov 2026, 10:02."""
    return UNKNOWN if at is None else date_format(moment(at, zone), "D j M Y, H:i")


def day(at: int, zone: tzinfo) -> str:
    """Sunday 22 November 2026."""
    return date_format(moment(at, zone), "l j F Y")


def stamp(at: int | None, zone: tzinfo) -> str:
    """2026-11-22 10:02:11, which every spreadsheet reads; blank for none."""
    return "" if at is None else f"{moment(at, zone):%Y-%m-%d %H:%M:%S}"


def ended(began: int, earliest: int | None, latest: int | None, *, zone: tzinfo) -> str:
    """When a meeting ended, to the minute; the day too where it is another one than it began on."""
    if latest is None:
        return UNKNOWN
    first, last = (_minute(began, at, zone) for at in (latest if earliest is None else earliest, latest))
    return _between(first, last)


def _minute(began: int, at: int, zone: tzinfo) -> str:
    return day_and_clock(at, zone) if days_apart(began, at, zone) else clock(at, zone)[:5]


def times_of_day(earliest: int | None, latest: int | None, zone: tzinfo) -> str:
    """The same by the clock, to the second."""
    if latest is None:
        return UNKNOWN
    first, last = (clock(at, zone) for at in (latest if earliest is None else earliest, latest))
    return _between(first, last)


def days_apart(one: int, other: int, zone: tzinfo) -> int:
    """How many midnights lie between; 0 on the same day, which is nearly always and quickly seen."""
    return (moment(other, zone).date() - moment(one, zone).date()).days


# --- durations and counts ---------------------------------------------------------------------------------------------


def duration(ms: int) -> str:
    """42:10, or 1:02:10 from an hour on; rounded to the second, once."""
    minutes, seconds = divmod((ms + 500) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def long_duration(ms: int | None) -> str:
    """0:42:10, the same form for every row of a spreadsheet; blank while it grows."""
    if ms is None:
        return ""
    minutes, seconds = divmod((ms + 500) // 1000, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def bounds(time: Bounds) -> str:
    """42:10 if that is known to the second, else between what and what."""
    if time.possible is not None:
        return _between(duration(time.proved), duration(time.possible))
    if time.so_far is None:
        return _("%(time)s or more") % {"time": duration(time.proved)}
    if time.so_far - time.proved <= _TWO_POLLS_MS:
        return _("%(time)s so far") % {"time": duration(time.so_far)}
    return _("%(time)s so far") % {"time": _between(duration(time.proved), duration(time.so_far))}


def _between(least: str, most: str) -> str:
    if least == most:
        return least
    return _("between %(least)s and %(most)s") % {"least": least, "most": most}


def share(part: Shares | None) -> str:
    """88 %, or 84–88 %."""
    if part is None:
        return UNKNOWN
    lowest, highest = (round(100 * one) for one in part)
    return f"{lowest} %" if lowest == highest else f"{lowest}–{highest} %"


def state(one: State, present: int) -> str:
    """Running says how many are in."""
    if one is State.RUNNING:
        return _("running, %(people)s in") % {"people": present}
    return str(STATES[one])


def role(name: str, kind: str) -> str:
    """What somebody was in the class; whoever is no account of the LMS is named after that."""
    words = [str(ROLES.get(name, name))] if name else []
    if kind != "user":
        words.append(str(KINDS.get(kind, kind)))
    return ", ".join(words) or UNKNOWN


def count(counted: Count) -> str:
    """3, or 3 or more; a dash where none was seen, though there may have been some."""
    if not counted.seen and not counted.is_exact:
        return UNKNOWN
    return str(counted.seen) if counted.is_exact else _("%(seen)d or more") % {"seen": counted.seen}


def people(number: int) -> str:
    """1 person, 30 people."""
    return ngettext("%(number)d person", "%(number)d people", number) % {"number": number}


# --- why --------------------------------------------------------------------------------------------------------------


def why(session: Session, zone: tzinfo) -> list[str]:
    """One stay in sentences: what was heard of its begin and end, and what follows where nothing was."""
    words = _words_of(session, zone)
    return [_why_it_begins(session, words), _why_it_ends(session, words)]


def _why_it_begins(session: Session, words: dict[str, str]) -> str:
    match session.start:
        case "joined":
            return _("Joined at %(joined)s.") % words
        case "first-sign":
            return _("No join was heard. First active at %(first)s; may have been there since %(earliest)s.") % words
        case "first-sighting":
            return _("No join was heard. First listed as in at %(first)s; may have been there since %(earliest)s.") % words
        case "unknown":
            return _("No join and no activity was heard; may have been there since %(earliest)s.") % words
        case code:
            return _("Begin: %(code)s.") % {"code": code}


def _why_it_ends(session: Session, words: dict[str, str]) -> str:
    match session.end:
        case "left":
            return _("Left at %(left)s.") % words
        case "rejoined":
            return _("No leave was heard, but the same connection joined again at %(latest)s; last certain at %(last)s.") % words
        case "last-sign":
            return _("No leave was heard. Last certain at %(last)s; may have stayed until %(latest)s.") % words
        case "absent":
            return _("No leave was heard. Last certain at %(last)s; no longer listed as in at %(latest)s.") % words
        case "meeting-ended" if words["last"] == words["latest"]:
            return _("There until the meeting ended at %(latest)s.") % words
        case "meeting-ended":
            return _("No leave was heard before the meeting ended at %(latest)s; last certain at %(last)s.") % words
        case "open":
            return _("Still in; last certain at %(last)s.") % words
        case code:
            return _("End: %(code)s.") % {"code": code}


def _words_of(session: Session, zone: tzinfo) -> dict[str, str]:
    earliest, latest = session.possible or (None, None)
    first = session.proved[0][0] if session.proved else earliest
    last = session.proved[-1][1] if session.proved else first
    return {
        "joined": clock(session.joined_at, zone),
        "left": clock(session.left_at, zone),
        "first": clock(first, zone),
        "last": clock(last, zone),
        "earliest": clock(earliest, zone),
        "latest": clock(latest, zone),
    }


def when(row: AttendeeRow, zone: tzinfo) -> str:
    """What a person's bar shows, for those who do not see it."""
    proved = ", ".join(f"{clock(start, zone)}–{clock(end, zone)}" for start, end in row.detail.proved)
    possible = ", ".join(f"{clock(start, zone)}–{clock(end, zone)}" for start, end in row.detail.possible)
    if proved == possible:
        return _("there %(spans)s") % {"spans": proved or UNKNOWN}
    return _("certainly there %(proved)s, possibly %(possible)s") % {"proved": proved or UNKNOWN, "possible": possible}


def blind(start: int, end: int | None, cause: str, zone: tzinfo) -> str:
    """One time in which webhooks may have been lost."""
    words = {"start": clock(start, zone), "end": clock(end, zone), "cause": CAUSES.get(cause, cause)}
    if end is None:
        return _("Since %(start)s messages may be missing: %(cause)s.") % words
    return _("From %(start)s to %(end)s messages may be missing: %(cause)s.") % words


_NOTES: dict[str, _StrPromise] = {
    "no-join": gettext_lazy("No join was heard of %(count)d connection(s)."),
    "no-leave": gettext_lazy("No leave was heard of %(count)d connection(s) before the end."),
    "left-without-join": gettext_lazy("Of %(count)d connection(s) the first thing heard was its leave."),
    "creation-not-heard": gettext_lazy("The creation of the meeting was not heard."),
    "end-seen-by-polls": gettext_lazy("The end of the meeting was not heard; the server no longer listed it."),
    "emoji-without-value": gettext_lazy("%(count)d reaction(s) came without saying which."),
}

_SAID_ELSEWHERE = frozenset({"blind"})


def notes(several: Iterable[Note]) -> list[str]:
    """What was odd, a sentence for each kind of it; a code that has no sentence yet is shown as it is."""
    counts: Counter[str] = Counter()
    for one in several:
        counts[one.code] += one.count or 1
    return [
        str(_NOTES.get(code, code.replace("-", " "))) % {"count": count}
        for code, count in counts.items()
        if code not in _SAID_ELSEWHERE
    ]
