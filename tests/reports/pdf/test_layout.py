"""How wide columns are."""

from __future__ import annotations

from rollcall.reports.pdf.layout import INSET, Layout, lay_out, wish

NAME = wish("Name", ["Ada Markou"], can_wrap=True)


def matrix(count: int, label: str, said: str) -> Layout:
    return lay_out([NAME, *[wish(label, [said], can_wrap=False)] * count], "a4")


def test_where_there_is_room_heads_stand_in_two_lines() -> None:
    head = "13 Nov 2026, 11:57"
    found = matrix(6, head, "–")
    assert not found.is_landscape
    assert all(
        2 * (width - 2 * INSET) >= wish(head, (), can_wrap=False).head * found.size for width in found.widths[1:]
    )
    assert abs(sum(found.widths) - (595.28 - 84)) < 0.01


def test_short_heads_of_many_columns_are_not_turned() -> None:
    assert not matrix(60, "7 Sept", "91–100%").has_tall_heads
    assert matrix(60, "Donnerstagabend", "3").has_tall_heads
