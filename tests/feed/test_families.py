from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from rollcall.feed.families import find_roots, is_better_parent

KEYS = {meeting: bytes([meeting]) for meeting in range(30)}


def test_a_meeting_without_a_parent_is_its_own_root() -> None:
    assert find_roots({1: None}, KEYS) == {1: 1}


def test_a_deep_chain_has_one_root() -> None:
    assert find_roots({1: None, 2: 1, 3: 2, 4: 3}, KEYS) == {1: 1, 2: 1, 3: 1, 4: 1}


def test_parents_in_a_circle_have_the_smallest_key_as_root_and_what_hangs_on_them_too() -> None:
    assert find_roots({5: 4, 4: 3, 3: 5, 6: 5}, KEYS) == {5: 3, 4: 3, 3: 3, 6: 3}


@given(st.dictionaries(st.integers(0, 29), st.integers(0, 29) | st.none(), max_size=30), st.randoms())
def test_the_order_of_the_meetings_changes_no_root(parents: dict[int, int | None], chance: random.Random) -> None:
    whole = {above: None for above in parents.values() if above is not None} | parents
    whole = {meeting: above if above != meeting else None for meeting, above in whole.items()}
    shuffled = dict(chance.sample(list(whole.items()), k=len(whole)))
    roots = find_roots(whole, KEYS)
    assert find_roots(shuffled, KEYS) == roots
    assert roots.keys() == whole.keys()
    assert all(roots[root] == root for root in roots.values())
    assert all(roots[above] == roots[meeting] for meeting, above in whole.items() if above is not None)


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=2), st.booleans()), min_size=1), st.randoms())
def test_the_order_of_the_claims_changes_no_parent(claims: list[tuple[bytes, bool]], chance: random.Random) -> None:
    def best(of: list[tuple[bytes, bool]]) -> tuple[bytes, bool]:
        known: tuple[bytes, bool] = of[0]
        for key, is_told in of[1:]:
            if is_better_parent(known[0], key, known_was_told=known[1], new_is_told=is_told):
                known = key, is_told
        return known

    assert best(chance.sample(claims * 2, k=2 * len(claims))) == best(claims)
    assert best(claims)[1] == any(is_told for _, is_told in claims)
