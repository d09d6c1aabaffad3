"""Verdicts that are owed to the LMSs and cannot be handed over, or want a person."""

from __future__ import annotations

from rollcall.deliveries.completions.told import trouble_of, way_name
from rollcall.doctor.findings import Finding, Level, warning
from rollcall.store import licensing
from rollcall.store.owed import Owed, Owing
from rollcall.store.owed_reading import Health, health_of, receivers

LATE_MS = 60 * 60_000
_BY_ITSELF = "It is tried again by itself. If it lasts, compare the address of the LMS: rollcall platform list."


def check() -> list[Finding]:
    """One finding for each way into each LMS that verdicts are sent by, and one for each activity in trouble."""
    return [finding for health in health_of(list(receivers(None))) for finding in _of(health)]


def _of(health: Health) -> list[Finding]:
    receiver = health.receiver
    about = f"{way_name(receiver.way)} at {receiver.platform.name or receiver.platform.site}"
    waiting = health.states.get(Owing.DUE, 0)
    if receiver.is_stopped:
        found = [
            warning(about, f"Somebody has stopped it. Verdicts that wait: {waiting}.", "rollcall completion start")
        ]
    elif receiver.trouble:
        sentence, hint = trouble_of(receiver, receiver.way)
        level = Level.FAULT if waiting else Level.WARNING
        found = [Finding(about, f"{sentence} Verdicts that wait: {waiting}.", hint or _BY_ITSELF, level)]
    else:
        found = _late(health, about)
    for target in health.troubled:
        sentence, hint = trouble_of(target, receiver.way)
        found.append(warning(f"{about}, {target.activity.label}", sentence, hint))
    if health.wants_a_person:
        sentence = (
            f"Verdicts that the LMS does not take, or that a person there decided otherwise: {health.wants_a_person}."
        )
        found.append(warning(about, sentence, "rollcall completion list, or the page /deliveries, says which and why."))
    return found or [Finding(about, f"Verdicts handed over: {health.states.get(Owing.SENT, 0)}.")]


def _late(health: Health, about: str) -> list[Finding]:
    """What has been due for long though nothing is in its way: nobody sends it."""
    long_ago = licensing.now_ms() - LATE_MS
    late = Owed.objects.filter(target__receiver=health.receiver, target__is_on=True, target__trouble="")
    if not late.filter(state=Owing.DUE, due_at__lt=long_ago, tries=0).exists():
        return []
    hint = "See that a worker runs (rollcall serve, or rollcall worker), and that the licence is in force."
    return [warning(about, "Verdicts have been due for more than an hour, and nobody has tried to send them.", hint)]
