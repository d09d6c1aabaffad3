"""`rollcall demo` as tests use it: one for all of them, and somebody who is signed in to it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.whole.instance import PATIENCE_SECONDS, ROLLCALL

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

START_SECONDS = 120.0
CHANGE_MS = 60_000


@dataclass
class Demo:
    """A running one, and the cookies of somebody who is signed in to it."""

    process: subprocess.Popen[str]
    data: str
    url: str
    signed_in: Any

    @property
    def cookies(self) -> str:
        """The same for a program that is no browser."""
        return "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in self.signed_in["cookies"])


@contextlib.contextmanager
def running_demo(home: Path) -> Iterator[Demo]:
    """`rollcall demo` until the block ends; its link, which works once, signs in for all."""
    env = {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(home),
        "TZ": "UTC",
    }
    with (home / "demo.log").open("w") as log:
        command = [ROLLCALL, "--data", str(home / "data"), "demo", "--port", "0"]
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=log, text=True)
    give_up = threading.Timer(START_SECONDS, process.kill)
    give_up.start()
    try:
        link = _link(process)
        assert link, (home / "demo.log").read_text()
        give_up.cancel()
        yield Demo(process, str(home / "data"), link.partition("/login")[0], _sign_in(link))
    finally:
        give_up.cancel()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=PATIENCE_SECONDS)
        assert process.stdout is not None
        process.stdout.close()


def _link(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"http://\S+/login/link/\S+", line):
            return found[0]
    return ""


def _sign_in(link: str) -> Any:
    """What a browser keeps that followed the link."""
    jar = CookieJar()
    urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar)).open(link).close()
    return {
        "cookies": [
            {"name": one.name, "value": one.value, "domain": one.domain.removesuffix(".local"), "path": one.path}
            | {"expires": one.expires or -1, "httpOnly": True, "secure": False, "sameSite": "Lax"}
            for one in jar
        ],
        "origins": [],
    }


@contextlib.contextmanager
def reading(demo: Demo, browser: Browser, **how: Any) -> Iterator[BrowserContext]:
    """Somebody in Athens who is signed in; no page may log an error."""
    how = {"viewport": {"width": 1280, "height": 900}} | how
    context = browser.new_context(base_url=demo.url, storage_state=demo.signed_in, timezone_id="Europe/Athens", **how)
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    context.on("console", lambda message: errors.append(message.text) if _is_a_fault(message) else None)
    yield context
    context.close()
    assert errors == []


def _is_a_fault(message: ConsoleMessage) -> bool:
    """Whatever the browser complains of, except that a page which is refused is refused."""
    return message.type == "error" and not re.search(r"status of 40[034] \(", message.text)


def open_running(page: Page) -> None:
    """The page of the class that runs, as soon as there is one with somebody in it."""
    page.goto("/meetings?state=running")
    for _ in range(120):
        if page.locator("tbody th a").count():
            break
        page.wait_for_timeout(500)
        page.reload()
    page.locator("tbody th a").first.click()
    page.locator(".person").first.wait_for(timeout=CHANGE_MS)


def first_link(page: Page, address: str) -> str:
    """Where the first row of a list leads."""
    page.goto(address)
    return page.locator(".rows-box tbody th a").first.get_attribute("href") or ""
