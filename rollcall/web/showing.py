"""What templates show of texts from outside."""

from __future__ import annotations

from django import template

from rollcall.wording.visible import visible

register = template.Library()


@register.filter(name="visible")
def shown(text: object) -> str:
    """Written out where it could hide something or turn what stands beside it."""
    return visible("" if text is None else str(text))
