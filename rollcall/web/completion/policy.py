"""What counts: a policy written in plain sentences, seen against past classes, and published."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from django.http import Http404
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from rollcall.core.access import Area
from rollcall.core.activity import Verdict
from rollcall.core.errors import Refused
from rollcall.core.policy import OF_HOURS, OnChange, Policy, Scope, in_force
from rollcall.deliveries import completion_words
from rollcall.deliveries.completions.wanting import user_key_of
from rollcall.derive.preview import counting, preview
from rollcall.feed.deciding import Undo
from rollcall.store import licensing
from rollcall.store.owed import Owed
from rollcall.web.completion.authors import author_names
from rollcall.web.completion.policy_form import FIRST, MOST_CLASSES, ORDER, form_of, lines, read_policy
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

MOST_UNFOLDED: Final = 5

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
        case "undo":
            return _take_back(request, subject)
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
        if error.status != 409:
            return _page(request, subject, typed=typed, refused=error)
        again = proposed if typed is not None else None
        return _page(request, subject, typed=typed, proposed=again, refused=_changed())
    note(subject, "policy")
    return go(subject.address, "published" if proposed.conditions else "unpublished")


def _take_back(request: HttpRequest, subject: Subject) -> HttpResponse:
    """The policy that was published last is as if it never had been; an earlier one is not undone under it."""
    seq = _number(request.POST.get("seq", ""))
    told = [one for one in subject.history() if isinstance(one.what, Policy)]
    asked = next((one for one in told if one.row.seq == seq), None)
    if asked is None:
        raise Http404(_("There is no such policy."))
    if asked.undone_by is None:
        if any(one.undone_by is None and one.row.seq > seq for one in told):
            return _page(request, subject, typed=None, refused=_changed())
        decided(request, subject, Undo(seq))
        note(subject, "policy")
    return go(f"{subject.address}{_HERE}", "changed")


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
    notes: list[str] = []
    if fields is None and chosen is not None:
        begun, notes = _begun(subject, chosen.policy)
        fields = _fields(subject, begun)
    elif fields is None:
        fields = _fields(subject, _again(history, request.GET.get("version", "")), is_blank=is_own)
    faults = {} if wrong is None else dict(wrong.fields)
    context = around(request, subject, _HERE) | {
        "said": said(request),
        "notes": notes,
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


def _fields(subject: Subject, chosen: Policy | None, *, is_blank: bool = False) -> dict[str, str]:
    """What the form begins with: a preset, an earlier version, or what was published last.

    Beside another policy it begins now, lest a word that is changed in it judge past classes anew.
    """
    versions = subject.decided.versions
    last = next((one for one in reversed(versions) if one.conditions), None)
    begun = chosen or (Policy(conditions=()) if is_blank or last is None else last)
    starts_at = max(begun.starts_at, licensing.now_ms()) if versions else begun.starts_at
    return form_of(replace(begun, starts_at=starts_at), zone_of())


def _begun(subject: Subject, chosen: Policy) -> tuple[Policy, list[str]]:
    """A preset on the classes there have been: each of them is needed, unless it says how many."""
    counted = counting(subject.found.organisation, subject.found.key, chosen)
    if counted < 2 or chosen.scope is Scope.SUMMED or chosen.planned is not None:
        return chosen, class_notes(chosen, counted)
    told = _("It asks for every class so far (%(number)s). Write a smaller number where fewer are enough.")
    needed = min(counted, MOST_CLASSES)
    return replace(chosen, needed=needed), [told % {"number": formatting.number(needed)}]


def class_notes(policy: Policy, counted: int) -> list[str]:
    """What somebody may not have meant, where so many classes count."""
    words = {"held": formatting.number(counted), "needed": formatting.number(policy.needed)}
    if policy.scope is Scope.SUMMED or counted < 2:
        return []
    if policy.planned is not None and counted > policy.planned:
        told = _("More classes were held (%(held)s) than were planned (%(planned)s); %(needed)s are enough.")
        return [told % (words | {"planned": formatting.number(policy.planned)})]
    if policy.planned is None and policy.needed == 1:
        one = ngettext(
            "One attended class is enough; so far %(held)s class counts.",
            "One attended class is enough; so far %(held)s classes count.",
            counted,
        )
        return [one % words]
    return []


def _again(history: Sequence[Told], seq: str) -> Policy | None:
    """The policy of a number that was published once, to begin with."""
    told = (one for one in history if str(one.row.seq) == seq)
    return next((one.what for one in told if isinstance(one.what, Policy) and one.what.conditions), None)


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
    last = standing[-1].row.seq if standing else 0
    return [
        {
            "seq": one.row.seq,
            "is_last": one.row.seq == last,
            "is_undone": one.undone_by is not None,
            "again": f"{subject.address}{_HERE}?version={one.row.seq}" if one.what.conditions else "",
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
    """Who would gain, lose, or stay uncertain, if it held; of one that judges no class yet: as if it always had."""
    is_from_start = proposed.starts_at > (subject.found.last_at or licensing.now_ms())
    found = preview(subject.found.organisation, subject.found.key, proposed, is_from_start=is_from_start)
    counts = found.counts()
    return {
        # What is published is what was looked at, whatever is typed into the fields below it meanwhile.
        "sent": form_of(proposed, zone_of()),
        "sentences": policies.policy_sentences(proposed, zone_of()),
        "is_from_start": is_from_start,
        "notes": class_notes(proposed, sum(one.counts is not Verdict.NOT_MET for one in found.classes)),
        "sent_notes": [] if is_from_start else _sent_notes(found, subject, proposed),
        "without_hours": _without_hours(found, proposed),
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


def _sent_notes(found: Preview, subject: Subject, proposed: Policy) -> list[str]:
    """Of those who would no longer be met how many the LMS was told of, and what becomes of that."""
    rows = Owed.objects.filter(target__activity=subject.activity, target__is_on=True, sent__startswith="done")
    told = {bytes(one) for one in rows.values_list("user_key", flat=True)} if subject.activity is not None else set()
    number = sum(user_key_of(one.user_id) in told for one in found.loses())
    if not number:
        return []
    sentence = ngettext(
        "%(number)s of these was sent to the LMS as met.", "%(number)s of these were sent to the LMS as met.", number
    )
    said = [sentence % {"number": formatting.number(number)}]
    if proposed.on_change is OnChange.FLAG:
        return [*said, policies.on_change(OnChange.FLAG)]
    return [*said, _("Where the way allows it, it is taken back there.")]


def _without_hours(found: Preview, proposed: Policy) -> str:
    """Where coming and going is asked for: how many classes cannot be judged by it yet; blank for none."""
    if not any(one.quantity in OF_HOURS for one in proposed.conditions):
        return ""
    number = sum(one.counts is not Verdict.NOT_MET and not one.has_hours for one in found.classes)
    told = _("Classes whose hours are not entered: %(number)s. Who was late or left early cannot be told of them.")
    return told % {"number": formatting.number(number)} if number else ""


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
