"""What is captured and what not: by server, by site (LMS) and by activity."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from rollcall.cli import new_app
from rollcall.cli.database import open_database
from rollcall.core.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.store.connections import Pool

app = new_app("What is captured and what not, by server, site and activity: list, off, on.")

ServerName = Annotated[str, typer.Option("--server", help="Everything of this server.")]
Site = Annotated[str, typer.Option("--site", help="Everything of this LMS, named as in `report meetings`.")]
ActivityId = Annotated[
    str, typer.Option("--activity", help="One activity, by a meeting id of it: the one that the LMS gives.")
]


@dataclass(frozen=True, slots=True)
class Chosen:
    """One switch: of a pool, or the key, site and activity of another."""

    name: str
    pool: Pool | None = None
    key: bytes = b""
    site: str = ""
    activity: str = ""


@app.command("list")
def list_switches() -> None:
    """Every server, and each site and activity that has a switch of its own."""
    open_database()
    from rollcall.store.connections import CaptureSwitch, Pool
    from rollcall.store.facts import Meeting

    stubs = Meeting.objects.filter(is_refused=True, root=None, facts=None)
    for pool in Pool.objects.order_by("name"):
        print(f"{_mark(is_on=pool.is_captured)}  server    {pool.name}")
    for one in CaptureSwitch.objects.order_by("site", "activity"):
        kind, name = ("activity", f"{one.activity} of {one.site}") if one.activity else ("site    ", one.site)
        print(f"{_mark(is_on=one.is_on)}  {kind}  {name}")
    if count := stubs.count():
        print(f"     {count} meetings were heard of and not kept.")


@app.command("off")
def switch_off(
    server: ServerName = "",
    site: Site = "",
    activity: ActivityId = "",
    erase: Annotated[bool, typer.Option("--erase", help="Erase what is kept of it already, too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before erasing.")] = False,
) -> None:
    """Keep nothing more of it. What is kept already stays, unless --erase is given."""
    open_database()
    chosen = _choose(server, site, activity)
    roots = list(_families(chosen)) if erase else []
    if roots and not yes and not typer.confirm(f"Erase all that is kept of {len(roots)} meetings, for good?"):
        raise Refused("Nothing was changed.", hint="Without --erase only what comes from now on is not kept.")
    _switch(chosen, is_on=False)
    print(f"Off: nothing more of {chosen.name} is kept.")
    if erase:
        _erase(roots)
        print(f"Erased: all that was kept of {len(roots)} meetings.")


@app.command("on")
def switch_on(server: ServerName = "", site: Site = "", activity: ActivityId = "") -> None:
    """Keep it again: every meeting that begins from now on."""
    open_database()
    chosen = _choose(server, site, activity)
    _switch(chosen, is_on=True)
    print(f"On: meetings of {chosen.name} that begin from now on are kept.")


def _mark(*, is_on: bool) -> str:
    return "on " if is_on else "off"


# --- which switch -----------------------------------------------------------------------------------------------------


def _choose(server: str, site: str, activity: str) -> Chosen:
    if activity:
        return _activity(server, site.rstrip("/"), activity)
    if bool(server) == bool(site):
        raise Refused(
            "Say what to switch: --server NAME, --site URL, or --activity MEETING-ID.",
            hint="`rollcall capture list` shows what there is.",
        )
    if server:
        return _pool(server)
    from rollcall.store.keys import key_of

    site = site.rstrip("/")
    _warn_of_unknown(site)
    return Chosen(site, key=key_of(site), site=site)


def _pool(name: str) -> Chosen:
    from rollcall.store.connections import Pool

    pool = Pool.objects.filter(name=name).first()
    if pool is None:
        known = ", ".join(Pool.objects.order_by("name").values_list("name", flat=True)) or "none"
        raise Refused(f"There is no server {name!r}.", hint=f"There are: {known}.")
    return Chosen(pool.name, pool=pool)


def _activity(server: str, site: str, meeting_id: str) -> Chosen:
    """As the meetings say themselves that have this id; or else as those will that the named site makes."""
    from rollcall.store.derived import Summary

    found = Summary.objects.filter(external_meeting_id=meeting_id)
    if server:
        found = found.filter(pool_name=server)
    if site:
        found = found.filter(site=site)
    known = {(bytes(key), of) for key, of in found.values_list("activity_key", "site")}
    if len(known) == 1:
        ((key, of),) = known
        return Chosen(f"{meeting_id} of {of}", key=key, site=of, activity=meeting_id)
    if known:
        raise Refused(
            f"Several LMSs have an activity {meeting_id!r}.",
            hint=f"Name one with --site: {', '.join(sorted(of for _key, of in known))}.",
        )
    return _activity_to_come(server, site, meeting_id)


def _activity_to_come(server: str, site: str, meeting_id: str) -> Chosen:
    from rollcall.core.people import MOODLE_PATH, activity_of
    from rollcall.store.keys import key_of

    if not server and not site:
        raise Refused(
            f"No meeting has the id {meeting_id!r} yet.",
            hint="Say where it will be: --site URL for one of Moodle's, --server NAME for another.",
        )
    address = {"analytics-callback-url": site + MOODLE_PATH} if "://" in site else {"bbb-origin": "moodle"}
    told = address | {"bbb-origin-server-name": site} if site else {}
    activity = activity_of(meeting_id, told, _pool(server).name if server else "")
    if activity.site == "pool:":
        raise Refused(
            f"{meeting_id!r} is no id that Moodle gives.",
            hint="Such an activity is one of a server: add --server NAME.",
        )
    key = key_of(activity.site, activity.course, activity.instance)
    return Chosen(f"{meeting_id} of {activity.site}", key=key, site=activity.site, activity=meeting_id)


def _warn_of_unknown(site: str) -> None:
    from rollcall.store.derived import Summary
    from rollcall.store.keys import key_of

    if Summary.objects.filter(site_key=key_of(site)).exists():
        return
    known = sorted(set(Summary.objects.values_list("site", flat=True).distinct()))
    print(f"No meeting of {site} is known yet. Known are: {', '.join(known) or 'none'}.")


# --- doing it ---------------------------------------------------------------------------------------------------------


def _switch(chosen: Chosen, *, is_on: bool) -> None:
    from rollcall.store.connections import CaptureSwitch, Pool

    if chosen.pool is not None:
        Pool.objects.filter(pk=chosen.pool.pk).update(is_captured=is_on)
        return
    if CaptureSwitch.objects.filter(key=chosen.key, is_on=is_on).exists():
        return  # what has come since it was first said was told to be kept, or not to be
    values = {"site": chosen.site, "activity": chosen.activity, "is_on": is_on, "changed_at": _now()}
    CaptureSwitch.objects.update_or_create(key=chosen.key, defaults=values)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _families(chosen: Chosen) -> Iterator[int]:
    """The root meetings of which something is kept."""
    from django.db.models import Q

    from rollcall.store.derived import Summary
    from rollcall.store.facts import Meeting

    if chosen.pool is not None:
        kept = Q(facts__isnull=False) | Q(breakouts__facts__isnull=False)
        roots = Meeting.objects.filter(kept, pool=chosen.pool, root=None)
        yield from roots.values_list("pk", flat=True).distinct()
        return
    keys = Q(site_key=chosen.key) | Q(activity_key=chosen.key)
    yield from Summary.objects.filter(keys).values_list("meeting_id", flat=True)


def _erase(roots: list[int]) -> None:
    from rollcall.derive.log import Log
    from rollcall.derive.meeting import refold
    from rollcall.feed.append import refuse

    for root in roots:
        refuse(root)
        refold(root, Log())
