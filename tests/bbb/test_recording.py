"""events.xml of every era, of every damage, and of any size."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import re
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rollcall.bbb.recording import JOINED, LEFT, VOICE_LEFT, Recording, open_recording
from tests.bbb.recordings import (
    BOOTED,
    CREATED_AT,
    Event,
    chatted,
    cursor,
    ended,
    joined,
    left,
    other,
    participant,
    poll_started,
    recording,
    status,
    voice,
)

SAMPLES = sorted((Path(__file__).parents[1] / "data" / "events_xml").glob("*.xml"))
SMALL = recording(
    cursor(5),
    joined(10, "ada", name="Άδα"),
    chatted(20, "ada"),
    cursor(25),
    left(30, "ada"),
    ended_at=40,
    version="2.7.1",
)


def read(data: bytes) -> tuple[Recording, list[Any]]:
    one = Recording(io.BytesIO(data))
    return one, list(one.events())


def times(*events: Event, **about: Any) -> list[int]:
    """When each wanted event was, in ms since the creation."""
    return [at - CREATED_AT for at, *_ in read(recording(*events, **about))[1]]


def shown(one: Recording) -> dict[str, Any]:
    told = {key: value for key, value in vars(one).items() if not key.startswith("_") and key != "metadata"}
    return {**told, "is_whole": one.is_whole()}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_what_a_recording_of_each_era_says_of_itself(path: Path) -> None:
    one, _ = read(path.read_bytes())
    assert (
        shown(one) == json.loads(path.with_suffix("").with_name(path.stem + ".expected.json").read_text())["recording"]
    )


def test_the_head_is_known_at_the_first_event() -> None:
    one = Recording(io.BytesIO(recording(joined(0, "ada"), metadata={"bbb-context-id": "12", "type": "yaml"})))
    assert next(one.events())[2] == JOINED
    assert (one.external_meeting_id, one.name, one.version) == ("algebra-1", "Algebra", "2.6.1")
    assert one.metadata["bbb-context-id"] == "12"
    assert one.metadata["type"] == "yaml"


def test_the_rooms_of_a_meeting_are_known() -> None:
    rooms = b"\n".join(b"<breakoutRoom>%s</breakoutRoom>" % one for one in (b"r-1", b" r-2 "))
    head = b"<breakoutRooms>" + rooms + b"<x>r-3</x></breakoutRooms><metadata"
    one, found = read(SMALL.replace(b"<metadata", head))
    assert one.rooms == ["r-1", "r-2"]
    assert found == read(SMALL)[1]


def test_leaving_the_audio_is_told_from_leaving_the_meeting() -> None:
    found = read(recording(voice(10, "ada", "ParticipantLeftEvent"), left(20, "ada")))[1]
    assert [name for _, _, name, _ in found] == [VOICE_LEFT, LEFT]


def test_old_and_new_status_events_come_through() -> None:
    every = [("emojiStatus", "away"), ("raiseHand", "true"), ("reactionEmoji", "👍"), ("hasStream", "true,stream=x")]
    found = read(recording(*(status(at, "ada", *one) for at, one in enumerate(every))))[1]
    assert [(children["status"], children["value"]) for *_, children in found] == every


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("Deskshare", "DeskshareStartedEvent"),
        ("Deskshare", "DeskshareStoppedEvent"),
        ("bbb-webrtc-sfu", "StartWebRTCDesktopShareEvent"),
        ("bbb-webrtc-sfu", "StopWebRTCDesktopShareEvent"),
        ("SCREENSHARE", "ScreenShareStartedEvent"),
    ],
)
def test_screen_share_is_known_by_any_of_its_names(module: str, name: str) -> None:
    assert [found[2] for found in read(recording(other(5, module, name, file="x")))[1]] == [f"{module}/{name}"]


def test_what_was_written_is_never_told() -> None:
    assert [children for *_, children in read(recording(chatted(5, "ada", "secret")))[1]] == [
        {"senderId": participant("ada"), "sender": "ada"}
    ]


def test_of_all_drawings_only_the_first_result_of_a_poll_is_told() -> None:
    drawn = [other(at, "WHITEBOARD", "AddShapeEvent", type=kind, id=which) for at, kind, which in DRAWINGS]
    found = read(recording(*drawn[:2], poll_started(15, "p", "Yes No"), *drawn[2:]))[1]
    assert [(at - CREATED_AT, name.rpartition("/")[2]) for at, _, name, _ in found] == [
        (15, "PollStartedRecordEvent"),
        (40, "AddShapeEvent"),
    ]


DRAWINGS = [
    (5, "pencil", "a"),
    (10, "poll_result", "p"),
    (20, "pencil", "p"),
    (30, "poll_result", "another"),
    (40, "poll_result", "p"),
    (50, "poll_result", "p"),
]


# Clocks


def test_an_event_without_utc_is_placed_by_the_recorders_own_clock() -> None:
    data = recording(joined(100, "ada"), left(5_000, "ada"), joined(7_000, "bo"))
    data = data.replace(f"<timestampUTC>{CREATED_AT + 5_000}</timestampUTC>".encode(), b"")
    assert [at - CREATED_AT for at, *_ in read(data)[1]] == [100, 5_000, 7_000]


def test_events_before_the_first_utc_wait_for_it_in_their_order() -> None:
    data = recording(*(joined(at, "ada") for at in (100, 200, 300)), left(400, "ada"))
    for at in (100, 200):
        data = data.replace(f"<timestampUTC>{CREATED_AT + at}</timestampUTC>".encode(), b"")
    data = data.replace(str(CREATED_AT + 400).encode(), str(CREATED_AT + 402).encode())
    assert [at - CREATED_AT for at, *_ in read(data)[1]] == [100, 200, 300, 402]


def test_without_any_utc_the_first_event_is_the_creation() -> None:
    assert times(cursor(60_000), joined(61_000, "ada"), left(90_000, "ada"), has_utc=False) == [1_000, 30_000]


def test_without_utc_and_without_a_creation_nothing_can_be_placed() -> None:
    data = recording(joined(1, "ada"), has_utc=False).replace(str(CREATED_AT).encode(), b"x")
    one, found = read(data)
    assert (found, one.odd_events, one.first_at, one.is_whole()) == ([], 1, None, False)


def test_however_long_the_wait_for_a_clock_it_is_bounded() -> None:
    every = (cursor(at) for at in range(30_000))
    one, found = read(recording(joined(0, "ada"), *every, left(40_000, "ada"), has_utc=False))
    assert len(one._waiting) == 0
    assert [at - CREATED_AT for at, *_ in found] == [0, 40_000]
    assert one.event_count == 30_002


@pytest.mark.parametrize("last", [cursor(500), other(500, "X", "Y", text="z" * 10_000)])
def test_the_last_event_keeps_its_own_time_though_nobody_wants_it(last: Event) -> None:
    data = recording(joined(100, "ada"), cursor(300), last)
    one, _ = read(data.replace(str(CREATED_AT + 500).encode(), str(CREATED_AT + 502).encode()))
    assert one.last_at == CREATED_AT + 502


@pytest.mark.parametrize("utc", ["-5", "99999999999999", "1e12", "", "9" * 400, "soon"])
def test_a_senseless_utc_is_as_good_as_none(utc: str) -> None:
    data = recording(joined(100, "ada"), left(5_000, "ada"), ended_at=9_000)
    one, found = read(data.replace(str(CREATED_AT + 5_000).encode(), utc.encode()))
    assert [at - CREATED_AT for at, *_ in found] == [100, 5_000, 9_000]
    assert one.is_whole()


@pytest.mark.parametrize("timestamp", ["-30500100", "", "x", str(BOOTED + 90 * 86_400_000), "1" * 5_000])
def test_an_event_without_a_sensible_time_is_counted_and_the_file_is_not_whole(timestamp: str) -> None:
    data = recording(joined(100, "ada"), cursor(200), left(5_000, "ada"), ended_at=9_000)
    data = data.replace(f'"{BOOTED + 5_000}"'.encode(), f'"{timestamp}"'.encode())
    one, found = read(data.replace(f"<timestampUTC>{CREATED_AT + 5_000}</timestampUTC>".encode(), b""))
    assert [at - CREATED_AT for at, *_ in found] == [100, 9_000]
    assert (one.odd_events, one.event_count, one.damage, one.is_whole()) == (1, 3, "", False)


def test_a_cursor_from_the_far_future_does_not_stretch_the_meeting() -> None:
    data = recording(joined(100, "ada"), cursor(200), cursor(300), ended_at=9_000)
    one, _ = read(data.replace(f'"{BOOTED + 300}"'.encode(), f'"{BOOTED + 10**14}"'.encode()))
    assert (one.last_at, one.odd_events) == (CREATED_AT + 9_000, 1)


# Whole or not


UTC_GONE = re.compile(rb"\s*<timestampUTC>\d+</timestampUTC>")
EARLIER = "9b2e4c1d5f60718293a4b5c6d7e8f90123456789-1600000000000"
PUBLISHED = other(5, "POLL", "PollPublishedRecordEvent", pollId="p")
CONFIGURED = other(5, "CONFIG", "MeetingConfigurationEvent")


@pytest.mark.parametrize(
    ("version", "meeting", "extra", "is_whole"),
    [
        ("2.0.0", EARLIER, cursor(5), True),
        ("1.1", EARLIER, cursor(5), True),
        ("2.1.0", EARLIER, cursor(5), True),
        ("2.1.0", EARLIER, PUBLISHED, False),
        ("2.1.0", EARLIER, CONFIGURED, False),
        ("2.1.0", EARLIER, other(5, "PAD", "PadCreatedEvent"), False),
        ("2.1.0", EARLIER, other(5, "WHITEBOARD", "AddTldrawShapeEvent"), False),
        ("2.1.0", EARLIER, status(5, "ada", "reactionEmoji", "none"), False),
        ("2.1.0", None, cursor(5), False),
        ("2.2.31", None, cursor(5), True),
        ("2.3.0-rc1", None, cursor(5), True),
        ("2.4.0", EARLIER, cursor(5), False),
        ("2.6.1", None, cursor(5), False),
        ("3.0.0", None, cursor(5), False),
        ("", None, cursor(5), False),
        ("next", None, cursor(5), False),
    ],
)
def test_from_2_4_on_a_recording_without_its_end_is_not_whole(
    version: str, meeting: str | None, extra: Event, is_whole: bool
) -> None:
    about: dict[str, Any] = {"version": version, **({"meeting": meeting} if meeting else {})}
    assert read(recording(extra, joined(10, "ada"), **about))[0].is_whole() is is_whole
    assert read(recording(extra, joined(10, "ada"), ended_at=20, **about))[0].is_whole()


def test_a_recording_without_any_utc_needs_no_end() -> None:
    assert read(recording(joined(10, "ada"), version="2.6.1", has_utc=False))[0].is_whole()


def test_an_unknown_reason_of_the_end_is_kept_as_it_is() -> None:
    one, _ = read(recording(joined(0, "ada"), ended(5, "ENDED_BY_THE_CAT")))
    assert (one.is_closed, one.end_reason) == (True, "ENDED_BY_THE_CAT")


def test_blank_events_are_counted_and_the_file_is_not_whole() -> None:
    data = SMALL.replace(b"</recording>", b'  <event timestamp="" module="" eventname=""/>\n</recording>')
    one, found = read(data)
    assert (one.blank_events, one.odd_events, len(found), one.is_whole()) == (1, 0, len(read(SMALL)[1]), False)


# Damage


def test_a_file_cut_off_at_any_byte_gives_what_stands_before() -> None:
    whole, every = read(SMALL)
    assert whole.is_whole()
    before = 0
    for size in range(len(SMALL)):
        one, found = read(SMALL[:size])
        assert found == every[: len(found)]
        assert len(found) >= before
        before = len(found)
        assert not one.is_whole()
        assert one.damage == ("truncated" if b"<" in SMALL[SMALL.index(b"?>") + 2 : size] else one.damage)
        assert one.damage in {"truncated", "empty"}
        assert one.damage_at is not None
        assert one.damage_at <= size
    assert before == len(every)


def test_a_gzip_cut_off_at_any_byte_gives_what_stands_before() -> None:
    every = read(SMALL)[1]
    packed = gzip.compress(SMALL, mtime=0)
    for size in range(3, len(packed)):
        one = Recording(open_recording(io.BytesIO(packed[:size])))
        found = list(one.events())
        assert found == every[: len(found)]
        assert (one.damage, one.is_whole()) == ("truncated", False) or one.damage == "empty"


@pytest.mark.parametrize("byte", [b"\0", b"\xff", b"<", b"&", b"\x1b"])
def test_a_byte_that_cannot_stand_there_ends_the_reading(byte: bytes) -> None:
    every = read(SMALL)[1]
    for at in range(len(SMALL)):
        one, found = read(SMALL[:at] + byte + SMALL[at + 1 :])
        assert found == every[: len(found)] or one.damage == ""
        assert one.damage in {"", "malformed", "truncated", "not-a-recording", "doctype"}


def test_a_gzip_damaged_at_any_byte_gives_what_stands_before() -> None:
    every = read(SMALL)[1]
    packed = gzip.compress(SMALL, mtime=0)
    for at in range(10, len(packed)):
        one = Recording(open_recording(io.BytesIO(packed[:at] + bytes([packed[at] ^ 85]) + packed[at + 1 :])))
        found = list(one.events())
        assert one.damage, at
        assert len(found) <= len(every)


@given(st.binary(max_size=300))
@example(codecs.BOM_UTF8)
def test_no_bytes_make_it_fail(data: bytes) -> None:
    for source in (data, SMALL[:400] + data, data + SMALL, b"\x1f\x8b" + data):
        one = Recording(open_recording(io.BytesIO(source)))
        list(one.events())
        assert not one.is_whole() or data.removeprefix(codecs.BOM_UTF8).strip() == b""


def test_a_gzip_with_a_wrong_checksum_gives_its_events_and_is_not_whole() -> None:
    packed = bytearray(gzip.compress(SMALL))
    packed[-6] ^= 1
    one = Recording(open_recording(io.BytesIO(bytes(packed))))
    assert list(one.events()) == read(SMALL)[1]
    assert (one.damage, one.is_whole()) == ("malformed", False)


def test_a_gzip_of_several_pieces_and_padding_is_one_file() -> None:
    packed = gzip.compress(SMALL[:700]) + gzip.compress(SMALL[700:]) + b"\0" * 512
    one = Recording(open_recording(io.BytesIO(packed)))
    assert list(one.events()) == read(SMALL)[1]
    assert one.is_whole()


@pytest.mark.parametrize(
    ("data", "damage"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"<html/>", "not-a-recording"),
        (b"<meetings><recording/></meetings>", "not-a-recording"),
        (b'{"data": {}}', "malformed"),
        (b"\x89PNG\r\n", "malformed"),
        (SMALL + b"<recording/>", "malformed"),
        (SMALL.replace(b"</recording>", b"</recordin>"), "malformed"),
        (SMALL.replace(b'encoding="UTF-8"', b'encoding="klingon"'), "malformed"),
        (SMALL.replace(b'encoding="UTF-8"', b'encoding="utf-7"'), "malformed"),
        (SMALL.replace(b'encoding="UTF-8"', b'encoding="base64"'), "malformed"),
        (SMALL.replace(b'encoding="UTF-8"', b'encoding="us-ascii"'), "malformed"),
        (SMALL.replace("Άδα".encode(), "Ädà".encode("latin-1")), "malformed"),
        (SMALL.decode().encode("utf-16"), "malformed"),
    ],
)
def test_what_is_no_recording_is_called_by_its_name(data: bytes, damage: str) -> None:
    one, _ = read(data)
    assert (one.damage, one.is_whole()) == (damage, False)


def test_other_encodings_that_say_so_are_read() -> None:
    told = SMALL.replace(b"UTF-8", b"UTF-16").decode().encode("utf-16")
    assert read(told)[1] == read(SMALL)[1]
    latin = SMALL.replace("Άδα".encode(), "Ädà".encode("latin-1")).replace(b"UTF-8", b"ISO-8859-1")
    assert read(latin)[1][0][3]["name"] == "Ädà"
    greek = SMALL.replace("Άδα".encode(), "Άδα".encode("iso8859-7")).replace(b"UTF-8", b"ISO-8859-7")
    assert read(greek)[1][0][3]["name"] == "Άδα"
    assert read(b"\xef\xbb\xbf" + SMALL)[1] == read(SMALL)[1]


LAUGHS = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))


@pytest.mark.parametrize(
    "doctype",
    [
        f'<!DOCTYPE recording [<!ENTITY l0 "ha">{LAUGHS}]>',
        '<!DOCTYPE recording SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE recording [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        "<!DOCTYPE recording>",
    ],
)
def test_a_document_type_is_refused(doctype: str) -> None:
    data = SMALL.replace(b"<recording", doctype.encode() + b"<recording", 1).replace("Άδα".encode(), b"&l9;")
    one, found = read(data)
    assert (one.damage, found, one.meeting) == ("doctype", [], "")


def test_an_entity_nobody_declared_is_damage() -> None:
    assert read(SMALL.replace("Άδα".encode(), b"&ada;"))[0].damage == "malformed"


# Size


class Endless:
    """A file made as it is read: a beginning, `count` times a middle, an end."""

    def __init__(self, begin: bytes, middle: bytes, count: int, end: bytes = b"") -> None:
        self._parts = self._produce(begin, middle, count, end)
        self._rest = b""

    @staticmethod
    def _produce(begin: bytes, middle: bytes, count: int, end: bytes) -> Iterator[bytes]:
        yield begin
        each = max(1, 65_536 // len(middle))
        for _ in range(count // each):
            yield middle * each
        yield middle * (count % each)
        yield end

    def read(self, size: int) -> bytes:
        data = self._rest or next((part for part in self._parts if part), b"")
        self._rest = data[size:]
        return data[:size]


HEAD, TAIL = SMALL[: SMALL.index(b"  <event")], SMALL[SMALL.index(b"  <event") :]
MEGABYTE = 1024 * 1024


def peak_of(source: Endless) -> tuple[Recording, int]:
    """What Python itself asked for; what expat takes is a few buffers more."""
    tracemalloc.start()
    try:
        one = Recording(source)
        for _ in one.events():
            pass
        return one, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "opening",
    [
        b'<event timestamp="5" module="CHAT" eventname="PublicChatEvent"><message>',
        b'<event timestamp="5" module="PARTICIPANT" eventname="ParticipantJoinEvent"><name>',
        b'<event timestamp="5" module="X" eventname="Y"><text>',
        b"<other>",
    ],
)
@pytest.mark.parametrize("has_clock", [True, False])
def test_a_text_of_any_length_is_passed_over(opening: bytes, has_clock: bool) -> None:
    first = TAIL[: TAIL.index(b"</event>") + 8] if has_clock else b""
    closing = b"".join(b"</" + tag + b">" for tag in reversed(re.findall(rb"<(\w+)", opening)))
    one, peak = peak_of(Endless(HEAD + first + opening, b"x" * 1024, 64 * 1024, closing + TAIL))
    assert one.damage == ""
    assert one.is_closed
    assert peak < 8 * MEGABYTE


def test_a_text_of_a_gigabyte_is_passed_over() -> None:
    opening = b'<event timestamp="5" module="CHAT" eventname="PublicChatEvent"><message>'
    source = Endless(HEAD + opening, b"x" * 65_536, 16 * 1024, b"</message></event>" + TAIL)
    one, peak = peak_of(source)
    assert one.is_whole()
    assert peak < 8 * MEGABYTE


@pytest.mark.parametrize(
    ("begin", "middle"),
    [
        (b'<event timestamp="', b"1"),
        (b'<event timestamp="5" module="X" eventname="', b"y"),
        (b"<!-- ", b"-x"),
        (b"<?x ", b"y"),
        (b"<", b"n"),
        (b"<a ", b"b='c' "),
    ],
)
def test_one_tag_without_end_stops_the_reading(begin: bytes, middle: bytes) -> None:
    one, peak = peak_of(Endless(HEAD + begin, middle, 32 * MEGABYTE // len(middle)))
    assert one.damage == "malformed"
    assert peak < 8 * MEGABYTE


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b'<event timestamp="5" module="X" eventname="Y">',
        TAIL[: TAIL.index(b"</event>") + 8] + b'<event timestamp="5" module="X" eventname="Y">',
        b'<event timestamp="5" module="PARTICIPANT" eventname="ParticipantJoinEvent">',
    ],
)
def test_nesting_without_end_stops_the_reading(begin: bytes) -> None:
    one, peak = peak_of(Endless(HEAD + begin, b"<a>", 8 * MEGABYTE))
    assert one.damage == "malformed"
    assert peak < 16 * MEGABYTE


def test_an_unwanted_event_may_be_longer_than_any_buffer() -> None:
    long = b'<event timestamp="30500007" module="X" eventname="Y"><a><b>' + b"</b><b>" * 300_000 + b"</b></a></event>"
    first = TAIL.index(b"</event>") + 8
    one, found = read(HEAD + TAIL[:first] + long + TAIL[first:])
    assert found == read(SMALL)[1]
    assert one.is_whole()


def test_names_without_end_stop_the_reading() -> None:
    made = b"".join(b"<n%d/>" % n for n in range(200_000))
    assert read(HEAD + made + TAIL)[0].damage == "malformed"


def test_children_without_end_are_not_all_kept() -> None:
    opening = b'<event timestamp="30500007" module="PARTICIPANT" eventname="ParticipantJoinEvent">'
    made = b"".join(b"<c%d>x</c%d>" % (n, n) for n in range(5_000))
    one, found = read(HEAD + opening + made + b"</event>" + TAIL)
    assert len(found[0][3]) <= 200
    assert one.is_closed


def test_ids_of_ten_thousand_characters_are_ids() -> None:
    long = "x" * 10_240
    one, found = read(recording(joined(5, "ada", external=long), meeting=f"{long}-{CREATED_AT}", ended_at=9))
    assert found[0][3]["externalUserId"] == long
    assert one.meeting == f"{long}-{CREATED_AT}"
    assert one.is_whole()


def test_memory_does_not_grow_with_the_file() -> None:
    first = TAIL.index(b"</event>") + 8
    small = peak_of(Endless(HEAD + TAIL[:first], TAIL[:first], 4_000, TAIL[first:]))[1]
    one, large = peak_of(Endless(HEAD + TAIL[:first], TAIL[:first], 100_000, TAIL[first:]))
    assert one.event_count > 100_000
    assert one.is_whole()
    assert large < small + MEGABYTE


def test_however_little_a_pipe_gives_at_a_time_it_is_the_same() -> None:
    class Drops(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 1, 3))

    one = Recording(Drops(SMALL))
    assert list(one.events()) == read(SMALL)[1]
    assert one.is_whole()


def test_only_the_stream_itself_may_fail() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> NoReturn:
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        list(Recording(Broken()).events())


def test_who_asks_only_whether_it_is_whole_is_told_no_events() -> None:
    one = Recording(io.BytesIO(SMALL), everything=False)
    assert list(one.events()) == []
    assert shown(one) == shown(read(SMALL)[0])


def test_events_inside_events_are_no_crash() -> None:
    event = b'<event timestamp="30500011" module="X" eventname="Y">'
    inner = event + event + b"</event></event>"
    first = TAIL.index(b"</event>") + 8
    one, _ = read(HEAD + TAIL[:first] + inner + TAIL[first:])
    assert one.damage in {"", "malformed"}


def test_a_hundred_thousand_participants_are_read() -> None:
    def every() -> Iterable[Event]:
        return (joined(number, f"p{number}") for number in range(100_000))

    one, found = read(recording(*every(), ended_at=200_000))
    assert len(found) == 100_001
    assert one.is_whole()
