"""Rosters by Names and Roles: read whole, page by page, and kept as stays.

Only a reading that reached its end changes anything. Whatever else comes (an error, a page that is missing, a page that
leads in a circle, a roster on which nobody is any more) leaves every stay as it was and is told as trouble.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

from rollcall.core.roster import Enrolled, Stay, compare, is_believable
from rollcall.feed.demanding import demand_course
from rollcall.lti.bodies import MOST_BYTES, read_json
from rollcall.lti.claims import is_teaching
from rollcall.lti.paging import each_page
from rollcall.lti.tokens import trouble_of
from rollcall.lti.trouble import ServiceTrouble, Trouble
from rollcall.outgoing.asking import Question, Reply
from rollcall.store.fields import storable
from rollcall.store.keys import key_of
from rollcall.store.platforms import Context, Member, Teacher

MEDIA_TYPE: Final = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
MOST_MEMBERS: Final = 50_000
PAGE_SECONDS: Final = 60.0
PORTION: Final = 100
"""Members that are changed in one transaction: some 20 ms of the database's one writer."""
PAUSE_SECONDS: Final = 0.02
"""Between two portions, for whoever waits: SQLite has no queue of writers."""
LONGEST_ID: Final = 1000
LONGEST_NAME: Final = 300

MINUTE_MS: Final = 60_000
NOT_SOONER_MS: Final = 15 * MINUTE_MS
"""A launch asks for a new reading only if the last one is older."""

Ask = Callable[[Question], Awaitable[Reply]]
Entry = tuple[str, Enrolled | None]
"""A user id and who that is; None for whoever is not active."""


async def read(url: str, ask: Ask) -> dict[str, Enrolled]:
    """Everybody on the roster at this address, by user id; ServiceTrouble unless its end was reached."""
    roster: dict[str, Enrolled] = {}

    async def ask_for(page: str) -> Reply:
        return await ask(Question(page, headers={"Accept": MEDIA_TYPE}, at_most=MOST_BYTES, seconds=PAGE_SECONDS))

    async for page in each_page(url, ask_for, _members):
        for one in (told for _user, told in page if told is not None):
            roster[one.user_id] = roster[one.user_id] | one if one.user_id in roster else one
        if len(roster) > MOST_MEMBERS:
            raise ServiceTrouble(Trouble.TOO_BIG)
    return roster


# -- one page -----------------------------------------------------------------------------------------------------


def _members(reply: Reply) -> list[Entry]:
    if (trouble := trouble_of(reply)) is not None:
        raise trouble
    answer = read_json(reply.content)
    members = answer.get("members") if isinstance(answer, dict) else None
    if not isinstance(members, list):
        raise ServiceTrouble(Trouble.NOT_A_ROSTER)
    if len(members) > MOST_MEMBERS:
        raise ServiceTrouble(Trouble.TOO_BIG)
    return list(map(_entry, members))


def _entry(member: object) -> Entry:
    """One entry. One without a user id could be anybody: then it is no roster."""
    user = member.get("user_id") if isinstance(member, dict) else None
    if not isinstance(member, dict) or isinstance(user, bool) or not isinstance(user, str | int) or user == "":
        raise ServiceTrouble(Trouble.NOT_A_ROSTER)
    if len(str(user)) > LONGEST_ID:
        raise ServiceTrouble(Trouble.NOT_A_ROSTER)
    if str(member.get("status") or "Active").rpartition("#")[2].lower() != "active":
        return str(user), None
    told = member.get("roles")
    roles = [role for role in told if isinstance(role, str)] if isinstance(told, list) else []
    is_learner = any(map(_LEARNING.fullmatch, roles))
    return str(user), Enrolled(storable(str(user)), _name(member), any(map(is_teaching, roles)), is_learner)


_LEARNING: Final = re.compile(r"Learner|Student|\S+/membership(#Learner|/Learner#\S+)")
"""Rosters have short words, launches the vocabulary's: `…/membership#Learner`, `…/membership/Learner#NonCreditLearner`.

What somebody is in the institution (`…/institution/person#Student`) says nothing of the course.
"""


def _name(member: dict[str, Any]) -> str:
    """The name, if the LMS shares it: whole, or in parts. Nothing else of an entry is kept."""
    parts = [member.get("name")] if member.get("name") else [member.get("given_name"), member.get("family_name")]
    told = " ".join(part.strip() for part in parts if isinstance(part, str) and part.strip())
    return storable(told[:LONGEST_NAME])


# -- what is kept -------------------------------------------------------------------------------------------------


def wish(context: Context, now: int) -> None:
    """Have the roster of a course read soon, because somebody comes from it."""
    if not context.memberships_url:
        return
    if context.roster_at is not None and 0 <= now - context.roster_at < NOT_SOONER_MS:
        return
    # Where reading it has failed of late, not everybody who comes has it tried again.
    due_at = now + (NOT_SOONER_MS if context.roster_failures else 0)
    rows = Context.objects.filter(pk=context.pk)
    rows.filter(Q(roster_due_at=None) | Q(roster_due_at__gt=due_at)).update(roster_due_at=due_at)


def came_as_instructor(context: Context, user_id: str, now: int) -> None:
    """Remember that the LMS let somebody into a course as its instructor."""
    _teacher, is_new = Teacher.objects.update_or_create(
        context=context, user_key=key_of(user_id), defaults={"user_id": user_id, "came_at": now}
    )
    if is_new:
        _demand_activities(context.pk)


def is_only_learner(context: Context, user_id: str) -> bool:
    """Whether the roster has somebody as a learner and nothing more; False where it does not say."""
    found = Member.objects.filter(context=context, user_key=key_of(user_id), until_at=None).order_by("-from_at").first()
    return found is not None and found.is_learner and not found.is_instructor


def is_awaited(context: Context) -> bool:
    """Whether the roster of a course is offered and was never read, so that nothing is known yet."""
    return bool(context.memberships_url) and context.roster_at is None


def keep(context: int, roster: dict[str, Enrolled], at: int) -> int:
    """Make the stays of a course what a whole reading that began at `at` says; how many began or ended.

    ServiceTrouble for one that is not believed. It is done in portions, so that nobody waits long for the database,
    and counts as read after the last: of a first one nothing is told before. Each stay is true by itself, for a whole
    reading says it; what is left when a worker is killed is made good by the next. Two workers that have read at once
    change nothing of whom the later reading has told.
    """
    read_at = Context.objects.values_list("roster_at", flat=True).get(pk=context)
    standing = list(map(stay_of, Member.objects.filter(context=context, until_at=None)))
    if not is_believable(standing, roster):
        raise ServiceTrouble(Trouble.EMPTY)
    changes = compare(standing, roster, at, read_at)
    users = [stay.who.user_id for stay in (*changes.ended, *changes.altered, *changes.begun)]
    changed = 0
    for begin in range(0, len(users), PORTION):
        if begin:
            time.sleep(PAUSE_SECONDS)
        changed += _keep_some(context, roster, users[begin : begin + PORTION], at)
    with transaction.atomic():
        Context.objects.filter(Q(roster_at=None) | Q(roster_at__lt=at), pk=context).update(roster_at=at)
        if users or read_at is None:
            _demand_activities(context)
    return changed


def _demand_activities(context: int) -> None:
    """Who is judged, and of whom the LMS is told, goes by the roster and by who teaches."""
    row = Context.objects.select_related("platform").get(pk=context)
    demand_course(row.platform.organisation_id, row.platform.site, row.context_id)


def _keep_some(context: int, roster: dict[str, Enrolled], users: list[str], at: int) -> int:
    """The same of these users, compared once more with what stands now."""
    with transaction.atomic():
        row = Context.objects.select_for_update().get(pk=context)
        rows = Member.objects.filter(context=row, user_key__in=list(map(key_of, users)))
        members = list(rows.filter(Q(until_at=None) | Q(until_at__gte=at)))
        told = {user: roster[user] for user in users if user in roster}
        changes = compare(map(stay_of, members), told, at, row.roster_at)
        standing = {member.user_id: member.pk for member in members if member.until_at is None}
        Member.objects.bulk_create([_member(row, stay) for stay in changes.begun])
        # Django's bulk_update takes several times as long to write its statement.
        for stay in changes.ended:
            Member.objects.filter(pk=standing[stay.who.user_id]).update(until_at=stay.until_at, seen_at=stay.seen_at)
        for stay in changes.altered:
            who = stay.who
            is_what = {"is_instructor": who.is_instructor, "is_learner": who.is_learner}
            Member.objects.filter(pk=standing[who.user_id]).update(name=who.name, **is_what)
    return len(changes.begun) + len(changes.ended)


def stay_of(member: Member) -> Stay:
    """A row as the core compares it."""
    who = Enrolled(member.user_id, member.name, member.is_instructor, member.is_learner)
    return Stay(who, member.from_at, member.until_at, member.absent_at, member.seen_at)


def _member(context: Context, stay: Stay) -> Member:
    """The row of a stay that begins."""
    who = stay.who
    return Member(
        context=context,
        user_id=who.user_id,
        user_key=key_of(who.user_id),
        name=who.name,
        is_instructor=who.is_instructor,
        is_learner=who.is_learner,
        from_at=stay.from_at,
        absent_at=stay.absent_at,
    )
