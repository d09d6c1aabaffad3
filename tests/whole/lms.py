"""An LMS for a real browser: a page with a frame, on another site than Rollcall; and the launch as browsers make it."""

from __future__ import annotations

import html
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.lti.standin import MEMBERSHIP, StandIn
from tests.serving import on_a_port
from tests.whole.instance import tell

ROLES = {"instructor": [f"{MEMBERSHIP}#Instructor"], "learner": [f"{MEMBERSHIP}#Learner"]}

_REGISTER = """
import django, json, sys
django.setup()
from tests.lti.standin import StandIn
from tests.makers import make_pool
from rollcall.store.connections import Pool
stand_in, site, keys = StandIn(issuer=sys.argv[1]), sys.argv[2], sys.argv[3]
platform = stand_in.register(site=site, keys=keys, keys_fetched_at=int(sys.argv[4]))
platform.pools.add(*Pool.objects.all())
"""


@dataclass
class Lms:
    """`site` is what meetings call it; browsers find it at `url`, on `localhost`, and Rollcall at `tool`."""

    tool: str
    site: str
    course: str
    port: int = 0
    user: str = "3"
    locale: str = "en"
    frame_height: int = 800
    stand_in: StandIn = field(default_factory=StandIn)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def beside_the_tool(self) -> str:
        """This server under a name of the tool's own site: cookies do not ask for the port."""
        return f"http://127.0.0.1:{self.port}"

    def register(self, env: dict[str, str]) -> None:
        """Make it known to the Rollcall of this environment."""
        self.stand_in = StandIn(issuer=self.url)
        keys, now = json.dumps(self.stand_in.key_set()), str(time.time_ns() // 1_000_000)
        tell({**env, "DJANGO_SETTINGS_MODULE": "rollcall.settings"}, _REGISTER, self.url, self.site, keys, now)

    def page(self, path: str, asked: dict[str, str]) -> tuple[str, list[tuple[str, str]]]:
        """What is answered, and with which headers."""
        match path:
            case "/course":
                start = {
                    "iss": self.url,
                    "client_id": self.stand_in.client_id,
                    "login_hint": self.user,
                    "lti_message_hint": asked.get("role", "instructor"),
                    "target_link_uri": f"{self.tool}/lti/launch",
                }
                return _framing(f"{self.tool}/lti/login?{urlencode(start)}", self.frame_height), []
            case "/mod/lti/auth.php":
                return self._token(asked), []
            case "/probe":
                return _framing(f"{self.beside_the_tool}/set", 100), []
            case "/set":
                cookies = ("whole=1; SameSite=None; Secure", "parted=1; SameSite=None; Secure; Partitioned")
                return "<script>location = '/get'</script>", [("Set-Cookie", one) for one in cookies]
            case _:
                return f"<p id=cookies>{html.escape(asked.get('cookies', ''))}</p>", []

    def _token(self, asked: dict[str, str]) -> str:
        changes: dict[str, Any] = {
            "sub": self.user,
            "roles": ROLES[asked["lti_message_hint"]],
            "context": {"id": self.course, "title": "Algebra"},
            "target_link_uri": asked["redirect_uri"],
            "launch_presentation": {"locale": self.locale},
        }
        claims = self.stand_in.claims(asked["nonce"], time.time_ns() // 1_000_000, **changes)
        fields = {"id_token": self.stand_in.sign(claims), "state": asked["state"]}
        inputs = "".join(f'<input name="{name}" value="{html.escape(value)}">' for name, value in fields.items())
        action = html.escape(asked["redirect_uri"])
        return f'<form method="post" action="{action}">{inputs}</form><script>document.forms[0].submit()</script>'


def _framing(address: str, height: int) -> str:
    return (
        '<!doctype html><html lang="en"><title>Course</title><body style="margin:0"><h1>Course</h1>'
        f'<iframe name="tool" title="Attendance" src="{html.escape(address)}" '
        f'style="width:100%;height:{height}px;border:0"></iframe>'
    )


@contextmanager
def serving(lms: Lms) -> Iterator[Lms]:
    """Answer browsers until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            asked["cookies"] = self.headers.get("Cookie", "")
            body, headers = lms.page(parts.path, asked)
            self.send_response(200)
            for name, value in [("Content-Type", "text/html; charset=utf-8"), *headers]:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with on_a_port(Handler) as port:
        lms.port = port
        yield lms
