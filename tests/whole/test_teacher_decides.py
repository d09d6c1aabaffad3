"""A teacher says what counts, sees whom it hits, knows better of one, and thinks better of it, in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.whole.demo import CHANGE_MS

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def await_judged(page: Page, what: Locator) -> None:
    """Load the page again until the worker has judged."""
    for _ in range(CHANGE_MS // 500):
        if what.count():
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(f"{what} has not come")


def test_from_what_counts_to_a_red_name_to_a_correction_and_back(page: Page) -> None:
    page.goto("/activities")
    page.locator(".activities li", has_text="Nothing is set yet").locator("h2 a").first.click()
    page.wait_for_url(re.compile(r"/activities/\w+$"))
    page.locator(".presets a", has_text="At least 45 minutes").click()
    page.locator("form.policy button[value=preview]").click()
    preview = page.locator(".preview")
    preview.wait_for()
    assert "45" in preview.locator("li").first.inner_text()
    if not preview.locator("details.loses[open]").count():
        preview.locator("details.loses summary").click()
    loses = preview.locator("details.loses li")
    name = loses.locator("bdi").first.inner_text()
    foretold = loses.locator(".about").first.inner_text()
    preview.locator("button[value=publish]").click()
    page.wait_for_url(re.compile(r"said=published"))

    red = page.locator(".people-verdicts li", has_text=name)
    await_judged(page, red)
    assert red.locator(".verdict").inner_text() == "not met"
    assert red.locator("p").first.inner_text() == foretold
    red.locator("h2 a").click()
    page.wait_for_url(re.compile(r"/people/"))
    assert page.locator("h1 bdi").inner_text() == name
    assert page.locator(".because").inner_text() == foretold

    page.locator("input[name=verdict][value=met]").check()
    page.locator("#reason").fill("The line broke down, and they followed by telephone.")
    page.locator("button[value=correct]").click()
    page.wait_for_url(re.compile(r"said=corrected"))
    await_judged(page, page.locator("h1 .verdict.met"))
    assert foretold in page.locator(".because").inner_text()
    assert "they followed by telephone" in page.locator("#corrections ~ ul").inner_text()

    page.locator("button[value=undo]").click()
    page.wait_for_url(re.compile(r"said=undone"))
    await_judged(page, page.locator("h1 .verdict.not-met"))
    assert page.locator(".because").inner_text() == foretold
    assert page.locator(".is-undone").count() == 1
