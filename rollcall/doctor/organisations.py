"""Organisations: whose licence ends soon or has ended, who has more than it allows, and what is nobody's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils import timezone

from rollcall.doctor.findings import Finding, warning
from rollcall.reports import licence_words
from rollcall.store.claiming import unclaimed
from rollcall.store.licensing import Standing, standings
from rollcall.store.limits import uses_of
from rollcall.store.organisations import Organisation
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.store.licensing import Licensed
    from rollcall.store.limits import Uses

ABOUT: Final = "organisations"
_SITES_NAMED: Final = 3
_AT_ONCE: Final = 500


def check(now: int) -> list[Finding]:
    """One finding for each thing that is odd, and a line for all that are well; nothing while there are none."""
    known = list(Organisation.objects.order_by("name"))
    found = [
        finding for start in range(0, len(known), _AT_ONCE) for finding in _of(known[start : start + _AT_ONCE], now)
    ]
    if not known:
        return []
    odd = {finding.about for finding in found}
    if well := sum(_about(one) not in odd for one in known):
        found.append(Finding(ABOUT, f"Well, with a licence in force: {well} of {len(known)}."))
    return [*found, *_unclaimed()]


def _of(organisations: list[Organisation], now: int) -> Iterator[Finding]:
    pks = [one.pk for one in organisations]
    standing, used = standings(pks, now), uses_of(pks, now, timezone.get_default_timezone())
    for one in organisations:
        yield from _licence(one, standing[one.pk], now)
        yield from _uses(one, used[one.pk])


def _about(organisation: Organisation) -> str:
    return visible(organisation.name)


def _licence(one: Organisation, standing: Licensed, now: int) -> Iterator[Finding]:
    name = _about(one)
    if soon := licence_words.soon_over(name, standing, now):
        yield warning(name, soon, "Ask them whether they go on; then: rollcall licence add.")
    if standing.standing is Standing.IN_FORCE:
        return
    told = f"{licence_words.sentence(name, standing)} {licence_words.not_kept(one, standing, now)}".strip()
    yield warning(name, f"{told} Its people see no page.", "rollcall licence add, or resume, opens them again.")


def _uses(one: Organisation, used: Uses) -> Iterator[Finding]:
    hint = "Nothing is cut off; agree on a wider licence: rollcall licence add."
    for what, use in zip(("LMSs", "servers", "people this month"), used, strict=True):
        if use.is_over:
            yield warning(_about(one), f"It has more {what} than its licence is for: {use.used} of {use.limit}.", hint)
        elif use.is_near and what == "people this month":
            yield warning(
                _about(one), f"It has nearly as many {what} as its licence is for: {use.used} of {use.limit}.", hint
            )


def _unclaimed() -> Iterator[Finding]:
    free = unclaimed(most=_SITES_NAMED + 1)
    if free:
        names = ", ".join(visible(one.site) for one in free[:_SITES_NAMED])
        more = " and more" if len(free) > _SITES_NAMED else ""
        yield warning(
            ABOUT,
            f"Meetings of these sites are nobody's: {names}{more}.",
            "Attach their LMS to the server (rollcall platform attach), or say whose they are: rollcall claim list.",
        )
