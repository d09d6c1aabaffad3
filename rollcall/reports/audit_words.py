"""What the audit log's codes are called."""

from __future__ import annotations

from django.utils.translation import gettext as _


def action_words() -> dict[str, str]:
    """What each act is called."""
    return {
        "opened": _("opened"),
        "exported": _("took a file"),
        "refused": _("was refused"),
        "signed-in": _("signed in"),
        "sign-in-failed": _("failed to sign in"),
        "launched": _("came from the LMS"),
        "changed": _("changed"),
        "corrected": _("corrected"),
        "undone": _("undone"),
    }


def actor_words() -> dict[str, str]:
    """Who is neither an account nor anybody of an LMS."""
    return {"command line": _("command line")}


def role_words() -> dict[str, str]:
    """As what somebody came."""
    return {
        "operator": _("operator"),
        "staff": _("staff"),
        "program": _("program"),
        "administrator": _("administrator of the LMS"),
        "instructor": _("instructor"),
        "learner": _("learner"),
    }


def subject_words() -> dict[str, str]:
    """What there is to be looked at."""
    return {
        "overview": _("the overview"),
        "attendance": _("attendance by meeting"),
        "audit": _("the audit log"),
        "meetings": _("a list of meetings"),
        "attendances": _("a list of attendance"),
        "people": _("a list of people"),
        "courses": _("a list of courses"),
        "meeting": _("a meeting"),
        "person": _("a person"),
        "course": _("a course"),
        "activities": _("a list of activities"),
        "activity": _("everybody's verdicts in an activity"),
        "policy": _("what counts in an activity"),
        "class": _("a class of an activity"),
        "hours": _("the hours of a class"),
        "delivery": _("what is sent to an LMS"),
        "target": _("where verdicts are sent"),
        "target-on": _("sending, switched on"),
        "target-off": _("sending, switched off"),
        "account": _("an account"),
        "organisation": _("an organisation"),
        "licence": _("a licence"),
        "platform": _("a platform"),
        "claim": _("a claim"),
        "token": _("a token"),
    }
