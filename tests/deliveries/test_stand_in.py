"""The stand-in beside what a running Moodle 4.5 was seen to answer; the secret it had is not known, so we sign anew."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests import programs
from tests.moodle import Activity, Moodle, _base64

CAPTURES = Path(__file__).parents[3] / "shared" / "captures" / "moodle-4.5"
SECRET = "the right one"
DIGESTS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
RULES: dict[int, dict[str, int] | None] = {
    1: {"attendance": 10, "chats": 1},
    2: {},
    3: {},
    4: {"attendance": 10},
    5: {"talks": 2, "raisehand": 1, "poll_votes": 1, "emojis": 1},
    6: {"attendance": 5},
    7: {},
    8: None,
}


def capture(name: str) -> dict[str, Any]:
    path = programs.beside(CAPTURES / f"meeting-events-{name}.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def exchanges(*names: str) -> list[dict[str, Any]]:
    return [exchange for name in names for exchange in capture(name)["exchanges"]]


def site() -> Moodle:
    """A site with the activities of the captures; their seeds are in the ids of the meetings."""
    seeds: dict[int, str] = {}
    for exchange in exchanges("callback", "edge-cases", "vs-overrides"):
        body = exchange["request"]["body"]
        if exchange["response"]["status"] == 200 and isinstance(body, dict):
            seeds.setdefault(_instance(exchange), body["meeting_id"].split("-")[0])
    return Moodle(SECRET, {number: Activity(seed, rules=RULES[number]) for number, seed in sorted(seeds.items())})


def _instance(exchange: dict[str, Any]) -> int:
    return int(parse_qs(urlsplit(exchange["request"]["url"]).query)["bigbluebuttonbn"][0])


def replay(on: Moodle, exchange: dict[str, Any]) -> tuple[int, str]:
    """Send one recorded request, at the moment it was sent then."""
    request = exchange["request"]
    at = parsedate_to_datetime(exchange["response"]["headers"]["Date"]).timestamp()
    on.clock = lambda: at
    on.is_header_stripped = "header stripped" in exchange["note"]
    headers = {name.lower(): value for name, value in request["headers"].items()}
    if "authorization" in headers:
        headers["authorization"] = resigned(headers["authorization"], is_wrong="wrong secret" in exchange["note"])
    body = request["body"]
    content = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return on.answer(urlsplit(request["url"]).query, headers, content)


def resigned(authorization: str, *, is_wrong: bool) -> str:
    """The same header with a signature by our secret, where it held one by Moodle's."""
    *before, token = authorization.split(" ")
    parts = token.split(".")
    algorithm = json.loads(_base64(parts[0])).get("alg") if len(parts) == 3 else None
    if algorithm not in DIGESTS:
        return authorization
    key = b"a wrong one" if is_wrong else SECRET.encode()
    signature = hmac.digest(key, f"{parts[0]}.{parts[1]}".encode(), DIGESTS[algorithm])
    return " ".join((*before, f"{parts[0]}.{parts[1]}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"))


@pytest.fixture
def replayed() -> Moodle:
    on = site()
    for exchange in exchanges("callback", "edge-cases"):
        replay(on, exchange)
    return on


@pytest.mark.parametrize(
    "names", [("callback", "edge-cases"), ("probe",), ("correction-by-derived-id",), ("vs-overrides",)], ids="+".join
)
def test_every_recorded_request_is_answered_as_it_was(names: tuple[str, ...]) -> None:
    on = site()
    for exchange in exchanges(*names):
        response = exchange["response"]
        assert replay(on, exchange) == (response["status"], response["reason"]), exchange["note"]


def test_the_log_has_the_rows_it_had(replayed: Moodle) -> None:
    seen = capture("edge-cases")["observations"]
    rows = [[row.log, row.user] for row in replayed.rows if row.instance == 7]
    assert rows == seen["G_after_unknown_users"]["rows"]
    minutes = [row.meta["data"]["duration"] for row in replayed.rows if (row.instance, row.user) == (1, 6)]
    assert minutes == [first for first, user in seen["A_student3"]["rows"] if user == 6]


def test_the_rows_of_the_accepted_delivery_say_what_they_said() -> None:
    on = site()
    for exchange in exchanges("callback"):
        replay(on, exchange)
    told = capture("callback")["log_rows_written_by_the_accepted_one"]
    mine = [(row.log, row.user, row.meeting_id, row.meta) for row in on.rows[: len(told)]]
    assert mine == [(row["log"], row["userid"], row["meetingid"], json.loads(row["meta"])) for row in told]


def test_the_same_people_are_completed(replayed: Moodle) -> None:
    seen = capture("edge-cases")["observations"]
    # 99999 is nobody Moodle knows, and has rows all the same.
    for instance, name in (
        (1, "A_student3"),
        (2, "B_after"),
        (3, "C_after"),
        (6, "F_after"),
        (7, "G_after_unknown_users"),
    ):
        expected = {row["userid"] for row in seen[name]["completion"]}
        assert replayed.completed(instance) - {99999} == expected, name
    assert replayed.completed(5) == {row["userid"] for row in seen["E_after"]["second"]}
    assert replayed.completed(8) == set()


def test_minutes_are_cut_down_row_by_row() -> None:
    on = Moodle(SECRET, {1: Activity("a" * 40, rules={"attendance": 10})})
    for number, seconds in enumerate((599, 59)):
        body = {"meeting_id": "a" * 40, "internal_meeting_id": f"{number}" * 40, "data": _of(7, seconds)}
        assert on._process(1, body)[0] == 200
    assert on.completed(1) == set()


def _of(user: int, seconds: int) -> dict[str, Any]:
    return {"attendees": [{"ext_user_id": str(user), "duration": seconds}]}
