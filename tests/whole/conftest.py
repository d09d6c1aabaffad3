"""What the tests of whole instances share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests import programs
from tests.whole.demo import Demo, reading, running_demo

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """`rollcall demo` until the last test that reads it: tests/conftest.py puts them together."""
    with running_demo(tmp_path_factory.mktemp("demo")) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium. Not for the session: while it is there, Django believes that code is asynchronous."""
    from playwright.sync_api import sync_playwright

    path = programs.need("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path)
        yield chromium
        chromium.close()


@pytest.fixture
def teacher(demo: Demo, browser: Browser) -> Iterator[BrowserContext]:
    """Somebody in Athens who is signed in; no page may log an error."""
    with reading(demo, browser) as context:
        yield context


@pytest.fixture
def page(teacher: BrowserContext) -> Page:
    """Theirs."""
    return teacher.new_page()
