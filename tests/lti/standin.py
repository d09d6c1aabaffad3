"""An LMS that is not there: strict in what it takes, and free to send whatever a test wants to be refused or taken."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rollcall.lti import messages
from tests.serving import on_a_port

if TYPE_CHECKING:
    from rollcall.store.platforms import Platform

TOOL = "https://rollcall.example.org"
LAUNCH = f"{TOOL}/lti/launch"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"
ADMINISTRATORS = (
    "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator",
    "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator",
)
HINT = '{"cmid":11,"launchid":"ltilaunch1_1942641629"}'
NOW = 1_795_309_200_000
"""Epoch ms of every launch that does not say otherwise."""

REMOVED = object()
"""In a test's changes: this claim is not there at all."""


@cache
def rsa_key(name: str = "platform") -> rsa.RSAPrivateKey:
    """One pair for each name, made once: it takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    """A pair for ES256."""
    return ec.generate_private_key(ec.SECP256R1())


def jwk(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, kid: str, **members: Any) -> dict[str, Any]:
    """The public half, as key sets have it."""
    if isinstance(private, rsa.RSAPrivateKey):
        public = jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    else:
        public = jwt.algorithms.ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    public.pop("key_ops", None)
    return public | {"kid": kid, "use": "sig"} | members


def pem(private: rsa.RSAPrivateKey) -> str:
    """The public half, as text."""
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@dataclass
class Asked:
    """An authentication request, as the platform has understood it."""

    state: str
    nonce: str
    redirect_uri: str
    hint: str
    storage_target: str | None


@dataclass
class StandIn:
    """One registration in one LMS. What it serves over HTTP stands in `answers`, by path."""

    issuer: str = "https://moodle.example"
    client_id: str = "l0oEkqE1p2yim1A"
    deployment_id: str = "1"
    kid: str = "41f81ce490a75e866656"
    base: str = ""
    answers: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
    taken: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def key_set(self) -> dict[str, Any]:
        """What it publishes, as Moodle writes it."""
        return {"keys": [jwk(rsa_key(), self.kid, alg="RS256")]}

    def register(self, organisation: Any = None, **columns: Any) -> Platform:
        """The row of this registration, with its keys as they were fetched just now."""
        from rollcall.store.keys import key_of
        from rollcall.store.organisations import Licence, Organisation
        from rollcall.store.platforms import Deployment, Platform

        if organisation is None:
            organisation = Organisation.objects.create(name=f"School {secrets.token_hex(4)}", added_at=NOW)
            Licence.objects.create(organisation=organisation, starts_at=0, added_at=NOW)
        site = columns.pop("site", self.issuer)
        platform = Platform.objects.create(
            **{
                "organisation": organisation,
                "name": "Moodle",
                "issuer": self.issuer,
                "client_id": self.client_id,
                "key": key_of(self.issuer, self.client_id),
                "site": site,
                "site_key": key_of(site),
                "host": urlsplit(site).hostname or "",
                "authorization_url": f"{self.issuer}/mod/lti/auth.php",
                "token_url": f"{self.issuer}/mod/lti/token.php",
                "keys_url": f"{self.base or self.issuer}/mod/lti/certs.php",
                "keys": json.dumps(self.key_set()),
                "keys_fetched_at": NOW,
                "added_at": NOW,
            }
            | columns
        )
        Deployment.objects.create(
            platform=platform, deployment_id=self.deployment_id, key=key_of(self.deployment_id), added_at=NOW
        )
        return platform

    # -- the way of a launch ------------------------------------------------------------------------------------------

    def initiation(self, **changes: Any) -> dict[str, list[str]]:
        """What Moodle's form posts to the login address."""
        form = {
            "iss": self.issuer,
            "target_link_uri": LAUNCH,
            "login_hint": "4",
            "lti_message_hint": HINT,
            "client_id": self.client_id,
            "lti_deployment_id": self.deployment_id,
        } | changes
        return {
            name: list(value) if isinstance(value, tuple) else [value]
            for name, value in form.items()
            if value is not REMOVED
        }

    def authenticate(self, location: str) -> Asked:
        """Read the request as strictly as Moodle does, and more: nothing twice, nothing that was not asked for."""
        before, _, query = location.partition("?")
        assert before == f"{self.issuer}/mod/lti/auth.php"
        told = parse_qs(query, keep_blank_values=True, strict_parsing=True)
        assert all(len(values) == 1 for values in told.values())
        one = {name: values[0] for name, values in told.items()}
        assert {name: one.pop(name) for name in ("scope", "response_type", "response_mode", "prompt", "client_id")} == {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": self.client_id,
        }
        assert one.pop("login_hint") == "4"
        asked = Asked(
            state=one.pop("state"),
            nonce=one.pop("nonce"),
            redirect_uri=one.pop("redirect_uri"),
            hint=one.pop("lti_message_hint", ""),
            storage_target=one.pop("lti_storage_target", None),
        )
        assert not one
        assert asked.redirect_uri == LAUNCH
        assert min(len(asked.state), len(asked.nonce)) >= 32
        return asked

    def claims(self, nonce: str, now: int = NOW, /, **changes: Any) -> dict[str, Any]:
        """What a student's launch says, as Moodle writes it; a change names a claim of LTI by its last word."""
        seconds = now // 1000
        told = {
            "nonce": nonce,
            "iat": seconds,
            "exp": seconds + 60,
            "iss": self.issuer,
            "aud": self.client_id,
            messages.DEPLOYMENT_ID: self.deployment_id,
            messages.TARGET_LINK_URI: LAUNCH,
            "sub": "4",
            messages.ROLES: [f"{MEMBERSHIP}#Learner"],
            messages.CONTEXT: {"id": "2", "label": "BBB101", "title": "Live Sessions 101", "type": ["CourseSection"]},
            messages.MESSAGE_TYPE: "LtiResourceLinkRequest",
            messages.RESOURCE_LINK: {"id": "1", "title": "Attendance", "description": ""},
            messages.PRESENTATION: {
                "locale": "de",
                "document_target": "iframe",
                "return_url": f"{self.issuer}/mod/lti/return.php?course=2&sesskey=fA96ZZVwnn",
            },
            messages.TOOL_PLATFORM: {"product_family_code": "moodle", "version": "2024100706"},
            messages.VERSION_CLAIM: "1.3.0",
            messages.CUSTOM: {"groups": "1"},
        }
        for name, value in changes.items():
            claim = WORDS.get(name, name)
            if value is REMOVED:
                told.pop(claim, None)
            else:
                told[claim] = value
        return told

    def sign(self, claims: dict[str, Any], *, key: Any = None, algorithm: str = "RS256", **header: Any) -> str:
        """The token; a header member of None is left out."""
        members = {"kid": self.kid} | header
        members = {name: value for name, value in members.items() if value is not None}
        text = json.dumps(claims).encode()
        return jwt.PyJWS().encode(text, rsa_key() if key is None else key, algorithm=algorithm, headers=members)

    # -- over HTTP ----------------------------------------------------------------------------------------------------

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Answer what stands in `answers` on loopback; remember what was asked."""
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                stand_in.taken.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
                status, kind, body = stand_in.answers.get(self.path.partition("?")[0], (404, "text/html", b"<html>"))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                if status in {301, 302}:
                    self.send_header("Location", body.decode())
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 - http.server calls it so

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        with on_a_port(Handler) as port:
            self.base = f"http://127.0.0.1:{port}"
            yield self.base


WORDS = {
    "deployment_id": messages.DEPLOYMENT_ID,
    "target_link_uri": messages.TARGET_LINK_URI,
    "roles": messages.ROLES,
    "context": messages.CONTEXT,
    "message_type": messages.MESSAGE_TYPE,
    "resource_link": messages.RESOURCE_LINK,
    "launch_presentation": messages.PRESENTATION,
    "version": messages.VERSION_CLAIM,
    "custom": messages.CUSTOM,
    "for_user": messages.FOR_USER,
    "deep_linking_settings": messages.DEEP_LINKING_SETTINGS,
    "endpoint": messages.ENDPOINT,
    "namesroleservice": messages.NAMES_AND_ROLES,
}
