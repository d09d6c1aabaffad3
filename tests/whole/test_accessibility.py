"""Every page as axe, a keyboard and somebody who sees little find it: WCAG 2.2 AA, in English and in Arabic."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.whole.demo import Demo, first_link, open_running, reading

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
WIDTHS = (1280, 320)
LANGUAGES = {"en": "ltr", "ar": "rtl"}
ROWS = 4
"""Of a long table, which stand for the others: axe looks at each cell, and they are alike."""

PAGES = {
    "overview": "/",
    "meetings": "/meetings?course=LOG",
    "attendances": "/attendances?name=παπ&weekday=fri&min-percent=5&narrow=1",
    "nobody": "/attendances?name=nobody-of-this-name&weekday=fri",
    "refused": "/attendances?from=2026-02-31&min-percent=200",
    "people": "/people?name=παπ",
    "person": "{person}",
    "courses": "/courses",
    "course": "{course}?name=μ",
    "completion": "/completion?name=παπ",
    "deliveries": "/deliveries",
    "activities": "/activities",
    "activity": "{activity}",
    "policy": "{activity}/policy",
    "preset": "{activity}/policy?preset=part",
    "classes": "{activity}/classes",
    "sending": "{activity}/sending",
    "verdict": "{verdict}",
    "use": "/use?course=LOG",
    "servers": "/servers",
    "coverage": "/coverage",
    "audit": "/audit",
    "organisations": "/organisations",
    "organisation": "/organisations/1",
    "unclaimed": "/unclaimed",
    "licence": "/licence",
    "account": "/account",
    "class": "{meeting}",
    "running": "{running}",
    "live": "{running}/live",
    "facts": "{meeting}/facts",
    "explained": "{explained}",
    "exports": "/exports",
    "export": "{export}",
    "sign-in": "/login",
    "not-found": "/nothing-here",
    "nobody-there": "/people/00000000000000000000000000000000",
}
FEWER = """rows => {
  for (const body of document.querySelectorAll('tbody, .live-people'))
    [...body.children].slice(rows).forEach(row => row.remove())
}"""
FORGE = """([name, value]) =>
  document.querySelectorAll(`.languages [name=${name}]`).forEach(one => { one.value = value })"""
OPENED = "document.querySelectorAll('main details').forEach((one, at) => { if (at < 12) one.open = true })"


@pytest.fixture(scope="module")
def addresses(demo: Demo, browser: Browser) -> dict[str, str]:
    """Of one of each."""
    with reading(demo, browser) as context:
        page = context.new_page()
        found = {
            "person": first_link(page, "/people?name=παπ&sort=-meetings"),
            "course": first_link(page, "/courses?course=LOG"),
            "meeting": first_link(page, "/meetings?state=settled&course=LOG"),
        }
        page.goto(found["meeting"])
        found["explained"] = page.locator("a[href*='/facts/']").first.get_attribute("href") or ""
        page.goto("/activities?name=Akustik")
        found["activity"] = page.locator(".activities h2 a").first.get_attribute("href") or ""
        page.goto(found["activity"])
        found["verdict"] = page.locator(".people-verdicts h2 a").first.get_attribute("href") or ""
        page.goto("/attendances.pdf")
        page.locator("form.offer button").click()
        page.wait_for_url(re.compile("/exports/"))
        found["export"] = re.sub("^https?://[^/]+", "", page.url)
        assert found["export"].startswith("/exports/")
        open_running(page)
        found["running"] = re.sub("^https?://[^/]+", "", page.url)
    return found


@pytest.fixture(scope="module", params=LANGUAGES)
def reader(request: pytest.FixtureRequest, demo: Demo, browser: Browser) -> Iterator[tuple[str, Page]]:
    """A page of somebody who reads that language."""
    with reading(demo, browser, locale=request.param) as context:
        yield request.param, context.new_page()


def troubles(page: Page) -> list[str]:
    """What axe finds, one line for each kind with the first place."""
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types

    options = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": [*TAGS]}}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['target']} {one['nodes'][0]['html'][:200]}" for one in found]


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(name: str, reader: tuple[str, Page], addresses: dict[str, str]) -> None:
    language, page = reader
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    page.goto(PAGES[name].format(**addresses))
    html = page.locator("html")
    assert (html.get_attribute("lang"), html.get_attribute("dir")) == (language, LANGUAGES[language])
    page.evaluate(FEWER, ROWS)

    assert troubles(page) == []
    page.evaluate(OPENED)
    page.set_viewport_size({"width": WIDTHS[1], "height": 900})
    assert troubles(page) == []


def test_axe_finds_nothing_on_a_page_that_is_refused(reader: tuple[str, Page]) -> None:
    _, page = reader
    for name, value in (("csrfmiddlewaretoken", "forged"), ("language", "xx")):
        page.goto("/meetings")
        page.evaluate(FORGE, [name, value])
        page.locator(".languages button").first.click()
        page.locator(".error-page").wait_for()
        assert page.locator(".error-page .status").inner_text() == {"language": "400"}.get(name, "403")
        assert troubles(page) == []


# --- the keyboard -----------------------------------------------------------------------------------------------------

FOCUS = """() => {
  const one = document.activeElement, box = one.getBoundingClientRect(), style = getComputedStyle(one);
  const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1);
  const y = Math.min(Math.max(box.top + Math.min(box.height, 20) / 2, 0), innerHeight - 1);
  const top = document.elementFromPoint(x, y);
  return {
    html: one.outerHTML.slice(0, 200), outline: style.outlineStyle, width: parseFloat(style.outlineWidth),
    shadow: style.boxShadow, colour: style.outlineColor, body: one === document.body,
    seen: box.bottom > 0 && box.top < innerHeight && (one.contains(top) || top.contains(one)),
  }
}"""


SCROLL_MS = 1000
FEW = 24


def contrast(colour: str) -> float:
    """Of an `rgb(…)` against white."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    light = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 1.05 / (0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2] + 0.05)


def tab_to(page: Page, selector: str, key: str = "Tab") -> None:
    """Press Tab until it is there; whatever has the focus meanwhile is seen, and said to have it by an outline."""
    for _ in range(200):
        page.keyboard.press(key)
        focus = page.evaluate(FOCUS)
        assert focus["body"] or (focus["outline"] != "none" and focus["width"] >= 2), focus  # pixels
        assert focus["body"] or contrast(focus["colour"]) >= 3, focus  # WCAG 1.4.11
        if not focus["body"] and not focus["seen"]:  # the page may still be on its way there
            page.wait_for_timeout(SCROLL_MS)
            focus = page.evaluate(FOCUS)
        assert focus["body"] or focus["seen"], focus
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"{selector} was not reached")


def test_what_was_found_is_a_few_keys_away(page: Page) -> None:
    """However many filters there are: past them leads a link, and those of the fold are not stopped at."""
    page.goto("/attendances?name=παπ")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#results"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "results"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('#results .chip')")

    page.locator("#f-name").focus()
    for _ in range(FEW):  # each part of a date and of a time is one
        page.keyboard.press("Tab")
        assert not page.evaluate("document.activeElement.matches('.folded-fields *')")
        if page.evaluate("document.activeElement.matches('#results *')"):
            return
    pytest.fail("what was found is too many keys away")


def test_a_search_is_made_narrowed_sorted_and_saved_by_keyboard_alone(page: Page) -> None:
    page.goto("/")
    tab_to(page, "#quick-name")
    page.keyboard.type("ΠΑΠ")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/attendances"))
    tab_to(page, ".fold > summary")
    page.keyboard.press("Enter")
    tab_to(page, ".days input[value=fri]")
    page.keyboard.press("Space")
    page.locator(".chip", has_text="Fri").wait_for()
    assert page.evaluate("document.activeElement.value") == "fri"
    assert re.search("[0-9]", page.locator("#told").inner_text())

    tab_to(page, ".chip")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelectorAll('.chip').length === 1")
    tab_to(page, "#narrow")
    page.keyboard.press("Enter")
    page.locator(".facets dl").wait_for()
    assert page.evaluate("document.activeElement.id") == "narrow"
    tab_to(page, "#by-time")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("sort=-time"))
    tab_to(page, ".files a[href*='.csv']")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename.endswith(".csv")


def test_a_row_is_opened_and_a_total_drilled_into_by_keyboard_alone(page: Page, addresses: dict[str, str]) -> None:
    page.goto(addresses["course"])
    tab_to(page, ".totals a[href^='/attendances']")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/attendances"))
    tab_to(page, ".rows-box")
    tab_to(page, ".rows-box tbody td a")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/meetings/[0-9]+"))
    tab_to(page, ".person details:not([open]) > summary")
    page.keyboard.press("Space")
    tab_to(page, ".why a[href*='/facts/']")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/facts/"))


def test_no_page_keeps_the_focus(page: Page, addresses: dict[str, str]) -> None:
    for address in ("/attendances?name=παπ", addresses["running"], f"{addresses['running']}/live"):
        page.goto(address)
        page.locator("main").focus()
        tab_to(page, ".languages button:last-of-type")
        tab_to(page, "main a, main summary, main button, main [tabindex='0']", "Shift+Tab")


# --- sizes ------------------------------------------------------------------------------------------------------------

CUT = """() => [...document.querySelectorAll('main *')].filter(one => {
  const style = getComputedStyle(one);
  return style.overflowX === 'hidden' && style.clip === 'auto' && one.scrollWidth > one.clientWidth + 2
    && one.clientWidth > 2 && one.innerText;
}).map(one => one.outerHTML.slice(0, 200))"""
SPACED = (
    "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important } "
    "p { margin-bottom: 2em !important }"
)
STYLED = "css => { const sheet = new CSSStyleSheet(); sheet.replaceSync(css); document.adoptedStyleSheets = [sheet] }"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("width", [320, 640])
def test_text_may_be_spaced_and_enlarged(page: Page, addresses: dict[str, str], width: int) -> None:
    """640 px is a window of 1280 at twice the size, 320 at four times."""
    page.set_viewport_size({"width": width, "height": 600})
    for name in ("overview", "attendances", "refused", "person", "course", "use", "class", "live", "explained"):
        page.goto(PAGES[name].format(**addresses))
        page.evaluate(OPENED)
        page.evaluate(STYLED, SPACED)
        assert page.evaluate(SIDEWAYS) == 0, name
        assert page.evaluate(CUT) == [], name


def test_who_wants_no_motion_gets_none(demo: Demo, browser: Browser, addresses: dict[str, str]) -> None:
    moving = """() => [...document.querySelectorAll('*')].filter(one => {
      const style = getComputedStyle(one);
      return parseFloat(style.transitionDuration) > 0.01 || parseFloat(style.animationDuration) > 0.01;
    }).map(one => one.outerHTML.slice(0, 120))"""
    with reading(demo, browser, reduced_motion="reduce") as context:
        page = context.new_page()
        for address in ("/attendances?name=παπ", f"{addresses['running']}/live"):
            page.goto(address)
            assert page.evaluate(moving) == []


def test_bars_are_seen_where_the_reader_chose_the_colours(
    demo: Demo, browser: Browser, addresses: dict[str, str]
) -> None:
    with reading(demo, browser, forced_colors="active") as context:
        page = context.new_page()
        page.goto(addresses["meeting"])
        bar = page.locator(".bar rect").first
        shown = bar.evaluate("one => [getComputedStyle(one).fill, getComputedStyle(document.body).backgroundColor]")
        assert shown[0] != shown[1]


def test_paper_shows_the_table_and_nothing_to_click_on(page: Page, addresses: dict[str, str]) -> None:
    page.goto(addresses["meeting"])
    page.emulate_media(media="print")
    assert page.locator(".person summary").first.is_visible()
    hidden: list[Any] = [page.locator(one).first.is_visible() for one in ("nav", ".languages", ".files", ".skip")]
    assert not any(hidden)
