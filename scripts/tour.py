"""The pictures of docs/tour.md: `python -m scripts.tour` starts a demo, looks at every page and draws what it sees.

    python -m scripts.tour                  all of them
    python -m scripts.tour course use-de    some of them
    python -m scripts.tour --at LINK        of a demo that already runs: a link that signs in once

The school is the demo's, with its seed and its invented names; only the days are those before now. It wants chromium
and pdftoppm.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, StorageState

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "pictures" / "tour"
ZONE = "Europe/Athens"
DESKTOP, TABLET, PHONE = 1280, 768, 390
HIGHEST = 1500
PATIENCE_MS = 90_000
COLOURS = 96
PDF_PIXELS = 620  # how wide a portrait page is drawn
SETTLE_MS = 500
LATEST, MANY = 14, 10


@dataclass(frozen=True)
class Screen:
    """One picture: a page in a language, at a width, after something was done to it."""

    name: str
    address: str
    language: str = "en"
    width: int = DESKTOP
    does: Sequence[str] = ()
    highest: int = HIGHEST
    is_signed_in: bool = True


@dataclass(frozen=True)
class Paper:
    """One picture: a page of a PDF."""

    name: str
    address: str
    language: str = "en"
    number: int = 1


MEETING, PERSON, COURSE, RUNNING = "{meeting}", "{person}", "{course}", "{running}"
ACTIVITY = "{activity}"
WHY = ".person summary"
SCREENS = (
    Screen("overview", "/"),
    Screen("search", "/attendances?name=παπ"),
    Screen("filters", "/attendances?weekday=fri&min-percent=50", does=("#narrow",), highest=1300),
    Screen("meetings", "/meetings"),
    Screen("meeting", MEETING),
    Screen("why", MEETING, does=(WHY,)),
    Screen("facts", MEETING + "/facts", highest=900),
    Screen("people", "/people?sort=-share", highest=1100),
    Screen("person", PERSON),
    Screen("courses", "/courses"),
    Screen("course", COURSE),
    Screen("activity", ACTIVITY, highest=1100),
    Screen("policy", ACTIVITY + "/policy", highest=1300),
    Screen("completion", "/completion?verdict=not-met", highest=900),
    Screen("use", "/use"),
    Screen("running", RUNNING, highest=1100),
    Screen("live", RUNNING + "/live", highest=1100),
    Screen("coverage", "/coverage", highest=1100),
    Screen("servers", "/servers"),
    Screen("organisations", "/organisations", highest=900),
    Screen("organisation", "/organisations/1", highest=1300),
    Screen("unclaimed", "/unclaimed", highest=900),
    Screen("lti-configuration", "/lti/configuration", highest=1300),
    Screen("audit", "/audit", highest=1000),
    Screen("account", "/account", highest=900),
    Screen("sign-in", "/login", is_signed_in=False),
    Screen("nothing-there", "/people/0"),
    Screen("overview-el", "/", "el", highest=1000),
    Screen("search-el", "/attendances?name=παπ", "el", highest=900),
    Screen("use-de", "/use", "de", highest=1300),
    Screen("meeting-de", MEETING, "de", highest=900),
    Screen("overview-ar", "/", "ar", highest=1000),
    Screen("search-ar", "/attendances?name=παπ", "ar", highest=900),
    Screen("why-ar", MEETING, "ar", does=(WHY,), highest=1100),
    Screen("course-ar", COURSE, "ar", highest=1100),
    Screen("live-ar", RUNNING + "/live", "ar", highest=900),
    Screen("audit-ar", "/audit", "ar", highest=900),
    Screen("overview-phone", "/", width=PHONE, highest=1000),
    Screen("search-phone", "/attendances?name=παπ", width=PHONE, highest=1000),
    Screen("why-phone", MEETING, width=PHONE, does=(WHY,), highest=1400),
    Screen("live-phone", RUNNING + "/live", width=PHONE, highest=1000),
    Screen("meeting-phone-ar", MEETING, "ar", width=PHONE, highest=1000),
)
PAPERS = (
    Paper("pdf-meeting", MEETING + ".pdf"),
    Paper("pdf-signatures", MEETING + ".pdf?signatures=1"),
    Paper("pdf-person", PERSON + ".pdf"),
    Paper("pdf-course", COURSE + ".pdf"),
    Paper("pdf-use", "/use.pdf"),
    Paper("pdf-attendances", "/attendances.pdf?name=παπ"),
    Paper("pdf-meeting-ar", MEETING + ".pdf", "ar"),
    Paper("pdf-people-el", "/people.pdf", "el"),
)


# --- the demo ---------------------------------------------------------------------------------------------------------


@contextmanager
def demo() -> Iterator[str]:
    """A demo of its own until the block ends: the link that signs in to it."""
    with tempfile.TemporaryDirectory(prefix="rollcall-tour-") as home:
        env = {name: value for name, value in os.environ.items() if not name.startswith("ROLLCALL_")}
        rollcall = str(Path(sys.executable).with_name("rollcall"))
        command = [rollcall, "--data", f"{home}/data", "demo", "--port", "0"]
        process = subprocess.Popen(command, env=env | {"PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE, text=True)
        if process.stdout is None:
            raise RuntimeError("a demo says where it is")
        try:
            yield next(found[0] for line in process.stdout if (found := re.search(r"http://\S+/login/link/\S+", line)))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
            process.stdout.close()


def subjects(page: Page) -> dict[str, str]:
    """The addresses of a class with something to explain, a person, a course and the class that runs now."""
    return {
        "meeting": _doubtful(page, "/meetings?course=VID&state=settled"),
        "person": _first(page, "/people?name=παπ&sort=-meetings"),
        "course": _first(page, "/courses?course=LOG"),
        "activity": _activity(page),
        "running": _running(page),
    }


def _first(page: Page, address: str) -> str:
    page.goto(address)
    return page.locator("tbody th a").first.get_attribute("href") or ""


def _activity(page: Page) -> str:
    """The one of which most was decided."""
    page.goto("/completion?course=LOG")
    return page.locator("tbody td a[href^='/activities/']").first.get_attribute("href") or ""


def _doubtful(page: Page, address: str) -> str:
    """Of the latest classes the first in which many are only possibly there for a while."""
    page.goto(address)
    links = [link.get_attribute("href") or "" for link in page.locator("tbody th a").all()[:LATEST]]
    for link in links:
        page.goto(link)
        if page.locator(".person .interval").count() >= MANY:
            return link
    return links[0]


def _running(page: Page) -> str:
    """Once enough people are in it to be looked at."""
    for _ in range(PATIENCE_MS // 1000):
        page.goto("/meetings?state=running")
        if page.locator("tbody th a").count():
            break
        page.wait_for_timeout(1000)
    address = page.locator("tbody th a").first.get_attribute("href") or ""
    page.goto(address)
    page.locator(WHY).nth(7).wait_for(timeout=PATIENCE_MS)
    return address


# --- pictures ---------------------------------------------------------------------------------------------------------


def draw_screen(context: BrowserContext, screen: Screen, found: dict[str, str]) -> bytes:
    """What stands in the window, as high as the page or as the tour shows of it."""
    page = context.new_page()
    page.set_viewport_size({"width": screen.width, "height": 800})
    page.goto(screen.address.format(**found))
    page.wait_for_timeout(SETTLE_MS)
    for selector in screen.does:
        page.locator(selector).first.click()
    page.mouse.move(0, 0)
    height = min(screen.highest, int(page.evaluate("document.documentElement.scrollHeight")))
    page.set_viewport_size({"width": screen.width, "height": height})
    page.wait_for_timeout(SETTLE_MS)
    drawn: bytes = page.screenshot(animations="disabled")
    page.close()
    return drawn


def draw_paper(context: BrowserContext, paper: Paper, found: dict[str, str]) -> bytes:
    """One page of the file as it is printed."""
    response = context.request.get(paper.address.format(**found), headers={"Accept-Language": paper.language})
    if not response.ok:
        raise RuntimeError(f"{response.status} {response.url}")
    number = str(paper.number)
    command = [_program("pdftoppm"), "-png", "-f", number, "-l", number, "-scale-to", str(int(PDF_PIXELS * 1.42)), "-"]
    return subprocess.run(command, input=response.body(), check=True, stdout=subprocess.PIPE).stdout


def keep(name: str, drawn: bytes, folder: Path) -> None:
    """As few colours as a page of text wants: a third of the size, and no difference to the eye."""
    image = Image.open(io.BytesIO(drawn)).convert("RGB")
    image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        folder / f"{name}.png", optimize=True
    )


# --- the tour ---------------------------------------------------------------------------------------------------------


def signed_in(browser: Browser, link: str) -> StorageState:
    """What a browser keeps that followed the link."""
    context = browser.new_context(timezone_id=ZONE)
    page = context.new_page()
    page.goto(link)
    page.wait_for_timeout(SETTLE_MS)
    kept = context.storage_state()
    context.close()
    return kept


@contextmanager
def reader(
    browser: Browser, url: str, state: StorageState, *, language: str = "en", is_signed_in: bool = True
) -> Iterator[BrowserContext]:
    """Somebody in Athens who reads that language."""
    context = browser.new_context(
        base_url=url,
        storage_state=state if is_signed_in else None,
        timezone_id=ZONE,
        locale=language,
    )
    yield context
    context.close()


def take(link: str, names: Sequence[str], folder: Path) -> None:
    """All pictures, or those that are named."""
    url = link.partition("/login")[0]
    wanted = [one for one in (*SCREENS, *PAPERS) if not names or one.name in names]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_program("chromium"))
        state = signed_in(browser, link)
        with reader(browser, url, state) as context:
            found = subjects(context.new_page())
        for one in wanted:
            is_signed_in = not isinstance(one, Screen) or one.is_signed_in
            with reader(browser, url, state, language=one.language, is_signed_in=is_signed_in) as context:
                if isinstance(one, Screen):
                    keep(one.name, draw_screen(context, one, found), folder)
                else:
                    keep(one.name, draw_paper(context, one, found), folder)
            print(f"{one.name}.png", (folder / f"{one.name}.png").stat().st_size // 1024, "kB")
        browser.close()


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SystemExit(f"{name} is not installed: scripts/packages.sh brings it.")
    return found


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description="The pictures of docs/tour.md.")
    parser.add_argument("names", nargs="*", help="only these")
    parser.add_argument("--at", default="", help="of a demo that runs: a link that signs in")
    parser.add_argument("--into", type=Path, default=FOLDER)
    asked = parser.parse_args()
    asked.into.mkdir(parents=True, exist_ok=True)
    if asked.at:
        take(asked.at, asked.names, asked.into)
        return
    with demo() as link:
        take(link, asked.names, asked.into)


if __name__ == "__main__":
    main()
