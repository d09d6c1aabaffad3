"""The second step of a launch: the platform's token, verified, and what it says of course and activity kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from django.utils.crypto import constant_time_compare

from rollcall.core.access import Role
from rollcall.lti import addresses, claims, messages, roster
from rollcall.lti.claims import Launched
from rollcall.lti.login import Form
from rollcall.lti.messages import Message
from rollcall.lti.platform_keys import keys_for
from rollcall.lti.refusals import refused
from rollcall.lti.signed import LARGEST, verified
from rollcall.store.keys import key_of
from rollcall.store.platforms import Context, Deployment, PendingLaunch, Platform, ResourceLink

LONGEST_STATE: Final = 255
MOST_CHARACTERS: Final = 2 * LARGEST


def receive(
    form: Form,
    now: int | None = None,
    *,
    may_enter: Callable[[Platform, str, Role], object] = lambda _platform, _language, _role: None,
) -> Launched:
    """Who was sent, from a form that a browser posted; LaunchRefused if there is any doubt. `now` is epoch ms.

    `may_enter` is asked with the platform, the user's language and role; it raises its own error where there is no
    licence, and nothing is kept then.
    """
    now = time.time_ns() // 1_000_000 if now is None else now
    token, pending = _taken(form, now)
    platform = pending.platform
    if platform.removed_at is not None:
        raise refused("platform-unknown")
    told = verified(token, partial(keys_for, platform, now=now))
    claims.require_issuer(told, platform)
    claims.require_time(told, now)
    _require_pending(told, pending)
    may_enter(platform, claims.language_of(told), claims.role_of(told))
    return _launched(told, platform, pending, now)


# --- state, nonce and target ----------------------------------------------------------------------------------------


def _taken(form: Form, now: int) -> tuple[str, PendingLaunch]:
    """The token, and the launch that was begun; whatever comes of it, it is used with this."""
    if sum(len(name) + sum(map(len, values)) for name, values in form.items()) > MOST_CHARACTERS:
        raise refused("form-too-big")
    states, tokens, errors = (form.get(name, ()) for name in ("state", "id_token", "error"))
    if len(states) != 1 or not 0 < len(states[0]) <= LONGEST_STATE:
        raise refused("form-malformed")
    if bool(errors) == bool(tokens) or len(tokens) > 1:
        raise refused("form-malformed")
    pending = _use(states[0], now)
    if errors:
        raise refused("platform-error")
    return tokens[0], pending


def _use(state: str, now: int) -> PendingLaunch:
    """The pending launch of this state, for the one who comes with it first."""
    found = PendingLaunch.objects.filter(state_key=key_of(state)).select_related("platform")
    pending = found.first()
    if pending is None:
        raise refused("state-unknown")
    if not PendingLaunch.objects.filter(pk=pending.pk, used_at=None).update(used_at=now):
        raise refused("state-used")
    if now >= pending.expires_at:
        raise refused("state-expired")
    return pending


def _require_pending(told: Mapping[str, Any], pending: PendingLaunch) -> None:
    nonce, target = told.get("nonce"), told.get(messages.TARGET_LINK_URI)
    if not isinstance(nonce, str) or not constant_time_compare(key_of(nonce), bytes(pending.nonce_key)):
        raise refused("nonce")
    if target != pending.target or not addresses.is_ours(pending.target):
        raise refused("target")
    if pending.deployment_id and told.get(messages.DEPLOYMENT_ID) != pending.deployment_id:
        raise refused("deployment")


# --- who, and from where --------------------------------------------------------------------------------------------


def _launched(told: Mapping[str, Any], platform: Platform, pending: PendingLaunch, now: int) -> Launched:
    message = claims.message_of(told)
    deployment = _deployment(told, platform)
    user_id = claims.identifier(told.get("sub"), "subject")
    role = claims.role_of(told)
    custom = claims.custom_of(told)
    for_user = _for_user(told, message)
    deep_link = claims.deep_link_of(told) if message is Message.DEEP_LINK else None
    if message is not Message.RESOURCE and role is Role.LEARNER:
        raise refused("not-a-teacher")
    context_id, link_id = _ids(told, message, role)
    services = _services(told)
    context = _context(platform, context_id, told, services, now) if context_id else None
    link = _link(context, link_id, told, custom, now) if context and link_id else None
    _seen(platform, told, now)
    if context is not None:
        _tell_roster(context, told, user_id, role, now)
    return Launched(
        platform=platform,
        deployment=deployment,
        message=message,
        user_id=user_id,
        role=role,
        context=context,
        link=link,
        target=pending.target,
        custom=custom,
        groups=claims.groups_of(custom),
        language=claims.language_of(told),
        return_url=claims.url(claims.member(told, messages.PRESENTATION).get("return_url")),
        name=claims.name_of(told),
        deep_link=deep_link,
        memberships_url=services["memberships_url"],
        line_items_url=services["line_items_url"],
        line_item_url=services["line_item_url"],
        grade_scopes=claims.scopes_of(told),
        for_user=for_user,
    )


def _deployment(told: Mapping[str, Any], platform: Platform) -> Deployment:
    deployment_id = claims.identifier(told.get(messages.DEPLOYMENT_ID), "deployment")
    found = platform.deployments.filter(key=key_of(deployment_id)).first()
    if found is None:
        raise refused("deployment")
    return found


def _for_user(told: Mapping[str, Any], message: Message) -> str:
    if message is not Message.REVIEW:
        return ""
    return claims.identifier(claims.member(told, messages.FOR_USER).get("user_id"))


def _ids(told: Mapping[str, Any], message: Message, role: Role) -> tuple[str, str]:
    """The ids of course and link, of which a deep linking request has only the first."""
    context, link = claims.member(told, messages.CONTEXT), claims.member(told, messages.RESOURCE_LINK)
    if message is not Message.DEEP_LINK or link:
        claims.identifier(link.get("id"))
    if not context:
        if role is Role.ADMINISTRATOR and message is Message.RESOURCE:
            return "", ""
        raise refused("no-course")
    return claims.identifier(context.get("id")), str(link.get("id", ""))


def _services(told: Mapping[str, Any]) -> dict[str, str]:
    """The addresses of the roster and of the gradebook; blank where they are not offered, or not to be asked."""
    names = claims.member(told, messages.NAMES_AND_ROLES)
    grades = claims.member(told, messages.ENDPOINT)
    return {
        "memberships_url": claims.url(names.get("context_memberships_url")),
        "line_items_url": claims.url(grades.get("lineitems")),
        "line_item_url": claims.url(grades.get("lineitem")),
    }


# --- what is kept ---------------------------------------------------------------------------------------------------


def _context(
    platform: Platform, context_id: str, told: Mapping[str, Any], services: Mapping[str, str], now: int
) -> Context:
    """The course, with what this launch says of it; an address that it does not name stays."""
    said = claims.member(told, messages.CONTEXT)
    seen = {
        "label": claims.text(said.get("label")),
        "title": claims.text(said.get("title")),
        "memberships_url": services["memberships_url"],
        "line_items_url": services["line_items_url"],
        "grade_scopes": " ".join(claims.scopes_of(told)),
    }
    kept = {name: value for name, value in seen.items() if value} | {"launched_at": now}
    context, _made = Context.objects.update_or_create(
        platform=platform, key=key_of(context_id), defaults=kept, create_defaults=kept | {"context_id": context_id}
    )
    return context


def _tell_roster(context: Context, told: Mapping[str, Any], user_id: str, role: Role, now: int) -> None:
    """Have the roster read, and remember who teaches. A Moodle's front page has all its users: it is no course."""
    if role is not Role.LEARNER:
        roster.came_as_instructor(context, user_id, now)
    kinds = claims.member(told, messages.CONTEXT).get("type")
    if not isinstance(kinds, list) or [str(kind).rpartition("#")[2] for kind in kinds] != ["Group"]:
        roster.wish(context, now)


def _link(context: Context, link_id: str, told: Mapping[str, Any], custom: Mapping[str, str], now: int) -> ResourceLink:
    """The link, with the BBB activity it was made for, if a teacher chose one."""
    kept = {
        "title": claims.text(claims.member(told, messages.RESOURCE_LINK).get("title")),
        "activity": claims.activity_of(custom),
        "line_item_url": claims.url(claims.member(told, messages.ENDPOINT).get("lineitem")),
        "launched_at": now,
    }
    link, _made = ResourceLink.objects.update_or_create(
        context=context, key=key_of(link_id), defaults=kept, create_defaults=kept | {"link_id": link_id}
    )
    return link


def _seen(platform: Platform, told: Mapping[str, Any], now: int) -> None:
    product = claims.member(told, messages.TOOL_PLATFORM)
    platform.product = claims.text(product.get("product_family_code"), claims.LONGEST_ID) or platform.product
    platform.product_version = claims.text(product.get("version"), claims.LONGEST_ID) or platform.product_version
    platform.launched_at = now
    platform.save(update_fields=["product", "product_version", "launched_at"])
