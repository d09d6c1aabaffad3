"""What the doctor says of organisations: licences that end, more than they allow, and what is nobody's."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from rollcall.core.errors import Refused
from rollcall.doctor import organisations
from rollcall.doctor.findings import Level
from rollcall.store.derived import Person
from rollcall.store.keys import key_of
from rollcall.store.limits import month_of, require_room, uses
from tests.makers import make_meeting, make_organisation, make_platform, make_pool

pytestmark = pytest.mark.django_db

NOON = 1_795_348_800_000  # 22 November 2026
DAY = 86_400_000


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rollcall.store.licensing.now_ms", lambda: NOON)


def said() -> str:
    return "\n".join(f"{one.level} {one.about}: {one.sentence}" for one in organisations.check(NOON))


def people(organisation: Any, count: int, at: int = NOON) -> None:
    """So many users who were in a meeting that began then."""
    Person.objects.bulk_create(
        Person(
            key=key_of(organisation.name, str(at), str(number)),
            is_user=True,
            organisation=organisation.pk,
            site="",
            external_key=key_of(str(number)),
            sort_key=b"",
            last_at=at,
        )
        for number in range(count)
    )


def test_without_organisations_there_is_nothing_to_say() -> None:
    make_meeting(site="https://old.example.org")
    assert said() == ""


def test_all_that_are_well_are_one_line() -> None:
    for name in ("Upper School", "Lower School"):
        make_organisation(name, ends_at=NOON + 31 * DAY)
    assert said() == "fine organisations: Well, with a licence in force: 2 of 2."


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (30 * DAY, "ends within 30 days"),
        (7 * DAY, "ends within 7 days"),
        (DAY, "ends within 1 day,"),
        (1, "ends within 1 day,"),
    ],
)
def test_a_licence_that_ends_soon_is_named_with_its_days(left: int, told: str) -> None:
    make_organisation(ends_at=NOON + left)
    assert f"warning Upper School: The licence of Upper School {told}" in said()


def test_one_that_has_ended_is_named_with_what_becomes_of_its_classes() -> None:
    upper = make_organisation(ends_at=NOON, grace_ms=DAY)
    assert "ended on Sun 22 Nov 2026, 12:00. Its classes are recorded until Mon 23 Nov 2026, 12:00." in said()
    upper.licences.update(grace_ms=0)
    upper.not_kept = 3
    upper.save()
    assert "nothing of its classes is kept. Meetings that came nevertheless: 3." in said()


def test_what_is_nobodys_is_named() -> None:
    make_organisation()
    for number in range(5):
        make_meeting(site=f"https://old-{number}.example.org", day=f"2026-11-1{number}")
    assert "https://old-4.example.org, https://old-3.example.org, https://old-2.example.org and more." in said()
    assert Level.WARNING in {one.level for one in organisations.check(NOON)}


# --- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "is_told"), [(8, ""), (9, "nearly as many people"), (10, "nearly"), (11, "more people")]
)
def test_people_are_counted_in_the_month_and_told_from_nine_in_ten(count: int, is_told: str) -> None:
    upper = make_organisation(people_a_month=10)
    people(upper, count)
    people(upper, 20, at=month_of(NOON, UTC) - 1)
    people(make_organisation("Lower School"), 30)

    used = uses(upper.pk, NOON, UTC).people
    assert (used.used, used.is_near, used.is_over) == (count, count >= 9, count > 10)
    assert (is_told in said()) if is_told else ("people this month" not in said())


def test_how_many_people_is_answered_by_an_index_alone(django_assert_num_queries: Any) -> None:
    upper = make_organisation(people_a_month=10)
    with django_assert_num_queries(4):
        uses(upper.pk, NOON, UTC)
    query = Person.objects.filter(organisation=upper.pk, is_user=True, last_at__gte=NOON).order_by().values("pk")
    assert "USING COVERING INDEX person_by_last" in query.explain()


def test_nothing_is_added_above_a_limit_and_what_is_there_stays() -> None:
    upper = make_organisation(platforms=2, pools=1)
    here, there = make_pool(), make_pool("bbb2")
    require_room(upper, [here])
    make_platform(upper, "https://one.example.org", here)
    require_room(upper, [here])
    with pytest.raises(Refused, match="no room for another server") as refused:
        require_room(upper, [there], platforms=0)
    assert (refused.value.status, refused.value.code) == (403, "limit-reached")
    make_platform(upper, "https://two.example.org", here, client_id="2")
    with pytest.raises(Refused, match="no room for another platform"):
        require_room(upper)
    require_room(upper, [here], platforms=0)
    upper.platforms.filter(client_id="2").update(removed_at=1)
    require_room(upper, [here])
