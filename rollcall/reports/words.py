"""Numbers and codes in words, as a teacher reads them; times and durations as rollcall.wording.times has them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from django.utils.translation import gettext_noop, ngettext

from rollcall.store.reading import State
from rollcall.wording import doubts, formatting, times
from rollcall.wording.translating import gettext as _
from rollcall.wording.translating import ngettext_noop
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import tzinfo

    from rollcall.reports.details import Count, Disagreement, Note, Session, Span
    from rollcall.reports.meeting_rows import AttendeeRow
    from rollcall.reports.rows import Bounds, Shares

UNKNOWN = times.UNKNOWN

_AS_GOOD_AS_NOW_MS = 2_000
"""A proof that is no older is one of now: the page is drawn so often."""

STATES: dict[State, str] = {
    State.RUNNING: gettext_noop("running"),
    State.ENDED: gettext_noop("ended"),
    State.SETTLED: gettext_noop("settled"),
}

ROLES: dict[str, str] = {
    "MODERATOR": gettext_noop("moderator"),
    "VIEWER": gettext_noop("viewer"),
}

KINDS: dict[str, str] = {
    "user": gettext_noop("user"),
    "guest": gettext_noop("guest"),
    "dial-in": gettext_noop("by telephone"),
    "connection": gettext_noop("without a user id"),
}

SOURCES: dict[str, str] = {
    "recording": gettext_noop("events.xml"),
    "callback": gettext_noop("analytics callback"),
    "raw": gettext_noop("BigBlueButton's own message"),
    "mapped": gettext_noop("webhook"),
    "poll": gettext_noop("list of who is in"),
    "ours": gettext_noop("Rollcall itself"),
}

WITNESSES: dict[str, str] = {
    "webhooks": gettext_noop("Webhooks"),
    "polls": gettext_noop("Polls"),
    "live": gettext_noop("Webhooks and polls"),
    "live-and-part": gettext_noop("Webhooks, polls and the part of events.xml"),
    "callback": gettext_noop("The analytics callback"),
    "recording": gettext_noop("events.xml"),
}
"""Each as the first words of a sentence."""

_WITNESSES_INSIDE: dict[str, str] = {
    "webhooks": gettext_noop("webhooks"),
    "polls": gettext_noop("polls"),
    "live": gettext_noop("webhooks and polls"),
    "live-and-part": gettext_noop("webhooks, polls and the part of events.xml"),
    "callback": gettext_noop("the analytics callback"),
    "recording": gettext_noop("events.xml"),
}
"""Each within a sentence."""

RECORDS: dict[str, str] = {
    "recording": gettext_noop("events.xml"),
    "callback": gettext_noop("analytics callback"),
    "partial": gettext_noop("a part of events.xml"),
}

moment, clock, day, day_and_clock, near_day_and_clock = (
    times.moment,
    times.clock,
    times.day,
    times.day_and_clock,
    times.near_day_and_clock,
)
stamp, days_apart, duration, long_duration = times.stamp, times.days_apart, times.duration, times.long_duration
cause, blind = doubts.cause, doubts.blind
"""They stand below, where sentences that an LMS is sent have them too."""

# --- times ------------------------------------------------------------------------------------------------------------


def ended(began: int, earliest: int | None, latest: int | None, *, zone: tzinfo) -> str:
    """When a meeting ended, to the minute; the day too where it is another one than it began on."""
    if latest is None:
        return UNKNOWN
    first, last = (_minute(began, at, zone) for at in (latest if earliest is None else earliest, latest))
    return _interval(first, last)


def _minute(began: int, at: int, zone: tzinfo) -> str:
    return day_and_clock(at, zone) if days_apart(began, at, zone) else clock(at, zone)[:5]


def times_of_day(earliest: int | None, latest: int | None, zone: tzinfo) -> str:
    """The same by the clock, to the second."""
    if latest is None:
        return UNKNOWN
    first, last = (clock(at, zone) for at in (latest if earliest is None else earliest, latest))
    return _between(first, last)


# --- durations and counts ---------------------------------------------------------------------------------------------


def hours(ms: int) -> str:
    """1,204 h, for the time of many people; of less than ten hours 9:44:10, always with its hours."""
    if ms < 10 * 3_600_000:
        return long_duration(ms)
    return _("%(number)s h") % {"number": formatting.number(round(ms / 3_600_000))}


def added(spans: Sequence[Span], total_ms: int, zone: tzinfo) -> str:
    """10:02:11–10:04:21 + … = 42:10; to the millisecond where what was rounded would not add up."""
    shown_seconds = sum(times.seconds(end) - times.seconds(start) for start, end in spans)
    if shown_seconds == times.seconds(total_ms):
        terms = " + ".join(f"{clock(start, zone)}–{clock(end, zone)}" for start, end in spans)
        return formatting.left_to_right(f"{terms or '0'} = {duration(total_ms)}")
    terms = " + ".join(f"{_exact_clock(start, zone)}–{_exact_clock(end, zone)}" for start, end in spans)
    whole, rest = divmod(total_ms, 1000)
    return formatting.left_to_right(f"{terms} = {duration(whole * 1000)}.{rest:03} ≈ {duration(total_ms)}")


def _exact_clock(at: int, zone: tzinfo) -> str:
    whole, rest = divmod(at, 1000)
    return f"{clock(whole * 1000, zone)}.{rest:03}"


def bounds(time: Bounds) -> str:
    """42:10 if that is known to the second, else 40:00–42:10: proved, possible."""
    if time.possible is not None:
        return _interval(duration(time.proved), duration(time.possible))
    if time.so_far is None:
        return _("%(time)s or more") % {"time": duration(time.proved)}
    if time.so_far - time.proved <= _AS_GOOD_AS_NOW_MS:
        return _("%(time)s so far") % {"time": duration(time.proved)}
    return _("%(time)s so far") % {"time": _interval(duration(time.proved), duration(time.so_far))}


def _interval(least: str, most: str) -> str:
    """Short, for a cell: 40:00–42:10."""
    return least if least == most else formatting.interval(least, most)


def _between(least: str, most: str) -> str:
    if least == most:
        return least
    return _("between %(least)s and %(most)s") % {"least": least, "most": most}


def share(part: Shares | None) -> str:
    """88%, or 84–88%."""
    if part is None:
        return UNKNOWN
    lowest, highest = (round(100 * one) for one in part)
    return formatting.percent(lowest, highest)


def part(share_of_it: float | None) -> str:
    """12%; nearly all is not all, and nearly nothing is not nothing."""
    if share_of_it is None:
        return UNKNOWN
    percent = round(100 * share_of_it)
    if percent == 0 and share_of_it > 0:
        return formatting.percent(1, sign="<")
    if percent == 100 and share_of_it < 1:
        return formatting.percent(99, sign=">")
    return formatting.percent(percent)


def witness(code: str) -> str:
    """Who tells of the meeting, as a sentence begins."""
    return _(WITNESSES.get(code, code))


def record(code: str) -> str:
    """The best document that came after the meeting; blank for none."""
    return _(RECORDS.get(code, code)) if code else ""


def state(one: State, present: int) -> str:
    """Running says how many are in."""
    if one is State.RUNNING:
        return _("running, %(people)s in") % {"people": present}
    return _(STATES[one])


def source(code: str) -> str:
    """Who told us."""
    return _(SOURCES.get(code, code))


def state_name(one: State) -> str:
    """The state alone."""
    return _(STATES[one])


def role(name: str, kind: str) -> str:
    """What somebody was in the class; whoever is no account of the LMS is named after that."""
    words = [_(ROLES[name]) if name in ROLES else visible(name)] if name else []
    if kind != "user":
        words.append(_(KINDS.get(kind, kind)))
    return formatting.listed(words) or UNKNOWN


def site(address: str) -> str:
    """The LMS by its host; where no LMS told of a meeting its server stands for one, which is said."""
    if address.startswith("pool:"):
        return _("no LMS told (server %(name)s)") % {"name": address.removeprefix("pool:")}
    return address.removeprefix("https://")


def kind(code: str) -> str:
    """Whether somebody is an account of the LMS, a guest, or called in."""
    return _(KINDS.get(code, code))


def count(counted: Count) -> str:
    """3, or 3 or more; a dash where none was seen, though there may have been some."""
    if not counted.seen and not counted.is_exact:
        return UNKNOWN
    return str(counted.seen) if counted.is_exact else _("%(seen)d or more") % {"seen": counted.seen}


def counted_time(counted: Count) -> str:
    """The same of a duration in ms: 4:10, or 4:10 or more."""
    if not counted.seen and not counted.is_exact:
        return UNKNOWN
    shown = duration(counted.seen)
    return shown if counted.is_exact else _("%(time)s or more") % {"time": shown}


def people(number: int) -> str:
    """1 person, 30 people."""
    return ngettext("%(number)d person", "%(number)d people", number) % {"number": number}


# --- why --------------------------------------------------------------------------------------------------------------


_BEGINS: dict[str, str] = {
    "joined": gettext_noop("Joined at %(joined)s."),
    "first-sign": gettext_noop("No join was heard. First active at %(first)s; may have been there since %(earliest)s."),
    "first-sighting": gettext_noop(
        "No join was heard. First listed as in at %(first)s; may have been there since %(earliest)s."
    ),
    "unknown": gettext_noop("No join and no activity was heard; may have been there since %(earliest)s."),
}

_ENDS: dict[str, str] = {
    "left": gettext_noop("Left at %(left)s."),
    "rejoined": gettext_noop(
        "No leave was heard, but the same connection joined again at %(latest)s; last certain at %(last)s."
    ),
    "last-sign": gettext_noop("No leave was heard. Last certain at %(last)s; may have stayed until %(latest)s."),
    "absent": gettext_noop("No leave was heard. Last certain at %(last)s; no longer listed as in at %(latest)s."),
    "meeting-ended": gettext_noop(
        "No leave was heard before the meeting ended at %(latest)s; last certain at %(last)s."
    ),
    "open": gettext_noop("Still in; last certain at %(last)s."),
}


def why(session: Session, zone: tzinfo) -> list[str]:
    """One stay in sentences: what was heard of its begin and end, and what follows where nothing was."""
    words = _words_of(session, zone)
    return [_why_it_begins(session.start, words), _why_it_ends(session.end, words)]


def _why_it_begins(code: str, words: dict[str, str]) -> str:
    return _(_BEGINS.get(code, code)) % words


def _why_it_ends(code: str, words: dict[str, str]) -> str:
    if code == "meeting-ended" and words["last"] == words["latest"]:
        return _("There until the meeting ended at %(latest)s.") % words
    return _(_ENDS.get(code, code)) % words


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
    proved = formatting.listed(
        formatting.interval(clock(start, zone), clock(end, zone)) for start, end in row.detail.proved
    )
    possible = formatting.listed(
        formatting.interval(clock(start, zone), clock(end, zone)) for start, end in row.detail.possible
    )
    if proved == possible:
        return _("there %(spans)s") % {"spans": proved or UNKNOWN}
    return _("certainly there %(proved)s, possibly %(possible)s") % {"proved": proved or UNKNOWN, "possible": possible}


_NOTES: dict[str, str] = {
    "creation-not-heard": gettext_noop("The creation of the meeting was not heard."),
    "end-seen-by-polls": gettext_noop("The end of the meeting was not heard; the server no longer listed it."),
    "recording-damaged": gettext_noop("events.xml is damaged; what stands before the damage was read."),
    "recording-without-end": gettext_noop("events.xml does not tell the end of the meeting, so it may break off."),
}

_DISAGREEMENTS: dict[str, tuple[str, str]] = {
    "join-missing": ngettext_noop(
        "%(witness)s lost the join of %(count)d person.",
        "%(witness)s lost the join of %(count)d people.",
    ),
    "leave-missing": ngettext_noop(
        "%(witness)s lost the leave of %(count)d person.",
        "%(witness)s lost the leave of %(count)d people.",
    ),
    "join-extra": ngettext_noop(
        "%(witness)s told of a join of %(count)d person that %(against)s does not know.",
        "%(witness)s told of joins of %(count)d people that %(against)s does not know.",
    ),
    "leave-extra": ngettext_noop(
        "%(witness)s told of a leave of %(count)d person that %(against)s does not know.",
        "%(witness)s told of leaves of %(count)d people that %(against)s does not know.",
    ),
    "unknown-person": ngettext_noop(
        "%(witness)s named %(count)d person whom %(against)s does not know.",
        "%(witness)s named %(count)d people whom %(against)s does not know.",
    ),
    "listed-while-absent": ngettext_noop(
        "%(witness)s listed %(count)d person who was not in, as %(against)s has it.",
        "%(witness)s listed %(count)d people who were not in, as %(against)s has it.",
    ),
    "chats-differ": ngettext_noop(
        "%(witness)s had more chat messages of %(count)d person than %(against)s has.",
        "%(witness)s had more chat messages of %(count)d people than %(against)s has.",
    ),
}


def disagreement(one: Disagreement) -> str:
    """What a witness said otherwise than a better one, and of how many; a code without words is shown as it is."""
    number = len(set(one.who))
    names = {"witness": witness(one.witness), "against": _inside(one.against), "count": number}
    if one.code in _DISAGREEMENTS:
        return ngettext(*_DISAGREEMENTS[one.code], number) % names
    return f"{names['witness']}: {one.code.replace('-', ' ')} ({people(number)})."


def _inside(code: str) -> str:
    return _(_WITNESSES_INSIDE.get(code, code))


DAMAGES: dict[str, str] = {
    "truncated": gettext_noop("it breaks off"),
    "malformed": gettext_noop("it is damaged: not well-formed XML"),
    "doctype": gettext_noop("it has a document type, which no events.xml has, and was read up to there"),
    "not-a-recording": gettext_noop("it is no events.xml"),
    "empty": gettext_noop("it is empty"),
}


def damage(code: str) -> str:
    """What is wrong with an events.xml."""
    return _(DAMAGES.get(code, code.replace("-", " ")))


END_REASONS: dict[str, str] = {
    "ENDED_FROM_API": gettext_noop("ended by the LMS"),
    "ENDED_WHEN_NOT_JOINED": gettext_noop("ended because nobody came"),
    "ENDED_WHEN_LAST_USER_LEFT": gettext_noop("ended because the last one had left"),
    "ENDED_AFTER_USER_LOGGED_OUT": gettext_noop("ended by a moderator"),
    "ENDED_AFTER_EXCEEDING_DURATION": gettext_noop("ended because its time was over"),
    "ENDED_DUE_TO_NO_MODERATOR": gettext_noop("ended because no moderator was in"),
    "ENDED_DUE_TO_NO_AUTHED_USER": gettext_noop("ended because nobody with an account was in"),
    "BREAKOUT_ENDED_EXCEEDING_DURATION": gettext_noop("ended because its time was over"),
    "BREAKOUT_ENDED_BY_MOD": gettext_noop("ended by a moderator"),
    "ENDED_BY_PARENT": gettext_noop("ended with its class"),
    "ENDED_DUE_TO_INACTIVITY": gettext_noop("ended because nothing happened in it"),
}


def end_reason(code: str) -> str:
    """Why a meeting ended, in BigBlueButton's own word where we have none."""
    return _(END_REASONS.get(code, code))


_COUNTED_NOTES: dict[str, tuple[str, str]] = {
    "no-join": ngettext_noop(
        "No join was heard of %(count)d connection.",
        "No join was heard of %(count)d connections.",
    ),
    "no-leave": ngettext_noop(
        "No leave was heard of %(count)d connection before the end.",
        "No leave was heard of %(count)d connections before the end.",
    ),
    "left-without-join": ngettext_noop(
        "Of %(count)d connection the first thing heard was its leave.",
        "Of %(count)d connections the first thing heard was their leave.",
    ),
    "recording-lost-leaves": ngettext_noop(
        "events.xml has lost the leave of %(count)d connection: nobody was in when the meeting ended.",
        "events.xml has lost the leaves of %(count)d connections: nobody was in when the meeting ended.",
    ),
    "recording-blank-events": ngettext_noop(
        "%(count)d event in events.xml is empty: it had expired before it was written down.",
        "%(count)d events in events.xml are empty: they had expired before they were written down.",
    ),
    "emoji-without-value": ngettext_noop(
        "%(count)d reaction came without saying which.",
        "%(count)d reactions came without saying which.",
    ),
}

_SAID_ELSEWHERE = frozenset({"blind"})


def notes(several: Iterable[Note]) -> list[str]:
    """What was odd, a sentence for each kind of it; a code that has no sentence yet is shown as it is."""
    counts: Counter[str] = Counter()
    for one in several:
        counts[one.code] += one.count or 1
    return [_note(code, count) for code, count in counts.items() if code not in _SAID_ELSEWHERE]


def _note(code: str, number: int) -> str:
    if code in _COUNTED_NOTES:
        return ngettext(*_COUNTED_NOTES[code], number) % {"count": number}
    return _(_NOTES.get(code, code.replace("-", " ")))
