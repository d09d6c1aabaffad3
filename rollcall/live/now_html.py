"""The live class as HTML: written here and not in a template, because much of it is drawn again for every event."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from django.template.loader import render_to_string
from django.utils.translation import ngettext

from rollcall import environment
from rollcall.live.fragment import Fragment, Part
from rollcall.live.now import read_now
from rollcall.reports import words
from rollcall.reports.details import summary_detail
from rollcall.store import reading
from rollcall.store.reading import State
from rollcall.wording.translating import gettext as _
from rollcall.wording.translating import remembering
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import tzinfo

    from rollcall.live.now import Move, Now, Present
    from rollcall.store.derived import Summary

SILENT_ROUNDS: Final = 3
A_MINUTE_MS: Final = 60_000
"""When a webhook came is known to the minute."""

MOST_MOVES: Final = 20
"""At the beginning of a class everybody has just come: the newest of them are shown, the others counted."""
MOST_NEWS: Final = 3
"""More than so many names are a number."""


def fragment(summary: Summary, *, as_of: int, zone: tzinfo) -> Fragment:
    """The live page of a class."""
    people = reading.attendees(summary)
    now = read_now(people, as_of=as_of)
    with remembering():
        lists = {
            "live-counters": _counters(now),
            "live-doubts": [*_silence(summary, as_of, zone), *_doubts(summary, zone)],
            "live-hands": [_hand(one, summary, zone) for one in now.hands],
            "live-moves": [*_moves(now.moves[:MOST_MOVES], summary, zone), *_more_moves(now)],
            "live-room": [_person(one, summary, zone) for one in now.present],
        }
    return Fragment(
        frame=render_to_string("_live.html"),
        lists=lists,
        present={one.key: one.name for one in now.present},
        hands={one.key: one.name for one in now.hands},
        total=total(now),
        is_last=reading.state_of(summary, as_of=as_of) is not State.RUNNING,
    )


def total(now: Now) -> str:
    """All of it in a sentence."""
    number = len(now.present)
    return ngettext("%(count)d person is in now.", "%(count)d people are in now.", number) % {"count": number}


def signs(summary: Summary, now: Now, zone: tzinfo) -> dict[str, list[Part]]:
    """The counters, raised hands and latest moves alone, for the page of the meeting."""
    with remembering():
        return {
            "live-counters": _counters(now),
            "live-hands": [_hand(one, summary, zone) for one in now.hands],
            "live-moves": [*_moves(now.moves[:MOST_MOVES], summary, zone), *_more_moves(now)],
        }


# --- what is read out -------------------------------------------------------------------------------------------------


def news(old: Fragment, new: Fragment) -> list[str]:
    """Who joined, left and raised a hand; of many only how many."""
    joined = [name for key, name in new.present.items() if key not in old.present]
    left = [name for key, name in old.present.items() if key not in new.present]
    hands = [name for key, name in new.hands.items() if key not in old.hands]
    return [
        *_told(joined, _("%(name)s joined."), _many_joined),
        *_told(left, _("%(name)s left."), _many_left),
        *_told(hands, _("%(name)s raised a hand."), _many_hands),
    ]


def _told(names: Sequence[str], of_one: str, of_many: Callable[[int], str]) -> list[str]:
    if len(names) > MOST_NEWS:
        return [of_many(len(names))]
    return [of_one % {"name": visible(name).strip() or _("(no name)")} for name in names]


def _many_joined(count: int) -> str:
    return ngettext("%(count)d person joined.", "%(count)d people joined.", count) % {"count": count}


def _many_left(count: int) -> str:
    return ngettext("%(count)d person left.", "%(count)d people left.", count) % {"count": count}


def _many_hands(count: int) -> str:
    return ngettext("%(count)d person raised a hand.", "%(count)d people raised a hand.", count) % {"count": count}


# --- parts ------------------------------------------------------------------------------------------------------------


def _counters(now: Now) -> list[Part]:
    return [
        _counter("in", _("In now"), str(len(now.present))),
        _counter("hands", _("Hands up"), str(len(now.hands))),
        _counter("cameras", _("Cameras on"), str(now.cameras)),
        _counter("chats", _("Chat messages"), str(now.chats)),
        _counter("peak", _("Most at once"), str(now.peak)),
        _counter("all", _("Here in all"), str(now.everybody)),
    ]


def _counter(name: str, label: str, value: str) -> Part:
    part = f"count-{name}"
    return Part(part, f'<div id="{part}" class="count {name}"><dt>{escape(label)}</dt><dd>{value}</dd></div>')


def _silence(summary: Summary, as_of: int, zone: tzinfo) -> list[Part]:
    """That the server has said nothing for a while: nobody knows who is in, whatever stands below."""
    server = reading.server_of(summary.pool_name)
    heard_at = max(server.polled_at or 0, server.arrived_at or 0) if server is not None else 0
    silent_ms = SILENT_ROUNDS * 1000 * environment.POLL_SECONDS.read_whole_number() + A_MINUTE_MS
    if not heard_at or as_of - heard_at < silent_ms:
        return []
    told = _("Nothing has been heard of the server since %(time)s: who is in now is not known.")
    said = escape(told % {"time": words.near_day_and_clock(heard_at, zone)})
    return [Part("silence", f'<p id="silence" class="alert alert-warning">{said}</p>')]


def _doubts(summary: Summary, zone: tzinfo) -> list[Part]:
    """What lasts and keeps something from being seen."""
    blind = (one for one in summary_detail(summary.detail).blind if one[1] is None)
    return [
        Part(f"blind-{n}", f'<p id="blind-{n}" class="alert alert-warning">{escape(words.blind(*one, zone))}</p>')
        for n, one in enumerate(blind)
    ]


def _hand(one: Present, summary: Summary, zone: tzinfo) -> Part:
    since = _("since %(time)s") % {"time": words.clock(one.hand_at, zone)}
    shown = f'<li id="hand-{one.key}">{_icon("hand")} {_name(one, summary)} <small>{escape(since)}</small></li>'
    return Part(f"hand-{one.key}", shown)


def _moves(moves: Iterable[Move], summary: Summary, zone: tzinfo) -> list[Part]:
    return [_move(one, summary, zone) for one in moves]


def _move(one: Move, summary: Summary, zone: tzinfo) -> Part:
    part = f"move-{one.key}-{one.at}-{int(one.has_joined)}"
    kind = "joined" if one.has_joined else "left"
    told = escape(_move_text(one, zone))
    shown = f'<li id="{part}" class="{kind}">{_name(one, summary)} <small>{told}</small></li>'
    return Part(part, shown)


def _move_text(one: Move, zone: tzinfo) -> str:
    time = {"time": words.clock(one.at, zone)}
    if one.has_joined:
        return (_("joined %(time)s") if one.is_told else _("in by %(time)s")) % time
    return (_("left %(time)s") if one.is_told else _("last seen %(time)s")) % time


def _more_moves(now: Now) -> list[Part]:
    if (more := len(now.moves) - MOST_MOVES) <= 0:
        return []
    text = ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more}
    return [Part("move-more", f'<li id="move-more" class="more">{escape(text)}</li>')]


def _person(one: Present, summary: Summary, zone: tzinfo) -> Part:
    classes = "".join(
        f" {name}" for name, at in (("has-hand", one.hand_at), ("is-away", one.away_at)) if at is not None
    )
    role = f' <small class="role">{escape(words.role("", one.kind))}</small>' if one.kind != "user" else ""
    if one.role == "MODERATOR":
        role = f' <small class="role">{escape(words.role(one.role, one.kind))}</small>'
    shown = f'<li id="in-{one.key}" class="one{classes}"><span class="name">{_name(one, summary)}{role}</span>'
    return Part(f"in-{one.key}", f"{shown}{_signs(one, zone)}</li>")


def _name(one: Present | Move, summary: Summary) -> str:
    """Each leads to what was heard of them."""
    name = f"<bdi>{escape(visible(one.name))}</bdi>" if one.name.strip() else escape(_("(no name)"))
    return f'<a href="/meetings/{summary.meeting_id}/facts/{one.key}">{name}</a>'


def _signs(one: Present, zone: tzinfo) -> str:
    shown = [
        _lasting("hand", _("Hand up since %(time)s"), one.hand_at, zone),
        _lasting("camera", _("Camera on since %(time)s"), one.camera_at, zone),
        _lasting("away", _("Away since %(time)s"), one.away_at, zone),
    ]
    if one.chats:
        told = ngettext("%(count)d chat message or more", "%(count)d chat messages or more", one.chats)
        shown.append(_sign("chat", told % {"count": one.chats}, str(one.chats)))
    return f'<span class="signs">{"".join(shown)}</span>' if any(shown) else ""


def _lasting(name: str, text: str, at: int | None, zone: tzinfo) -> str:
    if at is None:
        return ""
    clock = words.clock(at, zone)
    return _sign(name, text % {"time": clock}, clock[:5])


def _sign(name: str, text: str, shown: str) -> str:
    """An icon with a short text for the eye, the whole one for the ear and the pointer."""
    title = escape(text)
    return (
        f'<span class="sign {name}" title="{title}">{_icon(name)}<span aria-hidden="true">{escape(shown)}</span>'
        f'<span class="visually-hidden">{title}</span></span>'
    )


def _icon(name: str) -> str:
    return f'<svg class="icon" aria-hidden="true" focusable="false"><use href="#icon-{name}"/></svg>'
