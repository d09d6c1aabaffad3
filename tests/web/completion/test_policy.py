"""The builder of policies: presets, preview, publishing, and what happens when two teachers do it at once."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from rollcall.core.activity import Hours, Verdict
from rollcall.core.policy import Condition, Policy, Quantity
from rollcall.derive.decided import decided_of
from rollcall.feed.deciding import By, decide
from rollcall.store.audit import AuditEntry
from rollcall.store.decisions import Decision
from rollcall.store.keys import key_of
from rollcall.store.owed import CompletionTarget, Owed, Receiver
from rollcall.store.platforms import Platform
from tests.web.completion.conftest import NOON, SITE

if TYPE_CHECKING:
    from django.test import Client

    from rollcall.core.activity import Held
    from tests.web.completion.conftest import Course

pytestmark = pytest.mark.django_db

_FIELD = re.compile(r"<input[^>]*>")
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')


def form(said: str, name: str = "policy") -> dict[str, str]:
    """What a browser would send of a form on a page, without pressing a button."""
    inside = said.partition(f'<form class="{name}"')[2].partition("</form>")[0]
    sent = {}
    for found in _FIELD.findall(inside):
        told = dict(_ATTRIBUTE.findall(found))
        if told.get("type") in {"radio", "checkbox"} and " checked" not in found:
            continue
        sent[told["name"]] = unescape(told.get("value", ""))
    return sent


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def published(course: Course) -> list[Policy]:
    return list(decided_of(course.activity()).versions)


def test_a_preset_is_looked_at_and_published(course: Course, teacher: Client, held: list[Held]) -> None:
    sent = form(page(teacher, f"{course.path}/policy?preset=some"))
    assert (sent["share"], sent["needed"], sent["planned"]) == ("80", "3", "4")
    seen = teacher.post(f"{course.path}/policy", sent | {"act": "preview"}).content.decode()
    assert "What it would come to" in seen
    assert not published(course)
    # There is no button in the form by which a key pressed in a field could publish it.
    assert 'value="publish"' not in seen.partition('<form class="policy"')[2].partition("</form>")[0]
    answer = teacher.post(f"{course.path}/policy", form(seen, "publish") | {"act": "publish"})
    assert (answer.status_code, answer["Location"]) == (303, f"{course.path}?said=published")
    (policy,) = published(course)
    assert (policy.conditions, policy.needed, policy.planned) == ((Condition(Quantity.SHARE, 800),), 3, 4)
    entry = AuditEntry.objects.get(action="changed")
    assert (entry.subject, entry.organisation) == ("policy", course.organisation.pk)


def test_the_preview_names_who_would_be_met_not_met_and_cannot_be_told(
    course: Course, teacher: Client, held: list[Held]
) -> None:
    sent = form(page(teacher, f"{course.path}/policy?preset=share")) | {"needed": "1"}
    seen = teacher.post(f"{course.path}/policy", sent | {"act": "preview"}).content.decode()
    assert "One attended class is enough; so far 3 classes count." in seen
    met, not_met, unsure = (seen.partition(f'<details class="{one}"')[2] for one in ("gains", "loses", "unsure"))
    assert "Ada Byron" in met.partition("</details>")[0]
    assert "Bob Marley" in not_met.partition("</details>")[0]
    assert "503" in unsure.partition("</details>")[0] or "(no name)" in unsure.partition("</details>")[0]


def test_against_the_present_policy_it_says_who_gains_and_who_loses(
    course: Course, teacher: Client, held: list[Held]
) -> None:
    decide(course.activity(), Policy(conditions=(Condition(Quantity.SHARE, 800),)), By("grace", "staff"), now=NOON)
    sent = form(page(teacher, f"{course.path}/policy")) | {"share": "50"}
    seen = teacher.post(f"{course.path}/policy", sent | {"act": "preview"}).content.decode()
    gains = seen.partition('<details class="gains"')[2].partition("</details>")[0]
    assert "Bob Marley" in gains
    assert "Ada Byron" not in gains
    assert "Nobody" in seen.partition('<details class="loses"')[2].partition("</details>")[0]


def test_what_is_wrong_stands_beside_its_field_with_what_was_typed(course: Course, teacher: Client) -> None:
    answer = teacher.post(f"{course.path}/policy", {"share": "120", "from": "<b>soon</b>", "act": "publish"})
    said = answer.content.decode()
    assert answer.status_code == 400
    assert 'value="120"' in said
    assert "is no percentage" in said
    assert "&lt;b&gt;soon&lt;/b&gt;" in said
    assert "<b>soon" not in said
    assert not Decision.objects.exists()


def test_the_same_form_sent_twice_publishes_once(course: Course, teacher: Client) -> None:
    sent = form(page(teacher, f"{course.path}/policy?preset=share")) | {"act": "publish"}
    for _ in range(2):
        assert teacher.post(f"{course.path}/policy", sent).status_code == 303
    assert Decision.objects.count() == 1


def test_a_page_that_is_older_than_the_policy_overwrites_nothing(course: Course, teacher: Client) -> None:
    stale = form(page(teacher, f"{course.path}/policy?preset=share")) | {"share": "70", "act": "publish"}
    decide(course.activity(), Policy(conditions=(Condition(Quantity.TIME, 60_000),)), By("linus", "staff"), now=NOON)
    answer = teacher.post(f"{course.path}/policy", stale)
    said = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody else has changed what counts" in said
    assert 'value="70"' in said
    assert len(published(course)) == 1
    # Having seen it they may publish theirs after all.
    assert teacher.post(f"{course.path}/policy", form(said) | {"act": "publish"}).status_code == 303
    assert published(course)[-1].conditions == (Condition(Quantity.SHARE, 700),)


def test_what_counted_before_is_told_with_who_published_it(course: Course, teacher: Client) -> None:
    for minutes, author in ((30, "linus"), (45, "grace")):
        policy = Policy(conditions=(Condition(Quantity.TIME, minutes * 60_000),))
        decide(course.activity(), policy, By(author, "staff"), now=NOON)
    said = page(teacher, f"{course.path}/policy")
    versions = said.partition('<ol class="versions">')[2]
    assert versions.index("at least 45 minutes attended") < versions.index("at least 30 minutes attended")
    assert versions.count("It holds now.") == 1
    assert "linus" in versions


def test_nobody_is_judged_any_more_when_it_is_stopped(course: Course, teacher: Client) -> None:
    decide(course.activity(), Policy(conditions=(Condition(Quantity.SHARE, 800),)), By("grace", "staff"), now=NOON)
    said = page(teacher, f"{course.path}/policy")
    seen = re.search(r'name="seen" value="(\d+)"', said)
    assert seen
    for _ in range(2):
        answer = teacher.post(f"{course.path}/policy", {"act": "stop", "seen": seen[1], "once": "x"})
        assert answer["Location"] == f"{course.path}?said=unpublished"
    assert (published(course)[-1].conditions, published(course)[-1].starts_at) == ((), NOON)
    assert len(published(course)) == 2
    assert "No rule holds for classes that begin now." in page(teacher, course.path)
    assert "Nothing is judged any more." in page(teacher, f"{course.path}/policy")


def test_one_that_begins_later_is_shown_as_if_it_always_had_held(
    course: Course, teacher: Client, held: list[Held]
) -> None:
    sent = {"share": "80", "from": "2027-01-01", "act": "preview"}
    assert "as if it had always held" in teacher.post(f"{course.path}/policy", sent).content.decode()


@pytest.mark.parametrize(
    "sent", [{"act": "publish"}, {"act": "preview"}, {"act": "\0"}, {}, {"seen": "9" * 400, "share": "1"}]
)
def test_a_form_that_no_browser_sends_is_no_failure(course: Course, teacher: Client, sent: dict[str, Any]) -> None:
    assert teacher.post(f"{course.path}/policy", sent).status_code in {200, 303, 400, 409}


# --- several classes --------------------------------------------------------------------------------------------------


def test_a_preset_asks_for_every_class_there_has_been(course: Course, teacher: Client, held: list[Held]) -> None:
    said = page(teacher, f"{course.path}/policy?preset=share")
    assert form(said)["needed"] == "3"
    assert "It asks for every class so far (3)." in said


def test_where_more_classes_were_held_than_planned_it_is_said(
    course: Course, teacher: Client, held: list[Held]
) -> None:
    more = "More classes were held (3) than were planned (2); 2 are enough."
    sent = {"share": "80", "needed": "2", "planned": "2"}
    assert more in teacher.post(f"{course.path}/policy", sent | {"act": "preview"}).content.decode()
    teacher.post(f"{course.path}/policy", sent | {"act": "publish"})
    course.judge("501", "Ada Byron", Verdict.MET)
    assert more in page(teacher, course.path)


# --- a change ---------------------------------------------------------------------------------------------------------


def test_a_change_is_for_classes_from_now_on_unless_somebody_says_otherwise(course: Course, teacher: Client) -> None:
    decide(course.activity(), Policy(conditions=(Condition(Quantity.SHARE, 800),)), By("grace", "staff"), now=NOON - 1)
    sent: dict[str, str] = {}
    for query in ("", "?preset=time", "?preset=own"):
        sent = form(page(teacher, f"{course.path}/policy{query}")) | {"share": "90", "act": "publish"}
        assert (sent["from"], sent["from-time"]) == ("2026-11-22", "12:00")
    assert teacher.post(f"{course.path}/policy", sent).status_code == 303
    assert [one.starts_at for one in published(course)] == [0, NOON]


def test_the_preview_says_how_many_the_lms_was_told_of(course: Course, teacher: Client, held: list[Held]) -> None:
    decide(course.activity(), Policy(conditions=(Condition(Quantity.SHARE, 800),)), By("grace", "staff"), now=NOON)
    receiver = Receiver.objects.create(platform=Platform.objects.get(site=SITE), way="moodle")
    target = CompletionTarget.objects.create(activity=course.activity(), receiver=receiver, added_at=NOON)
    for user in ("501", "502"):
        told = {"external_user_id": user, "wanted_at": NOON, "state": "sent", "reasons": b""}
        Owed.objects.create(target=target, user_key=key_of(user), wanted="done", sent="done", **told)
    sent = {"time": "600", "needed": "3", "act": "preview"}
    seen = teacher.post(f"{course.path}/policy", sent).content.decode()
    assert "1 of these was sent to the LMS as met." in seen
    assert "Where the way allows it, it is taken back there." in seen
    later = teacher.post(f"{course.path}/policy", sent | {"from": "2026-11-22"}).content.decode()
    assert "sent to the LMS as met" not in later


def test_an_earlier_version_fills_the_form_and_the_last_one_can_be_taken_back(course: Course, teacher: Client) -> None:
    for share in (800, 990):
        decide(course.activity(), Policy(conditions=(Condition(Quantity.SHARE, share),)), By("x", "staff"), now=NOON)
    said = page(teacher, f"{course.path}/policy")
    first, last = (decision.seq for decision in Decision.objects.order_by("seq"))
    assert f'href="{course.path}/policy?version={first}"' in said
    assert form(page(teacher, f"{course.path}/policy?version={first}"))["share"] == "80"
    assert 'value="undo"' in said
    answer = teacher.post(f"{course.path}/policy", {"act": "undo", "seq": str(first)})
    assert answer.status_code == 409
    for _ in range(2):
        answer = teacher.post(f"{course.path}/policy", {"act": "undo", "seq": str(last), "once": "y"})
        assert answer["Location"] == f"{course.path}/policy?said=changed"
    assert [one.conditions[0].amount for one in published(course)] == [800]
    said = page(teacher, f"{course.path}/policy")
    assert "undone" in said
    assert said.count("It holds now.") == 1


@pytest.mark.parametrize("seq", ["", "x", "0", "9" * 40])
def test_what_was_never_published_is_not_taken_back(course: Course, teacher: Client, seq: str) -> None:
    assert teacher.post(f"{course.path}/policy", {"act": "undo", "seq": seq}).status_code == 404


def test_after_somebody_elses_change_the_preview_is_there_at_once(
    course: Course, teacher: Client, held: list[Held]
) -> None:
    stale = form(page(teacher, f"{course.path}/policy?preset=share")) | {"share": "70", "act": "publish"}
    decide(course.activity(), Policy(conditions=(Condition(Quantity.TIME, 60_000),)), By("linus", "staff"), now=NOON)
    said = teacher.post(f"{course.path}/policy", stale).content.decode()
    assert teacher.post(f"{course.path}/policy", form(said, "publish") | {"act": "publish"}).status_code == 303
    assert published(course)[-1].conditions == (Condition(Quantity.SHARE, 700),)


# --- hours ------------------------------------------------------------------------------------------------------------


def test_being_there_in_time_says_that_it_needs_the_hours(course: Course, teacher: Client, held: list[Held]) -> None:
    sent = {"present-by": "5", "act": "preview"}
    seen = teacher.post(f"{course.path}/policy", sent).content.decode()
    assert "Classes whose hours are not entered: 3." in seen
    assert f'href="{course.path}/classes"' in seen.partition('class="preview"')[2].partition("</section>")[0]
    assert "was not entered: a teacher can enter it" in seen
    for meeting in course.meetings:
        began = meeting.started_at
        hours = Hours(str(meeting.meeting_id), began, began + 3_600_000)
        decide(course.activity(), hours, By("grace", "staff"), now=NOON)
    assert "hours are not entered" not in teacher.post(f"{course.path}/policy", sent).content.decode()
