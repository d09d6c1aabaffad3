"""events.xml, BigBlueButton's own record of a meeting, any version: one pass, constant memory, up to the first damage.

Nothing beyond the standard library and nothing newer than Python 3.5 but annotations and f-strings: this module is also
part of the single file that runs on a BigBlueButton host. Expat is as fast here as anything, and every Python has it.
"""

from __future__ import annotations

import re
import sys
import zlib
from typing import TYPE_CHECKING
from xml.parsers import expat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike
    from typing import Any, Protocol

    # (epoch ms, ms of the recorder's own clock, "MODULE/EventName", texts of its children)
    Happening = tuple[int, int, str, dict[str, str]]
    # (ms of the recorder's clock, its timestampUTC, name, children or None if nobody wants the event)
    Waiting = tuple[int | None, int | None, str, dict[str, str] | None]

    class Readable(Protocol):
        """Whatever gives bytes."""

        def read(self, size: int, /) -> bytes:
            """At most so many; none at the end."""
            ...

    class Stream(Readable, Protocol):
        """Bytes that somebody has to let go."""

        def close(self) -> None:
            """Give no more."""
            ...


CHUNK = 256 * 1024
TEXT_LIMIT = 64 * 1024  # characters kept of one child; an id, a name or a list of poll answers is far shorter
CHILDREN_LIMIT = 200
DEPTH_LIMIT = 1000
NAME_LIMIT = 200
POLLS_LIMIT = 10_000
ROOMS_LIMIT = 1000
NAMES_LIMIT = 50_000  # different names of elements and attributes; real files have some two hundred
TOKEN_LIMIT = 1024 * 1024  # bytes of one tag or comment, which expat must hold as a whole
WAITING_LIMIT = 5_000  # events held back until one tells the clock
WAITING_TEXT_LIMIT = 4 * 1024 * 1024

NUMBER_LIMIT = 10**15

DAY_MS = 24 * 3_600_000
BEFORE_CREATION_MS = DAY_MS
AFTER_CREATION_MS = 60 * DAY_MS  # BigBlueButton drops what it has not archived after 14
EARLIEST_AT = 1_230_768_000_000  # 2009, the year of the first BigBlueButton
LATEST_AT = 4_102_444_800_000  # 2100
EARLIEST_NEWER_AT = 1_627_776_000_000  # 2021-08-01: no server of 2.4 is older

JOINED = "PARTICIPANT/ParticipantJoinEvent"
LEFT = "PARTICIPANT/ParticipantLeftEvent"
STATUS_CHANGED = "PARTICIPANT/ParticipantStatusChangeEvent"
PRESENTER_ASSIGNED = "PARTICIPANT/AssignPresenterEvent"
RECORDING_MARKED = "PARTICIPANT/RecordStatusEvent"
CHAPTER_BROKEN = "PARTICIPANT/RecordChapterBreakEvent"
ENDED = "PARTICIPANT/EndAndKickAllEvent"
VOICE_JOINED = "VOICE/ParticipantJoinedEvent"
VOICE_LEFT = "VOICE/ParticipantLeftEvent"
VOICE_TALKING = "VOICE/ParticipantTalkingEvent"
VOICE_MUTED = "VOICE/ParticipantMutedEvent"
CHATTED = "CHAT/PublicChatEvent"
POLL_STARTED = "POLL/PollStartedRecordEvent"
POLL_ANSWERED = "POLL/UserRespondedToPollRecordEvent"
POLL_STOPPED = "POLL/PollStoppedRecordEvent"
POLL_PUBLISHED = "POLL/PollPublishedRecordEvent"
SHAPE_ADDED = "WHITEBOARD/AddShapeEvent"  # passed on where it is the first to draw the result of a poll
CONVERTED = "PRESENTATION/ConversionCompletedEvent"

WANTED = frozenset(
    (
        JOINED,
        LEFT,
        STATUS_CHANGED,
        PRESENTER_ASSIGNED,
        RECORDING_MARKED,
        CHAPTER_BROKEN,
        ENDED,
        VOICE_JOINED,
        VOICE_LEFT,
        VOICE_TALKING,
        VOICE_MUTED,
        CHATTED,
        POLL_STARTED,
        POLL_ANSWERED,
        POLL_STOPPED,
        POLL_PUBLISHED,
        CONVERTED,
        "WEBCAM/StartWebcamShareEvent",
        "WEBCAM/StopWebcamShareEvent",
        "bbb-webrtc-sfu/StartWebRTCShareEvent",
        "bbb-webrtc-sfu/StopWebRTCShareEvent",
    )
)
# Screen share has had many names: DeskshareStartedEvent, StartWebRTCDesktopShareEvent, …
SCREEN_SHARE = re.compile("(?i)(?=.*(?:deskshare|desktopshare|screenshare)).*(?:start|stop)")

# What no server before 2.4 writes: `bbb_version` says 2.1.0 in files of 2.1, 2.4 and 2.5 alike.
NEWER_NAMES = frozenset((POLL_PUBLISHED, "WHITEBOARD/AddTldrawShapeEvent"))
NEWER_MODULES = ("CONFIG/", "PAD/")
NEWER_STATUSES = frozenset(("raiseHand", "reactionEmoji", "away"))

# Moves of a cursor are most of a file. What this pattern takes is well-formed, plain and of no interest. Where Python
# can be told not to try again what has failed, from 3.11, it takes half as long.
CURSOR_MOVED = "WHITEBOARD/WhiteboardCursorMoveEvent"
CURSOR_MOVES = re.compile(
    (
        r'<event timestamp="(\d{1,15})" module="WHITEBOARD" eventname="WhiteboardCursorMoveEvent">\s*@'
        r"(?:<([A-Za-z]\w*@)>[ !-%'-;=?-~\n\t]*@</\2>\s*@)*@</event>\s*@"
    )
    .replace("@", "+" if sys.version_info >= (3, 11) else "")
    .encode()
)

UNREAD = frozenset(("message", "date"))  # what was said is nobody's business here
UTC_IN_BYTES = re.compile(rb"<timestampUTC>\s*(\d{1,15})\s*</timestampUTC>")
VERSION = re.compile(r"\s*(\d{1,4})\.(\d{1,4})")
CREATED_AT = re.compile(r"-(\d{13})$")

GZIP = b"\x1f\x8b"
GZIP_BITS = 31  # zlib's word for a gzip stream
BLANK = "/"  # an event of no module and no name: its content had expired before the file was written

# What expat says of a document that only breaks off.
BROKEN_OFF = frozenset(("no element found", "unclosed token", "partial character", "unclosed CDATA section"))
NO_ROOT = "no element found"


class Damaged(Exception):
    """The bytes cannot be read on from here; `code` is one of a recording's damages."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def number(text: str | None) -> int | None:
    """A whole number that is not negative, or None."""
    try:
        value = int(text or "") if len(text or "") < 32 else -1
    except ValueError:
        return None
    return value if 0 <= value < NUMBER_LIMIT else None


def created_at(meeting: str) -> int | None:
    """The moment the meeting was made, which an internal meeting id ends with."""
    found = CREATED_AT.search(meeting)
    return int(found.group(1)) if found else None


class Clock:
    """When things happened, in epoch ms: as the event says, else by the recorder's clock and one fixed difference."""

    def __init__(self) -> None:
        self.offset: int | None = None
        self.has_utc = False
        self.earliest = EARLIEST_AT
        self.latest = LATEST_AT

    def expect(self, created: int | None) -> None:
        """No event of a meeting is far from its creation."""
        if created is not None and EARLIEST_AT <= created <= LATEST_AT:
            self.earliest = created - BEFORE_CREATION_MS
            self.latest = created + AFTER_CREATION_MS

    def sensible(self, at: int | None) -> int | None:
        """The same, or None if no event of this meeting can be then."""
        return at if at is not None and self.earliest <= at <= self.latest else None

    def learn(self, timestamp: int | None, utc: int | None) -> bool:
        """True if this event is the first to tell both times."""
        if utc is None:
            return False
        self.has_utc = True
        if timestamp is None or self.offset is not None:
            return False
        self.offset = utc - timestamp
        return True

    def at(self, timestamp: int | None, utc: int | None) -> int | None:
        """Epoch ms of an event, None if it has no sensible time."""
        if utc is not None:
            return utc
        if timestamp is None or self.offset is None:
            return None
        return self.sensible(timestamp + self.offset)


class Recording:
    """One pass over events.xml; read `events()` to its end, then all that is said here is known.

    What stands in front of the first event is known when that event is given.
    """

    def __init__(self, stream: Readable, *, everything: bool = True) -> None:
        self.meeting = ""
        self.external_meeting_id = ""
        self.name = ""
        self.is_breakout = False
        self.parent: str | None = None
        self.rooms: list[str] = []
        self.metadata: dict[str, str] = {}
        self.version = ""
        self.first_at: int | None = None
        self.last_at: int | None = None
        self.first_timestamp: int | None = None
        self.last_timestamp: int | None = None
        self.event_count = 0  # with a name and a sensible time, wanted or not
        self.blank_events = 0
        self.odd_events = 0
        self.damage = ""
        self.damage_at: int | None = None
        self.is_closed = False
        self.end_reason: str | None = None
        self._source = stream
        self._gives_all = everything
        self._clock = Clock()
        self._is_newer = False
        self._wanted: dict[str, bool] = {}
        self._ready: list[Happening] = []
        self._waiting: list[Waiting] = []
        self._waiting_text = 0
        self._is_waiting = True
        self._depth = 0
        self._event = ""
        self._timestamp: int | None = None
        self._children: dict[str, str] = {}
        self._child = ""
        self._texts: list[str] = []
        self._broken = ""
        self._fed = 0
        self._chunks = (b"", b"")
        self._began = 0
        self._base = 0
        self._has_root = False
        self._last_skipped: tuple[int, int, int] | None = None
        self._cut = 0  # bytes that expat was not shown
        self._unpublished: set[str] = set()
        self._names: dict[str, str] = {}
        self._parser = self._new_parser()

    def events(self) -> Iterator[Happening]:
        """What happened and may matter, in the file's order; only the stream itself can raise."""
        is_last = False
        while not is_last:
            chunk = self._read()
            is_last = self._parse(chunk)
            if is_last:
                self._finish()
            ready, self._ready = self._ready, []
            yield from ready

    def is_whole(self) -> bool:
        """Whether all that happened stands in it, so that what it does not tell has not been."""
        if self.damage or self.blank_events or self.odd_events or not self.event_count:
            return False
        return self.is_closed or not self._must_be_closed()

    def _must_be_closed(self) -> bool:
        """From 2.4 a recording ends with EndAndKickAllEvent; what it says of its version is not to be trusted."""
        found = VERSION.match(self.version)
        version = (int(found.group(1)), int(found.group(2))) if found else (9, 9)
        if not self._clock.has_utc or version < (2, 1) or version in ((2, 2), (2, 3)):
            return False
        created = created_at(self.meeting)
        return self._is_newer or version != (2, 1) or created is None or created >= EARLIEST_NEWER_AT

    # The bytes

    def _read(self) -> bytes:
        """As much as a chunk holds, however little a pipe gives at a time."""
        parts = []
        wanted = CHUNK
        try:
            while wanted:
                part = self._source.read(wanted)
                if not part:
                    break
                parts.append(part)
                wanted -= len(part)
        except Damaged as error:
            self._broken = error.code
        except (EOFError, zlib.error):
            self._broken = "truncated"
        return b"".join(parts)

    def _parse(self, chunk: bytes) -> bool:
        """True if there is nothing more to read."""
        is_last = len(chunk) < CHUNK
        if chunk:
            self._chunks = (self._chunks[1], chunk)
            self._base = self._fed
            self._fed += len(chunk)
        try:
            self._feed(chunk)
            self._keep_bounds()
            if is_last and not self._broken:
                self._parser.Parse(b"", True)  # noqa: FBT003
        except Damaged as error:
            self._damaged(error.code)
        except expat.ExpatError as error:
            self._damaged(self._name_damage(expat.ErrorString(error.code)))
        except (LookupError, ValueError):  # an encoding that Python does not know, or that is none
            self._damaged("malformed")
        if self._broken and not self.damage:
            self._damaged(self._broken)
        return is_last or bool(self.damage)

    def _name_damage(self, words: str) -> str:
        if words == NO_ROOT and not self._has_root:
            return "empty"
        return "truncated" if words in BROKEN_OFF else "malformed"

    def _damaged(self, code: str) -> None:
        self.damage = code
        self.damage_at = max(0, self._parser.ErrorByteIndex, self._parser.CurrentByteIndex) + self._cut

    def _feed(self, chunk: bytes) -> None:
        """To the parser, but for moves of the cursor between other events: those are only counted."""
        end = 0
        moves = () if self._is_waiting or self._wanted.get(CURSOR_MOVED, True) else CURSOR_MOVES.finditer(chunk)
        for move in moves:
            start = move.start()
            is_between = start == end > 0
            if start > end:
                self._parser.Parse(chunk[end:start], False)  # noqa: FBT003 - expat's own
                end = start
                # Only now is it known whether this stands outside, or in a text or comment that somebody wrote.
                is_read = self._parser.CurrentByteIndex == self._base + start - self._cut
                is_between = self._depth == 1 and is_read
            if is_between:
                end = move.end()
                self._cut += end - start
                self._count_move(int(move.group(1)), self._base + start, self._base + end)
        self._parser.Parse(chunk[end:], False)  # noqa: FBT003

    def _count_move(self, timestamp: int, began: int, ended: int) -> None:
        at = self._clock.at(timestamp, None)
        if at is None:
            self.odd_events += 1
            return
        self._count(timestamp, at)
        if at == self.last_at:
            self._last_skipped = (began, ended, at)

    def _keep_bounds(self) -> None:
        """Nothing may grow with the file: no tag, no text, no nesting, no stock of names."""
        if (
            self._fed - self._cut - max(0, self._parser.CurrentByteIndex) > TOKEN_LIMIT
            or len(self._names) > NAMES_LIMIT
        ):
            raise Damaged("malformed")
        if self._texts:
            self._texts[:] = ["".join(self._texts)[:TEXT_LIMIT]]
        if self._parser.StartElementHandler is None:  # an unwanted event that is longer than a chunk
            self._parser.StartElementHandler = self._start_deeper
            self._parser.EndElementHandler = self._end_deeper

    # The frame

    def _new_parser(self) -> expat.XMLParserType:
        parser = expat.ParserCreate(None, None, self._names)
        parser.buffer_text = True
        parser.StartElementHandler = self._start_outside
        parser.EndElementHandler = self._end_outside
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartCdataSectionHandler = self._start_cdata
        parser.EndCdataSectionHandler = self._end_cdata
        return parser

    def _refuse_doctype(self, *_: object) -> None:
        """No recording has one; entities that grow, and files of ours that it could name, come with it."""
        raise Damaged("doctype")

    def _start_cdata(self) -> None:
        """One level deeper: events that are written in there are none."""
        self._depth += 1

    def _end_cdata(self) -> None:
        self._depth -= 1

    def _start_outside(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 2 and tag == "event":
            self._start_event(attributes)
        elif self._depth == 2:
            self._read_head(tag, attributes)
        elif self._depth == 1:
            self._read_root(tag, attributes)
        elif tag == "breakoutRoom":
            self._parser.CharacterDataHandler = self._texts.append
        elif self._depth > DEPTH_LIMIT:
            raise Damaged("malformed")

    def _end_outside(self, tag: str) -> None:
        self._depth -= 1
        if tag == "breakoutRoom":
            self._read_room("".join(self._texts).strip())

    def _read_room(self, meeting: str) -> None:
        self._parser.CharacterDataHandler = None
        self._texts.clear()
        if meeting and len(self.rooms) < ROOMS_LIMIT:
            self.rooms.append(meeting[:TEXT_LIMIT])

    def _read_root(self, tag: str, attributes: dict[str, str]) -> None:
        if tag != "recording":
            raise Damaged("malformed" if self._has_root else "not-a-recording")
        self._has_root = True
        self._name_meeting(attributes.get("meeting_id", ""))
        self.version = attributes.get("bbb_version", "")

    def _read_head(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "meeting":
            self._name_meeting(attributes.get("id", ""))
            self.external_meeting_id = attributes.get("externalId", "")
            self.name = attributes.get("name", "")
            self.is_breakout = self.is_breakout or attributes.get("breakout") == "true"
        elif tag == "metadata":
            self.metadata = dict(attributes)
            self.is_breakout = self.is_breakout or attributes.get("isBreakout") == "true"
            self.external_meeting_id = self.external_meeting_id or attributes.get("meetingId", "")
            self.name = self.name or attributes.get("meetingName", "")
        elif tag == "breakout" and self.is_breakout:
            self.parent = attributes.get("parentMeetingId") or None

    def _name_meeting(self, meeting: str) -> None:
        if meeting:
            self.meeting = meeting
            self._clock.expect(created_at(meeting))

    # Events

    def _start_event(self, attributes: dict[str, str]) -> None:
        """Most events move a cursor: nothing of those is read, once the clock is known."""
        module, name = attributes.get("module", ""), attributes.get("eventname", "")
        event = self._event = module + "/" + name
        self._timestamp = number(attributes.get("timestamp"))
        is_wanted = self._wanted.get(event)
        if is_wanted is None:
            is_wanted = self._meet(event)
        parser = self._parser
        if is_wanted or self._clock.offset is None:
            self._children = {}
            parser.StartElementHandler = self._start_child
            parser.EndElementHandler = self._end_child
            parser.CharacterDataHandler = self._texts.append
        else:
            self._began = parser.CurrentByteIndex
            parser.StartElementHandler = None
            parser.EndElementHandler = self._end_skipped

    def _meet(self, event: str) -> bool:
        """Whether an event of this name is to be read, asked once for each name."""
        self._is_newer = self._is_newer or event in NEWER_NAMES or event.startswith(NEWER_MODULES)
        if len(event) > NAME_LIMIT or len(self._wanted) > NAMES_LIMIT:
            return False
        is_nameless = event.startswith("/") or event.endswith("/")
        is_wanted = event in WANTED or SCREEN_SHARE.match(event) is not None or is_nameless
        self._wanted[event] = is_wanted
        return is_wanted

    def _start_child(self, tag: str, _attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 3:
            self._child = tag
            self._texts.clear()
        elif self._depth > DEPTH_LIMIT:
            raise Damaged("malformed")

    def _end_child(self, tag: str) -> None:
        self._depth -= 1
        if self._depth == 2:
            children = self._children
            if tag not in UNREAD and tag not in children and len(children) < CHILDREN_LIMIT:
                children[tag] = "".join(self._texts)[:TEXT_LIMIT]
            self._texts.clear()
        elif self._depth == 1:
            self._end_event()

    def _start_deeper(self, _tag: str, _attributes: dict[str, str]) -> None:
        """It may be all opening tags."""
        self._depth += 1
        if self._depth > DEPTH_LIMIT + 2:
            raise Damaged("malformed")

    def _end_deeper(self, tag: str) -> None:
        self._depth -= 1
        self._end_skipped(tag)

    def _end_skipped(self, tag: str) -> None:
        if tag != "event":
            return
        self._outside_again()
        at = self._clock.at(self._timestamp, None)
        if at is None:
            self.odd_events += 1
            return
        self._count(self._timestamp, at)
        if at == self.last_at:
            self._last_skipped = (self._began + self._cut, self._parser.CurrentByteIndex + self._cut, at)

    def _end_event(self) -> None:
        self._outside_again()
        self._parser.CharacterDataHandler = None
        self._texts.clear()
        children = self._children
        utc = self._clock.sensible(number(children.pop("timestampUTC", None)))
        is_wanted = self._wanted.get(self._event, False) or self._event == SHAPE_ADDED
        one = (self._timestamp, utc, self._event, children if is_wanted else None)
        if not self._is_waiting:
            self._clock.learn(self._timestamp, utc)
            self._happened(*one)
            return
        self._waiting.append(one)
        self._waiting_text += sum(map(len, children.values())) if is_wanted else 0
        if self._clock.learn(self._timestamp, utc) or self._is_long_wait():
            self._set_clock()

    def _outside_again(self) -> None:
        self._depth = 1
        parser = self._parser
        parser.StartElementHandler = self._start_outside
        parser.EndElementHandler = self._end_outside

    # What happened when

    def _is_long_wait(self) -> bool:
        return len(self._waiting) >= WAITING_LIMIT or self._waiting_text > WAITING_TEXT_LIMIT

    def _set_clock(self) -> None:
        """From now on times are known; without any in the file, its first event is taken for the meeting's creation."""
        self._is_waiting = False
        waiting, self._waiting = self._waiting, []
        created = self._clock.sensible(created_at(self.meeting))
        first = next((one[0] for one in waiting if one[0] is not None), None)
        if self._clock.offset is None and created is not None and first is not None:
            self._clock.offset = created - first
        for one in waiting:
            self._happened(*one)

    def _happened(self, timestamp: int | None, utc: int | None, event: str, children: dict[str, str] | None) -> None:
        at = self._clock.at(timestamp, utc)
        if event == BLANK:
            self.blank_events += 1
        elif at is None or event.startswith("/") or event.endswith("/"):
            self.odd_events += 1
        else:
            self._count(timestamp, at)
            if children is not None and self._is_told(event, children) and self._gives_all:
                self._ready.append((at, timestamp or 0, event, children))

    def _count(self, timestamp: int | None, at: int) -> None:
        self.event_count += 1
        self.last_timestamp = timestamp
        if self.last_at is None or self.first_at is None:
            self.first_timestamp = timestamp
            self.first_at = self.last_at = at
        elif at >= self.last_at:
            self.last_at = at
        elif at < self.first_at:
            self.first_at = at

    def _is_told(self, event: str, children: dict[str, str]) -> bool:
        """Learn what this says of the whole; False if it has no further use."""
        if event == ENDED:
            self.is_closed = True
            self.end_reason = children.get("reason")
        elif event == STATUS_CHANGED:
            self._is_newer = self._is_newer or children.get("status") in NEWER_STATUSES
        elif event == POLL_STARTED:
            self._await_result(children.get("pollId", ""))
        elif event == SHAPE_ADDED:
            return children.get("type") == "poll_result" and self._is_result(children.get("id", ""))
        return True

    def _await_result(self, poll: str) -> None:
        """Shapes are drawn by the thousand; they are read only while one of them may be the result of a poll."""
        if len(self._unpublished) < POLLS_LIMIT:
            self._unpublished.add(poll)
        self._wanted[SHAPE_ADDED] = True

    def _is_result(self, poll: str) -> bool:
        is_first = poll in self._unpublished
        self._unpublished.discard(poll)
        self._wanted[SHAPE_ADDED] = bool(self._unpublished)
        return is_first

    def _finish(self) -> None:
        if self._is_waiting:
            self._set_clock()
        if self._last_skipped is not None and self._last_skipped[2] == self.last_at:
            self.last_at = self._own_time(*self._last_skipped)

    def _own_time(self, began: int, ended: int, at: int) -> int:
        """What a skipped event says of its own time, which only matters if it was the last one."""
        start = self._base - len(self._chunks[0])
        found = UTC_IN_BYTES.search(b"".join(self._chunks), max(0, began - start), max(0, ended - start))
        own = self._clock.sensible(number(found.group(1).decode())) if found and began >= start else None
        return at if own is None else own


class Inflating:
    """A gzip stream, inflated as it is read and never more than is asked for."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._inflate = zlib.decompressobj(GZIP_BITS)
        self._rest = b""
        self._is_broken = False

    def read(self, size: int) -> bytes:
        """At most `size` bytes; Damaged once all that could be inflated has been given."""
        while True:
            if self._is_broken:
                raise Damaged("malformed")
            if self._inflate.eof and not self._next_member():
                return b""
            data = self._rest or self._stream.read(CHUNK // 4)
            found = self._inflated(data, size)
            if found:
                return found
            if not data:
                raise Damaged("truncated")

    def _inflated(self, data: bytes, size: int) -> bytes:
        before = self._inflate.copy()
        try:
            found = self._inflate.decompress(data, size)
            self._rest = self._inflate.unconsumed_tail
        except zlib.error:
            self._is_broken = True
            found = b"".join(_up_to_the_damage(before, data))
        return found

    def _next_member(self) -> bool:
        """Files that were compressed in pieces are several streams on end."""
        rest = self._inflate.unused_data or self._stream.read(CHUNK // 4)
        if not rest.strip(b"\0"):
            return False
        self._inflate = zlib.decompressobj(GZIP_BITS)
        self._rest = rest
        return True


def _up_to_the_damage(inflate: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """A byte at a time: what zlib had already made of the rest it would not give."""
    try:
        for index in range(len(data)):
            yield inflate.decompress(data[index : index + 1])
    except zlib.error:
        return


class Opened:
    """The bytes of a file or a pipe, inflated if they are gzip."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._first = stream.read(2)
        self._inflating = Inflating(_Raw(self)) if self._first == GZIP else None

    def read(self, size: int) -> bytes:
        """At most so many bytes of the recording; none at its end."""
        return self.read_raw(size) if self._inflating is None else self._inflating.read(size)

    def read_raw(self, size: int) -> bytes:
        """The same, as they lie in the file."""
        first, self._first = self._first, b""
        return first or self._stream.read(size)

    def close(self) -> None:
        """Close what is underneath."""
        self._stream.close()


class _Raw:
    """The compressed side of an opened file."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def read(self, size: int) -> bytes:
        return self._opened.read_raw(size)


def open_recording(source: str | PathLike[str] | Stream) -> Opened:
    """A file by its path, or a stream that is open already; gzip is told by its first bytes, whatever the name."""
    # 3.5 does not open a pathlib path; who asked for it closes it.
    stream: Any = source if hasattr(source, "read") else open(str(source), "rb")  # noqa: PTH123, SIM115
    return Opened(stream)
