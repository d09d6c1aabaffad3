"""LMSs as they are registered, changed and removed: whose meetings change hands with it is folded again."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.translation import gettext as _

from rollcall.core.errors import Refused
from rollcall.derive.rebuild import demand_sites
from rollcall.lti import claims, platform_keys, visits
from rollcall.moodle import service_user
from rollcall.store.auditing import Action, write
from rollcall.store.keys import key_of
from rollcall.store.limits import require_room
from rollcall.store.organisations import Organisation
from rollcall.store.platforms import Deployment, PendingLaunch, Platform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollcall.lti.registration import Registration
    from rollcall.moodle.checking import Checked
    from rollcall.store.connections import Pool

COMMAND_LINE = "command line"
"""Who did it, where nobody is signed in."""


def find(name: str, *, with_removed: bool = False) -> Platform:
    """By its number, its site, or the name it goes by; Refused where it is not one. One removed has only its number."""
    if with_removed and name.isdecimal() and (removed := Platform.objects.filter(pk=int(name)).first()):
        return removed
    known = Platform.objects.filter(removed_at=None).select_related("organisation")
    found = [one for one in known.order_by("pk") if name in {str(one.pk), one.site, one.issuer, one.name}]
    if len(found) == 1:
        return found[0]
    raise Refused(
        _("There are several platforms called %(name)s.") % {"name": name}
        if found
        else _("There is no platform called %(name)s.") % {"name": name},
        code="unknown-platform",
        hint=_("Use its number: rollcall platform list."),
    )


def require_addable(organisation: Organisation, site: str, pools: Sequence[Pool], *, is_new: bool = True) -> None:
    """That the organisation may have this LMS: its licence has room, and no other organisation has the site."""
    # Whoever adds another one waits here: what two of them looked at must still be so when the second one writes.
    list(Organisation.objects.select_for_update().order_by("pk").values_list("pk"))
    require_room(organisation, pools, platforms=int(is_new))
    others = Platform.objects.filter(site_key=key_of(site)).exclude(organisation=organisation)
    if any(one.removed_at is None or one.pools.exists() for one in others):
        raise Refused(
            _("%(site)s belongs to another organisation.") % {"site": site},
            code="site-taken",
            status=403,
            hint=_(
                "The meetings of an LMS are seen by one organisation. Remove it there and detach its servers first."
            ),
        )


@transaction.atomic
def require_registrable(organisation: Organisation, issuer: str, pools: Sequence[Pool]) -> None:
    """The same before the LMS has given a client id: where it is registered already, that may be what is changed."""
    is_known = Platform.objects.filter(organisation=organisation, issuer=issuer, removed_at=None).exists()
    require_addable(organisation, site_of(issuer), pools, is_new=not is_known)


def site_of(issuer: str) -> str:
    """What meetings call an LMS, unless somebody says otherwise: Moodle's is its issuer."""
    return issuer.rstrip("/")


def add(
    organisation: Organisation, wanted: Registration, pools: Sequence[Pool], *, now: int, by: str = COMMAND_LINE
) -> Platform:
    """Register an LMS, or change what is registered under the same issuer and client id. `now` is epoch ms."""
    _require_addresses(wanted)
    key, site = key_of(wanted.issuer, wanted.client_id), wanted.site or site_of(wanted.issuer)
    with transaction.atomic():
        before = Platform.objects.filter(key=key).first()
        if before is not None and before.organisation_id != organisation.pk:
            raise Refused(
                _("This registration belongs to another organisation."),
                code="registration-taken",
                status=403,
                hint=_("Register Rollcall in the LMS as a new tool; it gets another client id."),
            )
        require_addable(organisation, site, pools, is_new=before is None or before.removed_at is not None)
        platform, _made = Platform.objects.update_or_create(
            key=key,
            defaults=_columns(wanted, site) | {"removed_at": None},
            create_defaults=_columns(wanted, site)
            | {"organisation": organisation, "issuer": wanted.issuer, "client_id": wanted.client_id, "added_at": now},
        )
        for deployment_id in wanted.deployments:
            _deploy(platform, deployment_id, now)
        platform.pools.add(*pools)
        _note(platform, now, by)
    sites = {site, platform.host} | ({before.site, before.host} if before else set())
    demand_sites(sites)
    return platform


def _columns(wanted: Registration, site: str) -> dict[str, object]:
    host = (urlsplit(site).hostname or "").lower()
    return {
        "name": wanted.name or host,
        "site": site,
        "site_key": key_of(site),
        "host": host,
        "authorization_url": wanted.authorization_url,
        "token_url": wanted.token_url,
        "token_audience": wanted.token_audience,
        "keys_url": wanted.keys_url,
        "public_key": wanted.public_key,
        # Of another address, or of a key that was changed, nothing may be believed.
        "keys": "",
        "keys_fetched_at": None,
        "keys_trouble": "",
        "product": wanted.product,
        "product_version": wanted.product_version,
    }


def _require_addresses(wanted: Registration) -> None:
    told = {"issuer": wanted.issuer, "authorization": wanted.authorization_url, "site": wanted.site or wanted.issuer}
    told |= {name: url for name, url in (("token", wanted.token_url), ("key set", wanted.keys_url)) if url}
    for name, url in told.items():
        if not claims.url(url) or (name in {"issuer", "site"} and urlsplit(url).query):
            raise Refused(
                _("The address “%(name)s” cannot be used: %(url)s") % {"name": name, "url": url},
                code="not-an-address",
                hint=_("It begins with https://. A host without TLS, or a private one, has to stand in %(setting)s.")
                % {"setting": "ROLLCALL_LMS_HOSTS"},
            )
    claims.identifier(wanted.client_id)
    if not wanted.keys_url and not wanted.public_key:
        raise Refused(
            _("Neither the address of a key set nor a public key was given."),
            code="no-keys",
            hint=_("Without one of them no launch can be believed."),
        )
    if wanted.public_key:
        platform_keys.require_pem(wanted.public_key)


def remove(platform: Platform, *, now: int, by: str = COMMAND_LINE) -> None:
    """No launch of it is taken any more, and who came by it is out. What was its own stays so until it is detached."""
    Platform.objects.filter(pk=platform.pk).update(removed_at=now)
    service_user.forget(platform)
    PendingLaunch.objects.filter(platform=platform).delete()
    visits.end_all(platform, now)
    _note(platform, now, by)


def give_token(platform: Platform, token: str, *, now: int, by: str = COMMAND_LINE) -> Checked:
    """Keep a token of its web services, if it is one of this Moodle; what a test of it has found."""
    found = service_user.give(platform, token, now=now)
    _note(platform, now, by)
    return found


def forget_token(platform: Platform, *, now: int, by: str = COMMAND_LINE) -> bool:
    """Give up the token of its web services; whether there was one."""
    was_there = service_user.forget(platform)
    if was_there:
        _note(platform, now, by)
    return was_there


def attach(platform: Platform, pool: Pool, *, now: int, by: str = COMMAND_LINE) -> int:
    """Its meetings on this server are its organisation's; return how many are folded again."""
    with transaction.atomic():
        require_addable(platform.organisation, platform.site, [pool], is_new=False)
        platform.pools.add(pool)
        _note(platform, now, by)
    return demand_sites([platform.site, platform.host])


def detach(platform: Platform, pool: Pool, *, now: int, by: str = COMMAND_LINE) -> int:
    """They no longer are; return how many are folded again."""
    platform.pools.remove(pool)
    _note(platform, now, by)
    return demand_sites([platform.site, platform.host])


def deploy(platform: Platform, deployment_id: str, *, now: int, by: str = COMMAND_LINE) -> None:
    """Take launches under this deployment id too."""
    _deploy(platform, claims.identifier(deployment_id, "deployment"), now)
    _note(platform, now, by)


def withdraw(platform: Platform, deployment_id: str, *, now: int, by: str = COMMAND_LINE) -> bool:
    """Take none any more under this id; False if none were."""
    gone, _of = platform.deployments.filter(key=key_of(deployment_id)).delete()
    _note(platform, now, by)
    return bool(gone)


def _deploy(platform: Platform, deployment_id: str, now: int) -> None:
    Deployment.objects.get_or_create(
        platform=platform, key=key_of(deployment_id), defaults={"deployment_id": deployment_id, "added_at": now}
    )


def _note(platform: Platform, now: int, by: str) -> None:
    write(
        now,
        Action.CHANGED,
        None,
        actor=by,
        subject="platform",
        organisation=platform.organisation_id,
        platform=platform.pk,
    )
