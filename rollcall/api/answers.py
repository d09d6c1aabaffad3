"""What the API answers with: JSON with an ETag, or a problem (RFC 9457); each says how much of the rate is left."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

import msgspec
from django.http import HttpResponse

from rollcall.api.rate import headers_of

if TYPE_CHECKING:
    from django.http import HttpRequest

    from rollcall.core.errors import RollcallError

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"

_encode = msgspec.json.Encoder().encode


def answer(request: HttpRequest, body: Any, *, status: int = 200, **headers: str) -> HttpResponse:  # noqa: ANN401
    """The body as JSON (bytes are JSON already); 304 if the one who asks has just these bytes."""
    content = body if isinstance(body, bytes) else _encode(body)
    tag = f'"{blake2b(content, digest_size=16).hexdigest()}"'
    is_known = status == 200 and tag in {one.strip() for one in request.headers.get("If-None-Match", "").split(",")}
    response = HttpResponse(status=304) if is_known else HttpResponse(content, status=status, content_type=JSON)
    return _with(request, response, {"ETag": tag, **headers})


def nothing(request: HttpRequest) -> HttpResponse:
    """204."""
    return _with(request, HttpResponse(status=204), {})


def problem(request: HttpRequest, error: RollcallError, **headers: str) -> HttpResponse:
    """What went wrong, in a form of which programs know the fields."""
    body = {
        "type": f"urn:rollcall:problem:{error.code}",
        "title": str(error),
        "status": error.status,
        "code": error.code,
        "hint": error.hint,
    }
    response = HttpResponse(_encode(body), status=error.status, content_type=PROBLEM)
    return _with(request, response, headers)


def _with(request: HttpRequest, response: HttpResponse, headers: dict[str, str]) -> HttpResponse:
    for name, value in {**headers_of(request), **headers}.items():
        response[name.replace("_", "-")] = value
    return response
