"""The few files that pages need, answered from memory: small, compressed once, and cached by browsers for good.

Each page asks for them with their content's digest behind the question mark, so a new version is another address.
"""

from __future__ import annotations

import gzip
import mimetypes
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from django.http import HttpResponse, HttpResponseNotAllowed, HttpResponseNotModified

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

_FOLDER = Path(__file__).parent / "static"
_A_YEAR = "public, max-age=31536000, immutable"
_A_MINUTE = "public, max-age=60"


@dataclass(frozen=True, slots=True)
class File:
    """One file, as it is and compressed."""

    plain: bytes
    squeezed: bytes
    media_type: str
    digest: str


@cache
def files() -> dict[str, File]:
    """Every file by its path."""
    found = (path for path in _FOLDER.rglob("*") if path.is_file())
    return {f"/static/{path.relative_to(_FOLDER).as_posix()}": _read(path) for path in found}


def _read(path: Path) -> File:
    plain = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "text/plain"
    if media_type.startswith("text/"):
        media_type += "; charset=utf-8"
    return File(plain, gzip.compress(plain, mtime=0), media_type, blake2b(plain, digest_size=8).hexdigest())


@cache
def version() -> str:
    """The digest of all files together."""
    everything = (path + file.digest for path, file in sorted(files().items()))
    return blake2b("".join(everything).encode(), digest_size=8).hexdigest()


class StaticFiles:
    """Middleware: answers for the files, before anything asks who is there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        files()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer if it is a file that is asked for."""
        file = files().get(request.path_info)
        if file is None:
            return self.get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return _answer(request, file)


def _answer(request: HttpRequest, file: File) -> HttpResponse:
    etag = f'"{file.digest}"'
    response: HttpResponse = HttpResponseNotModified()
    if request.headers.get("If-None-Match") != etag:
        is_squeezed = "gzip" in request.headers.get("Accept-Encoding", "")
        response = HttpResponse(file.squeezed if is_squeezed else file.plain, content_type=file.media_type)
        if is_squeezed:
            response["Content-Encoding"] = "gzip"
    response["Vary"] = "Accept-Encoding"
    response["ETag"] = etag
    response["Cache-Control"] = _A_YEAR if request.GET.get("v") == version() else _A_MINUTE
    return response
