"""How far a delivery is, in words: the same sentences on the page of the meeting and on the command line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rollcall import environment
from rollcall.deliveries.by_callback import body_of
from rollcall.store import reading
from rollcall.store.derived import Summary
from rollcall.store.outbox import DONE, Attempt, Delivery, State, Target

ATTEMPTS_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class DeliveryInWords:
    """One delivery for a reader. `at` (epoch ms) is when what the sentence says happened, or is to happen.

    `level` is fine, waiting, or wants-a-person; `hint` says what to do about it; `answer` is the last one, as it came.
    """

    state: str
    level: str
    site: str
    sentence: str
    hint: str
    answer: str
    at: int | None
    attempts: tuple[Attempt, ...] = ()


_STATES: Final = {
    State.WAITING: gettext_noop("To be passed on to the LMS once a whole record of the class has arrived."),
    State.DUE: gettext_noop("About to be passed on to the LMS."),
    State.SENDING: gettext_noop("Being passed on to the LMS."),
    State.SENT: gettext_noop("Passed on to the LMS, which has accepted it."),
    State.ALREADY: gettext_noop(
        "The LMS holds a record of this class; an attempt of ours whose answer was lost had most likely arrived."
    ),
    State.FOREIGN: gettext_noop(
        "The LMS already held a record of this class that is not from here. It dropped ours, "
        "and may have processed the other only in part."
    ),
    State.GONE: gettext_noop("The LMS says that the activity does not exist any more."),
    State.REFUSED: gettext_noop("The LMS refused it, and may hold a part of it; it is not sent again by itself."),
    State.HELD: gettext_noop("Not passed on to the LMS."),
    State.CANCELLED: gettext_noop("Not passed on to the LMS: somebody has cancelled it."),
}
_HINTS: Final = {
    State.FOREIGN: gettext_noop(
        "Compare with the LMS. For people it lacks: rollcall relay repair MEETING --person ID. "
        "If BigBlueButton's own script still sends to it, divert that script or switch the relay off."
    ),
    State.REFUSED: gettext_noop(
        "Look at the LMS which people it lacks, and send these: rollcall relay repair MEETING --person ID."
    ),
}
_REASONS: Final = {
    "odd-id": gettext_noop(
        "The meeting's id is none of BigBlueButton's own, and the LMS could take it for that of another one."
    ),
    "nobody": gettext_noop(
        "Nobody in it is known to the LMS: only guests, callers, or nobody at all was surely there."
    ),
    "part-of-a-class": gettext_noop("It turned out to be a breakout room: its class is passed on, and it with it."),
    "gave-up": gettext_noop("Two weeks of attempts did not get through."),
    "wrong-address": gettext_noop("The LMS says that its address was called in a way it does not know."),
    "too-big": gettext_noop("The web server of the LMS says that it is too big (413)."),
    "by-rule": gettext_noop(
        "The LMS is told who has met the rule of this activity, and no record beside it: it would complete everybody."
    ),
}
_REASON_HINTS: Final = {
    "odd-id": gettext_noop("A person may send it nevertheless: rollcall relay retry MEETING."),
    "nobody": gettext_noop("If that changes (a record arrives): rollcall relay retry MEETING."),
    "gave-up": gettext_noop("When the LMS works again: rollcall relay retry MEETING."),
}
_TROUBLES: Final = {
    "unreachable": gettext_noop("It cannot be reached."),
    "no-such-host": gettext_noop("Its host name has no address."),
    "tls": gettext_noop("Its certificate cannot be trusted."),
    "timeout": gettext_noop("It did not answer in time."),
    "broken-connection": gettext_noop("It broke the connection off before it had answered."),
    "not-https": gettext_noop("Its address is not https, and nothing is sent unprotected."),
    "private-address": gettext_noop("Its address belongs to a private network, into which nothing is sent unasked."),
    "not-an-address": gettext_noop("Its address cannot be used."),
    "no-secret": gettext_noop("No shared secret of the BigBlueButton server is known here any more."),
    "header-stripped": gettext_noop("Its web server does not pass the Authorization header on to Moodle."),
    "wrong-secret": gettext_noop("Moodle verifies with another shared secret than the newest one known here."),
    "expired-token": gettext_noop("Its clock and ours differ too much: it takes what was just signed for expired."),
    "bad-token": gettext_noop("It cannot read the token: something on the way changes the Authorization header."),
    "unexplained": gettext_noop("It answers 400 or 404 and does not say why."),
    "not-moodle": gettext_noop("What answers at its address is not Moodle's receiver."),
    "wrong-address": gettext_noop("Moodle says that its receiver was called in a way it does not know."),
    "moved": gettext_noop("It answers with a redirect, which is not followed: the address is not Moodle's own."),
    "forbidden": gettext_noop("Something in front of it forbids the request (401 or 403)."),
    "too-many": gettext_noop("It asks for fewer requests (429)."),
    "busy": gettext_noop("It is in maintenance, or too busy (503)."),
    "failed": gettext_noop("It failed (500 or the like)."),
    "error-page": gettext_noop("It answers with a page for people, as of a maintenance or of a proxy in front of it."),
    "own-fault": gettext_noop("Rollcall itself failed before it had an answer, which is a fault to be reported."),
}
_MENDS: Final = {
    "no-such-host": gettext_noop("See that its address is right here, and that the name server knows it."),
    "tls": gettext_noop("Renew the certificate, with its whole chain."),
    "not-https": gettext_noop("Add its host to %(setting)s if it is meant to be so, and start Rollcall again."),
    "private-address": gettext_noop("Add its host to %(setting)s if it is meant to be so, and start Rollcall again."),
    "no-secret": gettext_noop("rollcall server secret add, with the secret that Moodle's settings hold."),
    "header-stripped": gettext_noop(
        "For Apache with PHP-FPM put `CGIPassAuth On` into the <Directory> of Moodle, or "
        '`SetEnvIf Authorization "(.*)" HTTP_AUTHORIZATION=$1` into its configuration, and reload Apache. '
        "For nginx see that fastcgi_params or a proxy in front does not empty the header."
    ),
    "wrong-secret": gettext_noop(
        "Compare Moodle's setting (BigBlueButton > General settings > shared secret) with `bbb-conf --secret`, then: "
        "rollcall server secret add. Where a balancer such as Scalelite is between them, it is the balancer's secret "
        "(--no-check). Where Moodle holds an older one that is known here: "
        "rollcall relay test SERVER MEETING --all-secrets."
    ),
    "expired-token": gettext_noop("Set both clocks (timedatectl)."),
    "moved": gettext_noop("See that Moodle's wwwroot is the address that browsers end at, https and all."),
    "forbidden": gettext_noop("Let this machine pass: a firewall or a password in front of Moodle keeps it out."),
    "unexplained": gettext_noop(
        "Something in front of Moodle swallows the reason. Try: rollcall relay test, then look at Moodle's own web log "
        "for the header (Authorization) and at the shared secret."
    ),
    "own-fault": gettext_noop("What failed stands in the log of the worker (logs, in the data folder)."),
    "not-moodle": gettext_noop("Compare the address with that of the activity in the LMS."),
}
_CHANGED: Final = gettext_noop("The numbers here have changed since; what the LMS holds can only be added to.")
_PADDED: Final = gettext_noop(
    "Moodle's shared secret has a stray blank or line end around it; it is used so. Clear it away in Moodle's settings."
)


def state_of(meeting: int, *, as_of: int) -> DeliveryInWords | None:
    """The relay's state of the meeting with this primary key; None where there is nothing to relay."""
    delivery = (
        Delivery.objects.select_related("target__pool", "meeting__summary")
        .filter(meeting=meeting)
        .order_by("-revision", "-pk")
        .first()
    )
    if delivery is None:
        return None
    shown = tell(delivery, as_of=as_of)
    return replace(shown, sentence=f"{shown.sentence} {_(_CHANGED)}") if _has_changed(delivery) else shown


def tell(delivery: Delivery, *, as_of: int) -> DeliveryInWords:
    """One delivery in words."""
    state = State(delivery.state)
    sentences, hints = [_(_STATES[state])], [_(_HINTS[state])] if state in _HINTS else []
    if getattr(delivery.meeting, "summary", None) is None:
        sentences, hints = _known(_REASONS, "part-of-a-class"), []
    elif state in {State.HELD, State.REFUSED}:
        sentences += _known(_REASONS, delivery.reason)
        hints = _known(_REASON_HINTS, delivery.reason) or hints
    elif state is State.WAITING and _has_settled(delivery, as_of):
        sentences = [_("Not passed on to the LMS: no whole record of the class has arrived.")]
        hints = [_("If none will come, send what is proved: rollcall relay retry MEETING --as-it-is.")]
    elif state is State.DUE:
        waiting = _waiting_for(delivery)
        sentences, hints = waiting or sentences, _mend(delivery.target) if waiting else []
    if not delivery.target.pool.relays and state in {State.WAITING, State.DUE}:
        sentences, hints = [_("The relay is switched off for this server.")], []
    return DeliveryInWords(
        state=state.value,
        level=_level(state, hints),
        site=delivery.target.site,
        sentence=" ".join(sentences),
        hint=" ".join(hints).replace("MEETING", delivery.meeting.internal_meeting_id),
        answer="" if state in DONE or delivery.status is None else f"{delivery.status} {delivery.phrase}".strip(),
        at=delivery.accepted_at or delivery.due_at or delivery.answered_at,
        attempts=tuple(delivery.attempts.order_by("-pk")[:ATTEMPTS_SHOWN]),
    )


def trouble_of(code: str, phrase: str = "") -> str:
    """What keeps a target from being sent to."""
    said = _(_TROUBLES[code]) if code in _TROUBLES else code
    return f"{said} ({phrase})" if phrase else said


def mend_of(code: str) -> str:
    """What to do about it; blank where only waiting helps."""
    return _(_MENDS[code]) % {"setting": environment.LMS_HOSTS.name} if code in _MENDS else ""


def warning_of(target: Target) -> str:
    """What works, and ought to be mended all the same."""
    return padded() if target.padding else ""


def padded() -> str:
    """What is wrong with Moodle's setting, though it works here."""
    return _(_PADDED)


def _known(words: dict[str, str], code: str) -> list[str]:
    return [_(words[code])] if code in words else []


def _waiting_for(delivery: Delivery) -> list[str]:
    trouble = delivery.target.trouble or delivery.reason
    if not trouble:
        return []
    return [_("Not yet passed on to the LMS; it is tried again by itself."), trouble_of(trouble)]


def _mend(target: Target) -> list[str]:
    return [mend_of(target.trouble)] if target.trouble else []


def _level(state: State, hints: list[str]) -> str:
    if state in {State.SENT, State.ALREADY, State.CANCELLED}:
        return "fine"
    return "wants-a-person" if any(hints) or state in {State.GONE, State.HELD} else "waiting"


def _has_settled(delivery: Delivery, as_of: int) -> bool:
    """Whether the time for late records is over."""
    summary = getattr(delivery.meeting, "summary", None)
    return summary is None or summary.settles_at is None or summary.settles_at <= as_of


def _has_changed(delivery: Delivery) -> bool:
    """Whether another body would be sent now than the one that was accepted."""
    digest = delivery.body_digest
    if delivery.state not in DONE:
        return False
    summary = Summary.objects.select_related("meeting").filter(meeting=delivery.meeting_id).first()
    if digest is None or summary is None or delivery.people is not None:
        return False
    body = body_of(summary, reading.attendees(summary), revision=delivery.revision)
    return body.digest() != bytes(digest)
