"""Most of a recording moves a cursor. Those events are left out before anybody parses them, and nobody can tell."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.bbb import recording
from rollcall.bbb.recording import CURSOR_MOVES, Recording
from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.eras import ERAS
from rollcall.simulate.recording import recordings
from rollcall.simulate.recording_xml import to_xml

NEVER = re.compile(rb"(?!)")
CHUNKS = (300, 1000, 4096, 30_000)


def made(era: str) -> bytes:
    truth = make_class(Random(3), Plan(starts_at=ERAS[era].at, people=3, minutes=4, rooms=0))
    found = recordings(truth, ERAS[era], Random(3), cursor_share=0.75)
    return to_xml(found[truth.root.internal_meeting_id])


FILES = {era: made(era) for era in ("2.0", "2.6")}


def told(content: bytes, chunk: int, pattern: re.Pattern[bytes]) -> dict[str, object]:
    """Everything that a recording says of itself, and its events."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording, "CHUNK", chunk)
        patch.setattr(recording, "CURSOR_MOVES", pattern)
        one = Recording(io.BytesIO(content))
        happened = list(one.events())
    said = {name: value for name, value in vars(one).items() if not name.startswith("_")}
    return {**said, "happened": happened, "is_whole": one.is_whole()}


def assert_same(content: bytes, chunk: int) -> None:
    assert told(content, chunk, CURSOR_MOVES) == told(content, chunk, NEVER)


@pytest.mark.parametrize("era", FILES)
def test_the_moves_are_most_of_the_file(era: str) -> None:
    assert len(CURSOR_MOVES.sub(b"", FILES[era])) < len(FILES[era]) / 2


@pytest.mark.parametrize("chunk", [*CHUNKS, recording.CHUNK])
@pytest.mark.parametrize("era", FILES)
def test_nobody_can_tell(era: str, chunk: int) -> None:
    assert_same(FILES[era], chunk)


@pytest.mark.parametrize("chunk", CHUNKS)
def test_nor_wherever_the_file_breaks_off(chunk: int) -> None:
    for length in range(0, len(FILES["2.6"]), 997):
        assert_same(FILES["2.6"][:length], chunk)


@given(st.data(), st.sampled_from(CHUNKS))
def test_nor_whatever_is_damaged(data: st.DataObject, chunk: int) -> None:
    content = bytearray(FILES["2.6"])
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.sampled_from(b"<>&\x00\xff]9"))
    assert_same(bytes(content), chunk)


def late_moves(content: bytes) -> bytes:
    """The moves, out of order."""
    return re.sub(rb'timestamp="(\d+)"', lambda found: b'timestamp="%d"' % (int(found[1]) ^ 0xFFFF), content)


def far_moves(content: bytes) -> bytes:
    """The moves, at no sensible time."""
    return content.replace(
        b'" module="WHITEBOARD" eventname="WhiteboardCursorMove',
        b'999" module="WHITEBOARD" eventname="WhiteboardCursorMove',
    )


def end_in_moves(content: bytes) -> bytes:
    """A file whose last event is a move."""
    last = list(CURSOR_MOVES.finditer(content))[-1][0]
    return content.replace(b"</recording>", last + b"</recording>")


def forged_moves(content: bytes) -> bytes:
    """Somebody wrote moves into the chat, and into a name."""
    last = list(CURSOR_MOVES.finditer(content))[-1][0]
    text = b"<![CDATA[</event> --> " + last + b" " + last + b"]]>"
    return content.replace(b"</name>", text + b"</name>").replace(b"</message>", text + b"</message>")


def hidden_moves(content: bytes) -> bytes:
    """Moves between events, but in comments and texts."""
    last = list(CURSOR_MOVES.finditer(content))[-1][0].rstrip()
    hidden = b"<!-- > " + last + b"--><x/>\n<![CDATA[ > " + last + b" ]]><?x > " + last + b"?> "
    return re.sub(rb'(?=<event [^<]* module="PARTICIPANT")', lambda _: hidden, content)


@pytest.mark.parametrize("change", [hidden_moves, forged_moves, late_moves, far_moves, end_in_moves])
@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("era", FILES)
def test_nor_if_the_moves_are_odd(change: Callable[[bytes], bytes], chunk: int, era: str) -> None:
    assert_same(change(FILES[era]), chunk)
