"""The plain way: a Django view that inserts one row with the ORM, on the same granian.

SQLite is set up exactly as Rollcall sets it up, so that both are equally durable. In its favour: no middleware, a
connection that stays open, and WSGI with one thread, since SQLite has one writer: more threads only wait for its lock.
By ASGI, as Rollcall is served, Django hands each request to a thread.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

urlpatterns: list[Any] = []


def application_on(databases: dict[str, Any], interface: str) -> Any:
    """The application, its one table made."""
    default = databases["default"] | {"CONN_MAX_AGE": None}
    settings.configure(DATABASES={"default": default}, ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], MIDDLEWARE=[])
    import django

    django.setup()
    from django.core.asgi import get_asgi_application
    from django.core.wsgi import get_wsgi_application
    from django.db import connection, models
    from django.http import HttpResponse
    from django.urls import re_path

    class Row(models.Model):
        objects: models.Manager[Row]
        received_at = models.BigIntegerField()
        body = models.BinaryField()

        class Meta:
            app_label = "bench"

    def view(request: HttpRequest) -> HttpResponse:
        Row.objects.create(received_at=time.time_ns() // 1_000_000, body=request.body)
        return HttpResponse("ok\n", headers={"Content-Length": "3"})

    urlpatterns.append(re_path("", view))
    with connection.schema_editor() as editor:
        editor.create_model(Row)
    connection.close()
    return get_asgi_application() if interface == "asgi" else get_wsgi_application()


def __getattr__(name: str) -> Any:
    """`wsgi` or `asgi`, made in the worker process that granian asks it of."""
    if name not in {"wsgi", "asgi"}:
        raise AttributeError(name)
    from rollcall.settings import DATABASES

    return application_on(DATABASES, name)
