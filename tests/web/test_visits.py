"""The session after a launch: what opens it, what does not, for how long, and what its pages lead to."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern
from lxml import html

from rollcall import urls
from rollcall.core.access import Reader, Role
from rollcall.lti import entering, visits
from rollcall.store.derived import Summary
from rollcall.store.platforms import Platform, ResourceLink, Visit
from rollcall.web import rewriting
from tests.makers import make_meeting, operator
from tests.web.visiting import OURS, Frame, begun, cookie_of, entered, make_platform, path_of

pytestmark = pytest.mark.django_db

MINUTE = 60_000
HOUR = 60 * MINUTE


@pytest.fixture
def platform() -> Platform:
    return make_platform()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """`later(ms)`: from now on it is so much later than it is."""
    clock = visits.clock

    def move(ms: int) -> None:
        monkeypatch.setattr(visits, "clock", lambda: clock() + ms)

    return move


# --- a cookie, or the address -----------------------------------------------------------------------------------------


def test_a_launch_sets_a_cookie_for_frames_and_does_not_wait_for_it(platform: Platform) -> None:
    visit, secret = begun(platform)
    answer = entered(visit, secret)
    assert answer.status_code == 303
    assert answer["Set-Cookie"] == (
        f"__Host-rollcall-visit={secret}; Path=/; Secure; HttpOnly; SameSite=None; Partitioned"
    )
    assert re.fullmatch(r"/in/[0-9]+\.[0-9]+\.[\w-]{24}/meetings", answer["Location"])
    assert secret not in answer["Location"]
    assert Client().get(answer["Location"]).status_code == 200


def test_once_the_cookie_has_come_back_no_address_opens_the_visit(platform: Platform) -> None:
    visit, secret = begun(platform)
    address = entered(visit, secret, "/meetings?name=a b")["Location"]
    browser = Client()
    browser.cookies[entering.COOKIE] = secret

    answer = browser.get(address)
    assert (answer.status_code, answer["Location"]) == (303, f"/in/{visits.name(visit)}/meetings?name=a%20b")
    assert browser.get(answer["Location"]).status_code == 200
    assert browser.get(address).status_code == 303
    assert Client().get(address).status_code == 403
    assert Client().get(answer["Location"]).status_code == 403


@pytest.mark.parametrize("cookie", ["", "x", "." * 9, "a" * 5000, "ä", "another"])
def test_a_name_opens_nothing_without_its_own_cookie(platform: Platform, cookie: str) -> None:
    visit, _secret = begun(platform)
    if cookie == "another":
        cookie = begun(platform)[1]
    browser = Client()
    browser.cookies[entering.COOKIE] = cookie
    assert browser.get(f"/in/{visits.name(visit)}/meetings").status_code == 403


def forged(visit: Visit, now: int) -> dict[str, str]:
    number, step, mac = visits.token(visit, now).split(".")
    other = begun(visit.platform)[0]
    return {
        "nothing": "",
        "dots": "..",
        "a letter of the signature": f"{number}.{step}.{'B' if mac[0] == 'A' else 'A'}{mac[1:]}",
        "no signature": f"{number}.{step}.",
        "a shorter one": f"{number}.{step}.{mac[:-1]}",
        "another visit": f"{other.pk}.{step}.{mac}",
        "another time": f"{number}.{int(step) - 1}.{mac}",
        "zeros before": f"0{number}.{step}.{mac}",
        "other digits": f"{number}.{step}.{mac}".replace(number, "٣", 1),
        "a huge number": f"{'9' * 40}.{step}.{mac}",
        "a long text": f"{number}.{step}.{mac}{'A' * 9000}",
        "a ticket": visits.ticket(visit, now),
        "the future": visits.token(visit, now + 2 * visits.STEP_MS),
        "long ago": visits.token(visit, now - 4 * HOUR),
        "something after it": f"{number}.{step}.{mac}.x",
    }


def test_addresses_that_are_not_ours_open_nothing(platform: Platform) -> None:
    visit, _secret = begun(platform)
    for what, text in forged(visit, visits.clock()).items():
        answer = Client().get(f"/in/{text}/meetings")
        assert answer.status_code == 403, what
        assert b"Your visit is over." in answer.content, what


def test_an_address_of_the_same_step_is_the_same(platform: Platform) -> None:
    visit, _secret = begun(platform)
    at = 1_000 * visits.STEP_MS
    assert visits.token(visit, at) == visits.token(visit, at + visits.STEP_MS - 1)
    assert visits.token(visit, at) != visits.token(visit, at + visits.STEP_MS)


def test_a_page_that_stays_open_is_told_the_newest_form_of_its_address(platform: Platform, later: Any) -> None:
    frame = Frame(begun(platform)[0])
    later(HOUR)
    answer = frame.get("/meetings")
    fresh = answer["Page-Prefix"]
    assert fresh != frame.prefix
    assert f'data-in="{fresh}/"' in answer.content.decode()
    assert Client().get(f"{fresh}/meetings").status_code == 200


# --- how long ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keeps_cookie", [False, True])
def test_it_survives_rest_but_not_too_much_of_it(platform: Platform, later: Any, keeps_cookie: bool) -> None:
    visit, secret = begun(platform)
    frame = Frame(visit, secret if keeps_cookie else "")
    later(2 * HOUR + 50 * MINUTE)
    assert frame.get("/meetings").status_code == 200
    later(5 * HOUR + 51 * MINUTE)
    assert frame.get("/meetings").status_code == 403


def test_it_ends_after_twelve_hours_however_busy(platform: Platform, later: Any) -> None:
    frame = Frame(*begun(platform))
    for hours in range(0, 12, 2):
        later(hours * HOUR + MINUTE)
        assert frame.get("/meetings").status_code == 200
    later(12 * HOUR)
    assert frame.get("/meetings").status_code == 403


def test_it_ends_when_it_is_ended_or_the_lms_is_removed(platform: Platform) -> None:
    one, other = begun(platform), begun(platform, user_id="5")
    frames = [Frame(*one), Frame(other[0])]
    assert [frame.get("/meetings").status_code for frame in frames] == [200, 200]
    visits.end(one[0], visits.clock())
    assert [frame.get("/meetings").status_code for frame in frames] == [403, 200]
    Platform.objects.update(removed_at=visits.clock())
    assert [frame.get("/meetings").status_code for frame in frames] == [403, 403]


def test_all_of_a_platform_end_together(platform: Platform) -> None:
    frame = Frame(*begun(platform))
    visits.end_all(platform, visits.clock())
    assert frame.get("/meetings").status_code == 403


def test_its_use_is_written_down_once_a_minute(
    platform: Platform, later: Any, django_assert_max_num_queries: Any
) -> None:
    visit, secret = begun(platform)
    frame = Frame(visit, secret)
    later(MINUTE)
    frame.get("/meetings")
    used = Visit.objects.get().used_at
    assert used > visit.used_at
    later(2 * MINUTE - 1000)
    frame.get("/meetings")
    assert Visit.objects.get().used_at == used


@pytest.mark.parametrize(("accept", "kind"), [("text/html", "text/html"), ("application/json", "application/json")])
def test_who_comes_too_late_is_told_what_to_do(accept: str, kind: str) -> None:
    answer = Client().get("/in/1.2.x/meetings/1/watch", headers={"accept": accept})
    assert answer.status_code == 403
    assert answer["Content-Type"].startswith(kind)
    assert b"Go back to the course" in answer.content
    assert b'href="/meetings"' not in answer.content


def test_a_part_of_a_page_that_comes_too_late_loads_the_page(platform: Platform) -> None:
    answer = Client().get("/in/1.2.x/meetings", headers={"hx-request": "true"})
    assert (answer.status_code, answer["HX-Refresh"], answer.content) == (403, "true", b"")


# --- visits beside each other, and beside the staff -------------------------------------------------------------------


def test_courses_in_tabs_beside_each_other_are_all_open(platform: Platform) -> None:
    cookie, names = "", []
    for course in range(10):
        visit, secret = begun(platform, course=str(course))
        cookie = cookie_of(entered(visit, secret, cookie=cookie))
        names.append(visits.name(visit))
    browser = Client()
    browser.cookies[entering.COOKIE] = cookie
    assert [browser.get(f"/in/{name}/meetings").status_code for name in names] == [403] * 2 + [200] * 8


def test_whoever_comes_next_at_the_same_computer_ends_the_visits_before(platform: Platform) -> None:
    visit, secret = begun(platform)
    by_address = Frame(visit)
    next_visit, next_secret = begun(platform, user_id="5")
    cookie = cookie_of(entered(next_visit, next_secret, cookie=secret))
    assert cookie == next_secret
    assert by_address.get("/meetings").status_code == 403


def test_outside_of_its_own_addresses_a_visit_counts_for_nothing(platform: Platform) -> None:
    frame = Frame(*begun(platform))
    assert path_of(frame.client.get("/meetings")) == "/login"
    assert frame.client.post("/zone", {"zone": "UTC"}, headers=OURS).status_code in {302, 403}


def test_within_them_an_account_counts_for_nothing(platform: Platform, django_user_model: Any) -> None:
    frame = Frame(*begun(platform, Role.LEARNER))
    frame.client.force_login(operator(django_user_model, "ada"))
    assert frame.client.get("/servers").status_code == 200
    assert frame.get("/servers").status_code == 403
    page = frame.get("/nowhere")
    assert b"ada" not in page.content
    for path in ("/login", "/logout", "/account", "/lti/login", "/in/x/meetings", "/api/v1/meetings"):
        assert frame.get(path).status_code == 404, path
    assert frame.client.get("/servers").status_code == 200


def test_a_page_of_a_visit_sets_no_cookie_and_tells_nobody_its_address(platform: Platform) -> None:
    for frame in (Frame(begun(platform)[0]), Frame(*begun(platform))):
        for path in ("/meetings", "/nowhere", "/meetings.csv"):
            answer = frame.get(path)
            assert not answer.cookies
            assert "Set-Cookie" not in answer.headers
            assert answer["Referrer-Policy"] == "strict-origin"
            assert "no-store" in answer["Cache-Control"]


# --- frames -----------------------------------------------------------------------------------------------------------


def ancestors(answer: Any) -> str:
    return str(re.search(r"frame-ancestors ([^;]*)", answer["Content-Security-Policy"])[1])  # type: ignore[index]


def test_pages_are_framed_by_the_lms_they_were_opened_from(platform: Platform, client: Client) -> None:
    make_platform("https://other.example.org:8443/moodle", client_id="other")
    make_platform("https://gone.example.org", client_id="gone", removed_at=1)
    answer = Frame(begun(platform)[0]).get("/meetings")
    assert ancestors(answer) == "https://moodle.example.org"
    assert "X-Frame-Options" not in answer.headers
    assert "unsafe" not in answer["Content-Security-Policy"]

    everyone = "https://moodle.example.org https://other.example.org:8443"
    assert ancestors(client.get("/lti/launch")) == everyone
    assert ancestors(client.get("/in/x/meetings")) == everyone
    assert ancestors(client.get("/login")) == "'none'"
    assert client.get("/login")["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://Moodle.Example.org/a/b?c", "https://moodle.example.org"),
        ("https://moodle.example.org:8443", "https://moodle.example.org:8443"),
        ("http://localhost:8000/x", "http://localhost:8000"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://[2001:db8::1]/", "https://[2001:db8::1]"),
        ("https://a.example; script-src *", ""),
        ("https://a.example *", ""),
        ("https://*", ""),
        ("https://a.example:port", ""),
        ("https://", ""),
        ("javascript:alert(1)", ""),
        ("moodle.example.org", ""),
        ("https://" + "a" * 300 + ".example", ""),
        ("https://u:p@a.example/", "https://a.example"),
        ("", ""),
    ],
)
def test_an_address_becomes_an_origin_or_nothing(address: str, origin: str) -> None:
    from rollcall.lti.framing import origin_of

    assert origin_of(address) == origin


# --- forms ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "is_taken"),
    [
        ({"origin": "http://testserver"}, True),
        ({"origin": "http://testserver", "sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"origin": "https://rollcall.example.org"}, True),
        ({}, False),
        ({"origin": "null"}, False),
        ({"origin": "https://moodle.example.org"}, False),
        ({"origin": "http://testserver.example.org"}, False),
        ({"origin": "https://testserver"}, False),
        ({"origin": "http://testserver", "sec-fetch-site": "same-site"}, False),
        ({"origin": "http://testserver", "sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"referer": "http://testserver/"}, False),
    ],
)
@pytest.mark.parametrize("keeps_cookie", [False, True])
def test_forms_are_taken_from_our_own_pages_alone(
    platform: Platform,
    keeps_cookie: bool,
    headers: dict[str, str],
    is_taken: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ROLLCALL_URL", "https://rollcall.example.org")
    visit, secret = begun(platform)
    frame = Frame(visit, secret if keeps_cookie else "")
    answer = frame.post("/language", {"language": "de", "next": "/people?name=x"}, **headers)
    assert answer.status_code == (302 if is_taken else 403)
    assert Visit.objects.get(pk=visit.pk).language == ("de" if is_taken else "")
    if is_taken:
        assert answer["Location"] == f"{frame.prefix}/people?name=x"


def test_forms_of_the_staff_want_their_token_as_before(django_user_model: Any) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(operator(django_user_model, "ada"))
    assert browser.post("/language", {"language": "de"}, headers=OURS).status_code == 403


@pytest.mark.parametrize("keeps_cookie", [False, True])
def test_language_and_zone_are_kept_without_a_cookie(platform: Platform, keeps_cookie: bool) -> None:
    visit, secret = begun(platform, language="ar")
    frame = Frame(visit, secret if keeps_cookie else "")
    assert frame.get("/meetings")["Content-Language"] == "ar"
    frame.post("/language", {"language": "el"}, **OURS)
    assert frame.post("/zone", {"zone": "Europe/Athens"}, **OURS).status_code == 204
    for told in ("Nowhere/Land", "", "x" * 5000, "../etc/passwd"):
        assert frame.post("/zone", {"zone": told}, **OURS).status_code == 400
    page = frame.get("/meetings", **{"accept-language": "de"})
    assert page["Content-Language"] == "el"
    assert b'data-zone="Europe/Athens"' in page.content


def test_a_new_window_is_a_visit_beside_it(platform: Platform) -> None:
    visit, secret = begun(platform, Role.LEARNER, groups=frozenset({"2", "1"}))
    frame = Frame(visit, secret)
    visits.of_secret(secret, visits.clock())
    page: Any = html.fromstring(frame.get("/nowhere").content)
    form = page.xpath("//form[@action='/in/window']")[0]
    told = dict(form.form_values())
    assert told["to"] == "/nowhere"

    for _ in range(2):
        answer = Client().post("/in/window", told, headers=OURS)
        assert answer.status_code == 303
        assert path_of(answer).endswith("/nowhere")
    beside = Visit.objects.order_by("pk").last()
    assert beside is not None
    same = ("platform_id", "context_id", "user_id", "role", "groups", "expires_at")
    assert [getattr(beside, name) for name in same] == [getattr(visit, name) for name in same]
    assert bytes(beside.key) != bytes(visit.key)
    assert frame.get("/nowhere").status_code == 404


@pytest.mark.parametrize("origin", ["https://moodle.example.org", "null", None])
def test_no_other_page_opens_a_window(platform: Platform, origin: str | None) -> None:
    visit, _secret = begun(platform)
    form = {"ticket": visits.ticket(visit, visits.clock()), "to": "/"}
    answer = Client().post("/in/window", form, headers={"origin": origin} if origin else {})
    assert answer.status_code == 403
    assert Visit.objects.count() == 1


@pytest.mark.parametrize("to", ["//evil.example/", "https://evil.example/", "\\\\evil", "", "/a\r\nX: y"])
def test_a_window_leads_nowhere_else(platform: Platform, to: str) -> None:
    visit, _secret = begun(platform)
    form = {"ticket": visits.ticket(visit, visits.clock()), "to": to}
    answer = Client().post("/in/window", form, headers=OURS)
    assert answer["Location"].startswith("/in/")
    assert "\n" not in answer["Location"]
    assert "X" not in answer.headers


@pytest.mark.parametrize("text", ["", "1.2.x", "a token"])
def test_a_window_wants_a_ticket(platform: Platform, text: str) -> None:
    visit, _secret = begun(platform)
    if text == "a token":
        text = visits.token(visit, visits.clock())
    assert Client().post("/in/window", {"ticket": text}, headers=OURS).status_code == 403


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "moved"),
    [
        ('<a href="/">', '<a href="/in/x/">'),
        ("<a class=b href='/meetings?a=/b'>", "<a class=b href='/in/x/meetings?a=/b'>"),
        ('<form\naction="/language">', '<form\naction="/in/x/language">'),
        ('<div hx-get="/meetings" hx-replace-url="true">', '<div hx-get="/in/x/meetings" hx-replace-url="true">'),
        ('<link href="/static/a.css">', '<link href="/static/a.css">'),
        ('<p data-watch="/meetings/1/watch">', '<p data-watch="/in/x/meetings/1/watch">'),
        ('<a href="//evil.example">', '<a href="//evil.example">'),
        ('<a href="https://a.example/">', '<a href="https://a.example/">'),
        ('<a href="#main">', '<a href="#main">'),
        ('<form action="/in/window">', '<form action="/in/window">'),
        ('<a href="/info">', '<a href="/in/x/info">'),
        ('<a title=" href=&quot;/a&quot;">', '<a title=" href=&quot;/a&quot;">'),
        ('<input value="/meetings">', '<input value="/meetings">'),
    ],
)
def test_what_leads_to_a_page_of_ours_leads_below_the_visit(page: str, moved: str) -> None:
    response = HttpResponse(page)
    for name, value in (("Content-Length", "9"), ("Location", "/a"), ("HX-Redirect", "https://a.example/")):
        response.headers[name] = value
    rewriting.move(response, "/in/x")
    assert response.content.decode() == moved
    assert response.headers["Content-Length"] == str(len(moved))
    assert response.headers["Location"] == "/in/x/a"
    assert response.headers["HX-Redirect"] == "https://a.example/"


def test_what_is_no_page_is_left_alone() -> None:
    response = HttpResponse('{"a": " href=\\"/b\\""}', content_type="application/json")
    before = response.content
    rewriting.move(response, "/in/x")
    assert response.content == before


def addresses(page: bytes) -> set[str]:
    """Whatever stands in an attribute and begins as our addresses do; a form's fields hold what is sent."""
    tree: Any = html.fromstring(page)
    return {
        value
        for element in tree.iter()
        if isinstance(element.tag, str) and element.tag != "input"
        for value in element.attrib.values()
        if value.startswith("/")
    }


def every_path(subjects: dict[str, tuple[str, ...]]) -> list[str]:
    """An address of each page there is."""
    meeting, person, attendee = subjects["meeting"][0], subjects["person"][0], subjects["facts-of-person"][1]
    found = []
    for pattern in urls.urlpatterns:
        if not isinstance(pattern, URLPattern):
            continue
        path = str(pattern.pattern)
        key = subjects["course"][0] if path.startswith("courses") else attendee if "facts" in path else person
        if path.startswith("activities"):
            key = bytes(Summary.objects.get(meeting=int(meeting)).activity_key).hex()
        user = ("digest:user", person)
        for name, value in (("int:pk", meeting), ("digest:key", key), user, ("file:kind", "csv"), ("str:token", "x")):
            path = path.replace(f"<{name}>", value)
        found.append("/" + re.sub(r"<.*?>", "x", path))
    return found


@pytest.mark.parametrize("keeps_cookie", [False, True])
def test_no_address_on_any_page_leaves_the_visit(
    platform: Platform, keeps_cookie: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.reports.each_report import make_subjects

    paths = every_path(make_subjects())
    make_meeting(name="Running", ended=None, settles=None)
    # Whoever sees everything sees every address.
    monkeypatch.setattr(visits, "reader_of", lambda _visit: Reader(role=Role.OPERATOR, name="4"))
    visit, secret = begun(platform)
    frame = Frame(visit, secret if keeps_cookie else "")
    seen = set()
    for path in paths:
        answer = frame.get(path, accept="text/html")
        leads = {answer["Location"]} if "Location" in answer.headers else set()
        if answer["Content-Type"].startswith("text/html") and not answer.streaming and answer.content:
            leads |= addresses(answer.content)
        outside = {one for one in leads if not one.startswith((f"{frame.prefix}/", "/static/"))}
        assert outside <= {"/in/window"}, path
        if answer.status_code == 200:
            seen.add(path)
    assert len(seen) >= 20


def test_a_fault_logs_no_address_that_opens_anything(platform: Platform, monkeypatch: Any, caplog: Any) -> None:
    from rollcall.reports import access

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(access, "require", fail)
    visit, _secret = begun(platform)
    frame = Frame(visit)
    answer = frame.get("/")
    assert answer.status_code == 500
    assert "/static/" in answer.content.decode()
    token = frame.prefix.rpartition("/")[2]
    assert token not in caplog.text
    assert all(token not in repr(vars(record)) for record in caplog.records)


# --- who comes --------------------------------------------------------------------------------------------------------


def test_the_reader_is_bound_to_where_they_came_from(platform: Platform) -> None:
    of = {"name": "4", "organisation": platform.organisation_id, "site": platform.site}
    assert visits.reader_of(begun(platform, Role.ADMINISTRATOR)[0]) == Reader(role=Role.ADMINISTRATOR, **of)
    assert visits.reader_of(begun(platform, Role.ADMINISTRATOR, context=None)[0]) == Reader(
        role=Role.ADMINISTRATOR, **of
    )
    for role in (Role.INSTRUCTOR, Role.LEARNER):
        assert visits.reader_of(begun(platform, role)[0]) == Reader(role=role, context_id="7", user_id="4", **of)


@pytest.mark.parametrize(
    ("groups", "roles", "seen"),
    [
        (frozenset({"12", "3"}), None, None),
        (frozenset({"12", "3"}), (True, True), None),
        (frozenset({"12", "3"}), (False, True), {"12", "3"}),
        (frozenset(), (False, True), set()),
        (None, (False, True), set()),
    ],
)
def test_who_teaches_only_by_launch_sees_their_own_groups(
    platform: Platform, groups: frozenset[str] | None, roles: tuple[bool, bool] | None, seen: set[str] | None
) -> None:
    from rollcall.store.keys import key_of
    from rollcall.store.platforms import Member

    visit, _secret = begun(platform, groups=groups)
    assert visit.context is not None
    if roles:
        Member.objects.create(
            context=visit.context,
            user_id="4",
            user_key=key_of("4"),
            is_instructor=roles[0],
            is_learner=roles[1],
            from_at=0,
        )
    assert visits.reader_of(visit).groups == seen


def test_a_launch_leads_each_to_their_own(platform: Platform) -> None:
    assert visits.first_page(begun(platform, Role.ADMINISTRATOR)[0]) == "/"
    assert re.fullmatch("/courses/[0-9a-f]{32}", visits.first_page(begun(platform)[0]))
    assert re.fullmatch("/people/[0-9a-f]{32}", visits.first_page(begun(platform, Role.LEARNER)[0]))


def test_a_link_to_one_activity_leads_each_to_that_alone(platform: Platform) -> None:
    activity = "0123456789abcdef" * 2
    for role, page in ((Role.INSTRUCTOR, "/meetings"), (Role.LEARNER, "/people/[0-9a-f]{32}")):
        visit, _secret = begun(platform, role)
        visit.link = ResourceLink(activity=activity)
        assert re.fullmatch(rf"{page}\?meeting={activity}", visits.first_page(visit))


def test_each_page_leads_back_to_the_course_in_the_lms(platform: Platform) -> None:
    from rollcall.store.derived import Course
    from tests.reports.each_report import make_subjects

    paths = every_path(make_subjects())
    visit, secret = begun(platform)
    frame = Frame(visit, secret)
    course = Course.objects.order_by("-meetings").first()
    assert course is not None
    frame_paths = [*paths, f"/courses/{bytes(course.key).hex()}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(visits, "reader_of", lambda _visit: Reader(role=Role.OPERATOR, name="4"))
        pages = [frame.get(path, accept="text/html") for path in frame_paths]
    whole = [
        page for page in pages if page.status_code == 200 and not page.streaming and b'class="visit"' in page.content
    ]
    assert len(whole) >= 10
    for page in whole:
        tree: Any = html.fromstring(page.content)
        assert tree.xpath("//a[@target='_top']/@href") == ["https://moodle.example.org/course/view.php?id=7"]
        assert tree.xpath("//input[@name='ticket']/@value") == [visits.ticket(visit, visits.clock())]


def test_the_way_back_is_known_of_moodle(platform: Platform) -> None:
    assert visits.course_page(begun(platform)[0]) == "https://moodle.example.org/course/view.php?id=7"
    assert visits.course_page(begun(platform, context=None)[0]) == ""
    platform.product = "canvas"
    assert visits.course_page(begun(platform)[0]) == ""


def test_nothing_that_opens_a_visit_is_stored(platform: Platform) -> None:
    visit, secret = begun(platform, return_url="https://moodle.example.org/return?sesskey=abc")
    row = repr(Visit.objects.filter(pk=visit.pk).values())
    assert secret not in row
    assert "sesskey" not in row


def test_what_middleware_stands_before_it_asks_for_no_session() -> None:
    order = [name.rpartition(".")[2] for name in django_settings.MIDDLEWARE]
    assert order.index("SecurityHeaders") < order.index("Visits") < order.index("ReaderZone")
    assert order.index("Visits") < order.index("SessionMiddleware")


def test_until_the_first_roster_is_read_an_instructor_sees_no_group_but_their_own(platform: Platform) -> None:
    visit, _secret = begun(platform)
    assert visit.context is not None
    assert visits.reader_of(visit).groups is None, "no roster is offered"

    visit.context.memberships_url = "https://moodle.example.org/members"
    assert visits.reader_of(visit).groups == frozenset(), "it is about to be read"
    visit.context.roster_failures = 1
    assert visits.reader_of(visit).groups is None, "nobody waits for what cannot be had"
    visit.groups = "7,8"
    assert visits.reader_of(visit).groups == frozenset({"7", "8"}), "but whoever has groups has no more than these"
    visit.groups = None
    visit.context.roster_failures, visit.context.roster_at = 0, 1
    assert visits.reader_of(visit).groups is None, "it was read, and says nothing against it"
