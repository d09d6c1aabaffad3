"""Why the record of a meeting did not come: one sentence, with the mend. For the meeting's page and for the doctor."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rollcall import environment
from rollcall.bbb.callback_url import PREFIX
from rollcall.bbb.payloads import decode
from rollcall.core.events import MeetingCreated, MeetingListed, MeetingRecorded, MeetingReported
from rollcall.core.people import MOODLE_PATH
from rollcall.reports import words
from rollcall.store import reading
from rollcall.store.reading import RecordHistory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import tzinfo

    from rollcall.store.derived import Summary
    from rollcall.store.facts import Fact

CALLBACK = "analytics-callback-url"

USUAL_MS = 3_600_000
"""BigBlueButton sends the record of a meeting that was not recorded within seconds, unless its worker is busy."""

ARCHIVING_MS = 12 * 3_600_000
"""…and of one that was recorded only when it has been archived, behind all others."""

BROKEN_AFTER = 3
"""So many meetings in a row without a record are no chance."""

T = TypeVar("T")

_read = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Why:
    """`code` names the cause; `mend` is blank where there is only to wait.

    `may_come`: it is not too late. `is_early`: records of the server came only later, so that none was lost.
    """

    code: str
    sentence: str
    mend: str = ""
    may_come: bool = False
    is_early: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of how a meeting was made; None where nobody has said. Times are epoch ms."""

    server: str = ""
    ended_at: int | None = None
    keeps_events: bool | None = None
    is_recorded: bool | None = None
    metadata: dict[str, str] | None = None
    history: RecordHistory = field(default_factory=RecordHistory)

    @property
    def address(self) -> str | None:
        """Where BigBlueButton was told to send the record; blank: nowhere."""
        return None if self.metadata is None else self.metadata.get(CALLBACK, "")

    @property
    def is_moodle(self) -> bool:
        """Whether Moodle made it."""
        told = self.metadata or {}
        return told.get("bbb-origin", "").casefold() == "moodle" or any(MOODLE_PATH in text for text in told.values())


def why_no_record(summary: Summary, *, as_of: int, zone: tzinfo) -> Why:
    """For a meeting that has ended, and of which no record came, or not the one asked for."""
    history = reading.record_history(summary.pool_name, ended_by=as_of - USUAL_MS, around=summary)
    return why(what_is_known(summary, history), as_of=as_of, zone=zone)


def why_no_record_of_it(summary: Summary, *, as_of: int) -> Why:
    """The same for whoever does not run BigBlueButton, by what is known of this meeting alone.

    How many others of the server have a record, and since when, tells of meetings that are not theirs to see.
    """
    known = what_is_known(summary, RecordHistory())
    lost = Why("lost", _("It was lost, or never made. Whoever runs BigBlueButton is told here why."))
    return replace(_events_not_kept(known) or _may_come(known, as_of) or lost, mend="")


def why_no_callback(summary: Summary) -> Why:
    """For a meeting whose events.xml came, which tells all that the callback could: what was in its way, for itself."""
    known = what_is_known(summary, RecordHistory())
    lost = Why(
        "lost",
        _("BigBlueButton posts it once and never again: it was lost, or the host script sent events.xml in its place."),
    )
    return _events_not_kept(known) or _not_addressed_here(known) or lost


def what_is_known(summary: Summary, history: RecordHistory) -> Known:
    """Reads how the meeting was made from its own facts."""
    created = _own(summary, MeetingCreated.kind)
    told = [_of_creation(fact) for fact in created]
    return Known(
        server=summary.pool_name,
        ended_at=summary.ended_possible_at,
        keeps_events=_first(one.get("keepEvents") for one in told),
        is_recorded=_first(one.get("record") for one in told),
        metadata=_first(_each_metadata(summary, created)),
        history=history,
    )


def _own(summary: Summary, kind: str) -> list[Fact]:
    return [fact for fact in reading.facts_of_kind(summary, kind) if fact.meeting_id == summary.meeting_id]


def _each_metadata(summary: Summary, created: list[Fact]) -> Iterator[dict[str, str] | None]:
    """Wherever it may have been told, what costs least to read first."""
    yield _metadata(created)
    yield _metadata(reading.first_of_kind(summary, MeetingListed.kind))
    for kind in reading.RECORDS if summary.record else ():
        yield _metadata(_own(summary, kind))


def _first(values: Iterable[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)


def _of_creation(fact: Fact) -> dict[str, Any]:
    """What the message of the creation says of recording: keepEvents stands in the raw one alone."""
    told = _read(bytes(fact.payload))
    if fact.source == "raw":
        record: dict[str, Any] = told.get("core", {}).get("body", {}).get("props", {}).get("recordProp", {})
        return record
    meeting: dict[str, Any] = told.get("data", {}).get("attributes", {}).get("meeting", {})
    return meeting


def _metadata(facts: list[Fact]) -> dict[str, str] | None:
    for fact in facts:
        for event in decode(fact.source, bytes(fact.digest), bytes(fact.payload), None):
            if isinstance(event, MeetingCreated | MeetingListed | MeetingRecorded | MeetingReported):
                return dict(event.metadata)
    return None


# --- the likeliest cause ----------------------------------------------------------------------------------------------


def why(known: Known, *, as_of: int, zone: tzinfo) -> Why:
    """What is certain first, then whether it may still come, then what is likely."""
    return (
        _events_not_kept(known)
        or _never_sent_here(known)
        or _may_come(known, as_of)
        or _never_any(known)
        or _before_the_first(known, zone)
        or _broke(known, zone)
        or _only_this_one(known)
    )


def _events_not_kept(known: Known) -> Why | None:
    if known.keeps_events is not False:
        return None
    return Why(
        "events-not-kept",
        _("BigBlueButton was told not to keep this meeting's events (keepEvents), so it made no record."),
        _(
            "Set defaultKeepEvents=true in /etc/bigbluebutton/bbb-web.properties and run bbb-conf --restart, or have "
            "meetings created with meetingKeepEvents=true."
        ),
    )


def _never_sent_here(known: Known) -> Why | None:
    """Whoever sends us records of other meetings does so whatever address this one had."""
    return None if _any_came(known.history) else _not_addressed_here(known)


def _any_came(history: RecordHistory) -> bool:
    return any(at is not None for at in (history.reported_at, history.last_at, history.next_at))


def _not_addressed_here(known: Known) -> Why | None:
    address = known.address
    if address is None or is_ours(address):
        return None
    if address:
        return _sent_elsewhere(address, known.server)
    if known.is_moodle:
        return Why(
            "not-registered",
            _("Moodle gave BigBlueButton no address for the record: “Register live sessions” is off there."),
            _(
                "In Moodle: Site administration > Plugins > Activity modules > BigBlueButton > Experimental features, "
                "switch “Register live sessions” on. That sends it to Moodle; for Rollcall install the host script: "
                "rollcall bbb-host --server %(server)s"
            )
            % {"server": known.server},
        )
    return Why(
        "no-address",
        _("Whoever created the meeting gave BigBlueButton no address for its record (analytics-callback-url)."),
        _(
            "Install the host script, which sends every record here whatever the LMS asks for: "
            "rollcall bbb-host --server %(server)s"
        )
        % {"server": known.server},
    )


def _sent_elsewhere(address: str, server: str) -> Why:
    try:
        host = urlsplit(address).hostname or address
    except ValueError:
        host = address
    who = _("Moodle (%(host)s)") if MOODLE_PATH in address else "%(host)s"
    return Why(
        "sent-elsewhere",
        _("BigBlueButton posts this meeting's record to %(who)s and not to Rollcall.") % {"who": who % {"host": host}},
        _("Install the host script, which sends it here as well: rollcall bbb-host --server %(server)s")
        % {"server": server},
    )


def is_ours(address: str) -> bool:
    """Whether a record that is posted there comes to us."""
    base = environment.URL.read().rstrip("/")
    return bool(base) and address.startswith(base + PREFIX)


def _may_come(known: Known, as_of: int) -> Why | None:
    if known.ended_at is None:
        return Why("running", _("It comes after the meeting."), may_come=True)
    patience = ARCHIVING_MS if known.is_recorded else USUAL_MS
    if as_of >= known.ended_at + patience:
        return None
    if known.is_recorded:
        sentence = _(
            "It may still come: the meeting was made to be recorded, and its record waits until BigBlueButton has "
            "archived it, minutes or hours."
        )
    else:
        sentence = _("It may still come: BigBlueButton sends it seconds to minutes after the end.")
    return Why("may-come", sentence, may_come=True)


def _never_any(known: Known) -> Why | None:
    if _any_came(known.history):
        return None
    return Why(
        "never-any",
        _("No record has ever come from this server."),
        _(
            "Install the host script (rollcall bbb-host --server %(server)s) and run rollcall-bbb --check there: "
            "it says what is in the way."
        )
        % {"server": known.server},
    )


def _before_the_first(known: Known, zone: tzinfo) -> Why | None:
    """Nothing is lost in a time from which there are no records at all."""
    history = known.history
    if history.last_at is not None or history.next_at is None:
        return None
    first = {"when": words.day_and_clock(history.next_at, zone)}
    earlier = _("Records came from this server only from the meeting of %(when)s on; this one was earlier.") % first
    then = _not_addressed_here(known)
    if then is None:
        return Why("before-the-first", earlier, _still_there(), is_early=True)
    return Why(then.code, f"{then.sentence} {earlier}", _still_there(), is_early=True)


def _still_there() -> str:
    return _("If /var/bigbluebutton/events on the server still has a folder of its id: rollcall import FOLDER.")


def _broke(known: Known, zone: tzinfo) -> Why | None:
    """Too many in a row are no chance; whether that is over says what to do."""
    history = known.history
    if history.without < BROKEN_AFTER or history.without_since is None:
        return None
    told = {"count": history.without, "day": words.day(history.without_since, zone)}
    if history.next_at is not None:
        sentence = _(
            "Of %(count)d meetings in a row, from %(day)s on, no record came from this server: something was broken, "
            "and has been mended since."
        )
        return Why("was-broken", sentence % told, _still_there())
    return Why(
        "broke",
        _("Records came from this server, but of the last %(count)d meetings none did: something broke around %(day)s.")
        % told,
        _(
            "On the server, run rollcall-bbb --check, and look into /var/log/bigbluebutton/post_events*.log and "
            "bbb-rap-starter: was the secret, the address or a certificate changed then, or BigBlueButton upgraded?"
        ),
    )


def _only_this_one(known: Known) -> Why:
    history = known.history
    sentence = ngettext(
        "Of %(all)d meeting of this server around it, %(with)d has a record; this one's was lost, or never made.",
        "Of %(all)d meetings of this server around it, %(with)d have a record; this one's was lost, or never made.",
        history.recent,
    )
    return Why(
        "only-this-one",
        sentence % {"with": history.recent_with, "all": history.recent},
        _(
            "On the server, look for the meeting's id in /var/log/bigbluebutton/post_events*.log. If "
            "/var/bigbluebutton/events has a folder of that name, run: rollcall import on its events.xml."
        ),
    )
