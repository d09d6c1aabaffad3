"""Lists of an LMS, page by page, to their end."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Final, TypeVar
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from rollcall.lti.trouble import ServiceTrouble, Trouble
from rollcall.outgoing.asking import Reply

T = TypeVar("T")

PAGE: Final = 500
MOST_PAGES: Final = 200


async def each_page(
    url: str, ask: Callable[[str], Awaitable[Reply]], members: Callable[[Reply], list[T]], *, size: int | None = PAGE
) -> AsyncIterator[list[T]]:
    """The members of each page of the list at this address; ServiceTrouble if it has no end, or none within reason.

    With `size` None pages are as large as the LMS makes them, and there are more only where it says so.
    Pages are read in a thread: others wait on this loop, and an LMS may send as much as it likes.
    """
    following, link, visited = with_query(url, **_limit(size)), "", set[str]()
    before: list[T] | None = None
    while following:
        if following in visited or len(visited) >= MOST_PAGES:
            raise ServiceTrouble(Trouble.CUT_OFF)
        visited.add(following)
        reply = await ask(following)
        page = await asyncio.to_thread(members, reply)
        if page == before:
            if link:  # it was said that there are more
                raise ServiceTrouble(Trouble.CUT_OFF)
            return  # a list that knows no `from`: it was whole at once
        yield page
        link = next_link(reply.headers.get_list("link"))
        following, before = _following(following, link, len(page), size), page


def _limit(size: int | None) -> dict[str, str]:
    return {} if size is None else {"limit": str(size)}


def _following(url: str, link: str, found: int, size: int | None) -> str:
    """Where the next page is, blank after the last.

    A link to another host is not followed, for the token would go with it. Without a link of its own a page that is
    full may be one of several: the next is asked for by number.
    """
    if link:
        further = urljoin(url, link)
        if urlsplit(further)[:2] == urlsplit(url)[:2]:
            return further
    elif size is None or found < size:
        return ""
    start = dict(parse_qsl(urlsplit(url).query)).get("from", "0")
    passed = int(start) if start.isascii() and start.isdigit() else 0
    return with_query(url, **_limit(size), **{"from": str(passed + found)})


def with_query(url: str, **values: str) -> str:
    """The address with these in its query, in place of what it had under their names."""
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in values]
    return urlunsplit(parts._replace(query=urlencode([*kept, *values.items()])))


def next_link(headers: Iterable[str]) -> str:
    """Where a Link header says that the next page is; blank if it says nothing.

    Some are written by hand: with curly quotation marks around `next` (as UTF-8, or that read as Latin-1), and with
    `&amp;` for `&`.
    """
    for address, attributes in re.findall(r"<([^<>]*)>([^<]*)", ", ".join(headers)):
        found = re.search(r"\brel\s*=[^a-z]*([a-z ]+)", attributes, re.IGNORECASE)
        if found and "next" in found[1].lower().split():
            return html.unescape(address.strip())
    return ""
