"""Who decided something, by name: an account has one, of a user of an LMS it stands in the directory of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from rollcall.core.access import Role
from rollcall.store.derived import Person
from rollcall.store.keys import person_key
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollcall.store.decisions import Decision
    from rollcall.store.searching.activities import FoundActivity

_OF_LMS: Final = frozenset({Role.INSTRUCTOR, Role.ADMINISTRATOR})


def author_names(of: FoundActivity, rows: Iterable[Decision]) -> dict[int, str]:
    """By the id of each decision. Of whoever was never in a class their user id is all that is known."""
    several = list(rows)
    keys = {row.pk: person_key(of.site, row.author, of.organisation) for row in several if row.role in _OF_LMS}
    found = Person.objects.filter(key__in=set(keys.values()), is_user=True).values_list("key", "name")
    names = {bytes(key): name for key, name in found if name.strip()}
    return {row.pk: _name(row, names.get(keys.get(row.pk, b""))) for row in several}


def _name(row: Decision, name: str | None) -> str:
    if name is not None:
        return visible(name)
    if row.role in _OF_LMS:
        return _("user %(id)s of the LMS") % {"id": visible(row.author)}
    return visible(row.author)
