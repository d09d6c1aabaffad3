"""Parts of a page: whoever applies the changes sees what whoever comes anew sees."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rollcall.live.fragment import Change, Fragment, Part, change

LISTS = ("live-room", "live-moves")


def part(name: str, text: str = "") -> Part:
    return Part(name, f"<li id={name}>{text}</li>")


def fragment(*rooms: Part, frame: str = "<ul><!--live-room--></ul><ol><!--live-moves--></ol>") -> Fragment:
    return Fragment(frame, {"live-room": rooms, "live-moves": ()})


@st.composite
def fragments(draw: st.DrawFn) -> Fragment:
    names = st.lists(st.sampled_from("abcdefgh"), unique=True)
    texts = st.sampled_from(("", "1", "2"))
    lists = {one: tuple(part(f"{one}-{name}", draw(texts)) for name in draw(names)) for one in LISTS}
    return Fragment(fragment().frame, lists)


def shown_after(old: Fragment, found: Change) -> Fragment:
    """What static/live.js does."""
    lists = {name: list(parts) for name, parts in old.lists.items()}
    for parts in lists.values():
        parts[:] = [one for one in parts if one.id not in found.cut]
    for name, key, before, html in found.put:
        parts = lists[name]
        known = next((one for one in parts if one.id == key), None)
        if known is not None:
            parts.remove(known)
        fresh = known if html is None else Part(key, html)
        assert fresh is not None
        ids = [one.id for one in parts]
        parts.insert(ids.index(before) if before else len(parts), fresh)
    return Fragment(old.frame, lists)


@given(fragments(), fragments())
def test_changes_lead_from_any_state_to_any_other(old: Fragment, new: Fragment) -> None:
    found = change(old, new)
    assert found is not None
    assert shown_after(old, found).html() == new.html()
    assert found.is_nothing() == (old.html() == new.html())


def test_of_many_one_that_differs_is_sent_alone() -> None:
    old, new = (fragment(*(part(f"p{number}") for number in range(9)), part("last", text)) for text in "ab")
    found = change(old, new)
    assert found is not None
    assert found.put == (("live-room", "last", "", part("last", "b").html),)


def test_what_only_changes_its_place_is_not_sent_again() -> None:
    found = change(fragment(part("a"), part("b")), fragment(part("b"), part("a")))
    assert found is not None
    assert found.put == (("live-room", "a", "", None), ("live-room", "b", "a", None))


def test_another_frame_is_no_change_of_parts() -> None:
    assert change(fragment(), fragment(frame="<p><!--live-room--></p>")) is None


def test_a_text_that_looks_like_a_place_for_parts_is_none() -> None:
    html = fragment(part("a", "&lt;!--live-moves--&gt;")).html()
    assert "&lt;!--live-moves--&gt;" in html
    assert html.endswith("<ol></ol>")
