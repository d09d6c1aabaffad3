"""Files made in the background: asked for, made by a worker, seen by nobody else, gone after a day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import DataError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone, translation
from django.utils.translation import gettext

from rollcall.core.errors import Refused
from rollcall.reports.access import let_in
from rollcall.reports.exports import asking, queue, working
from rollcall.reports.exports.asking import is_replayed, later, progress_of
from rollcall.reports.exports.working import Maker
from rollcall.reports.pdf import response
from rollcall.reports.pdf.desks import Desks
from rollcall.reports.pdf.document import TooLong
from rollcall.reports.pdf.response import pdf_response
from rollcall.reports.rows import Column, Kind
from rollcall.store.exports import Export, ExportPart, ExportState
from rollcall.store.facts import Meeting
from rollcall.web.readers import reader_of_user
from tests.makers import Attendee, make_meeting, make_organisation, operator, staff
from tests.reports.pdf.printed import COLUMNS, opened, people, table_of, text_of

pytestmark = pytest.mark.django_db

CONTENT = b"%PDF " + bytes(range(256)) * 5000


@pytest.fixture
def ada(django_user_model: Any) -> Any:
    return operator(django_user_model, "ada")


@pytest.fixture
def client(ada: Any) -> Client:
    client = Client()
    client.force_login(ada)
    return client


def request_of(user: Any, address: str = "/people.pdf?name=ada", **headers: str) -> HttpRequest:
    request = RequestFactory(headers=headers).get(address)
    request.user = user
    let_in(request, reader_of_user(user))
    return request


def asked(user: Any, address: str = "/people.pdf?name=ada") -> Export:
    answer = later(request_of(user, address), "people", "pdf", paper="a4")
    assert answer.status_code == 303
    return Export.objects.get(pk=int(answer["Location"].rpartition("/")[2]))


def whole(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(CONTENT, content_type="application/pdf")


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`view(function)` is what answers, whatever the address."""

    def use(function: Any) -> None:
        monkeypatch.setattr(working, "resolve", lambda _path: (function, (), {}))

    use(whole)
    return use


def test_from_the_wish_to_the_file(ada: Any, client: Client, view: Any) -> None:
    export = asked(ada)
    assert b"hx-get" in client.get(f"/exports/{export.pk}").content
    assert client.get(f"/exports/{export.pk}/file").status_code == 404
    assert Maker("w").tick()
    page = client.get(f"/exports/{export.pk}").content.decode()
    assert f'href="/exports/{export.pk}/file"' in page
    assert "hx-get" not in page
    answer: Any = client.get(f"/exports/{export.pk}/file")
    assert b"".join(answer.streaming_content) == CONTENT
    assert (answer["Content-Type"], answer["Content-Length"]) == ("application/pdf", str(len(CONTENT)))
    assert answer["Content-Disposition"] == 'attachment; filename="people.pdf"'
    assert not Maker("w").tick()


def test_its_page_says_of_which_report_it_is_and_leads_there(ada: Any, client: Client) -> None:
    export = asked(ada, "/people.pdf?name=%3Cb%3EAda&paper=a4")
    page = client.get(f"/exports/{export.pk}").content.decode()
    assert 'href="/people?name=%3Cb%3EAda"' in page
    assert "people.pdf" in page
    assert "<bdi>&lt;b&gt;Ada</bdi>" in page
    other = asked(ada, "/attendance.pdf?name=Ada")
    assert 'href="/meetings?name=Ada"' in client.get(f"/exports/{other.pk}").content.decode()


def test_the_view_is_asked_as_the_one_who_asked(ada: Any, view: Any) -> None:
    seen: list[Any] = []

    def remember(request: HttpRequest) -> HttpResponse:
        zone, language = timezone.get_current_timezone_name(), translation.get_language()
        seen.append((request.path, request.GET.dict(), request.user, zone, language, is_replayed(request)))
        progress_of(request)(500)
        return whole(request)

    view(remember)
    with timezone.override("Asia/Tokyo"), translation.override("de"):
        export = asked(ada)
    Maker("w").tick()
    assert seen == [("/people.pdf", {"name": "ada", "paper": "a4"}, ada, "Asia/Tokyo", "de", True)]
    export.refresh_from_db()
    assert (export.state, export.done) == (ExportState.READY, 500)


@pytest.mark.parametrize("zone", ["Etc/GMT+5", "Asia/Tokyo", "Africa/Abidjan"])
def test_a_zone_is_kept_by_its_name(zone: str, ada: Any, view: Any) -> None:
    seen: list[str] = []

    def look(request: HttpRequest) -> HttpResponse:
        seen.append(str(timezone.get_current_timezone()))
        return whole(request)

    view(look)
    with timezone.override(zone):
        asked(ada)
    assert Maker("w").tick()
    assert seen == [zone]


def test_a_row_that_cannot_be_made_keeps_nobody_else_waiting(ada: Any, view: Any) -> None:
    broken, other = asked(ada), asked(ada, "/people.pdf?name=grace")
    Export.objects.filter(pk=broken.pk).update(zone="-05")
    maker = Maker("w")
    while maker.tick():
        pass
    states = dict(Export.objects.values_list("pk", "state"))
    assert states == {broken.pk: ExportState.FAILED, other.pk: ExportState.READY}


def test_a_fault_outside_of_a_file_does_not_end_the_loop(ada: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_now: int) -> None:
        raise KeyError

    monkeypatch.setattr(working, "close_old_connections", lambda: None)
    monkeypatch.setattr(queue, "expire", fail)
    assert not Maker("w").tick_safely()


def test_a_stream_is_kept_whole(ada: Any, client: Client, view: Any) -> None:
    view(lambda _request: StreamingHttpResponse(iter([CONTENT[:7], CONTENT[7:]])))
    export = asked(ada)
    Maker("w").tick()
    answer: Any = client.get(f"/exports/{export.pk}/file")
    assert b"".join(answer.streaming_content) == CONTENT


def test_the_same_file_is_not_made_twice_at_a_time_and_not_too_many(ada: Any, view: Any) -> None:
    assert asked(ada).pk == asked(ada).pk
    for number in range(asking.AT_ONCE_PER_USER - 1):
        asked(ada, f"/people.pdf?name={number}")
    with pytest.raises(Refused) as raised:
        asked(ada, "/people.pdf?name=one-more")
    assert raised.value.status == 429
    Maker("w").tick()
    asked(ada, "/people.pdf?name=one-more")


def test_nobody_else_sees_it(ada: Any, view: Any, django_user_model: Any) -> None:
    export = asked(ada)
    Maker("w").tick()
    for user in (operator(django_user_model, "grace"), operator(django_user_model, "root", is_superuser=True)):
        client = Client()
        client.force_login(user)
        for address in ("", "/progress", "/file"):
            assert client.get(f"/exports/{export.pk}{address}").status_code == 404
    assert Client().get(f"/exports/{export.pk}").status_code == 302


def test_ones_own_files_are_listed_and_nobody_elses(
    ada: Any, client: Client, view: Any, django_user_model: Any
) -> None:
    assert "There are none now." in client.get("/exports").content.decode()
    ready, waiting = asked(ada), asked(ada, "/people.pdf?name=grace")
    other = asked(operator(django_user_model, "root", is_superuser=True))
    Export.objects.filter(pk=ready.pk).update(name="<script>")
    Maker("w").tick()
    page = client.get("/exports").content.decode()
    assert re.findall(r'href="/exports/(\d+)"', page) == [str(waiting.pk), str(ready.pk)]
    assert "being made" in page
    assert "1.2\xa0MB" in page
    assert "<script>." not in page
    assert 'href="/exports"' in client.get(f"/exports/{ready.pk}").content.decode()
    assert str(other.pk) not in re.findall(r"/exports/(\d+)", page)


@pytest.mark.parametrize("is_made", [True, False])
def test_a_file_can_be_deleted_by_whom_it_belongs_to(
    is_made: bool, ada: Any, client: Client, view: Any, django_user_model: Any
) -> None:
    export = asked(ada)
    if is_made:
        Maker("w").tick()
    address = f"/exports/{export.pk}/delete"
    stranger = Client()
    stranger.force_login(operator(django_user_model, "grace"))
    assert (stranger.post(address).status_code, client.get(address).status_code) == (404, 405)
    answer = client.post(address)
    assert (answer.status_code, answer["Location"]) == (302, "/exports")
    for gone in ("", "/progress", "/file"):
        assert client.get(f"/exports/{export.pk}{gone}").status_code == 404
    assert not Maker("w").tick()
    assert (Export.objects.count(), ExportPart.objects.count()) == (0, 0)


def test_one_that_is_being_made_when_it_is_deleted_is_not_kept(ada: Any, client: Client, view: Any) -> None:
    export = asked(ada)

    def deleted_meanwhile(request: HttpRequest) -> HttpResponse:
        client.post(f"/exports/{export.pk}/delete")
        return whole(request)

    view(deleted_meanwhile)
    Maker("w").tick()
    assert ExportPart.objects.count() == 0
    queue.expire(asking.now_ms())
    assert Export.objects.count() == 0


def test_after_a_day_it_is_gone_with_its_pieces(ada: Any, client: Client, view: Any) -> None:
    export = asked(ada)
    Maker("w").tick()
    assert ExportPart.objects.count() == 3
    tomorrow = asking.now_ms() + asking.KEPT_MS + 1
    assert not Maker("w", clock=lambda: tomorrow).tick()
    assert (Export.objects.count(), ExportPart.objects.count()) == (0, 0)
    answer = client.get(f"/exports/{export.pk}")
    assert answer.status_code == 404
    assert b"ask for it again" in answer.content


def test_one_that_has_run_out_is_not_shown_even_before_it_is_swept(ada: Any, client: Client) -> None:
    export = asked(ada)
    Export.objects.update(expires_at=asking.now_ms() - 1)
    assert client.get(f"/exports/{export.pk}").status_code == 404


@pytest.mark.parametrize(
    ("error", "state", "said"),
    [
        (Refused("There is no server “x”.", hint="There are: y."), ExportState.FAILED, "There is no server"),
        (TooLong("More than 20000 rows.", hint="Take it as CSV."), ExportState.TOO_LONG, "/people.xlsx?name=ada"),
    ],
)
def test_what_went_wrong_is_said_in_a_sentence(
    error: Exception, state: ExportState, said: str, ada: Any, client: Client, view: Any
) -> None:
    def fail(_request: HttpRequest) -> HttpResponse:
        raise error

    view(fail)
    export = asked(ada)
    Maker("w").tick()
    export.refresh_from_db()
    page = client.get(f"/exports/{export.pk}").content.decode()
    assert export.state == state
    assert str(error) in page
    assert said in page
    assert 'role="alert"' in page


def test_a_fault_of_ours_is_tried_again_and_then_said(ada: Any, view: Any) -> None:
    def fail(_request: HttpRequest) -> HttpResponse:
        raise ZeroDivisionError

    view(fail)
    export = asked(ada)
    assert [Maker("w").tick() for _ in range(queue.TRIES + 1)] == [True] * queue.TRIES + [False]
    export.refresh_from_db()
    assert (export.state, export.sentence) == (ExportState.FAILED, "The file could not be made.")


def test_an_error_of_the_database_is_a_try_too(ada: Any, view: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "close_old_connections", lambda: None)  # the one of the test is in a transaction

    def fail(_request: HttpRequest) -> HttpResponse:
        raise DataError

    view(fail)
    export = asked(ada)
    maker = Maker("w")
    assert [maker.tick_safely() for _ in range(queue.TRIES + 1)] == [False] * (queue.TRIES + 1)
    export.refresh_from_db()
    assert (export.state, export.tries) == (ExportState.FAILED, queue.TRIES)


def test_what_kills_its_worker_is_given_up_with_a_sentence_in_the_language_of_who_asked(ada: Any) -> None:
    with translation.override("de"):
        export = asked(ada)
        said = gettext("The file could not be made.")
    for _ in range(queue.TRIES):
        assert queue.claim("killed", asking.now_ms()) is not None
        queue.reclaim("killed", asking.now_ms())
    assert queue.claim("killed", asking.now_ms()) is None
    export.refresh_from_db()
    assert (export.state, export.sentence) == (ExportState.FAILED, said)
    assert export.hint


def test_a_worker_that_has_to_stop_leaves_it_to_the_next(ada: Any, view: Any) -> None:
    maker = Maker("w")

    def stopped(request: HttpRequest) -> HttpResponse:
        maker.stopping.set()
        progress_of(request)(1)
        raise AssertionError

    view(stopped)
    export = asked(ada)
    maker.tick()
    export.refresh_from_db()
    assert (export.state, export.tries) == (ExportState.WAITING, 0)
    view(whole)
    assert Maker("other").tick()


def test_what_a_killed_worker_had_in_hand_is_made_by_its_successor(ada: Any, view: Any) -> None:
    export = asked(ada)
    now = asking.now_ms()
    claimed = queue.claim("killed", now)
    assert claimed is not None
    assert not Maker("other").tick()
    queue.reclaim("killed", now)
    assert Maker("other").tick()
    export.refresh_from_db()
    assert (export.state, export.tries) == (ExportState.READY, 2)
    # The one thought dead comes back: it has nothing to say any more.
    assert not queue.tell((claimed.pk, claimed.tries), 5, now)


def test_a_lease_that_ran_out_is_taken_over(ada: Any, view: Any) -> None:
    asked(ada)
    assert queue.claim("slow", asking.now_ms()) is not None
    assert Maker("other", clock=lambda: asking.now_ms() + queue.LEASE_MS + 1).tick()


def test_whoever_has_lost_the_account_gets_nothing(ada: Any, view: Any) -> None:
    export = asked(ada)
    type(ada).objects.update(is_active=False)
    Maker("w").tick()
    export.refresh_from_db()
    assert (export.state, ExportPart.objects.count()) == (ExportState.FAILED, 0)


def test_what_is_written_by_others_is_escaped(ada: Any, client: Client, view: Any) -> None:
    def fail(_request: HttpRequest) -> HttpResponse:
        raise Refused("<script>alert(1)</script>", hint="<img src=x>")

    view(fail)
    export = asked(ada, "/people.pdf?name=%22%3E%3Cscript%3E")
    Maker("w").tick()
    page = client.get(f"/exports/{export.pk}").content.decode()
    assert "<script>alert" not in page
    assert "<img src=x>" not in page
    assert '"><script>' not in page


# --- which PDF is made at once ----------------------------------------------------------------------------------------


def rows(count: int) -> Iterator[Any]:
    return iter(people(f"Person {number}" for number in range(count)))


def test_a_short_one_is_made_at_once(ada: Any) -> None:
    answer: Any = pdf_response(request_of(ada), table_of(rows(3)), "people")
    assert answer.content.startswith(b"%PDF")
    assert (answer["Content-Type"], answer["Content-Disposition"]) == (
        "application/pdf",
        'attachment; filename="people.pdf"',
    )


def test_a_long_one_is_left_to_a_worker_and_no_more_is_read_than_tells_so(ada: Any) -> None:
    endless = iter(lambda: ("Ada", 1, 1), None)
    assert is_offered(pdf_response(request_of(ada, Accept="text/html"), table_of(endless), "people"))
    assert not Export.objects.exists()

    request = request_of(ada)
    request.method = "POST"
    assert pdf_response(request, table_of(endless), "people").status_code == 303
    assert Export.objects.get().query == "name=ada&paper=a4"


def is_offered(answer: Any) -> bool:
    return answer.status_code == 200 and b'<form method="post" action="/people.pdf?name=ada"' in answer.content


def test_a_program_is_told_how_a_long_one_is_made(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_meeting(Attendee(name="Ada"))
    monkeypatch.setattr(response, "AT_ONCE", -1)

    told = client.get("/people.pdf")
    assert (told.status_code, told.json()["code"]) == (409, "made-later")
    assert not Export.objects.exists()

    answer = client.post("/people.pdf")
    assert (answer.status_code, answer["Location"]) == (303, f"/exports/{Export.objects.get().pk}")
    assert Client().post("/people.pdf").status_code in {302, 401}
    assert client.post("/people.csv").status_code == 405


def test_a_form_of_somebody_else_begins_nothing(ada: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    assert strict.post("/people.pdf").status_code == 403
    assert not Export.objects.exists()


def test_columns_weigh_too(ada: Any) -> None:
    wide = [*COLUMNS, *(Column(str(n), str(n), Kind.COUNT, lambda row: row[1]) for n in range(147))]
    assert pdf_response(request_of(ada), table_of(rows(100), columns=COLUMNS), "people").status_code == 200
    assert is_offered(pdf_response(request_of(ada, Accept="text/html"), table_of(rows(101), columns=wide), "people"))


def test_where_many_are_drawn_already_a_worker_makes_it(ada: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    desks = Desks(1, patience=0.01)
    monkeypatch.setattr(response, "DESKS", desks)
    with desks.one():
        assert is_offered(pdf_response(request_of(ada, Accept="text/html"), table_of(rows(3)), "people"))
    assert pdf_response(request_of(ada), table_of(rows(3)), "people").status_code == 200


def test_a_worker_waits_for_nobody(ada: Any, view: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    desks = Desks(1, patience=0.01)
    monkeypatch.setattr(response, "DESKS", desks)
    view(lambda request: pdf_response(request, table_of(rows(3)), "people"))
    export = asked(ada)
    with desks.one():
        assert Maker("w").tick()
    export.refresh_from_db()
    assert export.state == ExportState.READY


def test_the_worker_makes_it_whole(ada: Any, view: Any, client: Client) -> None:
    view(lambda request: pdf_response(request, table_of(rows(1200)), "people"))
    export = asked(ada)
    Maker("w").tick()
    export.refresh_from_db()
    assert (export.state, export.done) == (ExportState.READY, 1200)
    answer: Any = client.get(f"/exports/{export.pk}/file")
    assert b"".join(answer.streaming_content).startswith(b"%PDF")


@pytest.mark.parametrize(
    ("address", "language", "wished", "box"),
    [
        ("/people.pdf", "en", "", b"595.28"),
        ("/people.pdf", "en", "en-US,en;q=0.9", b"612"),
        ("/people.pdf", "de", "de-DE", b"595.28"),
        ("/people.pdf?paper=a4", "en", "en-US", b"595.28"),
        ("/people.pdf?paper=letter", "de", "", b"612"),
    ],
)
def test_the_paper_is_the_one_asked_for_or_the_one_of_the_country(
    address: str, language: str, wished: str, box: bytes, ada: Any
) -> None:
    with translation.override(language):
        answer: Any = pdf_response(request_of(ada, address, **{"Accept-Language": wished}), table_of(rows(1)), "people")
    assert b"/MediaBox[0 0 " + box in answer.content.replace(b" [", b"[")


def test_another_paper_is_refused_with_a_sentence(ada: Any) -> None:
    with pytest.raises(Refused, match="no paper"):
        pdf_response(request_of(ada, "/people.pdf?paper=a3"), table_of(rows(1)), "people")


@pytest.mark.parametrize(
    "path",
    ["/meetings", "/people", "/attendances", "/courses", "/use", "/coverage", "/meetings/{}", "/meetings/{}/facts"],
)
def test_every_report_can_be_made_by_a_worker(
    path: str, ada: Any, client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_meeting(Attendee(name="Zoë Østerlund"), Attendee(name="Νεφέλη", uid="8"), name="Algebra")
    address = path.format(Meeting.objects.get().pk) + ".pdf"
    strict = client.get(address).content
    assert b"pdfuaid" in opened(strict).Root.Metadata.read_bytes()  # nothing had to be given up
    at_once = text_of(strict, tmp_path)
    monkeypatch.setattr(response, "AT_ONCE", -1)
    assert client.post(address).status_code == 303
    assert Maker("w").tick()
    export = Export.objects.get()
    assert (export.state, export.sentence) == (ExportState.READY, "")
    answer: Any = client.get(f"/exports/{export.pk}/file")
    in_background = text_of(b"".join(answer.streaming_content), tmp_path)
    assert in_background.split("As of")[0] == at_once.split("As of")[0]


def test_a_file_under_way_when_the_licence_ends_is_not_finished_and_says_why(
    django_user_model: Any, view: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = 1_795_348_800_000
    emmy = staff(django_user_model, "emmy", make_organisation(ends_at=noon, contact="desk@school.example"))

    def tell_time(at: int) -> None:
        monkeypatch.setattr("rollcall.store.licensing.now_ms", lambda: at)

    def half(request: HttpRequest) -> HttpResponse:
        progress_of(request)(500)
        tell_time(noon)
        progress_of(request)(1000)
        return whole(request)

    tell_time(noon - 1)
    view(half)
    export = asked(emmy)
    assert Maker("w").tick()
    export.refresh_from_db()
    assert export.state == ExportState.FAILED
    assert "The licence of Upper School ended on" in export.sentence
    assert "desk@school.example" in export.hint
    assert not ExportPart.objects.exists()
