"""Verdicts beside records: of one person over their activities, of everybody over one class. One sentence for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rollcall.core.access import Area, may
from rollcall.core.policy import in_force
from rollcall.core.verdicts import Verdict
from rollcall.deliveries.completion_words import class_sentence, sentence, verdict_from, verdict_word
from rollcall.derive.decided import decided_of
from rollcall.reports import access
from rollcall.store.completions import Completion
from rollcall.store.keys import key_of
from rollcall.store.searching.completions import completions_of
from rollcall.wording.policies import policy_sentence

if TYPE_CHECKING:
    from datetime import tzinfo

    from django.http import HttpRequest

    from rollcall.store.decisions import Activity
    from rollcall.store.derived import Summary
    from rollcall.store.searching import Inside
    from rollcall.store.searching.completions import FoundCompletion

MOST: Final = 50
"""Activities of one person that are shown; of a course there are fewer."""


@dataclass(frozen=True, slots=True)
class ShownVerdict:
    """One activity for one person: what it asks, whether that is met, and why. `address` is blank for a learner."""

    activity: str
    address: str
    asks: str
    verdict: str
    word: str
    sentence: str


def verdicts_shown(request: HttpRequest, user_id: str, site: str, zone: tzinfo) -> list[ShownVerdict]:
    """Those of a user of an LMS, inside the reader's bounds; a learner is only ever given their own id."""
    reader = access.reader_of(request)
    if not may(reader, Area.VERDICTS) and (user_id, site) != (reader.user_id, reader.site):
        return []
    found = verdicts_of(user_id, site, access.inside(request))
    return [_shown(one, zone, is_linked=may(reader, Area.VERDICTS)) for one in found]


def verdicts_of(user_id: str, site: str, inside: Inside) -> list[FoundCompletion]:
    """The same as they are kept. Whoever was only ever on the roster is in no directory, and has an id all the same."""
    return completions_of(user_id, site, inside, limit=MOST) if user_id and site else []


def class_sentences(summary: Summary, zone: tzinfo, *user_ids: str) -> dict[str, str]:
    """By user id: what this meeting's class comes to for each of them, for everybody where none is named."""
    rows = Completion.objects.filter(
        activity__key=bytes(summary.activity_key), activity__organisation=summary.organisation
    )
    if user_ids:
        rows = rows.filter(user_key__in=[key_of(user) for user in user_ids])
    meeting = str(summary.meeting_id)
    told = {}
    for user, detail in rows.values_list("external_user_id", "detail"):
        for one in verdict_from(bytes(detail)).classes:
            if meeting in one.meetings:
                told[user] = class_sentence(one, zone)
    return told


def _shown(found: FoundCompletion, zone: tzinfo, *, is_linked: bool) -> ShownVerdict:
    one, activity = found.completion, found.completion.activity
    return ShownVerdict(
        activity=found.activity,
        address=f"/activities/{bytes(activity.key).hex()}/people/{bytes(one.user_key).hex()}" if is_linked else "",
        asks=_asks(activity, bytes(one.detail)),
        verdict=one.verdict,
        word=verdict_word(Verdict(one.verdict)),
        sentence=sentence(bytes(one.detail), zone),
    )


def _asks(activity: Activity, detail: bytes) -> str:
    """By the version under which the latest class is judged."""
    versions = decided_of(activity).versions
    latest = max((one.began_at for one in verdict_from(detail).classes), default=0)
    at = in_force(versions, latest)
    return policy_sentence(versions[at]) if at is not None else ""
