"""events.xml of any length, made as it is written: a class that draws much, talks some and chats a little."""

from __future__ import annotations

from collections.abc import Iterator

CREATED_AT = 1_795_309_400_000
BOOTED = 9_132_700_000
MEETING = f"{'9b2e4c1d5f' * 4}-{CREATED_AT}"
PEOPLE = 40
# Of a block the times are 100,000 ms long, so that the next one has the same bytes but for their first digits.
BLOCK_MS = 100_000
UTC, TIMESTAMP = b"17953094", b"91327"

HEAD = f"""<?xml version="1.0" encoding="UTF-8"?>
<recording meeting_id="{MEETING}" bbb_version="2.6.1">
  <meeting id="{MEETING}" externalId="algebra-1" name="Algebra" breakout="false"/>
  <metadata isBreakout="false" meetingId="algebra-1" meetingName="Algebra"/>
"""


def write(size: int) -> Iterator[bytes]:
    """About so many bytes, a block of half a megabyte at a time."""
    yield HEAD.encode() + b"".join(_join(number) for number in range(PEOPLE))
    block = b"".join(_block())
    count = max(1, size // len(block))
    for index in range(count):
        yield _later(block, index)
    yield (
        _later(_event(0, "PARTICIPANT", "EndAndKickAllEvent", {"reason": "ENDED_FROM_API"}), count) + b"</recording>\n"
    )


def _later(events: bytes, blocks: int) -> bytes:
    utc, timestamp = str(int(UTC) + blocks).encode(), str(int(TIMESTAMP) + blocks).encode()
    return events.replace(b"|" + UTC, utc).replace(b"|" + TIMESTAMP, timestamp)


def _event(at: int, module: str, name: str, children: dict[str, str]) -> bytes:
    utc = f"|{UTC.decode()}{at:05}"
    told = {**children, "timestampUTC": utc, "date": "2026-11-22T01:03:31.000Z"}
    lines = "".join(f"    <{tag}>{text}</{tag}>\n" for tag, text in told.items())
    event = (
        f'  <event timestamp="|{TIMESTAMP.decode()}{at:05}" module="{module}" eventname="{name}">\n{lines}  </event>\n'
    )
    return event.encode()


def _join(number: int) -> bytes:
    join = {"userId": _who(number), "externalUserId": str(number + 2), "role": "VIEWER", "name": f"Person {number}"}
    return _later(_event(number, "PARTICIPANT", "ParticipantJoinEvent", join), 0)


def _who(number: int) -> str:
    return f"w_{number % PEOPLE:012}"


def _block() -> Iterator[bytes]:
    """In the measure of a real class: of a hundred events 71 move the cursor, 11 tell who talks, one is a chat."""
    for step in range(1_000):
        at, who = step * (BLOCK_MS // 1_000), _who(step)
        if step % 100 == 99:
            yield _event(at, "CHAT", "PublicChatEvent", {"senderId": who, "message": "yes", "sender": "x"})
        elif step % 9 == 8:
            talks = {"participant": who, "bridge": "71347", "talking": "true" if step % 2 else "false"}
            yield _event(at, "VOICE", "ParticipantTalkingEvent", talks)
        elif step % 7 == 6:
            shape = {
                "userId": who,
                "type": "pencil",
                "status": "DRAW_UPDATE",
                "dataPoints": "1.5,2.5," * 20,
                "id": f"s-{step}",
            }
            yield _event(at, "WHITEBOARD", "AddShapeEvent", shape)
        else:
            cursor = {
                "xOffset": "26.16201859229748",
                "whiteboardId": "5f60718293a4b5c6d7e8f901234567899b2e4c1d-1795309400031/1",
                "pageNumber": "0",
                "userId": who,
                "yOffset": "59.905660377358494",
                "presentation": "5f60718293a4b5c6d7e8f901234567899b2e4c1d-1795309400031",
            }
            yield _event(at, "WHITEBOARD", "WhiteboardCursorMoveEvent", cursor)
