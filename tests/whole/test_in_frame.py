"""Rollcall in the frame of an LMS, in a real browser that keeps all cookies, some, or none, and no storage."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench.live import running_class, so_far
from bench.load import fire
from bench.requests import HOOK, SECRET
from rollcall.simulate.classes import Plan
from tests import programs
from tests.whole.demo import _is_a_fault
from tests.whole.instance import Instance, register, running
from tests.whole.lms import Lms, serving

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Frame, Page, Playwright

PEOPLE = 12
HOUR = 3600
CHANGE_MS = 60_000

_CLOCK = """
import sys, time
if "web" in sys.orig_argv:
    real = time.time_ns
    def moved():
        with open({path!r}) as file:
            return real() + int(file.read() or 0) * 1_000_000_000
    time.time_ns = moved
"""


@dataclass(frozen=True)
class Keeps:
    """What a browser is told to keep; whether a whole and a partitioned cookie of a frame then come back."""

    preferences: dict[str, Any]
    whole: bool
    parted: bool


BROWSERS = {
    "no-cookies": Keeps({"default_content_setting_values": {"cookies": 2}}, whole=False, parted=False),
    "no-others": Keeps({"cookie_controls_mode": 1}, whole=False, parted=True),
    "all-cookies": Keeps({"cookie_controls_mode": 0}, whole=True, parted=True),
}


@dataclass
class School:
    """A Rollcall with a class that runs, its LMS, and the clock of the one that answers pages."""

    instance: Instance
    lms: Lms
    clock: Path

    def is_later(self, seconds: int) -> None:
        """From now on it is so much later than it is."""
        self.clock.write_text(str(seconds))


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    home = tmp_path_factory.mktemp("framed")
    clock = home / "clock"
    clock.write_text("0")
    (home / "sitecustomize.py").write_text(_CLOCK.format(path=str(clock)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
        "PYTHONPATH": os.pathsep.join([str(home), str(Path(__file__).parents[2])]),
        "ROLLCALL_DATA": str(home / "data"),
        "ROLLCALL_URL": f"http://127.0.0.1:{port}",
        "TZ": "UTC",
    }
    plan = Plan()
    lms = Lms(env["ROLLCALL_URL"], f"https://{plan.origin}", str(plan.course))
    with serving(lms), running(env, home, "--port", str(port)) as instance:
        register(env, "bbb.invalid", SECRET, HOOK)
        lms.register(env)
        fire(port, so_far(running_class(PEOPLE)), 1, 60)
        yield School(instance, lms, clock)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield started


@contextmanager
def browser_that(playwright: Playwright, keeps: Keeps, profile: Path, **how: Any) -> Iterator[BrowserContext]:
    """A browser that was told so by its preferences: no option decides it. No page of it may log an error."""
    (profile / "Default").mkdir(parents=True)
    (profile / "Default" / "Preferences").write_text(json.dumps({"profile": keeps.preferences}))
    context = playwright.chromium.launch_persistent_context(
        profile, executable_path=programs.need("chromium"), timezone_id="Europe/Athens", **how
    )
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    context.on("console", lambda message: errors.append(message.text) if _is_a_fault(message) else None)
    yield context
    context.close()
    assert errors == []


@pytest.fixture(scope="module", params=list(BROWSERS))
def keeps(request: pytest.FixtureRequest) -> Keeps:
    return BROWSERS[request.param]


@pytest.fixture(scope="module")
def context(playwright: Playwright, keeps: Keeps, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    with browser_that(playwright, keeps, tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(autouse=True)
def _now(school: School) -> None:
    school.is_later(0)


def launched(context: BrowserContext, school: School, role: str = "instructor") -> Frame:
    """The frame in the LMS's page, when the first page stands in it."""
    page = context.new_page()
    page.goto(f"{school.lms.url}/course?role={role}")
    return settled(page)


def settled(page: Page) -> Frame:
    """The frame; its times are the browser's, so it has told its zone and was loaded again."""
    frame = page.frame("tool")
    assert frame is not None
    frame.locator("html[data-zone='Europe/Athens'] main h1").wait_for(timeout=CHANGE_MS)
    return frame


def test_the_browser_keeps_what_it_was_told_to(context: BrowserContext, school: School, keeps: Keeps) -> None:
    page = context.new_page()
    page.goto(f"{school.lms.url}/probe")
    frame = page.frame("tool")
    assert frame is not None
    frame.locator("#cookies").wait_for(state="attached")
    cookies = frame.locator("#cookies").text_content() or ""
    assert ("whole=1" in cookies, "parted=1" in cookies) == (keeps.whole, keeps.parted)
    storage = frame.evaluate("() => { try { localStorage.length; return true } catch (error) { return false } }")
    assert storage is keeps.whole


def test_a_course_is_read_in_a_frame(context: BrowserContext, school: School, keeps: Keeps) -> None:
    frame = launched(context, school)
    assert bool(re.search("/in/[0-9a-f]{16}/", frame.url)) is keeps.parted

    frame.goto(moved(frame, "/meetings"))
    frame.locator(".rows-box tbody th a").first.click()
    frame.locator(".person").first.wait_for(timeout=CHANGE_MS)
    assert "/in/" in frame.url


def moved(frame: Frame, path: str) -> str:
    """The address of a page of ours in this visit."""
    return str(frame.evaluate("path => document.documentElement.dataset.in + path.slice(1)", path))
