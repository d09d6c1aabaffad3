"""A page's own addresses, moved below the address of a visit: in HTML, and in the headers that lead elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from django.http import HttpResponse

ATTRIBUTES: Final = (
    "href",
    "src",
    "action",
    "formaction",
    "hx-get",
    "hx-post",
    "hx-put",
    "hx-patch",
    "hx-delete",
    "hx-push-url",
    "hx-replace-url",
    "data-watch",
    "data-in",
)
"""Whatever else holds an address has to be named here; a test looks at every attribute of every page."""
HEADERS: Final = ("Location", "HX-Location", "HX-Redirect", "HX-Push-Url", "HX-Replace-Url")

# Files are everybody's, streams carry a signature of their own, and what is moved already stays.
_OURS: Final = r"/(?!/|static/|live/|in/)"
# Templates escape quotes in every text, so what looks like an attribute is one. Its name is looked at afterwards: a
# search that begins with a sign takes a third of the time.
_IN_HTML: Final = re.compile(rf"""=["']{_OURS}""")
_IN_HEADER: Final = re.compile(_OURS)
_LONGEST: Final = 2 + max(map(len, ATTRIBUTES))


def move(response: HttpResponse, prefix: str) -> None:
    """Whatever the page leads to, it leads to below `prefix` (`/in/…`, without a slash at its end)."""
    for name in HEADERS:
        if name in response.headers and _IN_HEADER.match(response.headers[name]):
            response.headers[name] = prefix + response.headers[name]
    if not response.streaming and response.headers.get("Content-Type", "").startswith("text/html"):
        page = response.content.decode()
        response.content = _moved(page, prefix).encode()
        if "Content-Length" in response.headers:
            response.headers["Content-Length"] = str(len(response.content))


def _moved(page: str, prefix: str) -> str:
    def move_one(found: re.Match[str]) -> str:
        begin = found.start()
        before = page[max(0, begin - _LONGEST) : begin].split()
        is_address = bool(before) and before[-1] in ATTRIBUTES
        return f"{found[0][:2]}{prefix}/" if is_address else found[0]

    return _IN_HTML.sub(move_one, page)
