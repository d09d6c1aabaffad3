"""What an LMS is registered as, and Dynamic Registration: its configuration is read, ours is sent, its answer taken."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from django.utils.translation import gettext as _

from rollcall.core.errors import RollcallError
from rollcall.lti import addresses, claims, messages
from rollcall.lti.messages import Message
from rollcall.lti.refusals import refused
from rollcall.outgoing.addresses import trusted_hosts
from rollcall.outgoing.asking import Question, Reply, ask_now

NAME: Final = "Rollcall"
GROUPS: Final = "Moodle.Person.userGroupIds"
NAME_CLAIMS: Final = ("name", "given_name", "family_name")
MOST_BYTES: Final = 262_144
LONGEST_TOKEN: Final = 8192
MOODLE: Final = "moodle"
MOODLES_PATH: Final = "/mod/lti/openid-configuration.php"

_ASSERTIONS: Final = "private_key_jwt"

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """All that has to be known of an LMS so that launches of it can be taken. `keys_url` or `public_key` (PEM)."""

    issuer: str
    client_id: str
    authorization_url: str
    token_url: str = ""
    token_audience: str = ""
    keys_url: str = ""
    public_key: str = ""
    deployments: tuple[str, ...] = ()
    name: str = ""
    site: str = ""
    product: str = ""
    product_version: str = ""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What an LMS says of itself. `scopes` and `variables` are None where it does not say which it has."""

    issuer: str
    authorization_url: str
    token_url: str
    token_audience: str
    keys_url: str
    registration_url: str
    product: str
    product_version: str
    scopes: frozenset[str] | None
    variables: frozenset[str] | None


# --- its configuration ----------------------------------------------------------------------------------------------


def configuration_at(url: str) -> Configuration:
    """Ask for it; LaunchRefused where it may not be asked, does not answer, or speaks of another host than its own.

    Whoever can put a file below an issuer could speak for it, so of a Moodle it must be Moodle's own page. Of what else
    there is nobody can know where it stands: the administrator and the operator see the issuer.
    """
    if not claims.url(url):
        raise refused("configuration-address")
    told = _object(_asked(Question(url, headers={"Accept": "application/json"}, at_most=MOST_BYTES)))
    issuer = told.get("issuer")
    if not isinstance(issuer, str) or not claims.url(issuer) or not _speaks_for(url, issuer):
        raise refused("configuration-issuer")
    lti = told.get(messages.PLATFORM_CONFIGURATION)
    about = lti if isinstance(lti, dict) else {}
    product = claims.text(about.get("product_family_code"), claims.LONGEST_ID)
    if product.casefold() == MOODLE and url.partition("?")[0] != issuer.rstrip("/") + MOODLES_PATH:
        raise refused("configuration-issuer")
    return Configuration(
        issuer=issuer,
        authorization_url=_endpoint(told, "authorization_endpoint", issuer),
        token_url=_endpoint(told, "token_endpoint", issuer),
        token_audience=claims.text(told.get("authorization_server")),
        keys_url=_endpoint(told, "jwks_uri", issuer),
        registration_url=_endpoint(told, "registration_endpoint", issuer),
        product=product,
        product_version=claims.text(about.get("version"), claims.LONGEST_ID),
        scopes=_words(told.get("scopes_supported")),
        variables=_words(about.get("variables")),
    )


def _asked(question: Question) -> Reply:
    try:
        reply = ask_now(question)
    except RollcallError as error:
        logger.warning("The configuration of an LMS cannot be fetched", code=error.code, why=str(error))
        raise refused("configuration-unreachable") from error
    if not reply.is_success:
        raise refused("configuration-unreachable")
    return reply


def _object(reply: Reply) -> dict[str, Any]:
    try:
        told = json.loads(reply.content)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise refused("configuration-unreadable")
    return told


def _speaks_for(url: str, issuer: str) -> bool:
    """Whether an address may say what an issuer is: it stands below it, or the operator trusts the hosts of both.

    …/moodle2/configuration does not speak for …/moodle. Who is trusted to be inside the network speaks for nobody else.
    """
    return url.startswith(f"{issuer.rstrip('/')}/") or {_host(url), _host(issuer)} <= trusted_hosts()


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _endpoint(told: Mapping[str, Any], name: str, issuer: str) -> str:
    found = claims.url(told.get(name))
    parts, own = urlsplit(found), urlsplit(issuer)
    is_own = (parts.hostname, parts.port) == (own.hostname, own.port)
    if not found or not (is_own or {_host(found), _host(issuer)} <= trusted_hosts()):
        raise refused("configuration-endpoint")
    return found


def _words(listed: object) -> frozenset[str] | None:
    return frozenset(one for one in listed if isinstance(one, str)) if isinstance(listed, list) else None


# --- ours -----------------------------------------------------------------------------------------------------------


def scopes_for(known: Configuration) -> tuple[str, ...]:
    """What is asked for, as far as there is such a thing."""
    return tuple(one for one in messages.SCOPES if known.scopes is None or one in known.scopes)


def custom_for(known: Configuration) -> dict[str, str]:
    """The custom parameters: to which groups a user belongs, where the LMS can say so."""
    return {"groups": f"${GROUPS}"} if known.variables is not None and GROUPS in known.variables else {}


def wanted(known: Configuration, *, with_names: bool) -> dict[str, Any]:
    """What Rollcall asks to be registered as; names of people are shared only if the administrator wants it."""
    launch = addresses.address(addresses.LAUNCH)
    return {
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": addresses.address(addresses.LOGIN),
        "redirect_uris": [launch],
        "client_name": NAME,
        "jwks_uri": addresses.address(addresses.KEYS),
        "logo_uri": addresses.address("/static/icon.svg"),
        "token_endpoint_auth_method": _ASSERTIONS,
        "scope": " ".join(scopes_for(known)),
        messages.TOOL_CONFIGURATION: {
            "domain": addresses.domain(),
            "description": _("Who was in the BigBlueButton class, for how long and how actively"),
            "target_link_uri": launch,
            "custom_parameters": custom_for(known),
            "claims": ["iss", "sub", *(NAME_CLAIMS if with_names else ())],
            "messages": [
                {"type": Message.RESOURCE.value, "target_link_uri": launch, "label": NAME},
                {
                    "type": Message.DEEP_LINK.value,
                    "target_link_uri": launch,
                    "label": NAME,
                    "placements": ["ContentArea"],
                    "supported_types": [messages.RESOURCE_LINK_ITEM],
                },
            ],
        },
    }


def register(known: Configuration, token: str, *, with_names: bool) -> Registration:
    """Register there, once; LaunchRefused says in a sentence why it could not be done. The token is opaque."""
    if not 0 < len(token) <= LONGEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise refused("registration-token")
    headers = {"Content-Type": "application/json", "Accept": "application/json", "Authorization": f"Bearer {token}"}
    body = json.dumps(wanted(known, with_names=with_names)).encode()
    try:
        reply = ask_now(Question(known.registration_url, "POST", headers, body, at_most=MOST_BYTES))
    except RollcallError as error:
        logger.warning("An LMS cannot be registered with", code=error.code, why=str(error))
        raise refused("registration-unreachable") from error
    if not reply.is_success:
        raise refused(_why(reply))
    return _registered(known, reply)


_CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "missing_registration_token": "registration-token",
        "token_already_used": "registration-token-used",
        "domain_targetlinkuri_mismatch": "registration-domain",
        "missing_domain": "registration-domain",
    }
)
"""Moodle's plain words; what else it says is about a form that is always the same."""


def _why(reply: Reply) -> str:
    said = reply.content[:200].decode("utf-8", "replace").strip().strip('"')
    if said in _CODES:
        return _CODES[said]
    # A token that Moodle did not make, or made more than an hour ago, is answered with its page of 404.
    return "registration-token" if reply.status in {401, 403, 404} else "registration-refused"


def _registered(known: Configuration, reply: Reply) -> Registration:
    """The answer is read whatever type it is said to be of."""
    try:
        told = json.loads(reply.content)
        tool = told.get(messages.TOOL_CONFIGURATION) or {}
        client_id, deployment_id = told["client_id"], tool.get("deployment_id")
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError):
        raise refused("registration-unreadable") from None
    return Registration(
        issuer=known.issuer,
        client_id=claims.identifier(client_id, "registration-unreadable"),
        authorization_url=known.authorization_url,
        token_url=known.token_url,
        token_audience=known.token_audience,
        keys_url=known.keys_url,
        deployments=() if deployment_id is None else (claims.identifier(deployment_id, "registration-unreadable"),),
        product=known.product,
        product_version=known.product_version,
    )
