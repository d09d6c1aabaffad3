"""What the pages of operators change stands in the audit log, and is said on the page that follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponseRedirect
from django.utils.translation import gettext as _

from rollcall.store import auditing, licensing
from rollcall.store.auditing import Action

if TYPE_CHECKING:
    from django.http import HttpRequest

    from rollcall.core.access import Reader


def note(reader: Reader, subject: str, organisation: int | None = None, **about: Any) -> None:
    """An entry: who changed something of what kind, of which organisation."""
    auditing.write(licensing.now_ms(), Action.CHANGED, reader, subject=subject, organisation=organisation, **about)


def go(path: str, said: str) -> HttpResponseRedirect:
    """To the page that says what was done."""
    answer = HttpResponseRedirect(f"{path}?said={said}")
    answer.status_code = 303
    return answer


def said(request: HttpRequest) -> str:
    """The sentence for what was done before this page was asked for; blank for none."""
    return {
        "added": _("It is added."),
        "there": _("It was there already; nothing is changed."),
        "changed": _("It is changed."),
        "suspended": _("The licence is suspended."),
        "resumed": _("The licence is no longer suspended."),
        "ended": _("The licence is ended."),
        "claimed": _("Claimed. The meetings are read again; that can take a few minutes."),
        "released": _("The claim is taken back. The meetings are read again; that can take a few minutes."),
        "password": _("Your password is changed, and all your other sessions are ended."),
        "signed-out": _("The session is ended."),
        "others-out": _("All other sessions are ended."),
        "tested": _("The connection was tested: completion can be read and set."),
        "tested-badly": _("The connection was tested: see below what is wrong."),
        "not-tried": _("The token is good. Rights are tried as soon as a class has met: test it again then."),
        "administrator": _(
            "The token is an administrator's: whoever got hold of it could do everything. Better make a user for "
            "Rollcall alone."
        ),
        "forgotten": _("The token is forgotten. Revoke it in Moodle too."),
        "published": _("Published. The verdicts follow in a moment."),
        "unpublished": _("Nobody is judged any more from now on."),
        "hours": _("The hours are saved. The verdicts follow in a moment."),
        "hours-forgotten": _("The hours are taken back. The verdicts follow in a moment."),
        "class-off": _("The class does not count any more. The verdicts follow in a moment."),
        "class-on": _("The class counts again. The verdicts follow in a moment."),
        "corrected": _("Corrected. The verdict follows in a moment."),
        "undone": _("The correction is undone. The verdict follows in a moment."),
        "target-on": _("It is sent there from now on."),
        "target-off": _("Nothing more is sent there. What was sent stays."),
        "reversal": _("It is decided."),
        "history-sent": _("They are sent now."),
    }.get(request.GET.get("said", ""), "")


def page_number(request: HttpRequest) -> int:
    """Which page is asked for, from 1 on; anything else is the first."""
    asked = request.GET.get("page", "")
    return int(asked) if asked.isascii() and asked.isdigit() and 0 < len(asked) <= 6 and int(asked) else 1
