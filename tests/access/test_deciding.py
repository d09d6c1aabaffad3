"""Who changes anything of an activity: nobody who sees it in part or not at all, no learner, no program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rollcall.store.decisions import Decision
from rollcall.store.keys import key_of
from tests.access.asking import said_by, somebody
from tests.access.places import ADA, BOB

if TYPE_CHECKING:
    from tests.access.places import School

pytestmark = pytest.mark.django_db

PAGES = ("/policy", "/classes", f"/people/{key_of(ADA).hex()}", "/sending")
FORM = {"act": "publish", "share": "80", "verdict": "met", "class": "all", "reason": "qwhy"}


def address(school: School, meeting: str) -> str:
    return f"/activities/{bytes(school.meetings[meeting].activity_key).hex()}"


@pytest.mark.parametrize(
    ("name", "meeting", "status"),
    [
        ("instructor of red", "aoneone", 403),
        ("instructor of red", "aoneblue", 403),
        ("instructor of no group", "aoneone", 403),
        ("ada in A1 one", "aoneone", 403),
        ("staff of B", "aoneone", 404),
        ("administrator of A2", "aoneone", 404),
        ("instructor of A1 two", "aoneone", 404),
    ],
)
def test_whoever_may_not_decide_is_refused_whatever_is_sent(
    school: School, name: str, meeting: str, status: int
) -> None:
    someone, before = somebody(school, name), Decision.objects.count()
    for page in PAGES:
        assert someone.post(address(school, meeting) + page, FORM).status_code == status, page
    assert Decision.objects.count() == before


@pytest.mark.parametrize("name", ["operator", "staff of A", "administrator of A1", "instructor of A1 one"])
def test_whoever_sees_all_of_it_may(school: School, name: str) -> None:
    someone, before = somebody(school, name), Decision.objects.count()
    path = address(school, "aoneone")
    assert someone.post(f"{path}/policy", FORM | {"seen": "1"}).status_code == 303
    assert someone.post(f"{path}/people/{key_of(ADA).hex()}", FORM | {"act": "correct"}).status_code == 303
    assert Decision.objects.count() == before + 2


@pytest.mark.parametrize(("name", "is_shown"), [("instructor of A1 one", True), ("instructor of red", False)])
def test_forms_are_shown_to_whoever_may_send_them_alone(school: School, name: str, is_shown: bool) -> None:
    someone, path = somebody(school, name), address(school, "aoneone")
    for page in ("/policy", "/classes", f"/people/{key_of(BOB).hex()}"):
        main = said_by(someone.get(path + page)).partition("<main")[2].partition("</main>")[0]
        assert ("<form" in main) is is_shown, page
