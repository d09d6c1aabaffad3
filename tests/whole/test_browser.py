"""`rollcall demo` in a real browser: what a teacher does with it."""

from __future__ import annotations

import csv
import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.whole.demo import CHANGE_MS, Demo, open_running
from tests.whole.instance import rollcall

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS = (320, 360, 768, 1024, 1280, 1440)


def await_change(page: Page) -> None:
    """Until the server has sent another state."""
    before = page.locator("#live").inner_html()
    page.wait_for_function(
        "before => document.getElementById('live').innerHTML !== before", arg=before, timeout=CHANGE_MS
    )


def first_person(page: Page) -> str:
    page.goto("/people")
    return page.locator("tbody th a").first.inner_text()


def test_the_running_class_changes_on_its_page_without_a_reload(page: Page) -> None:
    open_running(page)
    page.evaluate("window.isTheSamePage = true")
    summary = page.locator(".person summary").first
    key = page.locator(".person details").first.get_attribute("data-key")
    summary.click()
    summary.focus()
    page.mouse.wheel(0, 40)

    for _ in range(3):
        await_change(page)

    assert page.evaluate("window.isTheSamePage")
    assert page.locator(f'details[data-key="{key}"]').get_attribute("open") is not None
    assert page.evaluate("document.activeElement.parentElement.dataset.key") == key
    assert page.locator("#live-status").inner_text() == ""


def test_the_list_of_meetings_changes_by_itself_and_keeps_the_focus(page: Page) -> None:
    open_running(page)
    page.goto("/meetings")
    page.evaluate("window.isTheSamePage = true")
    link = page.locator("tbody th a").last
    address = link.get_attribute("href")
    link.focus()
    # What the server does not say is gone with the next answer.
    page.evaluate("document.querySelector('#results tbody').insertAdjacentHTML('beforeend', '<tr id=old></tr>')")

    page.wait_for_function("() => !document.getElementById('old')", timeout=CHANGE_MS)
    assert page.evaluate("window.isTheSamePage")
    assert page.evaluate("document.activeElement.getAttribute('href')") == address


def test_the_page_goes_on_after_the_web_process_was_killed(demo: Demo, browser: Browser) -> None:
    from tests.whole.test_serve import children

    context = browser.new_context(base_url=demo.url, storage_state=demo.signed_in)
    page = context.new_page()
    open_running(page)
    page.evaluate("window.isTheSamePage = true")
    await_change(page)
    # A line that is back at once is not told of: here it takes until the page has said that it is lost.
    context.set_offline(True)
    os.kill(children(demo.process.pid)["web"], signal.SIGKILL)

    page.wait_for_function("() => document.getElementById('live-status').textContent !== ''", timeout=CHANGE_MS)
    context.set_offline(False)
    page.wait_for_function("() => document.getElementById('live-status').textContent === ''", timeout=CHANGE_MS)
    await_change(page)
    assert page.evaluate("window.isTheSamePage")
    context.close()


def test_search_finds_as_one_types_and_the_address_says_it(page: Page) -> None:
    name = first_person(page)
    everybody = page.locator("tbody tr").count()
    page.get_by_label("Full name", exact=True).press_sequentially(name.upper(), delay=20)

    page.wait_for_url(re.compile("name="))
    page.wait_for_function("before => document.querySelectorAll('tbody tr').length < before", arg=everybody)
    assert name in page.locator("tbody th").all_inner_texts()
    assert page.evaluate("document.activeElement.name") == "name"
    found = page.locator("tbody tr").count()
    page.reload()
    assert page.get_by_label("Full name", exact=True).input_value() == name.upper()
    assert page.locator("tbody tr").count() == found


def test_from_a_name_to_the_person_to_a_meeting_to_why_to_the_facts(page: Page) -> None:
    name = first_person(page)
    page.get_by_role("link", name=name, exact=True).first.click()
    page.wait_for_url(re.compile("/people/[0-9a-f]{32}"))
    assert page.locator("h1").inner_text() == name
    page.locator("tbody th a").nth(2).click()
    page.wait_for_url(re.compile("/meetings/[0-9]+"))
    summary = page.locator(".person summary", has_text=name).first
    why = page.locator(".why").filter(has=page.locator("a", has_text="What was heard"))
    assert why.locator("visible=true").count() == 0
    summary.click()
    assert re.search("Joined at|No join was heard", why.locator("visible=true").first.inner_text())
    page.get_by_role("link", name="What was heard").locator("visible=true").first.click()
    page.wait_for_url(re.compile("/facts/"))
    assert "joined" in page.locator("tbody td:nth-child(2)").all_inner_texts()


def test_the_csv_is_what_the_page_shows(page: Page, tmp_path: Path) -> None:
    page.goto("/meetings?state=settled")
    page.locator("tbody th a").first.click()
    page.locator(".person").first.wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    download.value.save_as(tmp_path / "class.csv")

    with (tmp_path / "class.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["Name"] for row in rows] == page.locator(".person summary").all_inner_texts()
    joined = page.locator(".person td[data-label=In]").all_inner_texts()
    exact = [(row, shown) for row, shown in zip(rows, joined, strict=True) if re.fullmatch("[0-9:]+", shown)]
    assert exact
    assert all(row["In at the earliest (Europe/Athens)"].endswith(shown) for row, shown in exact)


def test_everything_is_reached_by_keyboard(page: Page) -> None:
    page.goto("/meetings?state=settled")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"

    def tab_to(selector: str) -> None:
        # The filters are unfolded, as one of them is used, and each part of a date or time is a stop of its own.
        for _ in range(100):
            page.keyboard.press("Tab")
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", page.evaluate("document.activeElement.outerHTML")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        pytest.fail(f"{selector} was not reached")

    tab_to("#f-name")
    tab_to(".fold summary")
    tab_to("#f-state")
    tab_to("a.chip")
    tab_to("tbody th a")
    page.keyboard.press("Enter")
    page.locator(".person").first.wait_for()
    tab_to(".person summary")
    page.keyboard.press("Enter")
    assert page.locator(".why").first.is_visible()
    page.keyboard.press(" ")
    assert not page.locator(".why").first.is_visible()


def test_no_page_scrolls_sideways(page: Page) -> None:
    first_person(page)
    person = page.locator("tbody th a").first.get_attribute("href")
    page.goto("/meetings?state=settled")
    meeting = page.locator("tbody th a").first.get_attribute("href")
    assert person is not None
    assert meeting is not None
    page.goto(meeting)
    page.locator(".person summary").first.click()
    explained = page.locator("a[href*='/facts/']").first.get_attribute("href")
    assert explained is not None
    addresses = (
        *("/meetings", meeting, f"{meeting}/facts", explained, "/people", person),
        *("/servers", "/coverage", "/people?from=never", "/nope"),
    )
    for address in addresses:
        page.goto(address)
        for summary in page.locator(".person summary").all()[:3]:
            summary.click()
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide == 0, f"{address} at {width} px is {wide} px too wide"


def test_further_filters_are_folded_at_every_width_without_scripts(demo: Demo, browser: Browser) -> None:
    context = browser.new_context(
        base_url=demo.url,
        storage_state=demo.signed_in,
        java_script_enabled=False,
        viewport={"width": 360, "height": 800},
    )
    page = context.new_page()
    page.goto("/meetings")
    assert page.get_by_label("Full name", exact=True).is_visible()
    assert not page.get_by_label("State", exact=True).is_visible()
    page.get_by_text("More filters").click()
    page.get_by_label("State", exact=True).select_option("settled")
    page.get_by_role("button", name="Search").click()
    assert page.get_by_label("State", exact=True).input_value() == "settled"
    assert page.get_by_label("State", exact=True).is_visible()
    page.set_viewport_size({"width": 700, "height": 800})
    page.goto("/meetings")
    assert page.get_by_label("Full name", exact=True).is_visible()
    assert not page.get_by_label("State", exact=True).is_visible()
    page.get_by_text("More filters").click()
    assert page.get_by_label("State", exact=True).is_visible()
    context.close()


def test_a_telephone_shows_why_with_its_row(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto("/meetings?state=settled")
    page.locator("tbody th a").first.click()
    page.locator(".person summary").nth(1).click()
    rows = page.locator(".person")
    borders = [rows.nth(n).evaluate("row => getComputedStyle(row).borderBottomWidth") for n in (0, 1)]
    assert borders == ["1px", "0px"]
    labels = [
        rows.nth(n).locator(".bar-cell").evaluate("cell => getComputedStyle(cell, '::before').content") for n in (0, 1)
    ]
    assert re.fullmatch('"[0-9:]+–[0-9:]+"', labels[0])
    assert labels[1] == "none"


def test_without_scripts_everything_but_the_live_updates_works(demo: Demo, browser: Browser) -> None:
    context = browser.new_context(base_url=demo.url, storage_state=demo.signed_in, java_script_enabled=False)
    page = context.new_page()
    name = first_person(page)
    assert "Times are those of" in page.locator("footer").inner_text()
    page.get_by_label("Full name", exact=True).fill(name)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=name, exact=True).first.click()
    page.locator("tbody th a").nth(2).click()
    page.locator(".person summary").first.click()
    assert page.locator(".why").first.is_visible()
    page.get_by_role("link", name="Meetings", exact=True).click()
    page.get_by_role("link", name="Next").click()
    assert "after=" in page.url
    context.close()


def test_times_are_the_readers_from_the_first_page_on(demo: Demo, browser: Browser) -> None:
    signed_in = demo.signed_in | {"cookies": [one for one in demo.signed_in["cookies"] if one["name"] != "zone"]}
    context = browser.new_context(base_url=demo.url, storage_state=signed_in, timezone_id="America/Sao_Paulo")
    page = context.new_page()
    page.goto("/meetings")
    page.wait_for_function(
        "() => document.querySelector('footer').textContent.includes('Times are those of America/Sao_Paulo.')"
    )
    context.close()


def test_signing_out_ends_it(demo: Demo, browser: Browser) -> None:
    other = {"ROLLCALL_DATA": demo.data, "PATH": os.environ["PATH"]}
    printed = rollcall(other, "user", "add", "other", "--operator", "--link")
    context = browser.new_context(base_url=demo.url)
    page = context.new_page()
    page.goto(urlsplit(printed.split()[-1]).path)
    assert urlsplit(page.url).path == "/"
    page.goto("/people")
    assert urlsplit(page.url).path == "/people"
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/login"))
    page.goto("/people")
    assert page.url.endswith("/login?next=/people")
    context.close()
