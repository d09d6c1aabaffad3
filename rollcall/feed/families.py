"""Which meeting is the root of a family: decided by who is whose parent, never by the order of news."""

from __future__ import annotations

from collections.abc import Mapping


def find_roots(parents: Mapping[int, int | None], keys: Mapping[int, bytes]) -> dict[int, int]:
    """The root of every meeting in `parents`; of parents that run in a circle, the one with the smallest key."""
    roots: dict[int, int] = {}
    for meeting in parents:
        path = _climb(meeting, parents, roots)
        last = path[-1]
        if (known := roots.get(last)) is not None:
            root = known
        elif (above := parents[last]) is None:
            root = last
        else:
            root = min(path[path.index(above) :], key=keys.__getitem__)
        roots.update(dict.fromkeys(path, root))
    return roots


def _climb(meeting: int, parents: Mapping[int, int | None], roots: Mapping[int, int]) -> list[int]:
    """From a meeting upwards: to the top, to one whose root is known, or once around a circle."""
    path = [meeting]
    while path[-1] not in roots and (above := parents[path[-1]]) is not None and above not in path:
        path.append(above)
    return path


def is_better_parent(
    known: bytes | None,
    new: bytes,
    *,
    known_was_told: bool,
    new_is_told: bool,
) -> bool:
    """Whether the parent with key `new` takes the place of the one with key `known`."""
    if known is None or known_was_told != new_is_told:
        return known is None or new_is_told
    return new < known
