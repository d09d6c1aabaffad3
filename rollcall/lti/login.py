"""The first step of a launch: the platform says who is coming, and is asked for a token that only this launch fits."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from rollcall.lti import addresses
from rollcall.lti.refusals import refused
from rollcall.store.keys import key_of
from rollcall.store.platforms import PendingLaunch, Platform

LIFETIME_MS: Final = 600_000
MOST_CHARACTERS: Final = 16_384
LONGEST_TARGET: Final = 2000

_MUST: Final = ("iss", "login_hint", "target_link_uri")
_MAY: Final = ("client_id", "lti_message_hint", "lti_deployment_id", "lti_storage_target")

Form = Mapping[str, Sequence[str]]
"""What came, by names; of one that came twice there are two."""


def begin(form: Form, now: int) -> str:
    """The address to which the browser is sent for a token; LaunchRefused otherwise. `now` is epoch ms."""
    told = _told(form)
    platform = _platform(told["iss"], told.get("client_id"))
    _require_target(told["target_link_uri"])
    deployment_id = told.get("lti_deployment_id", "")
    if deployment_id and not platform.deployments.filter(key=key_of(deployment_id)).exists():
        raise refused("deployment")
    state, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    PendingLaunch.objects.create(
        platform=platform,
        state_key=key_of(state),
        nonce_key=key_of(nonce),
        target=told["target_link_uri"],
        deployment_id=deployment_id,
        expires_at=now + LIFETIME_MS,
    )
    return _authentication(platform, told, state, nonce)


def _require_target(target: str) -> None:
    if not addresses.is_ours(target):
        raise refused("target-not-ours")
    if len(target) > LONGEST_TARGET:
        raise refused("form-too-big")


def _told(form: Form) -> dict[str, str]:
    if sum(len(name) + sum(map(len, values)) for name, values in form.items()) > MOST_CHARACTERS:
        raise refused("form-too-big")
    found = {name: form[name] for name in (*_MUST, *_MAY) if name in form}
    if any(len(values) != 1 for values in found.values()):
        raise refused("login-malformed")
    told = {name: values[0] for name, values in found.items()}
    if not all(told.get(name) for name in _MUST):
        raise refused("login-malformed")
    return told


def _platform(issuer: str, client_id: str | None) -> Platform:
    """The registration that is meant; without a client id there must be only one of the issuer."""
    platforms = Platform.objects.filter(removed_at=None)
    if client_id is not None:
        found = list(platforms.filter(key=key_of(issuer, client_id)))
    else:
        found = list(platforms.filter(issuer=issuer)[:2])
    if not found:
        raise refused("platform-unknown")
    if len(found) > 1:
        raise refused("client-missing")
    return found[0]


def _authentication(platform: Platform, told: Mapping[str, str], state: str, nonce: str) -> str:
    asked = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": platform.client_id,
        "redirect_uri": addresses.address(addresses.LAUNCH),
        "login_hint": told["login_hint"],
        "state": state,
        "nonce": nonce,
    }
    # What the platform sent goes back as it came.
    asked |= {name: told[name] for name in ("lti_message_hint", "lti_storage_target") if name in told}
    joint = "&" if "?" in platform.authorization_url else "?"
    return f"{platform.authorization_url}{joint}{urlencode(asked)}"
