"""What is shown of a watched meeting, in parts that are found again by their ids, and what is new of it.

Whoever comes gets all of it, whoever stays gets the parts that differ: of a class of 300 the person who came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec


@dataclass(frozen=True, slots=True)
class Part:
    """One element of the page with this id. While `mark` is the same it needs not be drawn again."""

    id: str
    html: str
    mark: object = None


@dataclass(frozen=True, slots=True)
class Fragment:
    """`frame` is HTML with a comment where each list of parts stands: `<!--live-room-->` within `<ul id="live-room">`.

    `present` names everybody who is in, by key, and `hands` who has a hand up, for what is read out; `total` is a
    sentence on all of it.
    """

    frame: str
    lists: Mapping[str, Sequence[Part]] = field(default_factory=dict)
    present: Mapping[str, str] = field(default_factory=dict)
    hands: Mapping[str, str] = field(default_factory=dict)
    total: str = ""
    is_last: bool = False

    def html(self) -> str:
        """All of it."""
        whole = self.frame
        for name, parts in self.lists.items():
            whole = whole.replace(f"<!--{name}-->", "".join(part.html for part in parts), 1)
        return whole

    def marked(self) -> dict[str, Part]:
        """Every part by id, for the next one to take what has not changed."""
        return {part.id: part for parts in self.lists.values() for part in parts}


class Change(msgspec.Struct, frozen=True):
    """What a page that shows the one fragment does to show the next: take out, then put in, in this order.

    `put` is (list, id, id of the part it stands before or blank for the end, HTML or None if it only moves).
    `news` are sentences to be read out, `total` one that stands for many.
    """

    cut: tuple[str, ...] = ()
    put: tuple[tuple[str, str, str, str | None], ...] = ()
    news: tuple[str, ...] = ()
    total: str = ""

    def is_nothing(self) -> bool:
        """Nothing to see."""
        return not self.cut and not self.put


def change(old: Fragment, new: Fragment, news: Iterable[str] = ()) -> Change | None:
    """How to get from one to the other by parts; None if what is around them differs."""
    if old.frame != new.frame or old.lists.keys() != new.lists.keys():
        return None
    cut: list[str] = []
    put: list[tuple[str, str, str, str | None]] = []
    for name, parts in new.lists.items():
        gone, fresh = _of_list(old.lists[name], parts)
        cut += gone
        put += [(name, *one) for one in fresh]
    return Change(tuple(cut), tuple(put), tuple(news), new.total)


def _of_list(old: Sequence[Part], new: Sequence[Part]) -> tuple[list[str], list[tuple[str, str, str | None]]]:
    """From the last to the first, so that each finds the one it stands before."""
    before, after = {part.id: part for part in old}, {part.id for part in new}
    gone = [part.id for part in old if part.id not in after]
    is_in_order = [part.id for part in old if part.id in after] == [part.id for part in new if part.id in before]
    fresh: list[tuple[str, str, str | None]] = []
    following = ""
    for part in reversed(new):
        known = before.get(part.id)
        if known is None or known.html != part.html:
            fresh.append((part.id, following, part.html))
        elif not is_in_order:
            fresh.append((part.id, following, None))
        following = part.id
    return gone, fresh
