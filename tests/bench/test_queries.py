"""The forty queries are forty, are asked as pages are, and every one of them is answered."""

from __future__ import annotations

import pytest

from bench.queries import Asked, Query, ask_all, fill, percentile, queries, results


def test_there_are_forty_each_with_a_name_of_its_own_and_a_limit() -> None:
    found = queries()
    assert len(found) == 40
    assert len({one.name for one in found}) == 40
    assert {one.limit_ms for one in found} == {100.0, 150.0, 1000.0}
    assert sum(one.is_bounded for one in found) > 20


def test_what_is_bounded_names_a_date_a_person_a_course_or_a_name() -> None:
    words = ("from=", "name=", "user=", "course=", "/people/", "/courses/")
    for one in queries():
        assert one.is_bounded == any(word in one.address for word in words), one.name


def test_percentiles_are_values_that_were_measured() -> None:
    assert percentile([3.0, 1.0, 2.0], 50) == 2.0
    assert percentile(range(1, 101), 95) == 95
    assert percentile([7.0], 95) == 7.0


def test_each_query_is_told_beside_its_limit_and_all_together() -> None:
    asked = [
        Asked(Query("a b", "/", is_bounded=True), "/", 90.0, took=[10.0, 20.0], database=[5.0, 5.0]),
        Asked(Query("hopeless", "/"), "/", 40_000.0),
    ]
    found = {one.name: one for one in results(asked, "sqlite")}
    assert found["queries.sqlite.a-b.p95"].ratio == 0.2
    assert found["queries.sqlite.a-b.worst"].value == 20.0
    assert found["queries.sqlite.bounded.first.p95"].value == 90.0
    assert found["queries.sqlite.other.p95"].ratio == 40.0
    assert found["queries.sqlite.database"].value == pytest.approx(100 / 3)


def test_every_query_has_an_answer(database: str) -> None:
    fill(6_000)
    asked = ask_all(queries(), rounds=1)
    assert {one.path: one.status for one in asked if one.status != 200} == {}, database
    assert all(len(one.took) == 1 for one in asked)
