"""How far the delivery of one verdict is, in words: the same for teachers, operators and programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_noop

from rollcall.core.deliveries import Way
from rollcall.deliveries.completions import codes
from rollcall.store.owed import Owed, Owing
from rollcall.wording.translating import gettext as _

if TYPE_CHECKING:
    from rollcall.store.owed import CompletionTarget, Receiver

WAYS: Final = {
    Way.AGS: gettext_noop("Gradebook"),
    Way.MOODLE: gettext_noop("Completion in Moodle"),
    Way.CALLBACK: gettext_noop("Moodle's BigBlueButton plugin"),
}
STATES: Final = {
    Owing.WAITING: gettext_noop("waiting"),
    Owing.DUE: gettext_noop("to be sent"),
    Owing.SENDING: gettext_noop("being sent"),
    Owing.SENT: gettext_noop("sent"),
    Owing.LEFT: gettext_noop("left as it is there"),
    Owing.REFUSED: gettext_noop("refused"),
    Owing.HELD: gettext_noop("held back"),
    Owing.CANCELLED: gettext_noop("cancelled"),
}
_SENTENCES: Final = {
    Owing.WAITING: gettext_noop("It is sent once nothing more is expected of its classes."),
    Owing.DUE: gettext_noop("About to be sent to the LMS."),
    Owing.SENDING: gettext_noop("Being sent to the LMS."),
    Owing.SENT: gettext_noop("The LMS holds it."),
    Owing.LEFT: gettext_noop("Not changed in the LMS."),
    Owing.REFUSED: gettext_noop("The LMS does not take it for this person."),
    Owing.HELD: gettext_noop("Not sent to the LMS."),
    Owing.CANCELLED: gettext_noop("Not sent to the LMS: somebody has cancelled it."),
}
_NOTHING: Final = gettext_noop("There is nothing to send.")
_PUT_OFF: Final = gettext_noop("Not sent to the LMS yet; it is tried again by itself.")
_STOPPED: Final = gettext_noop("Not sent to the LMS: somebody has stopped all deliveries of this kind.")
_OFF: Final = gettext_noop("Not sent to the LMS: this delivery is switched off.")
_BACK: Final = gettext_noop("The LMS may have taken it; the answer was not seen.")


@dataclass(frozen=True, slots=True)
class OwedInWords:
    """One delivery for a reader. `level`: fine, waiting, or wants-a-person; `hint` says what to do, blank for nothing.

    `answer` is the last one of the LMS as it came; `at` (epoch ms) when it came, or is to be tried next.
    `is_held_up`: nothing but trouble of the whole LMS or activity is in its way, which is said once (troubles_of).
    """

    way: str
    state: str
    level: str
    sentence: str
    hint: str
    answer: str
    at: int | None
    is_held_up: bool


def tell(owed: Owed) -> OwedInWords:
    """One delivery in words; its target and that one's receiver are read with it."""
    state, target = Owing(owed.state), owed.target
    sentences, hint = _said(owed, state, target)
    return OwedInWords(
        way=way_name(target.receiver.way),
        state=state.value,
        level=_level(state, hint),
        sentence=" ".join(sentences),
        hint=hint,
        answer="" if state is Owing.SENT or owed.status is None else f"{owed.status} {owed.phrase}".strip(),
        at=owed.due_at if state in {Owing.WAITING, Owing.DUE} else owed.answered_at,
        is_held_up=state is Owing.DUE and bool(target.receiver.trouble or target.trouble),
    )


def way_name(way: str) -> str:
    """Where it goes, for a cell."""
    return _(WAYS[Way(way)])


def state_name(state: str) -> str:
    """How far it is, for a cell."""
    return _(STATES[Owing(state)])


def trouble_of(paused: Receiver | CompletionTarget, way: str) -> tuple[str, str]:
    """What keeps a receiver or a target from being sent to, and what to do about it; two blanks when all is well."""
    return codes.told(Way(way), paused.trouble, paused.trouble_phrase)


def troubles_of(target: CompletionTarget) -> list[tuple[str, str, int | None]]:
    """What keeps everything of a target that is on from being sent: the sentence, what to do, since when (epoch ms)."""
    way = target.receiver.way
    return [(*trouble_of(one, way), one.trouble_at) for one in (target.receiver, target) if one.trouble]


def _said(owed: Owed, state: Owing, target: CompletionTarget) -> tuple[list[str], str]:
    receiver = target.receiver
    if state in {Owing.WAITING, Owing.DUE}:
        if receiver.is_stopped:
            return [_(_STOPPED)], ""
        if not target.is_on:
            return [_(_OFF)], ""
        if state is Owing.DUE:
            return _due(owed, target)
    if state is Owing.SENT and not owed.sent:
        return [_(_NOTHING)], ""
    sentence, hint = codes.told(Way(receiver.way), owed.reason)
    return [_(_SENTENCES[state]), *([sentence] if sentence else [])], hint


def _due(owed: Owed, target: CompletionTarget) -> tuple[list[str], str]:
    """Of several troubles that of the most is said."""
    way = target.receiver.way
    for paused in (target.receiver, target):
        if paused.trouble:
            sentence, hint = trouble_of(paused, way)
            return [_(_PUT_OFF), sentence], hint
    if not owed.reason:
        return [_(_SENTENCES[Owing.DUE])], ""
    sentence, hint = codes.told(Way(way), owed.reason, owed.phrase)
    unanswered = [_(_BACK)] if owed.is_unanswered else []
    return [_(_PUT_OFF), sentence, *unanswered], hint


def _level(state: Owing, hint: str) -> str:
    if state in {Owing.SENT, Owing.CANCELLED}:
        return "fine"
    if state in {Owing.LEFT, Owing.REFUSED, Owing.HELD}:
        return "wants-a-person" if hint else "fine"
    return "wants-a-person" if hint and state is Owing.DUE else "waiting"
