"""What counts: a policy written in plain sentences, seen against past classes, and published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from rollcall.core.access import Area
from rollcall.core.activity import Verdict
from rollcall.core.errors import Refused
from rollcall.core.policy import OnChange, Policy, in_force
from rollcall.deliveries import completion_words
from rollcall.derive.preview import preview
from rollcall.store import licensing
from rollcall.web.completion.authors import author_names
from rollcall.web.completion.policy_form import FIRST, ORDER, form_of, lines, read_policy
from rollcall.web.completion.presets import PRESETS, preset
from rollcall.web.completion.subject import around, decided, last_policy, no_name, note, subject_of, zone_of
from rollcall.web.completion.typed import WrongForm
from rollcall.web.operator.noting import go, said
from rollcall.wording import formatting, policies, times
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from rollcall.derive.decided import Told
    from rollcall.derive.preview import Preview, Previewed, PreviewedClass
    from rollcall.web.completion.subject import Subject

MOST_NAMES: Final = 100
"""People who are named in a preview, of each kind; of the others it is said how many there are."""

MOST_UNFOLDED: Final = 30

_HERE: Final = "/policy"
_LONGEST_FIELD: Final = 200


@require_http_methods(["GET", "HEAD", "POST"])
def policy(request: HttpRequest, key: str) -> HttpResponse:
    """The form, the versions there were; and when it is sent, what would come of it, or that it holds."""
    if request.method != "POST":
        return _page(request, subject_of(request, key), typed=None)
    subject = subject_of(request, key, Area.DECIDE)
    match request.POST.get("act"):
        case "stop":
            return _stop(request, subject)
        case "publish":
            return _send(request, subject, is_to_hold=True)
        case _:
            return _send(request, subject, is_to_hold=False)


def _send(request: HttpRequest, subject: Subject, *, is_to_hold: bool) -> HttpResponse:
    typed = {name: str(value)[:_LONGEST_FIELD] for name, value in request.POST.items()}
    try:
        proposed = read_policy(typed, zone_of())
    except WrongForm as wrong:
        return _page(request, subject, typed=typed, wrong=wrong)
    if is_to_hold:
        return _publish(request, subject, proposed, typed)
    return _page(request, subject, typed=typed, proposed=proposed)


def _stop(request: HttpRequest, subject: Subject) -> HttpResponse:
    """Classes that begin from now on are judged no more; earlier ones keep their verdicts."""
    now = licensing.now_ms()
    if subject.policy_at(now) is None:
        return go(subject.address, "unpublished")
    return _publish(request, subject, Policy(conditions=(), starts_at=now))


def _publish(
    request: HttpRequest, subject: Subject, proposed: Policy, typed: Mapping[str, str] | None = None
) -> HttpResponse:
    """It holds, unless another one was published since the page was opened: that is said, and nothing overwritten."""
    seen = request.POST.get("seen", "")
    try:
        decided(request, subject, proposed, seen=_number(seen))
    except Refused as error:
        refused = _changed() if error.status == 409 else error
        return _page(request, subject, typed=typed, refused=refused)
    note(subject, "policy")
    return go(subject.address, "published" if proposed.conditions else "unpublished")


def _number(text: str) -> int:
    """What a form of ours sent; anything else knows of no policy."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0


def _changed() -> Refused:
    return Refused(
        _("Somebody else has changed what counts since you opened this page; nothing of yours holds yet."),
        code="changed-meanwhile",
        status=409,
        hint=_("What holds now stands below; what you wrote is still in the form, and you can publish it after all."),
    )


# --- the page ---------------------------------------------------------------------------------------------------------


def _page(
    request: HttpRequest,
    subject: Subject,
    *,
    typed: Mapping[str, str] | None,
    proposed: Policy | None = None,
    wrong: WrongForm | None = None,
    refused: Refused | None = None,
) -> HttpResponse:
    history = subject.history()
    chosen = preset(request.GET.get("preset", ""))
    is_own = request.GET.get("preset") == "own"
    fields = typed
    if fields is None:
        fields = _fields(subject, None if chosen is None else chosen.policy, is_blank=is_own)
    faults = {} if wrong is None else dict(wrong.fields)
    context = around(request, subject, _HERE) | {
        "said": said(request),
        "presets": PRESETS if typed is None else (),
        "preset": "" if chosen is None else chosen.title,
        "now": _now(subject),
        "versions": _versions(subject, history),
        "has_versions": bool(subject.decided.versions),
        "is_open": typed is not None or chosen is not None or is_own or bool(subject.decided.versions),
        "typed": fields,
        "from_time": fields.get("from-time", ""),
        "finer_unfolds": any(name in faults for name in ("apart", "shortest", "fewest", "lowers_until")),
        "wrong": faults,
        "first_lines": lines(fields, faults, [one for one in ORDER if one in FIRST]),
        "more_lines": lines(fields, faults, [one for one in ORDER if one not in FIRST]),
        "more_unfolds": any(fields.get(one.value) or one.value in faults for one in ORDER if one not in FIRST),
        "on_change": [(one.value, policies.on_change(one), one.value == fields.get("on_change")) for one in OnChange],
        "seen": last_policy(history),
        "refused": refused,
    }
    if proposed is not None:
        context["preview"] = _preview(subject, proposed)
    return render(request, "policy.html", context, status=400 if wrong else refused.status if refused else 200)


def _fields(subject: Subject, chosen: Policy | None, *, is_blank: bool) -> dict[str, str]:
    """What the form begins with: a preset, or what was published last."""
    zone = zone_of()
    versions = [one for one in subject.decided.versions if one.conditions]
    if chosen is None and not is_blank and versions:
        return form_of(versions[-1], zone)
    return form_of(chosen or Policy(conditions=()), zone)


def _now(subject: Subject) -> list[str]:
    held = subject.policy_at(licensing.now_ms())
    return [] if held is None else policies.policy_sentences(held, zone_of())


def _versions(subject: Subject, history: Sequence[Told]) -> list[dict[str, Any]]:
    """Each policy there was, the newest first, with who published it; which one holds says so."""
    told = [one for one in history if isinstance(one.what, Policy)]
    standing = [one for one in told if one.undone_by is None]
    at = in_force([one.what for one in standing if isinstance(one.what, Policy)], licensing.now_ms())
    names = author_names(subject.found, [one.row for one in told])
    zone = zone_of()
    return [
        {
            "at": times.day_and_clock(one.row.at, zone),
            "author": names[one.row.pk],
            "sentence": policies.policy_sentence(one.what) if one.what.conditions else _("Nothing is judged any more."),
            "since": times.day_and_clock(one.what.starts_at, zone) if one.what.starts_at else "",
            "holds": at is not None and one is standing[at] and bool(one.what.conditions),
        }
        for one in reversed(told)
        if isinstance(one.what, Policy)
    ]


# --- what would come of it --------------------------------------------------------------------------------------------


def _preview(subject: Subject, proposed: Policy) -> dict[str, Any]:
    """Who would gain, lose, or stay uncertain, if it held; of one that begins later: as if it always had."""
    is_from_start = proposed.starts_at > licensing.now_ms()
    found = preview(subject.found.organisation, subject.found.key, proposed, is_from_start=is_from_start)
    counts = found.counts()
    return {
        # What is published is what was looked at, whatever is typed into the fields below it meanwhile.
        "sent": form_of(proposed, zone_of()),
        "sentences": policies.policy_sentences(proposed, zone_of()),
        "is_from_start": is_from_start,
        "counts": [
            (verdict, completion_words.verdict_word(verdict), formatting.number(counts.get(verdict, 0)))
            for verdict in Verdict
        ],
        "groups": _groups(found, subject),
        "classes": [_class(one) for one in reversed(found.classes)][:MOST_NAMES],
        "is_empty": all(one.version is None for one in found.classes),
        "has_people": bool(found.people),
        "unread": found.unread and _unread(found.unread),
    }


def _unread(number: int) -> str:
    told = ngettext(
        "%(number)s meeting is still being worked out and is not in this.",
        "%(number)s meetings are still being worked out and are not in this.",
        number,
    )
    return told % {"number": formatting.number(number)}


def _groups(found: Preview, subject: Subject) -> list[dict[str, Any]]:
    """Who is named: beside another policy those it would change something for, else everybody by their verdict."""
    unsure = ("unsure", _("Cannot be told"), found.unsure())
    if subject.decided.versions:
        groups = [
            ("gains", _("Would be met, and are not now"), found.gains()),
            ("loses", _("Would no longer be met"), found.loses()),
        ]
        return [_group(*one) for one in groups] + [_group(*unsure)] * bool(unsure[2])
    not_met = tuple(one for one in found.people if one.after is Verdict.NOT_MET)
    groups = [("gains", _("Would be met"), found.gains()), ("loses", _("Would not be met"), not_met), unsure]
    return [_group(*one) for one in groups if one[2]]


def _group(name: str, title: str, people: Sequence[Previewed]) -> dict[str, Any]:
    zone = zone_of()
    return {
        "name": name,
        "title": title,
        "number": formatting.number(len(people)),
        "is_long": len(people) > MOST_UNFOLDED,
        "people": [
            {
                "name": visible(one.name.strip()) or no_name(one.user_id),
                "sentence": "" if one.verdict is None else completion_words.sentence_of(one.verdict, zone),
            }
            for one in people[:MOST_NAMES]
        ],
        "others": formatting.number(len(people) - MOST_NAMES) if len(people) > MOST_NAMES else "",
    }


def _class(one: PreviewedClass) -> dict[str, Any]:
    return {
        "began": times.day_and_clock(one.began_at, zone_of()),
        "address": f"/meetings/{one.meetings[0]}",
        "counts": "" if one.version is None else one.counts.value,
        "met": formatting.number(one.met),
        "not_met": formatting.number(one.not_met),
        "cannot_tell": formatting.number(one.cannot_tell),
    }
