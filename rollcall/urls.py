"""Which view answers which address."""

from __future__ import annotations

urlpatterns: list[object] = []
