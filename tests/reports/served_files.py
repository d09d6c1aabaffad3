"""A web server, started with `python -m tests.reports.served_files PORT`, whose files are long or break off."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from datetime import UTC

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path
from granian.constants import Interfaces
from granian.server.embed import Server

LONG = 1_000_000


def _rows(request: HttpRequest) -> Iterator[int]:
    """It says how far it was read, when nobody reads on."""
    at = 0
    try:
        for at in range(LONG):
            if request.GET.get("broken") and at == LONG // 20:
                raise RuntimeError("the database went away")
            yield at
    finally:
        sys.stdout.write(f"read {at}\n")
        sys.stdout.flush()


def file(request: HttpRequest, kind: str) -> HttpResponseBase:
    from rollcall.reports.files import file_response
    from rollcall.reports.rows import Column, Kind, Table

    columns = (Column("number", "Number", Kind.COUNT, lambda row: row),)
    table = Table("numbers/1", "numbers", columns, _rows(request))
    return file_response(table, kind, "numbers", zone=UTC, options=request.GET)


urlpatterns = [path("numbers.<str:kind>", file)]


def serve(port: int) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "rollcall.settings"
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []
    application = get_asgi_application()
    asyncio.run(Server(application, address="127.0.0.1", port=port, interface=Interfaces.ASGI).serve())


if __name__ == "__main__":
    serve(int(sys.argv[1]))
