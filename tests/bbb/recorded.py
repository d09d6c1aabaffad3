"""Records of one small invented class, in every form, and the tokens they are signed with."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

EXTERNAL = "5d2f0c1a-7-12[0]"
CREATED = 1795309400123
MEETING = f"{hashlib.sha1(EXTERNAL.encode(), usedforsecurity=False).hexdigest()}-{CREATED}"
SECRET = "s3cretKEY-of-a-server"

NAMES = ("Zoë Örn", "Ἀλέξανδρος Παπάς")
IDS = ("w_a1b2c3d4e5f6", "w_g7h8i9j0k1l2")


def token(claims: dict[str, Any] | None = None, secret: str = SECRET, **header: Any) -> str:
    """A JWT as BigBlueButton makes it, unless told otherwise."""
    told = {"exp": int(time.time()) + 86_400} if claims is None else claims
    head = {"typ": "JWT", "alg": "HS512"} | header
    signed = b".".join(_base64(json.dumps(part).encode()) for part in (head, told))
    algorithm = {"HS256": "sha256", "HS384": "sha384"}.get(str(head["alg"]), "sha512")
    signature = b"" if head["alg"] == "none" else hmac.new(secret.encode(), signed, algorithm).digest()
    return (signed + b"." + _base64(signature)).decode()


def bearer(*args: Any, **named: Any) -> dict[str, str]:
    """The header."""
    return {"Authorization": f"Bearer {token(*args, **named)}", "Content-Type": "application/json"}


def _base64(text: bytes) -> bytes:
    return base64.urlsafe_b64encode(text).rstrip(b"=")


def moment(second: int, *, is_old: bool = False) -> str:
    """So many seconds after the class was made, as a gem writes it."""
    at = time.gmtime(CREATED // 1000 + second)
    return time.strftime("%Y-%m-%d %H:%M:%S +0000" if is_old else "%Y-%m-%dT%H:%M:%S.000+00:00", at)


def attendee(slot: int, external: str, joins: list[int], leaves: list[int], *, is_old: bool = False) -> dict[str, Any]:
    """One attendee of a callback; in an old one without sessions."""
    told: dict[str, Any] = {
        "ext_user_id": external,
        "name": NAMES[slot],
        "moderator": slot == 0,
        "joins": [moment(second, is_old=is_old) for second in joins],
        "leaves": [moment(second, is_old=is_old) for second in leaves],
        "duration": sum(leaves) - sum(joins),
        "recent_talking_time": "",
        "engagement": {"chats": 3, "talks": 9, "raisehand": 0, "emojis": 0, "poll_votes": 1, "talk_time": 41},
    }
    if not is_old:
        told["sessions"] = [{"joins": _items(slot, external, joins), "lefts": _items(slot, external, leaves)}]
    return told


def _items(slot: int, external: str, seconds: list[int]) -> list[dict[str, Any]]:
    return [
        {
            "timestamp": moment(second),
            "userid": IDS[slot],
            "ext_userid": external,
            "event": "join",
            "remove": False,
        }
        for second in seconds
    ]


def callback(*, is_old: bool = False, **changes: Any) -> dict[str, Any]:
    """A whole body; `changes` are those of its `data`."""
    data = {
        "metadata": {
            "is_breakout": "false",
            "meeting_name": "Algebra",
            "analytics_callback_url": "https://l.example.org/mod/bigbluebuttonbn/bbb_broker.php?action=meeting_events"
            "&bigbluebuttonbn=12&CANARY=CANARY",
            "bbb_context_id": "7",
            "bn_recording_status": "CANARY@example.org",
        },
        "duration": 1775,
        "start": moment(0, is_old=is_old),
        "finish": moment(1775, is_old=is_old),
        "attendees": [
            attendee(0, "4711", [11], [1775], is_old=is_old),
            attendee(1, "JohnDoe-9", [20, 300], [200, 1775], is_old=is_old),
        ],
        "files": ["CANARY.pdf"],
        "polls": [
            {
                "id": "77aa/1/1795309500000",
                "type": "A-3",
                "question": "CANARY?",
                "published": True,
                "options": ["CANARY", "B"],
                "start": moment(105, is_old=is_old),
                "votes": {"4711": "CANARY", "john_doe_9": "B"},
            }
        ],
    } | changes
    return {"version": "1.0", "meeting_id": EXTERNAL, "internal_meeting_id": MEETING, "data": data}


def data_json() -> dict[str, Any]:
    """The gem's own output: no internal meeting id, but those of the attendees, and vote keys as they are."""
    data: dict[str, Any] = callback()["data"]
    for one, participant in zip(data["attendees"], IDS, strict=True):
        one["id"] = participant
    data["meeting_id"] = data["metadata"]["meeting_id"] = EXTERNAL
    data["polls"][0]["votes"] = {"4711": "CANARY", "JohnDoe-9": "B"}
    return data


def event(second: float, module: str, event_name: str, /, **children: str) -> str:
    """One event of an events.xml."""
    at = CREATED + round(second * 1000)
    inner = "".join(f"<{key}>{value}</{key}>" for key, value in children.items())
    head = f'<event timestamp="{at - 1795278892888}" module="{module}" eventname="{event_name}">'
    return f"{head}{inner}<timestampUTC>{at}</timestampUTC><date>2026-11-22T01:03:31.000Z</date></event>\n"


def joined(second: float, slot: int, external: str, **children: str) -> str:
    """Somebody comes in."""
    told = {"userId": IDS[slot], "externalUserId": external, "role": "VIEWER", "name": NAMES[slot]} | children
    return event(second, "PARTICIPANT", "ParticipantJoinEvent", **told)


def left(second: float, slot: int) -> str:
    """Somebody goes."""
    return event(second, "PARTICIPANT", "ParticipantLeftEvent", userId=IDS[slot])


def status(second: float, slot: int, name: str, value: str) -> str:
    """A change of status."""
    return event(second, "PARTICIPANT", "ParticipantStatusChangeEvent", userId=IDS[slot], status=name, value=value)


ENDED = event(1775, "PARTICIPANT", "EndAndKickAllEvent", reason="ENDED_AFTER_USER_LOGGED_OUT")

SMALL_CLASS = (
    joined(11, 0, "4711", role="MODERATOR"),
    joined(20, 1, "JohnDoe-9"),
    event(30, "CHAT", "PublicChatEvent", senderId=IDS[1], message="CANARY", sender="CANARY"),
    event(
        40,
        "VOICE",
        "ParticipantJoinedEvent",
        participant="v_callercaller",
        callername="Kim +30 210 5551234",
        callernumber="CANARY2105551234",
        bridge="71347",
    ),
    left(200, 1),
    ENDED,
)


def events_xml(*events: str, version: str = "3.0.0", metadata: str = "", meeting: str = MEETING) -> bytes:
    """A whole file."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<recording meeting_id="{meeting}" bbb_version="{version}">
  <meeting id="{meeting}" externalId="{EXTERNAL}" name="Algebra" breakout="false"/>
  <metadata isBreakout="false" meetingId="{EXTERNAL}" meetingName="Algebra" bbb-context-id="7" {metadata}/>
  <breakout/>
  <breakoutRooms/>
{"".join(events or SMALL_CLASS)}</recording>
""".encode()
