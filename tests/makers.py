"""Derived rows as a fold would leave them, for tests of what reads them. Times are given as "10:02" or "10:02:11"."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from rollcall.core.intervals import OPEN

if TYPE_CHECKING:
    from django.contrib.auth.models import User

DAY = "2026-11-20"

_SEARCHED = ("chats", "raise_hands", "emojis", "poll_answers", "cameras", "talk_ms")
_ENGAGED = ("chats", "raise_hands", "emojis", "poll_answers", "cameras", "talks", "talk_ms", "away_ms", "camera_ms")


def at(clock: str, day: str = DAY) -> int:
    """Epoch ms of a time of day, in UTC; "+1 00:10" is past midnight."""
    later, _, clock = clock.rpartition(" ")
    moment = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC) + timedelta(days=int(later or 0))
    return round(moment.timestamp() * 1000)


@dataclass(frozen=True, kw_only=True)
class Attendee:
    """One person of a meeting. Spans are pairs of times of day; an end of None is still open."""

    name: str = "Ada Lovelace"
    uid: str = "7"
    role: str = "VIEWER"
    kind: str = "user"
    proved: tuple[tuple[str, str], ...] = (("10:02:11", "10:58:30"),)
    possible: tuple[tuple[str, str | None], ...] | None = None
    start: str = "joined"
    end: str = "left"
    counts: dict[str, int | tuple[int, bool]] = field(default_factory=dict)
    witnesses: dict[str, Any] = field(default_factory=dict)
    witness: str = "live"


def _spans(spans: Any, day: str) -> list[list[Any]]:
    return [[at(start, day), None if end is None else at(end, day)] for start, end in spans]


def _counted(value: int | tuple[int, bool]) -> dict[str, Any]:
    seen, is_exact = value if isinstance(value, tuple) else (value, False)
    return {"seen": seen, "is_exact": is_exact}


def attendance_detail(one: Attendee, meeting: str, day: str = DAY, participant: str = "w_one") -> dict[str, Any]:
    """Attendance.detail, not yet encoded: a session for each possible span."""
    proved = _spans(one.proved, day)
    possible = proved if one.possible is None else _spans(one.possible, day)
    sessions = [
        {
            "meeting": meeting,
            "participant": participant,
            "joined_at": start if one.start == "joined" else None,
            "left_at": end if one.end == "left" else None,
            "proved": [[a, b] for a, b in proved if start <= a and (end is None or b <= end)],
            "possible": [start, end],
            "start": one.start,
            "end": one.end,
            "witness": one.witness,
        }
        for start, end in possible
    ]
    engagement = {key: _counted(one.counts.get(key, 0)) for key in _ENGAGED}
    return {
        "proved": proved,
        "possible": possible,
        "sessions": sessions,
        "engagement": engagement,
        "witnesses": one.witnesses,
    }


def make_pool(name: str = "bbb1") -> Any:
    """A pool with its server."""
    from rollcall.store.connections import Pool, Server

    pool, is_new = Pool.objects.get_or_create(name=name)
    if is_new:
        Server.objects.create(pool=pool, api_url=f"https://{name}.example.org/bigbluebutton/api/", added_at=at("00:00"))
    return pool


def make_meeting(
    *attendees: Attendee,
    name: str = "Algebra",
    internal: str | None = None,
    server: str = "bbb1",
    site: str = "https://moodle.example.org",
    day: str = DAY,
    began: str = "10:00",
    ended: str | tuple[str, str] | None = "11:00",
    settles: str | None = "11:10",
    blind: tuple[tuple[str, str, str], ...] = (),
    notes: tuple[dict[str, Any], ...] = (),
    length: tuple[int, int | None] | None = None,
    course: str = "",
    label: str = "",
    record: str = "",
    coverage: tuple[int, int, int] = (0, 0, 0),
    witnesses: dict[str, Any] | None = None,
    disagreements: tuple[dict[str, Any], ...] = (),
    changes: tuple[dict[str, Any], ...] = (),
    organisation: int = 0,
    group: str = "",
    activity: str = "",
    heard: int | None = None,
) -> Any:
    """A folded meeting with its people; `ended` None is still running, a pair is the earliest and the latest end.

    Meetings of one `activity` are its runs, or the rooms of its groups; blank is one for each name. `heard` is when the
    first fact came (epoch ms), None: at once.
    """
    from django.db import transaction

    from rollcall.derive.directory import count_people, enter_course, recount_courses
    from rollcall.derive.rows import order_of
    from rollcall.store.derived import Attendance, Summary
    from rollcall.store.facts import Meeting
    from rollcall.store.keys import course_key, key_of, meeting_key
    from rollcall.store.names import fold_name
    from tests.evidence import keep_evidence

    pool = make_pool(server)
    of_course = {"key": course_key(site, course, organisation), "site": site, "context_id": course}
    internal = internal or f"{key_of(name, str(Meeting.objects.count())).hex()}-{at(began, day)}"
    meeting = Meeting.objects.create(
        pool=pool,
        key=meeting_key(internal),
        internal_meeting_id=internal,
        appended=1,
        folded=1,
        is_over=ended is not None,
    )
    earliest, latest = (ended, ended) if ended is None or isinstance(ended, str) else ended
    end = [None if one is None else at(one, day) for one in (earliest, latest)]
    detail: dict[str, Any] = {
        "meetings": [
            {
                "meeting": internal,
                "name": name,
                "is_breakout": False,
                "created_at": at(began, day),
                "ended_at": end,
                "witnesses": witnesses or {},
            }
        ],
        "blind": [[at(a, day), at(b, day), cause] for a, b, cause in blind],
        "notes": list(notes),
        "disagreements": list(disagreements),
        "changes": list(changes),
    }
    if length is not None:
        detail["length"] = length
    summary = Summary.objects.create(
        meeting=meeting,
        pool_name=pool.name,
        external_meeting_id=f"ext-{fold_name(name)}",
        external_key=key_of(f"ext-{fold_name(name)}"),
        name=name,
        name_key=fold_name(name),
        sort_key=order_of(fold_name(name)),
        site=site,
        site_key=key_of(site),
        context_id=course,
        context_label=label,
        organisation=organisation,
        course_id=enter_course(of_course | {"organisation": organisation} if course else None),
        activity_key=key_of(site, activity or name),
        group_id=group,
        started_at=at(began, day),
        ended_proved_at=end[0],
        ended_possible_at=end[1],
        settles_at=None if ended is None or settles is None else at(settles, day),
        length_ms=None if end[1] is None else end[1] - at(began, day),
        record=record,
        unwitnessed_ms=coverage[0],
        witnessed_once_ms=coverage[1],
        witnessed_twice_ms=coverage[2],
        attendees=len(attendees),
        present=sum(_is_open(one) for one in attendees),
        detail=msgspec.json.encode(detail),
    )
    rows = Attendance.objects.bulk_create(
        _attendance(summary, one, internal, day, number) for number, one in enumerate(attendees)
    )
    keep_evidence(summary, [(one.uid if one.kind == "user" else "", _seen(one, day)) for one in attendees], heard)
    summary.person_ms = sum(row.proved_ms for row in rows)
    summary.save(update_fields=["person_ms"])
    with transaction.atomic():
        count_people({row.person_id for row in rows if row.person_id is not None})
        recount_courses([summary.course_id])
    return summary


def _seen(one: Attendee, day: str) -> Any:
    """The same person as the policy of the activity takes them."""
    from rollcall.core.activity import Presence
    from tests.evidence import counts_of

    possible = one.proved if one.possible is None else one.possible
    ends = [[(a, OPEN if b is None else b) for a, b in _spans(spans, day)] for spans in (one.proved, possible)]
    return Presence(tuple(ends[0]), tuple(ends[1]), counts_of(one.counts))


def _is_open(one: Attendee) -> bool:
    return one.possible is not None and one.possible[-1][1] is None


def _share(summary: Any, proved: list[list[int]]) -> int | None:
    longest = summary.ended_possible_at and summary.ended_possible_at - summary.started_at
    return min(1000, 1000 * sum(end - start for start, end in proved) // longest) if longest else None


def _person(summary: Any, one: Attendee) -> int:
    from rollcall.derive.directory import enter_people
    from rollcall.derive.rows import sort_key
    from rollcall.store.keys import guests_key, key_of, person_key
    from rollcall.store.names import fold_name

    site, organisation, is_user = summary.site, summary.organisation, one.kind == "user"
    key = person_key(site, one.uid, organisation) if is_user else guests_key(site, fold_name(one.name), organisation)
    uid = one.uid if is_user else ""
    entry = {"key": key, "is_user": is_user, "organisation": organisation, "site": site, "external_user_id": uid}
    named = {"names_key": fold_name(one.name), "sort_key": sort_key(fold_name(one.name), key)}
    return enter_people([entry | named | {"external_key": key_of(uid)}])[key]


def _attendance(summary: Any, one: Attendee, meeting: str, day: str, number: int) -> Any:
    from rollcall.store.derived import Attendance
    from rollcall.store.keys import key_of
    from rollcall.store.names import fold_name

    participant = f"w_{number:012}"
    detail = attendance_detail(one, meeting, day, participant)
    key = key_of(one.kind, one.uid if one.kind == "user" else participant)
    possible = detail["possible"]
    return Attendance(
        summary=summary,
        attendee_key=key,
        sort_key=fold_name(one.name).encode()[:60] + b"\0" + key,
        organisation=summary.organisation,
        person_id=_person(summary, one),
        started_at=summary.started_at,
        kind=one.kind,
        external_user_id=one.uid if one.kind == "user" else "",
        name=one.name,
        name_key=fold_name(one.name),
        role=one.role,
        first_in_at=min((start for start, _ in possible), default=None),
        last_out_at=None if _is_open(one) else max((end for _, end in possible), default=None),
        is_present=_is_open(one),
        proved_ms=sum(end - start for start, end in detail["proved"]),
        possible_ms=None if _is_open(one) else sum(end - start for start, end in possible),
        share=_share(summary, detail["proved"]),
        **{name: detail["engagement"][name]["seen"] for name in _SEARCHED},
        detail=msgspec.json.encode(detail),
    )


def make_organisation(name: str = "Upper School", *, contact: str = "", **licence: Any) -> Any:
    """An organisation with a licence since ever; `ends_at`, `people_a_month` and the like are columns of it."""
    from rollcall.store.organisations import Licence, Organisation

    made = Organisation.objects.create(name=name, contact=contact, added_at=0)
    Licence.objects.create(organisation=made, added_at=0, **{"starts_at": 0} | licence)
    return made


def make_platform(organisation: Any, site: str, *pools: Any, client_id: str = "1") -> Any:
    """An LMS of an organisation, attached to these pools."""
    from urllib.parse import urlsplit

    from rollcall.store.keys import key_of
    from rollcall.store.platforms import Platform

    made = Platform.objects.create(
        organisation=organisation,
        name=site,
        issuer=site,
        client_id=client_id,
        key=key_of(site, client_id, organisation.name),
        site=site,
        site_key=key_of(site),
        host=urlsplit(site).hostname or "",
        authorization_url=f"{site}/mod/lti/auth.php",
        added_at=0,
    )
    made.pools.set(pools)
    return made


def make_fact(meeting: Any, seq: int, kind: str, happened_at: int, payload: bytes = b"{}", **columns: Any) -> Any:
    """A fact of webhooks in the log of a meeting, received as it happened (epoch ms)."""
    from rollcall.store.facts import Fact
    from rollcall.store.keys import meeting_key

    told = {"digest": meeting_key(f"{meeting.pk} {seq}"), "source": "mapped", "received_at": happened_at}
    return Fact.objects.create(
        meeting=meeting, seq=seq, kind=kind, at=happened_at, payload=payload, **{**told, **columns}
    )


def make_export(**columns: Any) -> Any:
    """A file that is ready, for a minute; its `owner` is told by reports.exports.asking.owner_of."""
    from rollcall.reports.exports.asking import now_ms
    from rollcall.store.exports import Export, ExportState

    now = now_ms()
    ready = {"path": "/people.csv", "name": "people", "kind": "csv", "language": "en", "zone": "UTC"}
    times = {"created_at": now, "expires_at": now + 60_000}
    return Export.objects.create(**{"state": ExportState.READY, **ready, **times, **columns})


def staff(users: type[User], name: str, organisation: Any, **fields: str) -> User:
    """An account of one organisation."""
    from rollcall.store.accounts import Account

    user = users.objects.create_user(name, **fields)
    Account.objects.create(user=user, organisation=organisation)
    return user


def operator(users: type[User], name: str, **fields: Any) -> User:
    """An account that sees everything."""
    from rollcall.store.accounts import Account

    user = users.objects.create_user(name, **fields)
    Account.objects.create(user=user)
    return user
