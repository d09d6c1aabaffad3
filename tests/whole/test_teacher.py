"""What a teacher wants to know of a class, in a real browser: found, explained, printed, in few clicks."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.whole.papers import text_of, words_of

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

CLOCK = re.compile(r"\b\d\d:\d\d:\d\d\b")
READ = """table => [...table.querySelectorAll('tbody tr.person')].map(row =>
  [...row.querySelectorAll('th summary, td:not(.bar-cell)')].map(cell => {
    const copy = cell.cloneNode(true);
    copy.querySelectorAll('.visually-hidden').forEach(one => one.remove());
    return copy.textContent;
  }).join(' '))"""


@dataclass
class Mouse:
    """It counts how often it clicks."""

    page: Page
    clicks: int = 0

    def click(self, what: str | Locator) -> None:
        self.clicks += 1
        place = self.page.locator(what) if isinstance(what, str) else what
        place.first.click()


def time_together(page: Page) -> str:
    """What the last row on paper says, and the page does not: how long all its people were there."""
    address = page.locator(".files a[href$='.json']").get_attribute("href")
    (meeting,) = page.context.request.get(str(address)).json()["meetings"]
    sums = [sum(person[which] for person in meeting["people"]) for which in ("proved_ms", "possible_ms")]
    return "–".join(dict.fromkeys(map(duration, sums)))


def duration(ms: int) -> str:
    """42:10, or 1:02:10 from an hour on."""
    seconds = (ms + 500) // 1000
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("ar", "rtl")])
def test_from_a_name_to_the_person_to_a_class_to_why_to_paper(
    page: Page, tmp_path: Path, language: str, direction: str
) -> None:
    page.goto("/")
    page.locator(f".languages button[lang={language}]").click()
    page.wait_for_function("direction => document.documentElement.dir === direction", arg=direction)
    page.locator("#quick-name").fill("ΠΑΠ")
    page.locator(".quick button").click()
    page.wait_for_url(re.compile("/attendances"))
    person = page.locator(".rows-box tbody th a").first
    name = person.inner_text()
    assert "Παπ" in name
    person.click()
    page.wait_for_url(re.compile("/people/"))
    assert page.locator("h1").inner_text() == name
    page.locator(".rows-box tbody tr", has=page.locator(".state.settled")).locator("th a").first.click()
    page.wait_for_url(re.compile("/meetings/"))
    row = page.locator(".person", has_text=name).first
    why = page.locator(f"#{row.get_attribute('id')} + .why")
    if not why.is_visible():
        row.locator("summary").click()
    assert CLOCK.search(why.inner_text())
    assert page.locator("html").get_attribute("dir") == direction

    with page.expect_download() as download:
        page.locator(".files a[href$='.pdf']").click()
    download.value.save_as(tmp_path / "class.pdf")
    shown, printed = "\n".join(page.locator("table.people").evaluate(READ)), text_of(tmp_path / "class.pdf")
    assert words_of(shown) - words_of(printed) == Counter()
    together = time_together(page)
    assert words_of(together) - words_of(printed) == Counter()
    assert Counter(CLOCK.findall(printed)) == Counter(CLOCK.findall(f"{shown}\n{together}"))
    assert words_of(page.locator("h1").inner_text()) - words_of(printed) == Counter()


def test_five_questions_are_two_clicks_away(page: Page) -> None:
    """Who was there, for how long, who is missing, why is there doubt, and where is it on paper."""
    page.goto("/")
    mouse = Mouse(page)
    mouse.click("section[aria-labelledby=recent] tbody th a")
    people = page.locator("table.people")
    people.wait_for()
    assert people.locator("tbody .person summary").first.is_visible()
    assert re.fullmatch(r"[\d:–]+.*", people.locator("tbody .number").first.inner_text())
    assert page.locator("#missing").is_visible()
    assert mouse.clicks == 1

    mouse.click("table.people .person summary")
    assert page.locator(".why p, .why li").first.is_visible()
    assert mouse.clicks == 2

    page.go_back()
    page.goto("/")
    mouse = Mouse(page)
    mouse.click("section[aria-labelledby=recent] tbody th a")
    with page.expect_download() as download:
        mouse.click(".files a[href$='.pdf']")
    assert download.value.suggested_filename.endswith(".pdf")
    assert mouse.clicks == 2


def test_whoever_is_named_in_a_running_class_is_seen_after_one_click(page: Page) -> None:
    page.goto("/")
    mouse = Mouse(page)
    running = page.locator("section[aria-labelledby=running] tbody th a")
    for _ in range(120):
        if running.count():
            break
        page.wait_for_timeout(500)
        page.reload()
    mouse.click(running)
    page.locator(".person summary").first.wait_for()
    mouse.click(".live-ways a")
    page.wait_for_url(re.compile("/live$"))
    assert mouse.clicks == 2
