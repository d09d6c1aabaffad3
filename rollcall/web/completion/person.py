"""One person in an activity: the verdict and why, class by class; what a teacher has corrected, and where it went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.http import Http404
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from rollcall.core.access import Area
from rollcall.core.activity import Verdict
from rollcall.core.errors import Refused
from rollcall.deliveries import completion_words
from rollcall.feed.deciding import Undo, Word
from rollcall.reports.addresses import person_page
from rollcall.store.auditing import Action
from rollcall.store.keys import person_key
from rollcall.store.searching import activities as searching
from rollcall.web.completion.authors import author_names
from rollcall.web.completion.owed import owed_of
from rollcall.web.completion.subject import around, decided, is_being_worked_out, no_name, note, subject_of, zone_of
from rollcall.web.completion.typed import Wrong, WrongForm, read_reason
from rollcall.web.operator.noting import go, said
from rollcall.wording import times
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

    from rollcall.core.activity import ClassVerdict, PersonVerdict
    from rollcall.store.completions import Completion
    from rollcall.web.completion.subject import Subject

_WHOLE: Final = "all"
"""What stands for the whole activity where a class may be chosen."""


@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, key: str, user: str) -> HttpResponse:
    """Why; and a correction, or the undoing of one."""
    if request.method != "POST":
        subject = subject_of(request, key)
        return _page(request, subject, _completion(subject, user))
    subject = subject_of(request, key, Area.DECIDE)
    completion = _completion(subject, user)
    is_undoing = request.POST.get("act") == "undo"
    try:
        if is_undoing:
            _undo(request, subject, completion)
        else:
            _correct(request, subject, completion)
    except Refused as refused:
        return _page(request, subject, completion, refused=refused, typed=request.POST.dict())
    key_of_person = person_key(subject.found.site, completion.external_user_id, subject.found.organisation)
    note(subject, "person", key_of_person, Action.UNDONE if is_undoing else Action.CORRECTED)
    return go(f"{subject.address}/people/{user}", "undone" if is_undoing else "corrected")


def _completion(subject: Subject, user: str) -> Completion:
    """One that is seen; of others the page says the same as of nobody's."""
    if subject.activity is not None:
        rows = searching.completions(subject.activity, subject.inside)
        found = rows.select_related("person").filter(user_key=bytes.fromhex(user)).first()
        if found is not None:
            return found
    raise Http404(_("There is no such person in this activity."))


# --- what is decided --------------------------------------------------------------------------------------------------


def _correct(request: HttpRequest, subject: Subject, completion: Completion) -> None:
    typed, wrong = request.POST, {}
    of_it = completion_words.verdict_from(bytes(completion.detail))
    if (verdict := typed.get("verdict", "")) not in {Verdict.MET, Verdict.NOT_MET}:
        wrong["verdict"] = _("Choose whether it is met or not met.")
    if (meeting := typed.get("class", _WHOLE)) == _WHOLE:
        meeting = ""
    elif not any(meeting in one.meetings for one in of_it.classes):
        wrong["class"] = _("This class is no longer there: choose another one.")
    reason = ""
    try:
        reason = read_reason(typed.get("reason", ""))
    except Wrong as fault:
        wrong["reason"] = str(fault)
    if wrong:
        raise WrongForm(wrong)
    word = Word(completion.external_user_id, Verdict(verdict), meeting)
    decided(request, subject, word, reason=reason)


def _undo(request: HttpRequest, subject: Subject, completion: Completion) -> None:
    """A correction of this person, of no other; one that was undone already stays so."""
    seq = request.POST.get("seq", "")
    for one in subject.history():
        if str(one.row.seq) == seq and isinstance(one.what, Word) and one.what.user_id == completion.external_user_id:
            if one.undone_by is None:
                decided(request, subject, Undo(one.row.seq))
            return
    raise Http404(_("There is no such correction."))


# --- the page ---------------------------------------------------------------------------------------------------------


def _page(
    request: HttpRequest,
    subject: Subject,
    completion: Completion,
    *,
    refused: Refused | None = None,
    typed: Mapping[str, str] | None = None,
) -> HttpResponse:
    verdict = completion_words.verdict_from(bytes(completion.detail))
    fields = refused.fields if isinstance(refused, WrongForm) else {}
    of = completion.activity
    context = around(request, subject) | {
        "said": said(request),
        "person_name": visible(completion.name.strip()) or no_name(completion.external_user_id),
        "user_id": visible(completion.external_user_id),
        "record": person_page(bytes(completion.person.key)) if completion.person is not None else "",
        "completion": completion,
        "word": completion_words.verdict_word(completion.verdict),
        "computed": completion_words.verdict_word(completion.computed),
        "sentence": completion_words.sentence_of(verdict, zone_of()),
        "has_left": completion.is_on_roster is False and not completion.is_teacher,
        "is_being_worked_out": is_being_worked_out(of),
        "classes": [_class(subject, one, is_summed=bool(verdict.measured)) for one in reversed(verdict.classes)],
        "owed": owed_of(of, [completion]).get(bytes(completion.user_key), ()),
        "corrections": _corrections(subject, completion, verdict),
        "typed": typed or {},
        "wrong": fields,
        "refused": refused,
    }
    return render(request, "activity_person.html", context, status=refused.status if refused else 200)


def _class(subject: Subject, one: ClassVerdict, *, is_summed: bool) -> dict[str, Any]:
    zone, seen = zone_of(), subject.seen_of(one.meetings)
    return {
        "meeting": one.meetings[0] if subject.may_decide else "",
        "began": times.day_and_clock(one.began_at, zone),
        "address": f"/meetings/{seen[0]}" if seen else "",
        "verdict": one.verdict.value,
        "word": completion_words.verdict_word(one.verdict),
        # Where all classes are added together none is met or not by itself, unless somebody has said so.
        "is_judged": one.counts is not Verdict.NOT_MET and (not is_summed or one.correction is not None),
        "sentence": completion_words.class_sentence(one, zone),
    }


def _corrections(subject: Subject, completion: Completion, verdict: PersonVerdict) -> list[dict[str, Any]]:
    """What was corrected of them, the latest first, with who and why; what was undone too."""
    zone = zone_of()
    told = [
        (one, one.what)
        for one in subject.history()
        if isinstance(one.what, Word) and one.what.user_id == completion.external_user_id
    ]
    names = author_names(subject.found, [one.row for one, _what in told])
    began = {meeting: one.began_at for one in verdict.classes for meeting in one.meetings}
    return [
        {
            "seq": one.row.seq,
            "at": times.day_and_clock(one.row.at, zone),
            "author": names[one.row.pk],
            "reason": visible(one.row.reason),
            "verdict": what.verdict.value,
            "word": completion_words.verdict_word(what.verdict),
            "of": _of(what, began, zone),
            "is_undone": one.undone_by is not None,
        }
        for one, what in reversed(told)
    ]


def _of(what: Word, began: Mapping[str, int], zone: Any) -> str:  # noqa: ANN401 - a tzinfo
    if not what.meeting:
        return _("the whole activity")
    if what.meeting not in began:
        return _("a class that is no longer there")
    return _("the class of %(time)s") % {"time": times.day_and_clock(began[what.meeting], zone)}
