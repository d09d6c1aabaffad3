"""The page of a meeting in parts: what stands above its people, and each of them with the row they open into."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from rollcall.live import now_html
from rollcall.live.fragment import Fragment, Part
from rollcall.live.now import read_now
from rollcall.reports.meeting_page import meeting_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import tzinfo

    from rollcall.store.derived import Attendance, Summary

_TABLE: Final = re.compile("(.*<thead)><tr>(.*)</tr>(</thead><tbody)>(.*)(</tbody></table>)", re.DOTALL)
_PERSON: Final = re.compile(
    '<tr (class="person.*?data-key="([0-9a-f]+)".*?</tr>\n)<tr (class="why".*?</tr>\n)', re.DOTALL
)
"""As to_html.attendees_to_html writes them. Texts are escaped there, so a `<` in it is a tag's."""


def fragment(summary: Summary, *, as_of: int, zone: tzinfo, after: str, known: Mapping[str, Part]) -> Fragment | None:
    """The page; None if there is nobody to go on from. Of `known` rows those stay of which nothing new was told."""
    shown = meeting_parts(summary, as_of=as_of, zone=zone, after=after)
    if shown is None:
        return None
    people = [row.attendance for row in shown["everybody"]]
    now = read_now(people, as_of=as_of)
    above = render_to_string("_meeting_above.html", shown)
    lists = {"live-above": [Part("live-about", f'<div id="live-about">{above}</div>')]}
    if shown["meeting"].is_running:
        lists |= now_html.signs(summary, now, zone)
    table = _TABLE.fullmatch(shown["table"])
    if table is not None:
        before, head, between, body, end = table.groups()
        columns = head.count("</th>")
        lists["live-head"] = [Part("live-columns", f'<tr id="live-columns">{head}</tr>')]
        marks = {bytes(one.attendee_key).hex(): (columns, *_mark(one)) for one in people}
        lists["live-rows"] = list(_rows(body, marks, known))
        placed = f'{before} id="live-head"><!--live-head-->{between} id="live-rows"><!--live-rows-->{end}'
        shown["table"] = mark_safe(placed)  # noqa: S308 - as attendees_to_html made it
    return Fragment(
        frame=render_to_string("_meeting.html", shown | {"is_in_parts": True}),
        lists=lists,
        present={one.key: one.name for one in now.present},
        hands={one.key: one.name for one in now.hands},
        total=now_html.total(now),
        is_last=not shown["meeting"].is_running,
    )


def _rows(body: str, marks: Mapping[str, object], known: Mapping[str, Part]) -> Iterator[Part]:
    for person, key, why in _PERSON.findall(body):
        mark = marks[key]
        for part in (
            Part(f"p-{key}", f'<tr id="p-{key}" {person}', mark),
            Part(f"w-{key}", f'<tr id="w-{key}" {why}', mark),
        ):
            before = known.get(part.id)
            yield before if before is not None and before.mark == mark else part


def _mark(one: Attendance) -> Sequence[Any]:
    """What of a row does not change by time alone."""
    return one.name, one.role, one.is_present, bytes(one.detail)
