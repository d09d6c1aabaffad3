"""events.xml as BigBlueButton's archiver writes it: text alone in the children, one event after the other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rollcall.simulate.recording import Recorded, RecordedEvent

NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_xml(recorded: Recorded) -> bytes:
    """The whole file."""
    return "".join(lines_of(recorded)).encode()


def lines_of(recorded: Recorded) -> Iterator[str]:
    """The file piece by piece."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f"<recording{_attributes([('meeting_id', recorded.meeting), ('bbb_version', recorded.version)])}>\n"
    about = [("id", recorded.meeting), ("externalId", recorded.external_meeting_id), ("name", recorded.name)]
    is_breakout = dict(recorded.metadata)["isBreakout"]
    yield f"  <meeting{_attributes([*about, ('breakout', is_breakout)])}/>\n"
    yield f"  <metadata{_attributes(recorded.metadata)}/>\n"
    if recorded.breakout is not None:
        yield f"  <breakout{_attributes(recorded.breakout)}/>\n"
        rooms = "".join(f"\n    <breakoutRoom>{room}</breakoutRoom>" for room in recorded.rooms)
        yield f"  <breakoutRooms>{rooms}\n  </breakoutRooms>\n" if rooms else "  <breakoutRooms/>\n"
    for event in recorded.events:
        yield event_xml(event)
    yield "</recording>\n"


def event_xml(event: RecordedEvent) -> str:
    """One event."""
    ticks = "" if event.timestamp is None else str(event.timestamp)
    head = _attributes([("timestamp", ticks), ("module", event.module), ("eventname", event.name)])
    children = "".join(f"    {_element(name, value)}\n" for name, value in event.children)
    return f"  <event{head}>\n{children}  </event>\n" if children else f"  <event{head}/>\n"


def _element(name: str, value: str) -> str:
    return f"<{name}>{escape(NOT_XML.sub('', value))}</{name}>" if value else f"<{name}/>"


def _attributes(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f" {name}={quoteattr(NOT_XML.sub('', value))}" for name, value in pairs)
