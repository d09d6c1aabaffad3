"""How verdicts reach each LMS: for whom the pages are, what they say, and what can be done there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from rollcall.core.verdicts import MET
from rollcall.deliveries.completion_words import sentence_of, verdict_from
from rollcall.store.audit import AuditEntry
from rollcall.store.owed import CompletionTarget, Owed, Receiver, Try
from tests.makers import Attendee, at, make_meeting, make_organisation, operator, staff
from tests.verdicts import judge, owe

if TYPE_CHECKING:
    from rollcall.store.completions import Completion

pytestmark = pytest.mark.django_db


@pytest.fixture
def organisation() -> Any:
    return make_organisation()


@pytest.fixture
def ada(organisation: Any) -> Completion:
    people = [Attendee(name="Ada", uid="1"), Attendee(name="Bob", uid="2")]
    summary = make_meeting(*people, name="Algebra", course="c1", organisation=organisation.pk)
    row = summary.attendance.select_related("person", "summary").get(external_user_id="1")
    return judge(row, MET, high=3_000_000)


@pytest.fixture
def client(django_user_model: Any, organisation: Any) -> Client:
    client = Client()
    client.force_login(staff(django_user_model, "bo", organisation))
    return client


def page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def test_where_nothing_is_sent_the_page_says_how_to_begin(client: Client) -> None:
    assert "Nothing is sent to any LMS yet." in page(client, "/deliveries")


def test_trouble_is_said_in_words_with_what_to_do(client: Client, ada: Completion) -> None:
    owed = owe(ada, state="due")
    Receiver.objects.update(trouble="tls", trouble_phrase="expired", trouble_at=at("10:00"), paused_until=9 * 10**15)
    CompletionTarget.objects.update(trouble="no-column")

    shown = page(client, "/deliveries")

    assert "The certificate of the LMS cannot be trusted. (expired)" in shown
    assert "Renew the certificate, with its whole chain." in shown
    assert "There is no column in the gradebook, and Rollcall may make none." in shown
    assert f'href="/deliveries/{owed.target.receiver_id}"' in shown


def test_a_row_that_wants_a_person_says_why_and_what_was_answered(client: Client, ada: Completion) -> None:
    owed = owe(ada, state="refused", reason="locked", status=403, phrase="Grade is locked")
    Try.objects.create(owed=owed, revision=1, at=at("10:00"), took_ms=50, status=403, phrase="Grade is locked")
    Try.objects.create(owed=owed, revision=1, at=at("10:01"), fault="timeout")
    Try.objects.create(owed=owed, revision=1, at=at("10:02"))

    shown = page(client, f"/deliveries/{owed.target.receiver_id}")

    assert "The grade, or its column, is locked in the gradebook." in shown
    assert "Unlock it there, then send it again." in shown
    assert "403 Grade is locked" in shown
    assert "The LMS did not answer in time." in shown
    assert "No answer was seen." in shown


def test_the_sentence_is_the_one_that_everybody_reads(client: Client, ada: Completion) -> None:
    from datetime import UTC

    owed = owe(ada, state="refused", reason="locked")

    shown = page(client, f"/deliveries/{owed.target.receiver_id}")

    assert sentence_of(verdict_from(bytes(ada.detail)), UTC) in shown


def test_rows_in_each_state_are_listed(client: Client, ada: Completion) -> None:
    owed = owe(ada, state="sent", sent="done:1000")
    receiver = owed.target.receiver_id

    assert "Nothing wants a person." in page(client, f"/deliveries/{receiver}")
    assert "The LMS holds it." in page(client, f"/deliveries/{receiver}?state=sent")
    assert "Nothing wants a person." in page(client, f"/deliveries/{receiver}?state=perhaps")


def test_nobody_sees_what_is_sent_for_others(django_user_model: Any, ada: Completion) -> None:
    owed = owe(ada, state="refused", reason="locked")
    other = Client()
    other.force_login(staff(django_user_model, "eve", make_organisation("Lower School")))

    assert "Nothing is sent to any LMS yet." in page(other, "/deliveries")
    page(other, f"/deliveries/{owed.target.receiver_id}", 404)
    assert other.post(f"/deliveries/{owed.target.receiver_id}", {"act": "stop"}).status_code == 404
    assert not Receiver.objects.get().is_stopped


def test_an_operator_sees_whose_each_is(django_user_model: Any, ada: Completion) -> None:
    owe(ada)
    root = Client()
    root.force_login(operator(django_user_model, "root"))

    assert "Upper School" in page(root, "/deliveries")


def test_it_is_stopped_and_started(client: Client, ada: Completion) -> None:
    address = f"/deliveries/{owe(ada).target.receiver_id}"

    assert client.post(address, {"act": "stop"}).status_code == 303
    assert "Nothing is sent until somebody starts it again." in page(client, address)
    assert client.post(address, {"act": "start"}).status_code == 303
    assert not Receiver.objects.get().is_stopped


def test_a_row_is_cancelled_and_sent_after_all(client: Client, ada: Completion) -> None:
    owed = owe(ada, state="held", reason="gave-up")
    address = f"/deliveries/{owed.target.receiver_id}"

    for act, state in (("cancel", "cancelled"), ("retry", "due")):
        assert client.post(address, {"act": act, "owed": owed.pk}).status_code == 303
        assert Owed.objects.get().state == state


@pytest.mark.parametrize(
    "form", [{"act": "explode"}, {"act": "retry"}, {"act": "retry", "owed": "x"}, {"act": "retry", "owed": "9"}]
)
def test_what_is_not_there_is_not_done(client: Client, ada: Completion, form: dict[str, str]) -> None:
    owed = owe(ada, state="refused", reason="locked")

    assert client.post(f"/deliveries/{owed.target.receiver_id}", form).status_code == 404
    assert Owed.objects.get().state == "refused"


def test_what_makes_no_sense_is_refused_in_words(client: Client, ada: Completion) -> None:
    owed = owe(ada, state="refused", reason="locked")
    address = f"/deliveries/{owed.target.receiver_id}"

    refused = client.post(address, {"act": "cancel", "owed": owed.pk})

    assert refused.status_code == 409
    assert "It cannot be cancelled any more." in refused.content.decode()


def test_what_is_done_and_seen_is_in_the_audit_log(client: Client, ada: Completion) -> None:
    owed = owe(ada, state="refused", reason="locked")
    address = f"/deliveries/{owed.target.receiver_id}"
    client.post(address, {"act": "retry", "owed": owed.pk})
    page(client, address)

    assert list(AuditEntry.objects.order_by("pk").values_list("action", "subject", "organisation")) == [
        ("changed", "delivery", ada.organisation),
        ("opened", "delivery", ada.organisation),
    ]
