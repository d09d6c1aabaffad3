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

from bench.live import events_at, running_class, so_far
from bench.load import fire
from bench.requests import HOOK, SECRET
from rollcall.simulate.classes import Plan
from tests import programs
from tests.whole.demo import _is_a_fault
from tests.whole.instance import Instance, register, running, tell
from tests.whole.lms import Lms, serving

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Frame, Page, Playwright

    from rollcall.simulate.truth import Truth

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

_FOLDED = """
import django, time
django.setup()
from rollcall.store.derived import Course
until = time.monotonic() + 60
while not Course.objects.exists() and time.monotonic() < until:
    time.sleep(0.1)
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
    truth: Truth
    happened: int = 0

    def is_later(self, seconds: int) -> None:
        """From now on it is so much later than it is."""
        self.clock.write_text(str(seconds))

    def happens(self) -> str:
        """Somebody new joins; their name."""
        self.happened += 1
        fire(int(self.instance.url.rpartition(":")[2]), events_at(self.truth.root, self.happened), 1, 30)
        return f"Probe {self.happened:04}"


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
        truth = running_class(PEOPLE)
        fire(port, so_far(truth), 1, 60)
        tell({**env, "DJANGO_SETTINGS_MODULE": "rollcall.settings"}, _FOLDED)
        yield School(instance, lms, clock, truth)


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
    context.on("console", lambda message: errors.append(message.text) if is_a_fault(message) else None)
    yield context
    context.close()
    assert errors == []


def is_a_fault(message: ConsoleMessage) -> bool:
    """What the browser complains of; but whoever types on calls back what was asked before."""
    return _is_a_fault(message) and not re.match("htmx:(afterRequest|sendAbort),", message.text)


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


def opened(frame: Frame, path: str) -> Frame:
    """A page of this visit, by its address."""
    frame.goto(frame.evaluate("path => location.origin + document.documentElement.dataset.in + path.slice(1)", path))
    return frame


def has_plain_name(frame: Frame | Page) -> bool:
    """Whether the address only names the visit; else it opens it."""
    return bool(re.search("/in/[0-9a-f]{16}/", frame.url))


def test_a_launch_leads_to_the_course(context: BrowserContext, school: School, keeps: Keeps) -> None:
    frame = launched(context, school)
    assert has_plain_name(frame) is keeps.parted
    assert "/courses/" in frame.url
    assert frame.locator(".error-page").count() == 0
    assert frame.locator(".brand").count() == 0
    assert frame.locator("form[action='/logout'], form[action$='/logout']").count() == 0


def test_a_list_is_searched_as_one_types_and_leads_to_a_class(context: BrowserContext, school: School) -> None:
    frame = opened(launched(context, school), "/attendances")
    row = frame.locator(".rows-box tbody tr").first
    name = row.locator("th a").inner_text()
    frame.evaluate("window.isTheSamePage = true")

    frame.get_by_label("Full name", exact=True).press_sequentially(name, delay=20)
    frame.wait_for_function("name => new URLSearchParams(location.search).get('name') === name", arg=name)
    assert frame.evaluate("window.isTheSamePage")
    assert "/in/" in frame.url

    with frame.expect_navigation():
        frame.evaluate("location.reload()")
    assert frame.evaluate("window.isTheSamePage === undefined")
    assert frame.get_by_label("Full name", exact=True).input_value() == name
    frame.locator(".rows-box tbody th a").first.click()
    frame.wait_for_url(re.compile("/in/[^/]+/(people|meetings)/"))


def test_a_class_that_runs_changes_by_itself(context: BrowserContext, school: School) -> None:
    frame = opened(launched(context, school), "/meetings/1")
    with frame.page.expect_response(re.compile("/live/")):
        frame.evaluate("location.reload()")
    name = school.happens()
    frame.locator(".person", has_text=name).wait_for(timeout=CHANGE_MS)
    addresses = frame.evaluate("[...document.querySelectorAll('#live [href]')].map(one => one.getAttribute('href'))")
    assert addresses
    assert {one[:4] for one in addresses} <= {"/in/", "#"}


def test_a_file_is_fetched(context: BrowserContext, school: School, tmp_path: Path) -> None:
    frame = opened(launched(context, school), "/meetings/1")
    with frame.page.expect_download() as download:
        frame.get_by_role("link", name="CSV").click()
    download.value.save_as(tmp_path / "class.csv")
    assert len((tmp_path / "class.csv").read_text().splitlines()) > PEOPLE


def test_a_form_is_posted_and_the_language_stays(context: BrowserContext, school: School) -> None:
    frame = opened(launched(context, school), "/meetings")
    frame.get_by_role("button", name="العربية").click()
    frame.locator("html[lang=ar][dir=rtl]").wait_for()
    assert frame.url.endswith("/meetings")
    frame.locator(".rows-box tbody th a").first.click()
    frame.wait_for_url(re.compile("/in/[^/]+/meetings/1"))
    assert frame.locator("html").get_attribute("lang") == "ar"


def test_it_survives_an_hour_of_rest_and_a_reload_but_not_the_day(context: BrowserContext, school: School) -> None:
    frame = opened(launched(context, school), "/meetings")
    for hours in (1, 3):
        school.is_later(hours * HOUR)
        frame.evaluate("location.reload()")
        frame.locator(".rows-box tbody th a").first.click()
        frame.wait_for_url(re.compile("/in/[^/]+/meetings/1"))
        opened(frame, "/meetings")

    school.is_later(7 * HOUR)
    frame.evaluate("location.reload()")
    frame.get_by_role("heading", name="Your visit is over.").wait_for()
    assert frame.get_by_role("link").count() == 1  # to the content of this page


def test_a_page_that_stays_open_for_hours_goes_on(context: BrowserContext, school: School, keeps: Keeps) -> None:
    frame = opened(launched(context, school), "/meetings")
    first = frame.url
    for hours in (2, 4):
        school.is_later(hours * HOUR)
        with frame.page.expect_response(re.compile("/in/[^/]+/meetings")):  # it asks for itself
            pass
        frame.wait_for_timeout(500)
    assert (frame.url == first) is keeps.parted
    school.is_later(6 * HOUR)
    frame.evaluate("location.reload()")
    frame.get_by_role("link", name="Attendance", exact=True).click()
    frame.wait_for_url(re.compile("/attendances"))
    frame.locator(".rows-box tbody th a").first.wait_for()


def test_a_search_in_a_visit_that_is_over_says_so(context: BrowserContext, school: School) -> None:
    frame = opened(launched(context, school), "/attendances")
    school.is_later(13 * HOUR)
    frame.get_by_label("Full name", exact=True).press_sequentially("a")
    frame.get_by_role("heading", name="Your visit is over.").wait_for()


def test_a_new_window_shows_the_same_and_each_goes_on(context: BrowserContext, school: School, keeps: Keeps) -> None:
    frame = opened(launched(context, school), "/attendances?sort=name")
    for _ in range(2):
        with context.expect_page() as opening:
            frame.get_by_role("button", name="Open in a new window").click()
        window = opening.value
        window.locator("html[data-zone='Europe/Athens'] .rows-box").wait_for(timeout=CHANGE_MS)
        assert window.url.endswith("/attendances?sort=name")
        assert has_plain_name(window) is keeps.parted
        assert window.evaluate("window.opener") is None
        window.get_by_role("link", name="Meetings", exact=True).click()
        window.locator(".rows-box tbody th a").first.wait_for()
    opened(frame, "/meetings").locator(".rows-box tbody th a").first.wait_for()


def test_two_launches_beside_each_other_are_two_visits(context: BrowserContext, school: School) -> None:
    teacher = launched(context, school)
    learner = launched(context, school, "learner")
    opened(teacher, "/meetings").locator(".rows-box tbody th a").first.wait_for()
    assert "/people/" in learner.url
    learner.evaluate("location.reload()")
    assert "/people/" in learner.url


def test_it_is_of_use_on_a_telephone(context: BrowserContext, school: School) -> None:
    frame = launched(context, school)
    frame.page.set_viewport_size({"width": 320, "height": 640})
    for path in ("/meetings", "/meetings/1", "/nowhere"):
        opened(frame, path)
        assert frame.evaluate("document.documentElement.scrollWidth") <= 320
