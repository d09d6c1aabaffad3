"""Answers of the BigBlueButton API and of bbb-webhooks: XML in, frozen values out. Nothing outside is ever fetched."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TypeAlias

from lxml import etree

Element: TypeAlias = "etree._Element"  # noqa: SLF001 - the type has no public name

# What XML 1.0 forbids; BigBlueButton prints names as they were typed, and one odd name must not hide a whole server.
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_REFERENCE = re.compile(rb"&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,10}));")
_NOT_A_DIGIT = re.compile(r"[^0-9]")
_INTERNAL = re.compile(r"[0-9a-f]{40}-[0-9]{13}")


class NotAnAnswer(ValueError):
    """Not the API's XML; `is_other` if it looks whole and is something else, such as a web page."""

    def __init__(self, message: str, *, is_other: bool = False) -> None:
        super().__init__(message)
        self.is_other = is_other


@dataclass(frozen=True, slots=True)
class Failure:
    """returncode FAILED: the first key decides, all messages are told."""

    keys: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class ListedAttendee:
    """One connection in an answer of getMeetings; no internal id, no join time."""

    external_user_id: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class ListedMeeting:
    """One meeting of getMeetings; `parent` is the parent's internal id, `created_at` epoch ms on the server's clock."""

    internal_meeting_id: str
    external_meeting_id: str | None = None
    name: str | None = None
    created_at: int | None = None
    is_breakout: bool = False
    parent: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    attendees: tuple[ListedAttendee, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedHook:
    """One hook as bbb-webhooks tells of it; a blank `meeting` and no `events` mean that it gets everything."""

    remote_id: str
    url: str
    is_raw: bool
    is_permanent: bool
    meeting: str = ""
    events: str = ""


def parse(content: bytes) -> Element:
    """The root `<response>` of an answer; NotAnAnswer for anything else, whatever it tries."""
    root = _read(content)
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotAnAnswer("a document type", is_other=_is_page(content))
    if root.tag != "response":
        raise NotAnAnswer(f"the root element is {str(root.tag)[:40]!r}", is_other=True)
    return root


def _read(content: bytes) -> Element:
    try:
        return etree.fromstring(content, _parser())
    except etree.XMLSyntaxError:
        if _is_page(content):
            raise NotAnAnswer("a web page", is_other=True) from None
    try:
        return etree.fromstring(_REFERENCE.sub(_allowed, _FORBIDDEN.sub(b"", content)), _parser())
    except etree.XMLSyntaxError as error:
        raise NotAnAnswer(f"not XML (line {error.lineno})") from None


def _parser() -> etree.XMLParser:
    # A parser of its own each time: lxml's keep the errors of earlier answers. Always UTF-8, which is what both send.
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def _allowed(reference: re.Match[bytes]) -> bytes:
    number = int(reference[1], 16) if reference[1] else int(reference[2])
    is_sayable = 0x20 <= number < 0x110000 and not 0xD800 <= number < 0xE000 and number not in {0xFFFE, 0xFFFF}
    return reference[0] if is_sayable or number in {9, 10, 13} else b""


def _is_page(content: bytes) -> bool:
    start = content[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html")) or b"<html" in start


def failure(root: Element) -> Failure | None:
    """Why the server says no, in either of its two shapes; None if it says yes."""
    if _text(root, "returncode").upper() == "SUCCESS":
        return None
    pairs = [(_text(root, "messageKey"), _text(root, "message"))]
    pairs += [
        (_text(error, "key") or error.get("key", ""), _text(error, "message") or error.get("message", ""))
        for error in root.iterfind("errors/error")
    ]
    told = [(key, message) for key, message in pairs if key or message]
    return Failure(tuple(key for key, _ in told if key), " ".join(message for _, message in told if message))


def meetings(root: Element) -> tuple[ListedMeeting, ...]:
    """Every meeting that runs; one that is just being ended, or that has no id to know it by, is not told of."""
    running = [element for element in root.iterfind("meetings/meeting") if not _is_ended(element)]
    found = [meeting for meeting in map(_meeting, running) if meeting.internal_meeting_id]
    parents = {m.external_meeting_id: m.internal_meeting_id for m in found if not m.is_breakout}
    internal = {meeting.internal_meeting_id for meeting in found}
    return tuple(_with_parent(meeting, parents, internal) for meeting in found)


def _is_ended(element: Element) -> bool:
    return _text(element, "hasBeenForciblyEnded").lower() == "true" or (_number(element, "endTime") or 0) > 0


def _meeting(element: Element) -> ListedMeeting:
    metadata = element.find("metadata")
    return ListedMeeting(
        internal_meeting_id=_exact(element, "internalMeetingID"),
        external_meeting_id=_exact(element, "meetingID") or None,
        name=_exact(element, "meetingName") or None,
        created_at=_number(element, "createTime"),
        is_breakout=_text(element, "isBreakout").lower() == "true",
        parent=_exact(element, "parentMeetingID") or None,
        metadata=() if metadata is None else tuple(sorted((str(one.tag).lower(), one.text or "") for one in metadata)),
        attendees=tuple(_attendee(one) for one in element.iterfind("attendees/attendee")),
    )


def _with_parent(meeting: ListedMeeting, by_external: dict[str | None, str], internal: set[str]) -> ListedMeeting:
    """The parent by its internal id, also where this answer names it by the external one; nothing is guessed."""
    told = meeting.parent
    if not meeting.is_breakout or told is None:
        return replace(meeting, parent=None)
    if told in internal or _INTERNAL.fullmatch(told):
        return meeting
    return replace(meeting, parent=by_external.get(told))


def _attendee(element: Element) -> ListedAttendee:
    return ListedAttendee(_exact(element, "userID"), _exact(element, "fullName"), _text(element, "role"))


def hooks(root: Element) -> tuple[ListedHook, ...]:
    """Every hook bbb-webhooks holds, whoever made it."""
    return tuple(
        ListedHook(
            remote_id=_text(hook, "hookID"),
            url=_exact(hook, "callbackURL"),
            is_raw=_text(hook, "rawData").lower() == "true",
            is_permanent=_text(hook, "permanentHook").lower() == "true",
            meeting=_text(hook, "meetingID"),
            events=_text(hook, "eventID"),
        )
        for hook in root.iterfind("hooks/hook")
    )


def hook_id(root: Element) -> str:
    """The hookID of an answer of hooks/create: an integer in 2.x, a UUID in 3.x, opaque to us."""
    return _text(root, "hookID")


def _exact(element: Element, tag: str) -> str:
    """Ids, names and addresses: a blank at their end is part of them."""
    return element.findtext(tag) or ""


def _text(element: Element, tag: str) -> str:
    return _exact(element, tag).strip()


def _number(element: Element, tag: str) -> int | None:
    """Digits only: a number may be printed with grouping."""
    digits = _NOT_A_DIGIT.sub("", _text(element, tag))
    return int(digits) if 0 < len(digits) < 16 else None
