"""Verdicts beside records: of one person over their activities, of everybody over one class. One sentence for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rollcall.core.access import Area, may
from rollcall.core.policy import Policy, in_force
from rollcall.core.verdicts import Verdict
from rollcall.deliveries.completion_words import class_sentence, sentence_of, verdict_from, verdict_word
from rollcall.deliveries.completions.told import state_name, way_name
from rollcall.derive.decided import history_of
from rollcall.feed.deciding import Word
from rollcall.reports import access
from rollcall.store.completions import Completion
from rollcall.store.keys import key_of
from rollcall.store.owed import Owing
from rollcall.store.searching.completions import completions_of
from rollcall.wording import times
from rollcall.wording.policies import policy_sentence
from rollcall.wording.translating import gettext as _
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import tzinfo

    from django.http import HttpRequest

    from rollcall.core.verdicts import PersonVerdict
    from rollcall.derive.decided import Told
    from rollcall.store.derived import Summary
    from rollcall.store.owed import Owed
    from rollcall.store.searching import Inside
    from rollcall.store.searching.completions import FoundCompletion

MOST: Final = 50
"""Activities of one person that are shown; of a course there are fewer."""


@dataclass(frozen=True, slots=True)
class ShownVerdict:
    """One activity for one person: what it asks, whether that is met, and why. `address` is blank for a learner.

    `classes` are (when it began, its sentence), the latest first; `sent` says how far it is on its way to each LMS;
    `corrections` are (verdict, of what, reason), which are about the reader and theirs to read.
    """

    activity: str
    address: str
    asks: str
    verdict: str
    word: str
    sentence: str
    classes: Sequence[tuple[str, str]]
    sent: Sequence[str]
    corrections: Sequence[tuple[str, str, str]]


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


def class_sentences(summary: Summary, zone: tzinfo, user_ids: Iterable[str]) -> dict[str, str]:
    """By user id: what this meeting's class comes to for each of them."""
    rows = Completion.objects.filter(
        activity__key=bytes(summary.activity_key),
        activity__organisation=summary.organisation,
        user_key__in=[key_of(user) for user in user_ids],
    )
    meeting = str(summary.meeting_id)
    told = {}
    for user, detail in rows.values_list("external_user_id", "detail"):
        for one in verdict_from(bytes(detail)).classes:
            if meeting in one.meetings:
                told[user] = class_sentence(one, zone)
    return told


def _shown(found: FoundCompletion, zone: tzinfo, *, is_linked: bool) -> ShownVerdict:
    one, activity = found.completion, found.completion.activity
    verdict, history = verdict_from(bytes(one.detail)), history_of(activity)
    return ShownVerdict(
        activity=found.activity,
        address=f"/activities/{bytes(activity.key).hex()}/people/{bytes(one.user_key).hex()}" if is_linked else "",
        asks=_asks(history, verdict),
        verdict=one.verdict,
        word=verdict_word(Verdict(one.verdict)),
        sentence=sentence_of(verdict, zone),
        classes=[
            (times.day_and_clock(each.began_at, zone), class_sentence(each, zone)) for each in verdict.classes[::-1]
        ],
        sent=[_sent(row, zone) for row in found.owed if row.wanted or row.sent],
        corrections=list(_corrections(history, verdict, zone)),
    )


def _sent(owed: Owed, zone: tzinfo) -> str:
    """How far it is; what keeps it is nothing that they could do anything about."""
    words = {"way": way_name(owed.target.receiver.way), "state": state_name(owed.state)}
    said = _("%(way)s: %(state)s") % words
    return f"{said} ({times.day_and_clock(owed.sent_at, zone)})" if owed.state == Owing.SENT and owed.sent_at else said


def _corrections(history: Sequence[Told], verdict: PersonVerdict, zone: tzinfo) -> Iterator[tuple[str, str, str]]:
    """Those that stand, the latest first."""
    began = {meeting: each.began_at for each in verdict.classes for meeting in each.meetings}
    for one in reversed(history):
        what = one.what
        if isinstance(what, Word) and what.user_id == verdict.user_id and one.undone_by is None:
            at = times.day_and_clock(began.get(what.meeting), zone) if what.meeting else _("the whole activity")
            yield verdict_word(what.verdict), at, visible(one.row.reason)


def _asks(history: Sequence[Told], verdict: PersonVerdict) -> str:
    """By the version under which the latest class is judged."""
    versions = [one.what for one in history if isinstance(one.what, Policy) and one.undone_by is None]
    latest = max((one.began_at for one in verdict.classes), default=0)
    at = in_force(versions, latest)
    return policy_sentence(versions[at]) if at is not None else ""
