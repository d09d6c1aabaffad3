"""A policy in plain words: the same for whoever sets it, whoever is judged by it, and whoever is asked about it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rollcall.core.policy import MINUTE_MS, OnChange, Quantity, Scope
from rollcall.wording import formatting, times

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from rollcall.core.policy import Condition, Policy


def policy_sentence(policy: Policy) -> str:
    """What completes the activity, in one line: whoever attends enough classes, and what attending one takes."""
    told = [condition(one, policy.scope) for one in policy.conditions]
    parts = formatting.listed(told, have_commas=True)
    return _("%(lead)s %(conditions)s.") % {"lead": lead(policy), "conditions": parts}


def policy_sentences(policy: Policy, zone: tzinfo) -> list[str]:
    """All of it, a sentence each: what completes the activity, what is a class, from when, and what may change."""
    return [policy_sentence(policy), *_about_classes(policy, zone), *_about_changes(policy, zone)]


def lead(policy: Policy) -> str:
    """What stands in front of the conditions: in how many classes, and whether one of them is enough."""
    is_any = policy.is_choice()
    if policy.scope is Scope.SUMMED:
        if is_any:
            return _("Needed over all classes together is one of these:")
        return _("Needed over all classes together:")
    words = {"needed": formatting.number(policy.needed), "planned": formatting.number(policy.planned or 0)}
    if policy.planned is not None:
        if is_any:
            return _("Needed in %(needed)s of %(planned)s classes is one of these:") % words
        return _("Needed in %(needed)s of %(planned)s classes:") % words
    if is_any:
        told = ngettext(
            "Needed in at least %(needed)s class is one of these:",
            "Needed in at least %(needed)s classes is one of these:",
            policy.needed,
        )
    else:
        told = ngettext("Needed in at least %(needed)s class:", "Needed in at least %(needed)s classes:", policy.needed)
    return told % words


def condition(one: Condition, scope: Scope = Scope.CLASSES) -> str:
    """What one condition asks for, without a verb of its own: "at least 80% of the class"."""
    if one.quantity is Quantity.SHARE and scope is Scope.SUMMED:
        return _("at least %(share)s of the time of all classes attended") % {"share": share(one.amount)}
    return _CONDITIONS[one.quantity](one.amount)


def share(thousandths: int) -> str:
    """80% or 66.7%."""
    whole, rest = divmod(thousandths, 10)
    return formatting.percent(whole) if not rest else formatting.exact_percent(Decimal(thousandths) / 1000)


def length(ms: int) -> str:
    """45 minutes or 7.5 minutes, as it is typed."""
    minutes, rest = divmod(ms, MINUTE_MS)
    if rest:
        # What is no whole number takes the form of a hundred: in some languages that of one or two names no number.
        told = ngettext("%(number)s minute", "%(number)s minutes", 100)
        return told % {"number": formatting.decimal(Decimal(ms) / MINUTE_MS)}
    return ngettext("%(number)s minute", "%(number)s minutes", minutes) % {"number": formatting.number(minutes)}


def on_change(code: OnChange) -> str:
    """What happens when a late message changes a verdict that the LMS has."""
    return {
        OnChange.CORRECT: _("When a late message changes a verdict, the LMS is given the new one."),
        OnChange.TELL: _("When a late message changes a verdict, the LMS is given the new one, and it is shown here."),
        OnChange.FLAG: _("When a late message would lower a verdict, the LMS keeps it until a teacher decides."),
    }[code]


def _about_classes(policy: Policy, zone: tzinfo) -> list[str]:
    words = {
        "apart": length(policy.apart_ms),
        "shortest": length(policy.shortest_ms),
        "people": ngettext("%(number)s person", "%(number)s people", policy.fewest)
        % {"number": formatting.number(policy.fewest)},
    }
    is_any_class = not (policy.shortest_ms or policy.fewest)
    is_told_apart = policy.apart_ms and not (is_any_class and policy.scope is Scope.SUMMED)
    sentences = [_("Meetings less than %(apart)s apart are one class.") % words] if is_told_apart else []
    if not is_any_class:
        sentences.append(_("A class counts if it lasted at least %(shortest)s with at least %(people)s.") % words)
    else:
        sentences.append(_("Every class counts, however short."))
    if policy.starts_at:
        told = _("Classes that begin on %(time)s or later are judged by it.")
        sentences.append(told % {"time": times.day_and_clock(policy.starts_at, zone)})
    else:
        sentences.append(_("All classes are judged by it, earlier ones too."))
    return sentences


def _about_changes(policy: Policy, zone: tzinfo) -> list[str]:
    sentences = [on_change(policy.on_change)]
    if policy.lowers_until is not None:
        told = _("After %(time)s nothing that was sent is lowered.")
        sentences.append(told % {"time": times.day_and_clock(policy.lowers_until, zone)})
    if policy.waits:
        sentences.append(_("Nothing is sent before all that can be heard of its classes has been."))
    return sentences


# --- one condition ----------------------------------------------------------------------------------------------------


def _share(amount: int) -> str:
    return _("at least %(share)s of the class attended") % {"share": share(amount)}


def _time(amount: int) -> str:
    return _("at least %(time)s attended") % {"time": length(amount)}


def _whole_minutes(amount: int) -> str:
    told = ngettext(
        "at least %(number)s whole minute attended, as Moodle counts",
        "at least %(number)s whole minutes attended, as Moodle counts",
        amount,
    )
    return told % {"number": formatting.number(amount)}


def _present_by(amount: int) -> str:
    if not amount:
        return _("there when the class begins")
    return _("there at the latest %(time)s after the class begins") % {"time": length(amount)}


def _present_until(amount: int) -> str:
    if not amount:
        return _("there until the class ends")
    return _("there until %(time)s before the class ends, or longer") % {"time": length(amount)}


def _chats(amount: int) -> str:
    told = ngettext("at least %(number)s chat message", "at least %(number)s chat messages", amount)
    return told % {"number": formatting.number(amount)}


def _talks(amount: int) -> str:
    told = ngettext("talked at least %(number)s time", "talked at least %(number)s times", amount)
    return told % {"number": formatting.number(amount)}


def _raised_hands(amount: int) -> str:
    told = ngettext("raised a hand at least %(number)s time", "raised a hand at least %(number)s times", amount)
    return told % {"number": formatting.number(amount)}


def _reactions(amount: int) -> str:
    told = ngettext("at least %(number)s reaction", "at least %(number)s reactions", amount)
    return told % {"number": formatting.number(amount)}


def _poll_answers(amount: int) -> str:
    told = ngettext("at least %(number)s answer to a poll", "at least %(number)s answers to polls", amount)
    return told % {"number": formatting.number(amount)}


def _talk_time(amount: int) -> str:
    return _("talked for at least %(time)s") % {"time": length(amount)}


_CONDITIONS: dict[Quantity, Callable[[int], str]] = {
    Quantity.SHARE: _share,
    Quantity.TIME: _time,
    Quantity.WHOLE_MINUTES: _whole_minutes,
    Quantity.PRESENT_BY: _present_by,
    Quantity.PRESENT_UNTIL: _present_until,
    Quantity.CHATS: _chats,
    Quantity.TALKS: _talks,
    Quantity.RAISED_HANDS: _raised_hands,
    Quantity.REACTIONS: _reactions,
    Quantity.POLL_ANSWERS: _poll_answers,
    Quantity.TALK_TIME: _talk_time,
}
