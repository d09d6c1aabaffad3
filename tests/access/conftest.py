"""One school for all tests of a module: making it takes longer than asking for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.db import transaction

from tests.access.judged import judge
from tests.access.places import School, build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.plugin import DjangoDbBlocker


@pytest.fixture(scope="module")
def school(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[School]:
    """Inside a transaction that is given up when the module is done; each test has a savepoint in it."""
    with django_db_blocker.unblock(), transaction.atomic():
        school = build()
        judge(school)
        yield school
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _each_look_is_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setenv("ROLLCALL_URL", "https://rollcall.example.org")
