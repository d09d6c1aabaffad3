from __future__ import annotations

import re
import tomllib
from operator import attrgetter
from pathlib import Path
from urllib.parse import unquote

import pytest

import rollcall
from rollcall.environment import SETTINGS, Setting

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
DECISIONS = sorted(ROOT.glob("docs/decisions/[0-9]*.md"))
ELSEWHERE = re.compile(r"^[a-z]+:")


def sections(page: str) -> dict[str, str]:
    """What stands under each heading of the third level."""
    parts = re.split(r"^### (.+)$", (ROOT / "docs" / page).read_text(), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def anchors(page: Path) -> set[str]:
    """The names by which a browser finds the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("setting", SETTINGS, ids=attrgetter("name"))
def test_every_setting_is_documented_with_its_default_and_choices(setting: Setting) -> None:
    said = sections("settings.md")[setting.name]
    assert f"Default: {f'`{setting.default}`' if setting.default else 'empty'}" in said
    assert [choice for choice in setting.one_of if f"`{choice}`" not in said] == []


def test_no_setting_is_documented_that_does_not_exist() -> None:
    assert list(sections("settings.md")) == [setting.name for setting in SETTINGS]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_inside_the_documentation_leads_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if ELSEWHERE.match(target):
            continue
        path, _, anchor = unquote(target).partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


def test_every_page_can_be_reached_from_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text()
    pages = [str(page.relative_to(ROOT / "docs")) for page in PAGES if page.is_relative_to(ROOT / "docs")]
    top = [page for page in pages if not page.startswith("decisions/0")]
    assert [page for page in top if page != "index.md" and f"({page})" not in index] == []


def test_decisions_are_numbered_without_gaps_and_listed_by_their_titles() -> None:
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    listing = (ROOT / "docs" / "decisions" / "index.md").read_text()
    entries = re.findall(r"^- \[(.+)\]\((.+)\)$", listing, re.MULTILINE)
    assert [name for _, name in entries] == [page.name for page in DECISIONS]
    for (title, _), page in zip(entries, DECISIONS, strict=True):
        assert title.startswith(f"{page.name[:4]}: ")
        assert page.read_text().startswith(f"# {title}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_that_is_mentioned_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    mentioned = re.findall(r"(?:`|^    )make ([a-z-]+)", page.read_text(), re.MULTILINE)
    assert set(mentioned) <= targets


def test_the_readme_begins_with_what_it_is_and_how_to_try_it() -> None:
    readme = (ROOT / "README.md").read_text()
    assert readme.index("](docs/pictures/") < readme.index("make demo") < readme.index("rollcall server add")


def test_the_readme_ends_its_first_commands_with_the_one_that_says_whether_it_works() -> None:
    first, rest = (ROOT / "README.md").read_text().split("## Open it inside Moodle")
    commands = [re.findall(r"^    \.venv/bin/rollcall (\S+)", part, re.MULTILINE) for part in (first, rest)]
    assert commands == [["user", "server", "doctor"], ["organisation", "licence", "platform"]]


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md"])
def test_a_version_says_whose_it_is(page: str) -> None:
    text = " ".join((ROOT / page).read_text().split())
    assert "BigBlueButton 2.3 to 3.0 (bbb-webhooks up to 3.5" in text
    assert re.findall(r"(?<!bbb-webhooks up to )\b3\.5\b", text) == []


def test_the_version_is_told_once_and_has_a_place_in_the_changelog() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert rollcall.__version__ == declared
    assert re.search(rf"^## \[(Unreleased|{re.escape(declared)})\]", changelog, re.MULTILINE)


def test_notice_names_everything_that_others_wrote() -> None:
    vendored = [path for path in (ROOT / "rollcall/web/static/vendor").iterdir() if path.is_dir()]
    notice = (ROOT / "NOTICE").read_text()
    assert [path.name for path in vendored if path.name not in notice.lower()] == []
    assert [path.name for path in vendored if not (path / "LICENSE").is_file()] == []
