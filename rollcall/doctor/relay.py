"""What is owed to the LMSs and cannot be handed over, or waits for a person."""

from __future__ import annotations

from rollcall.deliveries.told import mend_of, trouble_of, warning_of
from rollcall.doctor.findings import Finding, Level, warning
from rollcall.store.outbox import Delivery, State, Target

WANT_A_PERSON = (State.FOREIGN, State.REFUSED)


def check() -> list[Finding]:
    """One finding for each LMS that is relayed to."""
    targets = Target.objects.filter(pool__relays=True, pool__server__removed_at=None).select_related("pool")
    return [finding for target in targets.order_by("site", "pk") for finding in _of(target)]


def _of(target: Target) -> list[Finding]:
    about = f"Relay to {target.site}"
    owed = Delivery.objects.filter(target=target)
    found = []
    if target.trouble:
        waiting = owed.filter(state=State.DUE).count()
        sentence = f"{trouble_of(target.trouble, target.trouble_phrase)} Meetings that wait: {waiting}."
        found.append(Finding(about, sentence, mend_of(target.trouble), Level.FAULT))
    if advice := warning_of(target):
        found.append(warning(about, advice, ""))
    if unclear := owed.filter(state__in=WANT_A_PERSON).count():
        sentence = f"Meetings the LMS may hold only in part: {unclear}."
        found.append(warning(about, sentence, "rollcall relay list says which, and what to do."))
    return found or [Finding(about, f"Meetings handed over: {owed.filter(state=State.SENT).count()}.")]
