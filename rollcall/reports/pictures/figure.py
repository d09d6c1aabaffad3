"""A picture in a page: its title, itself, what it shows in words, and its numbers as a table that is opened."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from django.utils.safestring import SafeString, mark_safe

from rollcall.reports.pictures import drawing
from rollcall.reports.to_html import to_html
from rollcall.wording.translating import gettext as _

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from rollcall.reports.pictures.drawing import Drawn


def figure(drawn: Drawn, zone: tzinfo) -> SafeString:
    """One picture. What is wider than the page is moved in a box of its own, which the keyboard reaches."""
    picture = drawn.picture
    name, kind, title = escape(picture.name), drawing.kind_of(picture.name), escape(picture.title)
    svg = picture.svg
    if ' class="picture fluid' not in svg:
        svg = f'<div class="picture-box" tabindex="0" role="region" aria-label="{title}">{svg}</div>'
    table = to_html(drawn.table, zone, caption=picture.title)
    return mark_safe(  # noqa: S308 - texts are escaped here, and where the picture and the table are drawn
        f'<figure class="picture-figure of-{kind}" id="picture-{name}">'
        f'<figcaption id="picture-{name}-title">{title}</figcaption>{svg}'
        f'<p class="picture-text">{escape(picture.text)}</p>'
        f'<details data-key="picture-{name}">'
        f'<summary id="picture-{name}-same">{escape(_("The same as a table"))}</summary>'
        f'<div class="picture-table" tabindex="0" role="region" '
        f'aria-labelledby="picture-{name}-title picture-{name}-same">{table}</div></details></figure>'
    )


def figures(several: Iterable[Drawn], zone: tzinfo) -> SafeString:
    """Pictures beside each other, where there is room."""
    inside = "".join(figure(one, zone) for one in several)
    return mark_safe(f'<div class="picture-figures">{inside}</div>')  # noqa: S308 - as above
