"""Who witnessed a meeting: what came and covers what, what is missing and why, and where they do not agree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rollcall.reports import words
from rollcall.reports.missing_record import Why, why_no_callback, why_no_record, why_no_record_of_it
from rollcall.reports.rows import Bounds
from rollcall.store import reading
from rollcall.store.keys import key_of
from rollcall.store.reading import State
from rollcall.wording import formatting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import tzinfo

    from rollcall.reports.details import Change, Disagreement, Heard, Recorded, Reported, Room, Witnesses
    from rollcall.reports.meeting_rows import MeetingRow
    from rollcall.store.connections import Server
    from rollcall.store.derived import Attendance
    from rollcall.store.facts import Fact

MOST_NAMES = 12
"""So many people stand in a sentence; the others are behind a fold."""

MOST_CHANGES = 300
MOST_TIMES = 4

SEEN_MS = 1_000
"""What is less is not told of: no page shows it."""

_LOST = frozenset({"join-missing", "leave-missing"})

WHOLE, PARTLY, MISSING, WAITING = "whole", "partly", "missing", "waiting"
"""How it is with a witness; the last one may still come."""


@dataclass(frozen=True, slots=True)
class Line:
    """One witness: its name, how it is with it in a word and in sentences.

    Where it is missing, `code` names the cause and `mend` says what to do.
    """

    name: str
    standing: str
    word: str
    sentences: tuple[str, ...]
    code: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with the people it is about; `rest` are those behind the fold."""

    sentence: str
    people: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A share of the meeting's time, in percent: `name` is its class in the style sheet."""

    name: str
    begins: str
    percent: str
    label: str


@dataclass(frozen=True, slots=True)
class Block:
    """Everything the page of a meeting says of its witnesses; `cause` is said even where the block is folded."""

    came: str
    missing: str
    cause: Why | None
    lines: tuple[Line, ...]
    rooms: tuple[Sentence, ...]
    coverage: tuple[Part, ...]
    coverage_sentence: str
    disagreements: tuple[Sentence, ...]
    changed: tuple[Sentence, ...]
    settled: str


def block(row: MeetingRow, people: Sequence[Attendance], *, zone: tzinfo, runs_it: bool = False) -> Block | None:
    """None where nothing was worked out that names witnesses.

    Only to whom `runs_it` other meetings of the server are told of, and how to mend what is wrong with it.
    """
    if not row.detail.meetings:
        return None
    lines, cause = _Lines(row, zone, runs_it=runs_it).all()
    names = {bytes(one.attendee_key): one.name or one.external_user_id or _("(no name)") for one in people}
    parts = tuple(_coverage(row))
    return Block(
        came=formatting.listed(line.name for line in lines if line.standing in {WHOLE, PARTLY}) or _("nobody"),
        missing=formatting.listed(line.name for line in lines if line.standing == MISSING),
        cause=cause,
        lines=tuple(lines),
        rooms=tuple(_room(room) for room in row.detail.meetings[1:]),
        coverage=parts,
        coverage_sentence=formatting.listed((part.label for part in parts), have_commas=True),
        disagreements=tuple(_disagreement(one, row, names, zone) for one in row.detail.disagreements),
        changed=tuple(_changes(row.detail.changes, names)),
        settled=settled(row, zone),
    )


def told_by(row: MeetingRow, zone: tzinfo) -> str:
    """The same in a line, for the head of a paper: who told, who did not, and when messages may be missing."""
    if not row.detail.meetings:
        return ""
    told = row.detail.meetings[0].witnesses
    by = (
        (_("webhooks"), told.webhooks),
        (_("polls"), told.polls),
        (_("analytics callback"), told.callback),
        ("events.xml", told.recording),
    )
    words_of = {"came": formatting.listed(name for name, one in by if one is not None) or _("nobody")}
    words_of["missing"] = formatting.listed(name for name, one in by if one is None)
    line = _("%(came)s; not by %(missing)s") % words_of if words_of["missing"] else words_of["came"]
    return f"{line}. {_missed(row, zone)}" if row.detail.blind else line


def _missed(row: MeetingRow, zone: tzinfo) -> str:
    times = [
        f"{formatting.interval(words.clock(start, zone), words.clock(end, zone))} ({words.cause(cause)})"
        for start, end, cause in row.detail.blind
    ]
    more = ["…"] if len(times) > MOST_TIMES else []
    return ngettext(
        "%(count)d time in which messages may be missing: %(times)s",
        "%(count)d times in which messages may be missing: %(times)s",
        len(times),
    ) % {"count": len(times), "times": ", ".join(times[:MOST_TIMES] + more)}


# --- one line each ----------------------------------------------------------------------------------------------------


class _Lines:
    """The four witnesses of the class itself."""

    def __init__(self, row: MeetingRow, zone: tzinfo, *, runs_it: bool) -> None:
        self._row = row
        self._runs_it = runs_it
        self._zone = zone
        self._told: Witnesses = row.detail.meetings[0].witnesses
        self._documents = [] if row.is_running else _documents(row)

    def all(self) -> tuple[list[Line], Why | None]:
        """The lines, and why no record came, if none did."""
        record = self._why_no_record()
        lines = [self._webhooks(), self._polls(), self._callback(record), self._recording(record)]
        return lines if self._runs_it else [replace(line, mend="") for line in lines], record

    def _why_no_record(self) -> Why | None:
        if self._told.callback is not None or self._told.recording is not None:
            return None
        if self._row.is_running:
            return Why("running", _("It comes after the meeting."), may_come=True)
        if not self._runs_it:
            return why_no_record_of_it(self._row.summary, as_of=self._row.as_of)
        return why_no_record(self._row.summary, as_of=self._row.as_of, zone=self._zone)

    def _webhooks(self) -> Line:
        name, heard = _("webhooks"), self._told.webhooks
        if heard is None:
            return self._nothing_heard(name, is_polls=False)
        blind_ms = sum((self._row.until if end is None else end) - start for start, end, _why in self._row.detail.blind)
        if any(one.witness == "webhooks" and one.code in _LOST for one in self._row.detail.disagreements):
            return _line(name, PARTLY, self._heard(heard), _("Some were lost: see below."))
        if blind_ms <= 0:
            return _line(name, WHOLE, self._heard(heard), _("Nothing is known to have been in their way."))
        doubt = _("In %(time)s of that some may have been lost.") % {"time": words.duration(blind_ms)}
        return _line(name, PARTLY, self._heard(heard), doubt)

    def _polls(self) -> Line:
        name, heard = _("polls"), self._told.polls
        if heard is None:
            return self._nothing_heard(name, is_polls=True)
        return _line(name, WHOLE, self._heard(heard), _("They tell who is listed as in, and no telephone callers."))

    def _heard(self, heard: Heard) -> str:
        return _("%(count)s of them, from %(first)s to %(last)s.") % {
            "count": formatting.number(heard.count),
            "first": words.clock(heard.first_at, self._zone),
            "last": words.clock(heard.last_at, self._zone),
        }

    def _nothing_heard(self, name: str, *, is_polls: bool) -> Line:
        if self._row.is_running:
            return _line(name, WAITING, _("None yet."))
        if not self._runs_it:
            return _line(name, MISSING, _("None of this meeting came."), code="none-of-this-meeting")
        return _of_missing(name, _why_not_heard(self._row, is_polls=is_polls))

    def _callback(self, record: Why | None) -> Line:
        name, told = _("analytics callback"), self._told.callback
        if told is not None:
            return _line(name, WHOLE, *self._reported(told))
        if record is None and self._row.summary.record != "partial":
            why = why_no_callback(self._row.summary)
            no_loss = _("Nothing is missing for that: events.xml tells more.")
            return _line(name, MISSING, why.sentence, no_loss, code=why.code)
        return _of_missing(name, record or why_no_callback(self._row.summary))

    def _reported(self, told: Reported) -> list[str]:
        span = {
            "people": words.people(told.attendees),
            "first": words.clock(told.at, self._zone),
            "last": words.clock(told.finish_at, self._zone),
        }
        sentences = [self._came("analytics-callback", "data-json")]
        sentences.append(_("It tells of %(people)s, from %(first)s to %(last)s, in whole seconds.") % span)
        if told.generation in {"1.2", "2.0"}:
            sentences.append(_("Its version cannot count raised hands and reactions of newer servers."))
        return [sentence for sentence in sentences if sentence]

    def _recording(self, record: Why | None) -> Line:
        name, told = "events.xml", self._told.recording
        if told is not None:
            return _line(name, WHOLE if told.is_whole else PARTLY, *self._recorded(told))
        if record is not None:
            return _of_missing(name, record, is_said=True)
        alone = _("BigBlueButton's own script sends the callback alone.")
        mend = _("For exact times, send events.xml with the host script (rollcall bbb-host), or import it.")
        return _of_missing(name, Why("callback-alone", alone, mend))

    def _recorded(self, told: Recorded) -> list[str]:
        sentences = [self._came("events-xml")]
        count = {"count": formatting.number(told.events), "last": words.clock(told.last_at, self._zone)}
        sentences.append(_("%(count)s events up to %(last)s are kept of it.") % count)
        sentences.append(_("It is whole.") if told.is_whole else _why_not_whole(told))
        if told.end_reason:
            sentences.append(_("The meeting was %(how)s.") % {"how": words.end_reason(told.end_reason)})
        return [sentence for sentence in sentences if sentence]

    def _came(self, *kinds: str) -> str:
        """When the first of these documents of the class itself arrived."""
        found = [fact.received_at for fact in self._documents if fact.kind in kinds]
        return _("It came on %(when)s.") % {"when": words.day_and_clock(found[0], self._zone)} if found else ""


def _documents(row: MeetingRow) -> list[Fact]:
    if not row.summary.record:
        return []
    return [fact for fact in reading.documents(row.summary) if fact.meeting_id == row.summary.meeting_id]


def _line(name: str, standing: str, *sentences: str, code: str = "", mend: str = "") -> Line:
    standings = {
        WHOLE: _("came"),
        PARTLY: _("came in part"),
        MISSING: _("did not come"),
        WAITING: _("not yet"),
    }
    return Line(name, standing, standings[standing], sentences, code, mend)


def _of_missing(name: str, why: Why, *, is_said: bool = False) -> Line:
    if why.may_come:
        return _line(name, WAITING, why.sentence, code=why.code)
    if is_said:
        return _line(name, MISSING, _("For the same reason."), code=why.code)
    return _line(name, MISSING, why.sentence, code=why.code, mend=why.mend)


def _why_not_heard(row: MeetingRow, *, is_polls: bool) -> Why:
    """Why not one webhook, or not one poll, tells of the meeting."""
    server = reading.server_of(row.summary.pool_name)
    if server is None:
        return Why("not-connected", _("Rollcall is not connected to this server: what is known of it was imported."))
    if row.until < server.added_at:
        return Why("before-connected", _("The meeting was over before Rollcall was connected to this server."))
    return _why_not_by(server, row, is_polls=is_polls)


def _why_not_by(server: Server, row: MeetingRow, *, is_polls: bool) -> Why:
    check = _("Look with: rollcall server check %(name)s") % {"name": row.summary.pool_name}
    if not (server.is_polled if is_polls else server.has_hooks):
        return _connected_without(is_polls=is_polls)
    if causes := _blind_causes(row):
        return Why(causes[0], _("None came: %(cause)s.") % {"cause": words.cause(causes[0])}, check)
    if is_polls:
        return Why("not-listed", _("None named it: it was too short, or the server did not answer."), check)
    if server.arrived_at is None:
        return Why("never-any", _("No webhook has ever come from this server."), check)
    return Why("none-of-this-meeting", _("None of this meeting came, though others of this server did."), check)


def _connected_without(*, is_polls: bool) -> Why:
    mend = _("Remove the server and add it again, if that has changed.")
    if is_polls:
        return Why("without-polls", _("It was connected without polls."), mend)
    return Why("without-webhooks", _("It was connected without webhooks."), mend)


def _blind_causes(row: MeetingRow) -> list[str]:
    spans = sorted(row.detail.blind, key=lambda span: span[0] - (row.until if span[1] is None else span[1]))
    return [cause for _start, _end, cause in spans]


def _why_not_whole(told: Recorded) -> str:
    if told.damage:
        return _("It is not whole: %(damage)s.") % {"damage": words.damage(told.damage)}
    if told.blank_events:
        return ngettext(
            "It is not whole: %(count)d event in it is empty.",
            "It is not whole: %(count)d events in it are empty.",
            told.blank_events,
        ) % {"count": told.blank_events}
    return _("It is not whole: it does not tell the end of the meeting.")


def _room(room: Room) -> Sentence:
    """One breakout room in a sentence: who told of it."""
    told = room.witnesses
    came = [
        name
        for name, one in (
            (_("webhooks"), told.webhooks),
            (_("polls"), told.polls),
            (_("analytics callback"), told.callback),
            ("events.xml", told.recording),
        )
        if one is not None
    ]
    name = _isolated(room.name or room.meeting)
    return Sentence(_("%(room)s: %(witnesses)s") % {"room": name, "witnesses": formatting.listed(came) or _("nobody")})


# --- coverage, disagreements, changes ---------------------------------------------------------------------------------


def _coverage(row: MeetingRow) -> Iterable[Part]:
    """Its parts in the order in which they are drawn; none where nothing was worked out."""
    of = row.summary
    spans = (
        ("twice", of.witnessed_twice_ms, _("%(time)s by two or more")),
        ("once", of.witnessed_once_ms, _("%(time)s by one")),
        ("never", of.unwitnessed_ms, _("%(time)s by nobody")),
    )
    seen = [span for span in spans if span[1] >= SEEN_MS]
    total = sum(ms for _name, ms, _label in seen)
    before = 0
    for name, ms, label in seen:
        share = f"{words.part(ms / total)} ({words.duration(ms)})"
        yield Part(name, f"{100 * before / total:.2f}", f"{100 * ms / total:.2f}", label % {"time": share})
        before += ms


def _disagreement(one: Disagreement, row: MeetingRow, names: Mapping[bytes, str], zone: tzinfo) -> Sentence:
    room = row.rooms.get(one.meeting)
    where = f"{_isolated(room.name)}: " if room is not None and room.is_breakout and room.name else ""
    times = zip(one.who, one.at, strict=False)
    people = tuple(f"{_called(who, names)} {words.clock(at, zone)}" for who, at in times)
    return Sentence(where + words.disagreement(one), people[:MOST_NAMES], people[MOST_NAMES:])


def _called(who: tuple[str, str], names: Mapping[bytes, str]) -> str:
    return _isolated(names.get(key_of(*who)) or who[1] or _("(no name)"))


def _isolated(name: str) -> str:
    """Such that a name written from right to left does not turn what stands beside it."""
    return formatting.isolated(name)


def _changes(changes: Sequence[Change], names: Mapping[bytes, str]) -> Iterator[Sentence]:
    """What a record that came later made of the numbers: first whose were wrong, then whose are better known now."""
    moved = [one for one in changes if _moved_ms(one)[0] >= SEEN_MS]
    narrowed = [one for one in changes if _moved_ms(one)[0] < SEEN_MS]
    if moved:
        sentence = ngettext(
            "%(record)s changed the time of %(count)d person: it lies outside of what was known before.",
            "%(record)s changed the time of %(count)d people: it lies outside of what was known before.",
            len(moved),
        )
        yield _changed(sentence, moved, names)
    if narrowed:
        yield _changed(_of_narrowed(narrowed), narrowed, names)


def _of_narrowed(changes: Sequence[Change]) -> str:
    times = [one.after for one in changes]
    if all(most is not None and words.duration(least) == words.duration(most) for least, most in times):
        return ngettext(
            "%(record)s made the time of %(count)d person exact.",
            "%(record)s made the time of %(count)d people exact.",
            len(changes),
        )
    return ngettext(
        "%(record)s narrowed the time of %(count)d person down.",
        "%(record)s narrowed the time of %(count)d people down.",
        len(changes),
    )


def _changed(sentence: str, changes: Sequence[Change], names: Mapping[bytes, str]) -> Sentence:
    """The greatest change first."""
    number = {"record": words.witness(changes[0].by), "count": len(changes)}
    ordered = sorted(changes, key=_moved_ms, reverse=True)
    people = [
        f"{_called(one.who, names)} {words.bounds(Bounds(*one.before))} → {words.bounds(Bounds(*one.after))}"
        for one in ordered[:MOST_CHANGES]
    ]
    if len(ordered) > MOST_CHANGES:
        people.append(_("and %(count)d more, in the JSON") % {"count": len(ordered) - MOST_CHANGES})
    return Sentence(sentence % number, tuple(people[:MOST_NAMES]), tuple(people[MOST_NAMES:]))


def _moved_ms(change: Change) -> tuple[int, int]:
    """How far the time moved out of what it could have been; then how much narrower it became."""
    (least, most), (now_least, now_most) = change.before, change.after
    out = max(0, least - now_least, 0 if most is None or now_most is None else now_most - most)
    width = (most or now_least) - least
    return out, width


def settled(row: MeetingRow, zone: tzinfo) -> str:
    """Whether anything may still change, and what would end that."""
    summary = row.summary
    if row.state is State.RUNNING:
        return _("Not settled: the meeting runs.")
    if row.state is State.ENDED:
        return _(
            "Not settled yet: late webhooks may come until %(time)s. A whole events.xml of the class and its rooms "
            "settles it at once."
        ) % {"time": words.clock(summary.settles_at, zone)}
    if summary.settles_at is None:
        return _("Settled: a whole events.xml is in, and nothing can change it any more.")
    if summary.record:
        return _("Settled: the time for late webhooks is over. A whole events.xml would still make it exact.")
    return _("Settled: the time for late webhooks is over. A record that came now would still narrow it down.")
