"""In which language a page is, how it is chosen, and that nothing of it is left in English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po
from django.test import Client
from django.utils import translation
from lxml import html

from rollcall import languages
from rollcall.cli import run
from rollcall.core.errors import Misconfigured
from tests.makers import Attendee, make_meeting, operator

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(django_user_model: Any) -> Client:
    client = Client()
    client.force_login(operator(django_user_model, "1"))
    return client


def tree_of(client: Client, address: str, **headers: str) -> Any:
    return html.fromstring(client.get(address, headers=headers).content)


def spoken(client: Client, **headers: str) -> str:
    return str(tree_of(client, "/meetings", **headers).get("lang"))


# --- which language ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("fr-FR,fr;q=0.9,el;q=0.5", "el"),
        ("en-US,el;q=0.9", "en"),
        ("ar-MA", "ar"),
        ("tlh", "en"),
        ("*", "en"),
        ("de" * 5000, "en"),
        ("../../etc/passwd, \x7f", "en"),
    ],
)
def test_a_page_is_in_the_language_the_browser_asks_for(reader: Client, wish: str, language: str) -> None:
    tree = tree_of(reader, "/meetings", **{"accept-language": wish})
    assert tree.get("lang") == language
    assert tree.get("dir") == ("rtl" if language == "ar" else "ltr")


def test_what_was_chosen_holds_against_the_browser(reader: Client) -> None:
    reader.cookies["language"] = "el"
    assert spoken(reader, **{"accept-language": "de"}) == "el"


@pytest.mark.parametrize("cookie", ["", "tlh", "../../../etc", "de\x00", "é" * 3000, '"><script>', "DE"])
def test_a_cookie_that_names_no_language_is_passed_over(reader: Client, cookie: str) -> None:
    reader.cookies["language"] = cookie
    page = reader.get("/meetings", headers={"accept-language": "de"})
    assert page["Content-Language"] == "de"
    assert b"<script>" not in page.content.partition(b"</head>")[2]


def test_who_wishes_for_nothing_gets_the_configured_one(reader: Client, settings: Any) -> None:
    settings.LANGUAGE_CODE = "el"
    assert spoken(reader) == "el"
    assert spoken(reader, **{"accept-language": "fr"}) == "el"
    assert spoken(reader, **{"accept-language": "en"}) == "en"


def test_a_configured_language_that_is_none_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    from rollcall import settings

    monkeypatch.setenv("ROLLCALL_LANGUAGE", "klingon")
    with pytest.raises(Misconfigured, match="klingon") as stopped:
        settings._language()
    assert "el" in stopped.value.hint


def test_the_form_for_signing_in_and_an_error_are_in_it_too() -> None:
    for address in ("/login", "/nowhere"):
        assert tree_of(Client(), address, **{"accept-language": "ar"}).get("dir") == "rtl"


def test_a_program_too_is_told_in_it(reader: Client) -> None:
    told = reader.get("/meetings/99.json", headers={"accept-language": "de"}).json()
    assert told["code"] == "not-found"
    assert told["hint"] == "Prüfen Sie die Adresse, oder beginnen Sie mit der Liste der Sitzungen."


# --- the menu ---------------------------------------------------------------------------------------------------------


def test_each_language_is_called_as_it_calls_itself(reader: Client) -> None:
    buttons = tree_of(reader, "/meetings").xpath("//form[@class='languages']/button")
    assert {button.get("value"): button.text for button in buttons} == {
        "en": "English",
        "ar": "العربية",
        "de": "Deutsch",
        "el": "Ελληνικά",
    }
    assert {button.get("lang") for button in buttons} == {button.get("value") for button in buttons}
    assert [button.get("value") for button in buttons if button.get("aria-current")] == ["en"]


def test_a_choice_is_kept_and_leads_back_to_where_one_was(reader: Client) -> None:
    answer = reader.post("/language", {"language": "de"}, headers={"referer": "http://testserver/people?name=ada"})
    assert (answer.status_code, answer["Location"]) == (302, "/people?name=ada")
    assert spoken(reader) == "de"
    cookie = answer.cookies["language"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")


def test_nobody_has_to_be_signed_in_to_choose() -> None:
    client = Client()
    assert client.post("/language", {"language": "el", "next": "/login"})["Location"] == "/login"
    assert tree_of(client, "/login").get("lang") == "el"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/x",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "http:///evil.example",
        "",
        "x" * 9000,
    ],
)
def test_a_choice_leads_to_no_other_site(reader: Client, elsewhere: str) -> None:
    assert reader.post("/language", {"language": "de", "next": elsewhere})["Location"] == "/"
    referred = reader.post("/language", {"language": "de"}, headers={"referer": elsewhere})
    assert referred["Location"] == "/"


def test_a_referring_page_of_ours_cannot_name_another_host(reader: Client) -> None:
    answer = reader.post("/language", {"language": "de"}, headers={"referer": "http://testserver//evil.example"})
    assert answer["Location"] == "/"


@pytest.mark.parametrize("language", ["", "fr", "../../etc", "<script>", "de\0"])
def test_a_language_that_is_none_is_refused(reader: Client, language: str) -> None:
    answer = reader.post("/language", {"language": language})
    assert answer.status_code == 400
    assert "language" not in answer.cookies


def test_a_choice_is_a_form_of_our_own_pages(django_user_model: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator(django_user_model, "1"))
    assert client.get("/language").status_code == 405
    assert client.post("/language", {"language": "de"}).status_code == 403


# --- a language is a file ---------------------------------------------------------------------------------------------


def write_language(folder: Path, code: str, texts: dict[str, str]) -> None:
    catalog = Catalog(locale=code)
    for text, translated in texts.items():
        catalog.add(text, translated)
    path = languages.po_of(code, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog)


def use(settings: Any, folder: Path, into: Path) -> None:
    settings.LANGUAGES = [(code, code) for code in languages.codes(folder)]
    settings.LOCALE_PATHS = [languages.compiled(into, folder)]


def test_a_file_that_is_put_there_is_a_language(reader: Client, settings: Any, tmp_path: Path) -> None:
    write_language(tmp_path / "locale", "fr", {"Meetings": "Séances"})
    use(settings, tmp_path / "locale", tmp_path)
    make_meeting()
    tree = tree_of(reader, "/meetings", **{"accept-language": "fr-CA"})
    assert (tree.get("lang"), tree.xpath("//h1")[0].text) == ("fr", "Séances")
    assert "français" in [button.text for button in tree.xpath("//form[@class='languages']/button")]
    assert "ven. 20 nov." in tree.text_content()


def test_a_new_version_of_the_file_is_compiled_again(tmp_path: Path) -> None:
    write_language(tmp_path / "locale", "fr", {"Meetings": "Séances"})
    first = languages.compiled(tmp_path, tmp_path / "locale")
    assert languages.compiled(tmp_path, tmp_path / "locale") == first
    write_language(tmp_path / "locale", "fr", {"Meetings": "Réunions"})
    second = languages.compiled(tmp_path, tmp_path / "locale")
    assert second != first
    assert "Réunions".encode() in (second / "fr/LC_MESSAGES/django.mo").read_bytes()
    assert not list(tmp_path.glob(".making*"))


def test_a_file_that_cannot_be_read_takes_nothing_from_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_language(tmp_path / "locale", "fr", {"Meetings": "Séances"})
    broken = languages.po_of("it", tmp_path / "locale")
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b'msgid "Meetings"\nmsgstr "Riunioni\xff"\n')
    made = languages.compiled(tmp_path, tmp_path / "locale")
    assert (made / "fr/LC_MESSAGES/django.mo").exists()
    assert not (made / "it/LC_MESSAGES/django.mo").exists()
    assert str(broken) in caplog.text


def test_a_folder_that_no_language_is_called_after_is_none(tmp_path: Path) -> None:
    for name in ("fr", "nonsense", "xx", "pt_BR"):
        path = tmp_path / name / "LC_MESSAGES/django.po"
        path.parent.mkdir(parents=True)
        path.touch()
    (tmp_path / "de").mkdir()
    assert languages.codes(tmp_path) == ["en", "fr", "pt-br"]


def test_where_the_data_folder_may_only_be_read_languages_are_there_all_the_same(tmp_path: Path) -> None:
    write_language(tmp_path / "locale", "fr", {"Meetings": "Séances"})
    (tmp_path / "data").touch()
    assert (languages.compiled(tmp_path / "data", tmp_path / "locale") / "fr/LC_MESSAGES/django.mo").exists()


def test_every_language_of_ours_was_compiled(settings: Any) -> None:
    (folder,) = settings.LOCALE_PATHS
    assert sorted(path.parent.parent.name for path in Path(folder).rglob("*.mo")) == languages.codes()[1:]


# --- nothing is left in English ---------------------------------------------------------------------------------------

HEBREW = "he"
_KEPT = re.compile(r"%\(\w+\)[sd]|%%|</?\w[^<>]*>|\{\w+\}")
_WORD = re.compile(r"[A-Za-z]{2,}")
_SAME_IN_EVERY_LANGUAGE = {
    *("Rollcall", "BigBlueButton", "CSV", "JSON", "PDF", "XLSX", "UTC", "events", "xml", "MODERATOR", "VIEWER"),
    *("English",),
}


def in_other_letters(text: str) -> str:
    """The text in letters that are in no English word, with what is filled in as it was."""
    parts = re.split(f"({_KEPT.pattern})", text)
    return "".join(part if index % 2 else re.sub("[A-Za-z]", "ש", part) for index, part in enumerate(parts))


@pytest.fixture
def other_letters(settings: Any, tmp_path: Path) -> Iterator[None]:
    """A language of which we know that every text of ours is in it, and which has dates in letters of its own."""
    from scripts.messages import catalog_of_sources

    catalog = Catalog(locale=HEBREW)
    for message in catalog_of_sources():
        if isinstance(message.id, str) and message.id:
            catalog.add(message.id, in_other_letters(message.id), context=message.context)
        elif message.id:
            catalog.add(message.id, tuple([in_other_letters(message.id[1])] * catalog.num_plurals))
    path = languages.po_of(HEBREW, tmp_path / "locale")
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_po(file, catalog)
    use(settings, tmp_path / "locale", tmp_path)
    with translation.override(HEBREW):
        yield


PAGES = (
    "/",
    "/meetings",
    "/meetings?name=Ωμέγα",
    "/meetings?from=2027-01-01&to=2026-01-01",
    "/meetings?from=0",
    "/meetings/{pk}",
    "/meetings/{running}/live",
    "/meetings/{pk}/facts",
    "/meetings/{pk}/facts/{key}",
    "/attendances",
    "/people",
    "/people?name=Ωμέγα",
    "/people/{person}",
    "/courses",
    "/use",
    "/servers",
    "/coverage",
    "/nowhere",
    "/meetings/99",
)


@pytest.fixture
def meeting(db: None) -> dict[str, str]:
    """A class of which nothing, neither names nor ids, has a Latin letter; and one that runs."""
    from rollcall.store.derived import Attendance

    site = "https://1.2"
    greek = Attendee(name="Γεώργιος", uid="7")
    made = make_meeting(greek, name="Άλγεβρα", internal="1-1", server="1", site=site, course="5", label="Λογική")
    running = make_meeting(
        greek, name="Τώρα", internal="2-2", server="1", site=site, ended=None, settles=None, began="11:00"
    )
    one = Attendance.objects.get(summary=made)
    return {
        "pk": str(made.meeting_id),
        "running": str(running.meeting_id),
        "key": bytes(one.attendee_key).hex(),
        "person": bytes(one.person_key or b"").hex(),
    }


@pytest.mark.usefixtures("other_letters")
@pytest.mark.parametrize("address", PAGES)
def test_no_english_is_left_on_a_page(reader: Client, meeting: dict[str, str], address: str) -> None:
    reader.cookies["language"] = HEBREW
    tree = tree_of(reader, address.format(**meeting))
    assert tree.get("dir") == "rtl"
    for element in tree.xpath("//script | //style | //code | //pre | //*[@class='id'] | //*[@name='server']"):
        element.drop_tree()
    for site in tree.xpath("//bdi[starts-with(., 'https://')]"):
        site.drop_tree()
    said = [*tree.xpath("//text()"), *tree.xpath("//@aria-label | //@title | //@alt | //@placeholder | //@data-label")]
    said += tree.xpath("//*[@id='live-status']/@*[starts-with(name(), 'data-')]")
    left = {word for text in said for word in _WORD.findall(text)} - _SAME_IN_EVERY_LANGUAGE
    assert left == set(), [text for text in said if _WORD.search(text)]


@pytest.mark.parametrize("code", languages.codes()[1:])
@pytest.mark.parametrize("address", PAGES)
def test_every_page_is_there_in_every_language(
    reader: Client, meeting: dict[str, str], address: str, code: str
) -> None:
    reader.cookies["language"] = code
    tree = tree_of(reader, address.format(**meeting))
    assert tree.get("lang") == code
    assert not re.search(r"%\(\w+\)", html.tostring(tree, encoding="unicode"))


# --- what does not change with the language ---------------------------------------------------------------------------


def content_of(client: Client, address: str, language: str) -> bytes:
    client.cookies["language"] = language
    answer = client.get(address)
    return b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]


@pytest.mark.parametrize("address", ["/meetings.json", "/people.json", "/meetings/{pk}.json", "/coverage.json"])
def test_what_a_program_reads_is_the_same_in_every_language(
    reader: Client, meeting: dict[str, str], address: str
) -> None:
    address = address.format(**meeting)
    english = content_of(reader, address, "en")
    assert english
    for code in languages.codes()[1:]:
        assert content_of(reader, address, code) == english


def test_times_and_numbers_of_a_file_are_the_same_in_every_language(reader: Client, meeting: dict[str, str]) -> None:
    files = {code: content_of(reader, "/attendances.csv", code).decode() for code in languages.codes()}
    numbers = {code: re.findall(r"\d[\d:.\- ]+\d", text.partition("\n")[2]) for code, text in files.items()}
    assert files["el"].splitlines()[0] != files["en"].splitlines()[0]
    assert numbers["en"]
    assert all(found == numbers["en"] for found in numbers.values())


# --- the command line -------------------------------------------------------------------------------------------------


@pytest.fixture
def greek_instance(settings: Any) -> Iterator[None]:
    settings.LANGUAGE_CODE = "el"
    translation.deactivate()
    yield
    translation.deactivate()


@pytest.mark.usefixtures("greek_instance")
def test_a_report_on_the_command_line_is_in_the_configured_language(capsysbinary: Any) -> None:
    make_meeting()
    assert run(["report", "meetings"]) == 0
    assert "Συνεδρία" in capsysbinary.readouterr().out.decode()


@pytest.mark.usefixtures("greek_instance")
def test_what_a_command_tells_an_operator_is_english(capsys: Any) -> None:
    run(["doctor"])
    said = capsys.readouterr()
    assert not re.search("[α-ωά-ώ]", said.out + said.err)
    assert translation.get_language() == "en"
