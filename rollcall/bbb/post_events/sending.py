"""A meeting that has ended, told to whoever wants to know: found, written down, sent, tried again until it is there."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import tempfile
import time
from typing import TYPE_CHECKING

from rollcall.bbb.callback_body import body_of, only_lms_users
from rollcall.bbb.post_events.configuration import Configuration, secret_for
from rollcall.bbb.post_events.host import MEETING_ID, Host, Trouble
from rollcall.bbb.post_events.journal import Journal
from rollcall.bbb.post_events.posting import Answer, Poster, host_of
from rollcall.bbb.post_events.spool import PAUSE_SECONDS, Delivery, Entry, Spool
from rollcall.bbb.post_events.verdict import (
    DONE,
    FAULT,
    GONE,
    HELD,
    LATER,
    UNCLEAR,
    Verdict,
    judge,
    judge_by_probe,
)
from rollcall.bbb.recording import Recording, open_recording

if TYPE_CHECKING:
    from typing import IO, Any

LMS = "lms"
ROLLCALL = "rollcall"
READING = "reading"  # no destination yet: events.xml is there and cannot be read
TITLES = {LMS: "LMS", ROLLCALL: "Rollcall", READING: "events.xml"}
PROBE = b'{"meeting_id":"probe"}'
JSON_TYPE = "application/json"
# Others' overdue meetings are looked after while a worker waits for us only if there is time.
FOREGROUND_SECONDS = 20
RETRY_SECONDS = 15 * 60
_IN_MEMORY = 4 * 1024 * 1024


class Head:
    """What stands in front of the first event, and where the file is."""

    __slots__ = ("is_breakout", "metadata", "path")

    def __init__(self, path: str, recording: Recording) -> None:
        self.path = path
        self.metadata = recording.metadata
        self.is_breakout = recording.is_breakout

    def callback_url(self) -> str:
        """Where the LMS wants this meeting's numbers; "" if it does not."""
        return self.metadata.get("analytics-callback-url", "").strip()

    def is_moodles(self) -> bool:
        """Whether Moodle's own plugin will read it, however many balancers stand between."""
        return "/mod/bigbluebuttonbn/" in self.callback_url() or self.metadata.get("bbb-origin") == "Moodle"


class Unreadable(Trouble):
    """The file is there; whoever mends its rights wants it sent."""


class Content:
    """What is to be sent: its bytes, and what to say of it."""

    __slots__ = ("body", "damage", "kind", "length", "said")

    def __init__(self, body: bytes | IO[bytes], length: int, kind: str, said: str, damage: str = "") -> None:
        self.body = body
        self.length = length
        self.kind = kind
        self.said = said
        self.damage = damage


def read_head(host: Host, meeting: str, spool: Spool) -> Head:
    """The beginning of this meeting's events.xml; Trouble says why there is none."""
    reasons = []
    for path in [*host.events_files(meeting), spool.kept_events(meeting)]:
        try:
            return Head(path, _begun(path))
        except FileNotFoundError:
            continue
        except OSError as error:
            reasons.append(f"{path} cannot be read here ({error.strerror})")
    if reasons:
        raise Unreadable("; ".join(reasons))
    places = " nor ".join(host.events_files(meeting))
    raise Trouble(f"there is no events.xml, neither {places}: were events kept (defaultKeepEvents)?")


def _begun(path: str) -> Recording:
    stream = open_recording(path)
    try:
        recording = Recording(stream)
        next(iter(recording.events()), None)
    finally:
        stream.close()
    return recording


def people_of(meeting: str, path: str, *, with_guests: bool) -> Content:
    """The body of the analytics callback."""
    stream = open_recording(path)
    try:
        recording = Recording(stream)
        everybody = body_of(recording)
    finally:
        stream.close()
    everybody["internal_meeting_id"] = meeting
    body = everybody if with_guests else only_lms_users(everybody)
    told_of = len(body["data"]["attendees"])
    left_out = len(everybody["data"]["attendees"]) - told_of
    said = counted(told_of, "person", "people") + (
        f", {counted(left_out, 'guest', 'guests')} left out" if left_out else ""
    )
    if recording.blank_events:
        said += f", {recording.blank_events} events had lost their content"
    data = json.dumps(body, separators=(",", ":")).encode("ascii")
    return Content(data, len(data), JSON_TYPE, said, _damage_of(recording))


def counted(count: int, one: str, many: str) -> str:
    """A number with its noun: 1 try, 2 tries."""
    return f"{count} {one if count == 1 else many}"


def _damage_of(recording: Recording) -> str:
    if not recording.damage:
        return ""
    return f"events.xml is damaged ({recording.damage}, at byte {recording.damage_at})"


def events_of(path: str) -> Content:
    """events.xml as it is, compressed."""
    packed = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - it is read where it is sent
    with open(path, "rb") as plain, gzip.GzipFile("", "wb", 6, packed, 0) as compressing:
        shutil.copyfileobj(plain, compressing, 256 * 1024)
    length = packed.tell()
    packed.seek(0)
    return Content(packed, length, "application/gzip", f"events.xml, {length} bytes compressed")


# What an operator asked for: nothing, all that is owed, or a meeting by its name, whatever became of it.
DUE, OWED, NAMED = "due", "owed", "named"


class Sender:
    """Sends meetings, one after the other."""

    def __init__(self, configuration: Configuration, journal: Journal) -> None:
        self.configuration = configuration
        self.journal = journal
        self.host = configuration.host
        self.spool = Spool(configuration.path("spool"))
        self.began = time.monotonic()
        self._down: set[str] = set()

    def send(self, meeting: str, *, asked: str = DUE, patience: float = 60) -> bool:
        """Send one meeting wherever it is wanted; True if nothing of it is owed any more.

        It is owed from here on: whoever waits for another process, or is killed, leaves it to the next run.
        """
        if not MEETING_ID.match(meeting):
            self.journal.write("-", f"{meeting[:80]!r} is no internal meeting id; nothing was sent.")
            return False
        try:
            self.spool.open()
            self.spool.ask(meeting)
        except Trouble as trouble:
            self.journal.write(meeting, f"{trouble}: what cannot be delivered now will not be tried again.")
        return self._send_in_turn(meeting, asked, patience)

    def _send_in_turn(self, meeting: str, asked: str, patience: float) -> bool:
        with self.spool.lock(meeting, patience) as is_mine:
            if not is_mine:
                self.journal.write(meeting, "is being sent by another process just now; a later run looks after it.")
                return False
            try:
                return self._send_locked(meeting, asked)
            except Trouble as trouble:
                self.journal.write(meeting, f"not sent: {trouble}")
            except Exception as error:  # noqa: BLE001 - whatever it is, the others go on and the log tells
                self.journal.write(meeting, f"a fault of this program stopped it: {_where(error)}")
            return False

    def _send_locked(self, meeting: str, asked: str) -> bool:
        entry = self.spool.read(meeting) or Entry(meeting, int(time.time()))
        is_heard = self._hear(entry)
        is_done = self._send_entry(entry, asked)
        if is_done and not is_heard:
            self.spool.hear(meeting)
        return is_done

    def _hear(self, entry: Entry) -> bool:
        """Write down that it is owed before whoever asked is forgotten; False on a full disk."""
        entry.delivery(READING).begin(time.time())
        is_heard = self._remember(entry)
        if is_heard:
            self.spool.hear(entry.meeting)
        return is_heard

    def _send_entry(self, entry: Entry, asked: str) -> bool:
        try:
            head = read_head(self.host, entry.meeting, self.spool)
        except Unreadable as trouble:
            self._wait_for_mend(entry, str(trouble))
            return False
        except Trouble as trouble:
            return self._do_without(entry, str(trouble))
        del entry.deliveries[READING]
        addresses = self.addresses(head)
        if not addresses:
            self._put_by(entry)
            self.journal.write(entry.meeting, _nobody_wants(head))
            return True
        entry.deliveries = {name: entry.delivery(name) for name, _ in addresses}
        self._notice_change(entry, head.path, asked)
        self._remember(entry)
        if entry.is_finished():
            self.spool.forget_events(entry.meeting)
            self.journal.write(entry.meeting, "was delivered already; --resend sends it again.")
            return True
        self.spool.keep_events(entry.meeting, head.path)
        for destination, url in addresses:
            delivery = entry.delivery(destination)
            if delivery.is_due(time.time()):
                self._deliver(entry, destination, url, head, asked)
            elif delivery.state not in {DONE, GONE}:
                self._tell(entry.meeting, destination, url, delivery)
        if entry.is_finished():
            self.spool.forget_events(entry.meeting)
        return entry.is_finished()

    def _put_by(self, entry: Entry) -> None:
        """As it was before; a meeting of which nothing was ever sent is not remembered."""
        if entry.deliveries:
            self._remember(entry)
        else:
            self.spool.forget(entry.meeting)

    def _do_without(self, entry: Entry, sentence: str) -> bool:
        """Its events are nowhere: said until it is given up, if anybody has yet to get them."""
        if any(_is_open(delivery) for name, delivery in entry.deliveries.items() if name != READING):
            self._wait_for_mend(entry, sentence)
            return False
        del entry.deliveries[READING]
        self._put_by(entry)
        raise Trouble(sentence)

    def _wait_for_mend(self, entry: Entry, sentence: str) -> None:
        now = time.time()
        for name, delivery in entry.deliveries.items():
            if name == READING or delivery.is_due(now):
                if name != READING:
                    delivery.begin(now)
                delivery.end(Verdict(FAULT, sentence), now, was_sent=False)
        self._remember(entry)
        self.journal.write(entry.meeting, told(entry.delivery(READING), READING))

    def _notice_change(self, entry: Entry, path: str, asked: str) -> None:
        """Rollcall takes a later events.xml of the same meeting; an LMS takes one for good."""
        status = os.stat(path)
        seen = [status.st_size, int(status.st_mtime)]
        for destination, delivery in entry.deliveries.items():
            is_changed = entry.seen not in ([], seen) and destination == ROLLCALL and delivery.state in {DONE, HELD}
            if is_changed or asked == NAMED or (asked == OWED and delivery.state not in {DONE, GONE}):
                delivery.state, delivery.next_at = LATER, 0
        entry.seen = seen

    def addresses(self, head: Head) -> list[tuple[str, str]]:
        """Where this meeting goes; the LMS first, so that a clean post is there before BigBlueButton's own."""
        found = {}
        # Moodle knows no breakout rooms: their people are in the room they came from.
        if self.configuration.is_on("send_to_lms") and not (head.is_breakout and head.is_moodles()):
            found[LMS] = head.callback_url()
        found[ROLLCALL] = self.configuration.text("rollcall_url")
        if found.get(LMS) == found[ROLLCALL]:
            del found[LMS]  # the meeting names Rollcall itself, which gets something better
        return [(name, found[name]) for name in (LMS, ROLLCALL) if found.get(name)]

    def content(self, meeting: str, destination: str, head: Head) -> Content:
        """What goes there."""
        if destination == ROLLCALL:
            if self.configuration.text("rollcall_gets") == "events":
                return events_of(head.path)
            return people_of(meeting, head.path, with_guests=True)
        guests = self.configuration.text("guests")
        return people_of(
            meeting, head.path, with_guests=guests == "keep" or (guests == "auto" and not head.is_moodles())
        )

    def _deliver(self, entry: Entry, destination: str, url: str, head: Head, asked: str) -> None:
        delivery = entry.delivery(destination)
        if host_of(url) in self._down:
            return
        delivery.begin(time.time())
        self._remember(entry)
        try:
            verdict, was_sent = self._try(entry.meeting, destination, url, head, asked)
        except Trouble as trouble:
            verdict, was_sent = Verdict(FAULT, str(trouble)), False
        except OSError as error:
            verdict, was_sent = Verdict(LATER, f"events.xml cannot be packed here ({error.strerror})"), False
        delivery.end(verdict, time.time(), was_sent=was_sent)
        self._remember(entry)
        self._tell(entry.meeting, destination, url, delivery)

    def _tell(self, meeting: str, destination: str, url: str, delivery: Delivery) -> None:
        self.journal.write(meeting, f"{TITLES[destination]} {host_of(url)}: {told(delivery, destination)}")

    def _try(self, meeting: str, destination: str, url: str, head: Head, asked: str) -> tuple[Verdict, bool]:
        """The verdict, and whether anything may have arrived."""
        poster = Poster(self.configuration, url, secret_for(self.configuration, destination)[1])
        content = self.content(meeting, destination, head)
        if content.damage and destination == LMS and asked != NAMED:
            return Verdict(
                HELD, f"{content.damage}, and an LMS takes a meeting once: --resend sends what can be read"
            ), False
        answer = poster.post(content.body, content.length, content.kind)
        verdict = judge(destination, answer)
        if verdict.kind == UNCLEAR:
            verdict = judge_by_probe(verdict.said, poster.post(PROBE, len(PROBE), JSON_TYPE))
        if answer.status == 0 or answer.status >= 500:
            self._down.add(host_of(url))
        if verdict.kind == DONE:
            verdict.said = f"{verdict.said}: {content.said}" + (f", {content.damage}" if content.damage else "")
        return verdict, answer.failure != "unreached"

    def _remember(self, entry: Entry) -> bool:
        try:
            self.spool.write(entry)
        except Trouble:
            return False  # said once, when the meeting was asked for, unless the disk is full since
        return True

    def retry(self, *, now: float, asked: str = DUE, seconds: float = RETRY_SECONDS) -> int:
        """Everything that is due; how many meetings are still owed to somebody."""
        owed = 0
        for meeting in self.spool.meetings():
            entry = self.spool.read(meeting)
            if entry is not None and self._is_given_up(entry, now):
                continue
            if self._is_wanted(meeting, entry, now, asked) and time.monotonic() - self.began <= seconds:
                owed += not self._send_in_turn(meeting, asked, patience=0)
            else:
                owed += entry is None or not entry.is_finished()
        return owed

    def _is_wanted(self, meeting: str, entry: Entry | None, now: float, asked: str) -> bool:
        """Whether to try it: it is due, or whoever asked for it was killed, or what was known of it is damaged."""
        asked_at = self.spool.asked_at(meeting)
        is_forsaken = asked_at is not None and not 0 <= now - asked_at < PAUSE_SECONDS
        if is_forsaken or (asked_at is not None and asked == OWED):
            return True
        if entry is None:
            return asked_at is None
        return (asked == OWED or entry.is_due(now)) and not entry.is_finished()

    def _is_given_up(self, entry: Entry, now: float) -> bool:
        days = self.configuration.number("keep_days")
        if entry.added_at + days * 86400 > now or self.spool.asked_at(entry.meeting) is not None:
            return False
        with self.spool.lock(entry.meeting, 0) as is_mine:
            if is_mine:
                self._give_up(entry, days)
        return True

    def _give_up(self, entry: Entry, days: int) -> None:
        for destination, delivery in entry.deliveries.items():
            if delivery.state not in {DONE, GONE}:
                self.journal.write(
                    entry.meeting,
                    f"{TITLES.get(destination, destination)}: given up after {counted(days, 'day', 'days')} and "
                    f"{counted(delivery.tries, 'try', 'tries')}: "
                    f"{delivery.said or 'no try came to an end'}",
                )
        self.spool.forget(entry.meeting)


def _is_open(delivery: Delivery) -> bool:
    """Whether it is tried again by itself."""
    return delivery.is_due(delivery.next_at)


def told(delivery: Delivery, destination: str) -> str:
    """One sentence for the log."""
    if delivery.state == DONE:
        if destination == LMS and delivery.said.startswith("202"):
            return f"had it already, {_who_was_first(delivery)} ({delivery.said})"
        return f"delivered ({delivery.said})"
    if delivery.state == GONE:
        return f"not wanted any more ({delivery.said})"
    if delivery.state == HELD:
        return f"not delivered, and not tried again by itself: {delivery.said}"
    minutes = max(1, round((delivery.next_at - time.time()) / 60))
    pause = counted(minutes, "minute", "minutes") if minutes < 120 else f"{round(minutes / 60)} hours"
    said = delivery.said or "an earlier try was cut short"
    return f"{'to be mended' if delivery.state == FAULT else 'not delivered yet'}: {said}; next try in {pause}"


def _who_was_first(delivery: Delivery) -> str:
    if delivery.is_unsure:
        return "from an earlier try that broke off"
    return "from another sender, BigBlueButton's own script perhaps (--divert puts that aside)"


def _where(error: Exception) -> str:
    """What it was and where, without its words, which may hold a name."""
    places = []
    frame = error.__traceback__
    while frame is not None:
        places.append(f"{frame.tb_frame.f_code.co_name}:{frame.tb_lineno}")
        frame = frame.tb_next
    return f"{type(error).__name__} in {' '.join(places)}"


def _nobody_wants(head: Head) -> str:
    if head.is_breakout and head.is_moodles():
        return "a breakout room: nothing to send, since Moodle is told of the room its people came from."
    if head.callback_url():
        return "nothing to send: send_to_lms is no, and rollcall_url is empty."
    return "nothing to send: the meeting names no analytics-callback-url, and rollcall_url is empty."


def probe(configuration: Configuration, url: str, secret: str) -> Answer:
    """A signed request that Moodle and Rollcall answer with 410 and forget, if address, header and secret are right."""
    return Poster(configuration, url, secret).post(PROBE, len(PROBE), JSON_TYPE)


def shown(sender: Sender, meeting: str) -> dict[str, Any]:
    """What would be sent, and where to; nothing is."""
    head = read_head(sender.host, meeting, sender.spool)
    found: dict[str, Any] = {}
    for destination, url in sender.addresses(head):
        content = sender.content(meeting, destination, head)
        body = json.loads(content.body.decode("ascii")) if isinstance(content.body, bytes) else content.said
        found[destination] = {"host": host_of(url), "said": content.said, "damage": content.damage, "body": body}
    return found
