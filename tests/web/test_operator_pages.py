"""The pages of operators, of a licence, and of an account about itself: for whom, what they do and refuse."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory

from rollcall.core.access import Reader, Role
from rollcall.core.errors import RollcallError
from rollcall.reports.access import let_in
from rollcall.store.audit import AuditEntry
from rollcall.store.organisations import Claim, Licence, Organisation
from rollcall.store.staff_sessions import sessions_of
from rollcall.web.operator.licence import licence
from tests.makers import make_meeting, make_organisation, make_platform, make_pool, operator, staff

pytestmark = pytest.mark.django_db

NOON = 1_795_348_800_000
DAY = 86_400_000
HOSTILE = "<script>alert(1)</script>\u202e & Söhne"
PASSWORD = "correct horse battery staple"


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("rollcall.store.licensing.now_ms", lambda: NOON)
    return NOON


@pytest.fixture
def client(django_user_model: Any) -> Client:
    client = Client()
    client.force_login(operator(django_user_model, "ada"))
    return client


def page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    return answer.content.decode()


# --- organisations ----------------------------------------------------------------------------------------------------


def test_an_organisation_is_added_licensed_suspended_resumed_and_ended(client: Client, noon: int) -> None:
    assert "There is no organisation yet" in page(client, "/organisations")
    answer = client.post("/organisations", {"name": "Upper School", "contact": "desk@school.example"})
    made = Organisation.objects.get()
    assert answer["Location"] == f"/organisations/{made.pk}?said=added"
    assert "No licence yet" in page(client, answer["Location"])

    terms = {
        "from": "2026-11-01",
        "until": "2026-12-31",
        "grace": "10",
        "platforms": "2",
        "pools": "",
        "people_a_month": "0",
    }
    for _twice in range(2):
        client.post(f"/organisations/{made.pk}/licences", terms)
    made_licence = Licence.objects.get()
    assert (made_licence.platforms, made_licence.pools, made_licence.people_a_month, made_licence.grace_ms) == (
        2,
        None,
        0,
        10 * DAY,
    )
    assert made_licence.ends_at == 1_798_761_600_000  # the last day counts whole
    assert "is in force until" in page(client, f"/organisations/{made.pk}")

    for act, told in (("suspended", "is suspended"), ("resumed", "is in force until"), ("ended", "ended on")):
        shown = page(client, client.post(f"/organisations/{made.pk}/licences/{act}")["Location"])
        assert told in shown
    assert Licence.objects.get().ends_at == noon
    changed = AuditEntry.objects.filter(actor="ada", action="changed", organisation=made.pk)
    assert [one.subject for one in changed.order_by("pk")] == ["organisation", *["licence"] * 4]


@pytest.mark.parametrize(
    "terms",
    [
        {"from": "2026-12-31", "until": "2026-01-01"},
        {"from": "soon"},
        {"platforms": "-1"},
        {"platforms": "٣"},
        {"pools": "9" * 30},
        {"grace": "100000"},
    ],
)
def test_a_licence_that_cannot_be_meant_is_refused_with_a_sentence_and_what_was_typed(
    client: Client, terms: dict[str, str]
) -> None:
    made = make_organisation()
    answer = client.post(f"/organisations/{made.pk}/licences", terms | {"people_a_month": "77"})

    assert answer.status_code == 400
    assert b'role="alert"' in answer.content
    assert b'value="77"' in answer.content
    assert Licence.objects.count() == 1


def test_names_from_outside_neither_run_nor_turn_what_stands_beside_them(client: Client) -> None:
    made = make_organisation("<b>Upper</b>", contact="<i>desk</i>")
    make_platform(made, f"https://moodle.example.org/{HOSTILE}", make_pool())
    make_meeting(site=HOSTILE)
    for path in (
        "/organisations",
        f"/organisations/{made.pk}",
        "/unclaimed",
        f"/unclaimed/claim?pool={HOSTILE}&site={HOSTILE}",
    ):
        shown = page(client, path)
        assert "<script>alert" not in shown
        assert "\u202e" not in re.sub('value="[^"]*"', "", shown)  # a field sends back what it was
        assert "<b>Upper" not in shown


def test_three_thousand_organisations_come_a_hundred_at_a_time_and_are_found_by_name(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    Organisation.objects.bulk_create([Organisation(name=f"School {number:04}", added_at=0) for number in range(3000)])
    with django_assert_max_num_queries(20):
        shown = page(client, "/organisations?page=2")
    assert shown.count('<th scope="row">') == 100
    assert "School 0100" in shown
    assert "3000 organisations" in shown
    assert "School 2999" in page(client, "/organisations?name=2999")
    assert "There is no organisation of that name" in page(client, "/organisations?name=nowhere")
    for odd in ("0", "-1", "x", "9" * 40, "٣"):
        assert "School 0000" in page(client, f"/organisations?page={odd}")


@pytest.mark.parametrize(
    "path",
    ["/organisations", "/organisations/{pk}", "/unclaimed", "/unclaimed/claim?pool=a&site=b"],
)
def test_the_pages_of_operators_are_nobody_elses(django_user_model: Any, path: str) -> None:
    made = make_organisation()
    client = Client()
    client.force_login(staff(django_user_model, "emmy", made))

    answer = client.get(path.format(pk=made.pk))
    assert answer.status_code == 403
    assert b"Upper School" not in answer.content
    assert Client().get(path.format(pk=made.pk)).status_code == 302


@pytest.mark.parametrize(
    "path",
    [
        "/organisations",
        "/organisations/{pk}/edit",
        "/organisations/{pk}/licences",
        "/organisations/{pk}/licences/ended",
        "/unclaimed/claim",
        "/claims/1/remove",
    ],
)
def test_nothing_is_changed_by_others_or_by_a_form_of_another_site(django_user_model: Any, path: str) -> None:
    made = make_organisation()
    theirs, ours = Client(), Client(enforce_csrf_checks=True)
    theirs.force_login(staff(django_user_model, "emmy", made))
    ours.force_login(operator(django_user_model, "ada"))

    assert theirs.post(path.format(pk=made.pk), {"name": "Mine"}).status_code == 403
    assert ours.post(path.format(pk=made.pk), {"name": "Mine"}).status_code == 403
    assert Licence.objects.get().ends_at is None
    assert Organisation.objects.get().name == "Upper School"


# --- nobody's meetings ------------------------------------------------------------------------------------------------


def test_what_is_nobodys_is_listed_by_site_and_server_given_and_taken_back(client: Client) -> None:
    for number in range(3):
        make_meeting(site="https://old.example.org", internal=f"old-{number}")
    make_meeting(site="https://new.example.org", server="bbb2", day="2026-11-23")
    shown = page(client, "/unclaimed")
    assert shown.index("new.example.org") < shown.index("old.example.org")

    made = make_organisation()
    platform = make_platform(made, "https://moodle.example.org")
    asked = {"pool": "bbb1", "site": "https://old.example.org"}
    assert "moodle.example.org</option>" in page(client, "/unclaimed/claim?pool=bbb1&site=https://old.example.org")
    answer = client.post("/unclaimed/claim", asked | {"owner": f"{made.pk}-{platform.pk}"})
    assert answer["Location"] == "/unclaimed?said=claimed"
    held = Claim.objects.get()
    assert (held.organisation, held.platform, held.claimed_by) == (made, platform, "ada")
    assert "old.example.org" in page(client, f"/organisations/{made.pk}")

    assert client.post(f"/claims/{held.pk}/remove")["Location"] == f"/organisations/{made.pk}?said=released"
    assert not Claim.objects.exists()
    assert client.post(f"/claims/{held.pk}/remove").status_code == 404


@pytest.mark.parametrize("owner", ["", "0", "x", "1-999", "-", "9" * 19, "{pk}-{foreign}"])
def test_a_claim_for_nobody_or_by_a_foreign_platform_is_refused(client: Client, owner: str) -> None:
    make_meeting(site="https://old.example.org")
    made, other = make_organisation(), make_organisation("Lower School")
    foreign = make_platform(other, "https://moodle.example.org")
    typed = {"pool": "bbb1", "site": "https://old.example.org", "owner": owner.format(pk=made.pk, foreign=foreign.pk)}

    assert client.post("/unclaimed/claim", typed).status_code == 400
    assert not Claim.objects.exists()


def test_what_a_platform_owns_cannot_be_claimed(client: Client) -> None:
    made = make_organisation()
    make_platform(make_organisation("Lower School"), "https://moodle.example.org", make_pool())
    typed = {"pool": "bbb1", "site": "https://moodle.example.org", "owner": str(made.pk)}
    answer = client.post("/unclaimed/claim", typed)

    assert answer.status_code == 400
    assert b"are a platform&#x27;s already" in answer.content


# --- one's own licence ------------------------------------------------------------------------------------------------


def test_staff_read_their_licence_and_nothing_of_another_organisation(django_user_model: Any, noon: int) -> None:
    made = make_organisation(ends_at=noon + 5 * DAY, platforms=3, people_a_month=10, contact="desk@school.example")
    make_platform(made, "https://moodle.example.org")
    make_platform(make_organisation("Lower School"), "https://lower.example.org")
    client = Client()
    client.force_login(staff(django_user_model, "emmy", made))
    shown = page(client, "/licence")

    assert "The licence of Upper School ends within 5 days, on Fri 27 Nov 2026, 12:00." in shown
    assert "1 of 3" in shown
    assert "desk@school.example" in shown
    assert "moodle.example.org" in shown
    assert "lower.example.org" not in shown
    assert "Your licence ends within 5 days" in page(client, "/meetings")


def test_the_administrator_of_an_lms_reads_it_without_any_word_or_number_of_another_lms(noon: int) -> None:
    made = make_organisation(ends_at=noon + 5 * DAY, platforms=3)
    make_platform(made, "https://moodle.example.org")
    request = RequestFactory().get("/licence")
    request.user = AnonymousUser()
    let_in(request, Reader(role=Role.ADMINISTRATOR, name="4", organisation=made.pk, site="https://moodle.example.org"))

    alone = licence(request).content.decode()
    assert "ends within 5 days" in alone
    assert "1 of 3" in alone
    make_platform(made, "https://other.example.org", client_id="2")
    shown = licence(request).content.decode()
    assert "moodle.example.org" in shown
    assert "other.example.org" not in shown
    assert "2 of 3" not in shown


@pytest.mark.parametrize("role", [Role.INSTRUCTOR, Role.LEARNER])
def test_nobody_else_of_an_lms_reads_it(role: Role) -> None:
    made = make_organisation()
    request = RequestFactory().get("/licence")
    let_in(
        request,
        Reader(role=role, name="4", organisation=made.pk, site="https://a.example", context_id="1", user_id="4"),
    )
    with pytest.raises(RollcallError) as refused:
        licence(request)
    assert refused.value.status == 403


def test_it_can_be_read_after_its_end_too(django_user_model: Any, noon: int) -> None:
    client = Client()
    client.force_login(staff(django_user_model, "emmy", make_organisation(ends_at=noon)))

    shown = page(client, "/licence")
    assert "ended on" in shown
    assert "Its classes are recorded until" in shown
    assert "Your licence ends" not in page(client, "/meetings", 403)


def test_an_operator_is_sent_to_all_of_them(client: Client) -> None:
    assert client.get("/licence")["Location"] == "/organisations"


# --- an account about itself ------------------------------------------------------------------------------------------


def test_an_account_sees_its_sessions_and_ends_one_or_all_others(django_user_model: Any) -> None:
    ada, emmy = operator(django_user_model, "ada"), operator(django_user_model, "emmy")
    here, there, elsewhere, other = (Client() for _ in range(4))
    for one in (here, there, elsewhere):
        one.force_login(ada)
    other.force_login(emmy)
    there_pk = sorted(one.pk for one in sessions_of(ada))[1]

    assert page(here, "/account").count("Sign out</button>") == 3  # two others, and the frame's own
    assert here.post(f"/account/sessions/{sessions_of(emmy)[0].pk}/end").status_code == 404
    assert here.post(f"/account/sessions/{there_pk}/end")["Location"] == "/account?said=signed-out"
    assert there.get("/account").status_code == 302
    assert here.post("/account/sessions/end")["Location"] == "/account?said=others-out"
    assert elsewhere.get("/account").status_code == 302
    assert here.get("/account").status_code == other.get("/account").status_code == 200


def test_a_new_password_needs_the_old_one_and_ends_the_other_sessions(django_user_model: Any) -> None:
    ada = operator(django_user_model, "ada", password=PASSWORD)
    here, there = Client(), Client()
    here.force_login(ada)
    there.force_login(ada)
    new = "another long password"

    def change(old: str, one: str, two: str) -> Any:
        return here.post("/account/password", {"old_password": old, "new_password1": one, "new_password2": two})

    assert b"The old password is not right" in change("wrong", new, new).content
    assert change(PASSWORD, new, "other long password").status_code == 400
    assert change(PASSWORD, "short", "short").status_code == 400
    assert there.get("/account").status_code == 200
    assert change(PASSWORD, new, new)["Location"] == "/account?said=password"
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 302
    ada.refresh_from_db()
    assert ada.check_password(new)


def test_the_old_password_cannot_be_guessed_there(django_user_model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rollcall.web.sign_in._TRIES", 2)
    client = Client()
    client.force_login(operator(django_user_model, "ada", password=PASSWORD))
    typed = {"old_password": "wrong", "new_password1": "x" * 20, "new_password2": "x" * 20}
    for _try in range(2):
        assert client.post("/account/password", typed).status_code == 400
    assert client.post("/account/password", typed | {"old_password": PASSWORD}).status_code == 429


def test_signing_in_and_failing_to_is_noted_without_what_was_typed(django_user_model: Any) -> None:
    operator(django_user_model, "ada", password=PASSWORD)
    for name in ("ada", "my secret password"):
        Client().post("/login", {"username": name, "password": "wrong"})
    Client().post("/login", {"username": "ada", "password": PASSWORD})

    noted = AuditEntry.objects.order_by("pk").values_list("action", "actor")
    assert list(noted) == [("sign-in-failed", "ada"), ("sign-in-failed", "?"), ("signed-in", "ada")]


# --- the menu ---------------------------------------------------------------------------------------------------------


LISTS = ["/", "/meetings", "/attendances", "/people", "/courses", "/use"]


def test_the_menu_leads_to_what_one_may_see_and_nowhere_else(client: Client, django_user_model: Any) -> None:
    theirs = Client()
    theirs.force_login(staff(django_user_model, "emmy", make_organisation()))

    def menu(of: Client) -> list[str]:
        return re.findall(r'<li><a href="([^"]+)"', page(of, "/account"))

    assert menu(client) == [*LISTS, "/activities", "/deliveries", "/servers", "/organisations", "/audit"]
    assert menu(theirs) == [*LISTS, "/activities", "/deliveries", "/licence", "/audit"]
    for of in (client, theirs):
        for address in menu(of):
            assert of.get(address).status_code == 200, address
