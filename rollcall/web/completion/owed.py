"""How far the verdicts of some people are on their way to the LMS, in the words that everybody is told it in."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from rollcall.deliveries.completions.told import OwedInWords, tell
from rollcall.store.owed import Owed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rollcall.store.completions import Completion
    from rollcall.store.decisions import Activity


def owed_of(activity: Activity, people: Iterable[Completion]) -> Mapping[bytes, Sequence[OwedInWords]]:
    """By the key of each person, a line for each target that is switched on."""
    keys = [bytes(one.user_key) for one in people]
    rows = Owed.objects.filter(target__activity=activity, target__is_on=True, user_key__in=keys).defer("reasons")
    found: defaultdict[bytes, list[OwedInWords]] = defaultdict(list)
    for row in rows.select_related("target__receiver__platform").order_by("target", "pk"):
        found[bytes(row.user_key)].append(tell(row))
    return found
