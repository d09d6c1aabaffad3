"""What a person decides about verdicts that are owed to an LMS: try again, cancel, send once more, stop, decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from rollcall.core.deliveries import Step
from rollcall.core.errors import Refused
from rollcall.deliveries.completions.allowed import HELD_BY_VERDICT
from rollcall.deliveries.completions.outcomes import GAVE_UP
from rollcall.deliveries.completions.troubles import WELL
from rollcall.deliveries.completions.wanting import HISTORY, Wish, close, want
from rollcall.deliveries.goals import goal_from
from rollcall.store.owed import CompletionTarget, Owed, Owing, Receiver, Reversal

if TYPE_CHECKING:
    from django.db.models import QuerySet

_OVER: Final = (Owing.SENT, Owing.LEFT, Owing.REFUSED)
_MAY_BE_RETRIED: Final = (Owing.WAITING, Owing.DUE, Owing.HELD, Owing.CANCELLED, Owing.LEFT, Owing.REFUSED)
_MAY_BE_CANCELLED: Final = (Owing.WAITING, Owing.DUE, Owing.HELD)


def retry(owed: int, *, now: int) -> None:
    """Send it as soon as possible, also what is held, refused, left or cancelled; what is sent already stays so."""
    row = _row(owed)
    if row.state == Owing.SENT:
        raise Refused(
            _("The LMS holds it already."),
            code="sent-already",
            hint=_("It can be sent once more, if it is lost there."),
        )
    if not row.target.is_on:
        raise Refused(_("Not sent to the LMS: this delivery is switched off."), code="switched-off", status=409)
    if row.state == Owing.HELD and row.reason in HELD_BY_VERDICT:
        raise Refused(_("There is nothing certain to send for this person now."), code="nothing-to-send", status=409)
    with transaction.atomic():
        rows = Owed.objects.filter(pk=owed)
        # What was refused is another attempt altogether: what tells attempts apart at the target has to differ.
        if not _make_due(rows.filter(state=Owing.REFUSED), now, revision=F("revision") + 1) and not _make_due(
            rows.filter(state__in=_MAY_BE_RETRIED), now
        ):
            _require_rest(owed)
        _end_pauses(row)


def resend(owed: int, *, now: int) -> None:
    """Send once more what was sent before: what the LMS holds is not relied on."""
    row = _row(owed)
    with transaction.atomic():
        again = Owed.objects.filter(pk=owed, state__in=_OVER)
        if not _make_due(again, now, is_unanswered=True, revision=F("revision") + 1):
            _require_rest(owed)
            raise Refused(
                _("It has not been sent yet."),
                code="not-sent",
                status=409,
                hint=_("It can be tried at once instead."),
            )
        _end_pauses(row)


def cancel(owed: int, *, now: int) -> None:  # noqa: ARG001 - called as the others are
    """Do not send it until something else is wanted for this person."""
    _row(owed)
    kept = Owed.objects.filter(pk=owed, state__in=_MAY_BE_CANCELLED)
    if kept.update(state=Owing.CANCELLED, reason="", due_at=None):
        return
    row = _row(owed)
    if row.state != Owing.CANCELLED:
        _require_rest(owed)
        raise Refused(
            _("It cannot be cancelled any more."),
            code="sent-already",
            status=409,
            hint=_("A correction changes what is sent."),
        )


def retry_all(receiver: int, *, now: int) -> int:
    """Try at once whatever waits for trouble to end, or was given up on; how many rows."""
    targets = CompletionTarget.objects.filter(receiver=receiver)
    with transaction.atomic():
        rows = Owed.objects.filter(target__in=targets)
        count = _make_due(rows.filter(state=Owing.HELD, reason=GAVE_UP), now)
        count += rows.filter(state=Owing.DUE).update(due_at=now)
        targets.update(paused_until=0)
        Receiver.objects.filter(pk=receiver).update(paused_until=0)
    return count


def stop(receiver: int, *, now: int) -> None:  # noqa: ARG001 - the same
    """Send nothing by this way any more until somebody starts it again; what is owed stays owed."""
    _set_stopped(receiver, {"is_stopped": True})


def start(receiver: int, *, now: int) -> None:
    """Send by this way again, and at once."""
    _set_stopped(receiver, {"is_stopped": False, **WELL})
    retry_all(receiver, now=now)


def _set_stopped(receiver: int, columns: dict[str, Any]) -> None:
    if not Receiver.objects.filter(pk=receiver).update(**columns):
        raise Refused(_("There is no such way to an LMS."), code="unknown-receiver", status=404)


def send_history(target: int, *, now: int) -> int:
    """Send these too: verdicts that rest on classes from long before; how many rows."""
    return _make_due(Owed.objects.filter(target=target, state=Owing.HELD, reason=HISTORY), now)


def decide_reversal(reversal: int, *, is_accepted: bool, by: str, now: int) -> None:
    """A teacher decides what a late change of a verdict comes to, or has seen it; what is decided already stays so."""
    with transaction.atomic():
        found = Reversal.objects.select_related("owed").filter(pk=reversal).first()
        if found is None:
            raise Refused(_("There is nothing of this kind to decide."), code="unknown-reversal", status=404)
        owed = Owed.objects.select_for_update().get(pk=found.owed_id)
        if not Reversal.objects.filter(pk=reversal, handled_at=None).update(handled_at=now, handled_by=by):
            return
        if is_accepted and found.step == Step.FLAG and owed.proposed == found.after:
            _want_proposed(owed, found, now)


def _want_proposed(owed: Owed, reversal: Reversal, now: int) -> None:
    wish = Wish(
        user_id=owed.external_user_id,
        goal=goal_from(reversal.after),
        step=Step.DELIVER,
        reasons=bytes(reversal.reasons),
    )
    want(owed.target_id, [wish], now)
    close(owed, now, reversal.handled_by)


# -- one row ------------------------------------------------------------------------------------------------------


def _row(owed: int) -> Owed:
    row = Owed.objects.select_related("target").filter(pk=owed).first()
    if row is None:
        raise Refused(_("There is no such delivery."), code="unknown-delivery", status=404)
    return row


def _make_due(rows: QuerySet[Owed], now: int, **more: object) -> int:
    return rows.update(state=Owing.DUE, reason="", due_at=now, wanted_at=now, tries=0, **more)


def _end_pauses(row: Owed) -> None:
    CompletionTarget.objects.filter(pk=row.target_id).update(paused_until=0)
    Receiver.objects.filter(pk=row.target.receiver_id).update(paused_until=0)


def _require_rest(owed: int) -> None:
    if Owed.objects.filter(pk=owed, state=Owing.SENDING).exists():
        raise Refused(
            _("It is being sent at this moment."), code="being-sent", status=409, hint=_("Look again in a minute.")
        )
