"""Who has met what an activity asks, who has not yet and why, and how far that is on its way to the LMS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from rollcall.core.intervals import OPEN
from rollcall.deliveries.completion_words import sentence, verdict_word
from rollcall.deliveries.completions.told import state_name, tell, way_name
from rollcall.reports.addresses import person_page
from rollcall.reports.asking import Takes
from rollcall.reports.rows import Column, Format, Kind, Shares, Table
from rollcall.reports.tables.report import Report
from rollcall.store.searching.completions import every_completion
from rollcall.wording import formatting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import tzinfo

    from rollcall.reports.asking import Asked
    from rollcall.store.completions import Completion
    from rollcall.store.searching.completions import FoundCompletion

FILTERS = ("name", "user", "course", "meeting", "verdict", "delivery")


def activity_page(row: FoundCompletion) -> str:
    """The page of the activity, with its policy."""
    return f"/activities/{bytes(row.completion.activity.key).hex()}"


def _name(row: FoundCompletion) -> str:
    """Somebody whose name the LMS does not share is called by their id, as on the roster."""
    one = row.completion
    return one.name.strip() or gettext("Participant %(id)s") % {"id": one.external_user_id}


def _person_page(row: FoundCompletion) -> str:
    person = row.completion.person
    return "" if person is None else person_page(person.key)


def _share(one: Completion) -> Shares:
    return Shares(one.share_low / 1000, one.share_high / 1000)


def _deliveries(row: FoundCompletion) -> str:
    """Where it goes, and how far that is."""
    told = _("%(way)s: %(state)s")
    return formatting.listed(
        str(told) % {"way": way_name(one.target.receiver.way), "state": state_name(one.state)} for one in row.owed
    )


def _deliveries_kept(row: FoundCompletion) -> list[dict[str, Any]]:
    return [
        {
            "way": one.target.receiver.way,
            "state": one.state,
            "reason": one.reason,
            "wanted": one.wanted,
            "sent": one.sent,
            "sent_at": one.sent_at,
            "sentence": tell(one).sentence,
        }
        for one in row.owed
    ]


def columns(zone: tzinfo) -> tuple[Column, ...]:
    """What is shown of each; sentences name times as they are in this zone."""
    files = Format.FILE
    return (
        Column("name", _("Name"), Kind.NAME, _name, Format.SCREEN | Format.SHEET, _person_page),
        Column("name", _("Name"), Kind.NAME, lambda row: row.completion.name, Format.JSON),
        Column("external_user_id", _("User id"), Kind.ID, lambda row: row.completion.external_user_id, files),
        Column("activity", _("Activity"), Kind.NAME, lambda row: row.activity, link=activity_page),
        Column(
            "verdict",
            _("Completion"),
            Kind.ID,
            lambda row: verdict_word(row.completion.verdict),
            Format.SCREEN | Format.SHEET,
        ),
        Column("verdict", _("Completion"), Kind.TEXT, lambda row: row.completion.verdict, Format.JSON),
        Column("sentence", _("Why"), Kind.SENTENCE, lambda row: sentence(bytes(row.completion.detail), zone)),
        Column("reached", _("Reached"), Kind.SHARES, lambda row: _share(row.completion), Format.SHEET),
        Column("share", _("Reached"), Kind.SHARES, lambda row: _share(row.completion), Format.JSON),
        Column("met_low", _("Classes met, at least"), Kind.COUNT, lambda row: row.completion.met_low, files),
        Column("met_high", _("Classes met, at most"), Kind.COUNT, lambda row: row.completion.met_high, files),
        Column("needed", _("Classes needed"), Kind.COUNT, lambda row: row.completion.needed, files),
        Column("computed", _("Without corrections"), Kind.TEXT, lambda row: row.completion.computed, files),
        Column("is_corrected", _("Corrected"), Kind.JSON, lambda row: row.completion.is_corrected, Format.JSON),
        Column("is_on_roster", _("On the roster"), Kind.JSON, lambda row: row.completion.is_on_roster, Format.JSON),
        Column("settles_at", _("Settles"), Kind.TIME, lambda row: _settles(row.completion), files),
        Column(
            "deliveries",
            pgettext_lazy("of verdicts to an LMS", "Delivery"),
            Kind.ID,
            _deliveries,
            Format.SCREEN | Format.SHEET,
        ),
        Column("deliveries", _("Deliveries"), Kind.JSON, _deliveries_kept, Format.JSON),
        Column("course_id", _("Course id"), Kind.TEXT, lambda row: row.completion.activity.context_id, files),
        Column("site", _("Site"), Kind.TEXT, lambda row: row.completion.activity.site, files),
        Column("activity_key", _("Key of the activity"), Kind.TEXT, _key, Format.JSON),
    )


def _key(row: FoundCompletion) -> str:
    return bytes(row.completion.activity.key).hex()


def _settles(one: Completion) -> int | None:
    """None while a class runs, as nobody knows when it will end."""
    return None if one.settles_at is None or one.settles_at >= OPEN else one.settles_at


def completion_table(found: Iterable[FoundCompletion], zone: tzinfo) -> Table:
    """These verdicts, in this order."""
    return Table("completion/1", "completions", columns(zone), found)


def _make(asked: Asked, _subject: Sequence[str], _form: Format) -> Table:
    return completion_table(every_completion(asked.wanted), asked.zone)


COMPLETION = Report(name="completion", title=_("Completion"), address="/completion", takes=Takes(FILTERS), make=_make)
