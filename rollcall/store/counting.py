"""Counters in the cache, which forget by themselves; all processes share them where they share the cache."""

from __future__ import annotations

from django.core.cache import cache


def count(key: str, seconds: int) -> int:
    """Count one more: how many there are now, since the first of them, which is forgotten so many seconds later."""
    cache.add(key, 0, seconds)
    try:
        return cache.incr(key)
    except ValueError:  # it ran out, or was dropped, between the two
        cache.set(key, 1, seconds)
        return 1
