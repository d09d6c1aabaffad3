"""Headers, files and zones: what stands around every page."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from rollcall.web.files import files, version
from tests.makers import operator

pytestmark = pytest.mark.django_db

STATIC = Path(__file__).parents[2] / "rollcall" / "web" / "static"


@pytest.mark.parametrize("address", ["/login", "/meetings", "/nope", "/login/link/x"])
def test_every_page_runs_only_our_files_and_is_kept_by_nobody(client: Client, address: str) -> None:
    headers = client.get(address).headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "no-store" in headers["Cache-Control"]
    assert "camera=()" in headers["Permissions-Policy"]


def test_cookies_are_not_for_scripts(client: Client, django_user_model: Any) -> None:
    operator(django_user_model, "ada", password="correct horse battery staple")
    client.post("/login", {"username": "ada", "password": "correct horse battery staple"})

    session = client.cookies["sessionid"]
    assert session["httponly"]
    assert session["samesite"] == "Lax"


def test_each_file_a_page_asks_for_is_there_and_cached_for_good(client: Client) -> None:
    page = client.get("/login").content.decode()
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)

    assert len(addresses) == 7
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200
        assert "immutable" in response["Cache-Control"]
        assert response["X-Content-Type-Options"] == "nosniff"


def test_a_file_comes_compressed_to_who_can_read_it(client: Client) -> None:
    plain = client.get("/static/rollcall.css")
    squeezed = client.get("/static/rollcall.css", headers={"accept-encoding": "gzip, br"})

    assert plain.content == (STATIC / "rollcall.css").read_bytes() == gzip.decompress(squeezed.content)
    assert squeezed["Content-Encoding"] == "gzip"
    assert plain["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" not in plain["Cache-Control"]
    assert client.get("/static/rollcall.css", headers={"if-none-match": plain["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    "path", ["/static/", "/static/../settings.py", "/static/%2e%2e/settings.py", "/static/nope.css"]
)
def test_nothing_else_is_given_out(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_another_content_is_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    from rollcall.web import files as module

    before = version()
    changed = files() | {"/static/zone.js": module.File(b"", b"", "text/javascript", "0")}
    monkeypatch.setattr(module, "files", lambda: changed)
    assert version.__wrapped__() != before


def test_vendored_files_are_as_their_makers_published_them() -> None:
    digests = {
        "bootstrap/bootstrap.min.css": "9caac977a0af0c2229abd397eee3345899c4020da2a1a0b711c1cc543fe3719d",
        "bootstrap/bootstrap.rtl.min.css": "9eaaeda632b9153c5574293ef02c2bcaeeefa14a81771c6e25fd46eb3aad3a0b",
        "htmx/htmx.min.js": "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717",
    }
    vendor = STATIC / "vendor"
    for name, digest in digests.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == digest
        assert (vendor / name).with_name("LICENSE").exists()


@pytest.mark.parametrize(
    ("cookie", "shown"),
    [
        ("Europe/Athens", "Europe/Athens"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("", "UTC"),
        ("Nowhere/Land", "UTC"),
        ("../../etc/passwd", "UTC"),
        ("/etc/passwd", "UTC"),
        ("x" * 5000, "UTC"),
        ("Europe", "UTC"),
    ],
)
def test_times_are_of_the_zone_the_browser_told(
    client: Client, django_user_model: Any, cookie: str, shown: str
) -> None:
    client.force_login(operator(django_user_model, "teacher"))
    client.cookies["zone"] = cookie

    assert f"Times are those of {shown}." in client.get("/meetings").content.decode()


def test_a_right_to_left_language_takes_the_right_to_left_build(client: Client) -> None:
    from django.utils import translation

    from rollcall.web.error_pages import not_found

    with translation.override("ar"):
        page = not_found(client.request().wsgi_request, Exception()).content.decode()
    assert 'dir="rtl"' in page
    assert "bootstrap.rtl.min.css" in page
