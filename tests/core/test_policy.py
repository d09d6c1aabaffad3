"""Which version of a policy judges a class."""

from __future__ import annotations

import pytest

from rollcall.core.policy import Condition, Join, Policy, Quantity, in_force

CONDITION = Condition(Quantity.CHATS, 1)


@pytest.mark.parametrize(
    ("starts", "began_at", "wanted"),
    [
        ([], 5, None),
        ([6], 5, None),
        ([5], 5, 0),
        ([0, 5], 4, 0),
        ([0, 5], 5, 1),
        ([5, 0], 7, 1),
        ([0, 9, 3], 8, 2),
        ([0, 9, 3], 2, 0),
        ([0, 9, 3], 10, 2),
    ],
)
def test_the_last_one_published_of_those_that_had_started_judges_a_class(
    starts: list[int], began_at: int, wanted: int | None
) -> None:
    versions = [Policy(conditions=(CONDITION,), starts_at=at) for at in starts]
    assert in_force(versions, began_at) == wanted


@pytest.mark.parametrize(
    ("many", "join", "wanted"), [(1, Join.ANY, False), (2, Join.ANY, True), (2, Join.ALL, False), (0, Join.ANY, False)]
)
def test_there_is_a_choice_only_between_several_conditions(many: int, join: Join, wanted: bool) -> None:
    assert Policy(conditions=(CONDITION,) * many, join=join).is_choice() is wanted
