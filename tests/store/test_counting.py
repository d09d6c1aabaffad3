"""Counters in the cache: a number that goes up, and is forgotten after its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache

from rollcall.store.counting import count

if TYPE_CHECKING:
    import pytest


def test_each_key_is_counted_for_itself() -> None:
    cache.delete_many(["one", "other"])
    assert [count("one", 60), count("one", 60), count("other", 60), count("one", 60)] == [1, 2, 1, 3]


def test_what_is_dropped_between_looking_and_counting_is_counted_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.delete("dropped")
    monkeypatch.setattr(LocMemCache, "add", lambda *_, **__: True)
    assert [count("dropped", 60), count("dropped", 60)] == [1, 2]
