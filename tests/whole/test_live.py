"""A running class in a real browser, from the webhook on: soon, without a jump, through restarts and bad proxies."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench.live import end, events_at, running_class, so_far
from bench.load import fire
from bench.requests import HOOK, SECRET
from rollcall.simulate.truth import Does
from tests.whole.instance import Instance, register, rollcall, running
from tests.whole.test_serve import children, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Route

    from rollcall.simulate.truth import Truth

PEOPLE = 40
SOON_MS = 10_000
RESTART_MS = 60_000
WIDTHS = (320, 768, 1440)


@dataclass
class Class:
    """A server on which a class runs, and the cookies of a teacher who is signed in to it."""

    instance: Instance
    truth: Truth
    signed_in: Any
    happened: int = field(default=0)

    @property
    def port(self) -> int:
        return int(self.instance.url.rpartition(":")[2])

    def happens(self, *does: Does) -> str:
        """Somebody new joins, and does that; their name."""
        self.happened += 1
        fire(self.port, events_at(self.truth.root, self.happened, *does), 1, 30)
        return f"Probe {self.happened:04}"


@contextmanager
def started(home: Path, browser: Browser) -> Iterator[Class]:
    """A class of forty people that began half an hour ago."""
    env = {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
        "ROLLCALL_DATA": str(home / "data"),
        "TZ": "UTC",
    }
    with running(env, home) as instance:
        register(env, "bbb.invalid", SECRET, HOOK)
        truth = running_class(PEOPLE)
        context = browser.new_context(base_url=instance.url)
        page = context.new_page()
        page.goto(
            "/login/link/" + rollcall(env, "user", "add", "teacher", "--link").rpartition("/login/link/")[2].strip()
        )
        lesson = Class(instance, truth, context.storage_state())
        fire(lesson.port, so_far(truth), 1, 60)
        wait_until(lambda: page.goto("/meetings/1/live").status == 200, "the page of the class")  # type: ignore[union-attr]
        context.close()
        yield lesson


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Class]:
    """One for every test that does not end it: they come in any order."""
    with started(tmp_path_factory.mktemp("live"), browser) as lesson:
        yield lesson


@contextmanager
def reading(lesson: Class, browser: Browser) -> Iterator[BrowserContext]:
    """Signed in, in Athens; no script may fail."""
    context = browser.new_context(
        base_url=lesson.instance.url,
        storage_state=lesson.signed_in,
        timezone_id="Europe/Athens",
        viewport={"width": 1280, "height": 900},
    )
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context
    context.close()
    assert errors == []


@pytest.fixture
def teacher(lesson: Class, browser: Browser) -> Iterator[BrowserContext]:
    """Who reads it."""
    with reading(lesson, browser) as context:
        yield context


@pytest.fixture
def page(teacher: BrowserContext) -> Page:
    """The live page, which has its stream."""
    page = teacher.new_page()
    return opened(page)


def opened(page: Page, path: str = "/meetings/1/live") -> Page:
    """Once the stream has said something: until then the page is as the server drew it."""
    with page.expect_response(re.compile("/live/")):
        page.goto(path)
    page.wait_for_timeout(500)
    return page


def test_who_joins_is_seen_soon_and_read_out(page: Page, lesson: Class) -> None:
    page.evaluate("window.isTheSamePage = true")
    before = int(page.locator("#count-in dd").inner_text())
    name = lesson.happens()
    page.locator("#live-room li", has_text=name).wait_for(timeout=SOON_MS)
    assert page.locator("#count-in dd").inner_text() == str(before + 1)
    assert "joined" in page.locator("#live-moves li", has_text=name).inner_text()
    page.wait_for_function("name => document.getElementById('live-news').textContent.includes(name)", arg=name)
    assert page.evaluate("window.isTheSamePage")
    assert page.locator("#live-status").inner_text() == ""


def test_a_hand_and_a_camera_are_seen(page: Page, lesson: Class) -> None:
    name = lesson.happens(Does.RAISES_HAND, Does.STARTS_CAMERA, Does.CHATS)
    page.locator("#live-hands li", has_text=name).wait_for(timeout=SOON_MS)
    one = page.locator("#live-room li", has_text=name)
    one.locator(".sign.chat").wait_for(timeout=SOON_MS)
    assert "Hand up since" in one.inner_text()
    assert "Camera on since" in one.inner_text()


def test_the_meeting_page_shows_the_same_signs_and_changes_row_by_row(teacher: BrowserContext, lesson: Class) -> None:
    page = opened(teacher.new_page(), "/meetings/1")
    first = page.locator(".person summary").first
    first.click()
    page.evaluate("document.querySelector('.person').isTheSameRow = true")
    name = lesson.happens(Does.RAISES_HAND)
    page.locator("#live-hands li", has_text=name).wait_for(timeout=SOON_MS)
    page.locator(".person summary", has_text=name).wait_for(timeout=SOON_MS)
    assert page.locator(".person details").first.get_attribute("open") is not None
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_focus_scroll_and_what_is_marked_stay(page: Page, lesson: Class) -> None:
    page.set_viewport_size({"width": 360, "height": 600})
    marked = page.locator("#live-room li a").nth(3)
    focused = page.locator("#live-room li a").last
    focused.focus()
    page.wait_for_function("() => scrollY > 100")
    page.wait_for_timeout(1_000)  # it glides there
    focus, top = focused.get_attribute("href"), page.evaluate("scrollY")
    marked.evaluate("one => getSelection().selectAllChildren(one)")
    text = page.evaluate("String(getSelection())")
    name = lesson.happens()
    page.locator("#live-room li", has_text=name).wait_for(timeout=SOON_MS)
    assert page.evaluate("document.activeElement.getAttribute('href')") == focus
    assert page.evaluate("String(getSelection())") == text
    assert abs(page.evaluate("scrollY") - top) < 200


def test_what_was_not_shown_for_marked_text_is_shown_after_it(page: Page, lesson: Class) -> None:
    page.locator("#live-counters").evaluate("one => getSelection().selectAllChildren(one)")
    before = page.locator("#count-in dd").inner_text()
    name = lesson.happens()
    page.locator("#live-room li", has_text=name).wait_for(timeout=SOON_MS)
    assert page.locator("#count-in dd").inner_text() == before
    page.evaluate("getSelection().removeAllRanges()")
    page.wait_for_function(
        "before => document.querySelector('#count-in dd').textContent !== before", arg=before, timeout=SOON_MS
    )


def test_nothing_moves_for_who_wants_it_still(lesson: Class, browser: Browser) -> None:
    for motion, animated in (("reduce", "none"), ("no-preference", "live-new")):
        context = browser.new_context(
            base_url=lesson.instance.url,
            storage_state=lesson.signed_in,
            reduced_motion=motion,  # type: ignore[arg-type]
        )
        page = opened(context.new_page())
        new = page.locator("#live-room li", has_text=lesson.happens())
        new.wait_for(timeout=SOON_MS)
        assert new.evaluate("one => getComputedStyle(one).animationName") == animated
        context.close()


def test_no_width_scrolls_sideways(page: Page) -> None:
    for path in ("/meetings/1/live", "/meetings/1"):
        opened(page, path)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide == 0, f"{path} at {width} px is {wide} px too wide"


def test_behind_a_proxy_that_passes_no_stream_on_the_page_still_changes(page: Page, lesson: Class) -> None:
    held: list[Route] = []
    page.route(re.compile(r"/live/[^?]*$"), lambda route: held.append(route))  # noqa: PLW0108 - playwright writes into what it is given
    page.goto("/meetings/1/live")
    page.wait_for_function(
        "() => document.getElementById('live-status').textContent.includes('every few seconds')", timeout=RESTART_MS
    )
    name = lesson.happens()
    page.locator("#live-room li", has_text=name).wait_for(timeout=SOON_MS)
    assert held


def test_a_line_that_died_unnoticed_is_opened_again(page: Page, lesson: Class) -> None:
    """As after a laptop's sleep: the browser thinks that the stream is open."""
    page.clock.install()
    page.goto("/meetings/1/live")
    page.clock.run_for(1_000)
    page.wait_for_timeout(1_000)
    with page.expect_response(re.compile("/watch"), timeout=SOON_MS):
        page.clock.fast_forward(3_600_000)
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.clock.run_for(1_000)
    page.clock.resume()
    name = lesson.happens()
    page.locator("#live-room li", has_text=name).wait_for(timeout=SOON_MS)


def test_everybody_sees_what_happened_while_the_web_process_was_away(page: Page, lesson: Class) -> None:
    page.evaluate("window.isTheSamePage = true")
    process = lesson.instance.process.pid
    killed = children(process)["web"]
    os.kill(killed, signal.SIGKILL)
    name = lesson.happens()
    page.locator("#live-room li", has_text=name).wait_for(timeout=RESTART_MS)
    page.wait_for_function("() => document.getElementById('live-status').textContent === ''", timeout=RESTART_MS)
    assert page.evaluate("window.isTheSamePage")
    assert children(process)["web"] != killed
    later = lesson.happens()
    page.locator("#live-room li", has_text=later).wait_for(timeout=SOON_MS)


def test_the_end_of_the_class_is_told(tmp_path: Path, browser: Browser) -> None:
    with started(tmp_path, browser) as lesson, reading(lesson, browser) as context:
        page = opened(context.new_page())
        fire(lesson.port, [end(lesson.truth.root)], 1, 30)
        page.wait_for_function(
            "() => document.getElementById('live-status').textContent === 'The meeting has ended.'", timeout=SOON_MS
        )
        page.goto("/meetings/1/live")
        assert page.url.endswith("/meetings/1")
