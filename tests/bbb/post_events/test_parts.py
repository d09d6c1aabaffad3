"""The parts of the host's file by themselves."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.bbb.post_events.configuration import (
    changed_text,
    configuration_text,
    read_configuration,
    secrets_of_host,
)
from rollcall.bbb.post_events.host import Host, Trouble, read_properties
from rollcall.bbb.post_events.journal import LOG_LIMIT, Journal
from rollcall.bbb.post_events.posting import Answer, failed, host_of, sign_token, target_of
from rollcall.bbb.post_events.spool import (
    FAULT_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    PAUSE_SECONDS,
    Delivery,
    Entry,
    Spool,
)
from rollcall.bbb.post_events.verdict import (
    DONE,
    FAULT,
    GONE,
    HELD,
    LATER,
    UNCLEAR,
    Verdict,
    judge,
    judge_by_probe,
)

MEETING = "183f0bf3a0982a127bdb8161e0c44eb696b3e75c-1795309400000"


# What an answer means


@pytest.mark.parametrize(
    ("status", "phrase", "kind"),
    [
        (200, "Accepted. Enqueued.", DONE),
        (200, "OK", DONE),
        (202, "Accepted. Already processed.", DONE),
        (400, "Bad Request. Authorization failed", FAULT),
        (400, "Bad Request. Caught exception: Signature verification failed", FAULT),
        (400, "Bad Request. Caught exception: Incorrect key for this algorithm", FAULT),
        (400, "Bad Request. Caught exception: Algorithm not supported", FAULT),
        (400, "Bad Request. Caught exception: Expired token", FAULT),
        (400, "Bad Request. Caught exception: Cannot handle token with iat prior to 2026-11-22T01:03:20+0000", FAULT),
        (400, "Bad Request. Caught exception: Wrong number of segments", FAULT),
        (400, "Bad Request. Caught exception: Error writing to database", HELD),
        (400, "Bad Request", UNCLEAR),
        (404, "Not Found", UNCLEAR),
        (410, "Gone. The activity may have been deleted", GONE),
        (301, "Moved Permanently", FAULT),
        (401, "Unauthorized", FAULT),
        (403, "Forbidden", FAULT),
        (405, "Method Not Allowed", FAULT),
        (408, "Request Timeout", LATER),
        (413, "Content Too Large", HELD),
        (429, "Too Many Requests", LATER),
        (500, "Internal Server Error", LATER),
        (503, "Service Unavailable", LATER),
        (504, "Gateway Timeout", LATER),
    ],
)
def test_what_an_lms_answers_is_told_by_its_status_and_its_phrase(status: int, phrase: str, kind: str) -> None:
    verdict = judge("lms", Answer(status, phrase))
    assert verdict.kind == kind
    assert str(status) in verdict.said


@pytest.mark.parametrize(
    ("probed", "kind"),
    [
        (Answer(410, "Gone"), HELD),
        (Answer(400, "Bad Request"), FAULT),
        (Answer(404, "Not Found"), FAULT),
        (Answer(503, "Service Unavailable"), LATER),
        (failed("unreached", "nobody there"), LATER),
    ],
)
def test_a_refusal_without_a_reason_is_told_by_the_probe(probed: Answer, kind: str) -> None:
    assert judge_by_probe("400 Bad Request", probed).kind == kind


def test_an_answer_in_rollcalls_form_is_read_and_any_other_is_not() -> None:
    answer = Answer(403, "Forbidden", '{"code": "signature-wrong", "message": "It is wrong.", "hint": "Mend it."}')
    assert judge("rollcall", answer).said == "403 Forbidden, signature-wrong: It is wrong. Mend it."
    for text in ("", "<html>", "[]", "7", '{"code": ""}'):
        assert judge("rollcall", Answer(502, "Bad Gateway", text)).kind == LATER


# Pauses


@given(st.integers(1, 10_000), st.sampled_from([LATER, FAULT]))
def test_pauses_grow_and_never_end_before_a_request_that_broke_off_may_have(tries: int, kind: str) -> None:
    delivery = Delivery()
    delivery.tries = tries
    delivery.end(Verdict(kind, ""), 0, was_sent=True)
    assert PAUSE_SECONDS <= delivery.next_at <= LONGEST_PAUSE_SECONDS * 1.25
    first = FAULT_PAUSE_SECONDS if kind == FAULT else PAUSE_SECONDS
    assert delivery.next_at >= min(first * 2 ** min(tries - 1, 20), LONGEST_PAUSE_SECONDS) * 0.74


def test_two_hosts_do_not_come_back_at_one_moment() -> None:
    pauses = set()
    for _ in range(50):
        delivery = Delivery()
        delivery.tries = 5
        delivery.end(Verdict(LATER, ""), 0, was_sent=False)
        pauses.add(delivery.next_at)
    assert len(pauses) > 10


def test_a_try_that_never_ended_counts_as_one_that_may_have_arrived() -> None:
    delivery = Delivery()
    delivery.begin(1000)
    assert (delivery.is_due(1000), delivery.is_unsure) == (False, False)
    delivery.begin(2000)
    delivery.end(Verdict(DONE, "202"), 2001, was_sent=True)
    assert (delivery.tries, delivery.is_unsure) == (2, True)


# The spool


@given(
    st.integers(0, 2**40),
    st.dictionaries(
        st.sampled_from(["lms", "rollcall"]),
        st.tuples(st.sampled_from([LATER, FAULT, HELD, DONE, GONE]), st.integers(0, 99), st.text(), st.booleans()),
    ),
)
def test_what_is_written_down_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, added_at: int, told: dict[str, tuple[str, int, str, bool]]
) -> None:
    spool = Spool(str(tmp_path_factory.mktemp("spool") / "made" / "anew"))
    spool.open()
    entry = Entry(MEETING, added_at)
    for name, (state, tries, said, is_unsure) in told.items():
        delivery = entry.delivery(name)
        delivery.state, delivery.tries, delivery.said, delivery.is_unsure = state, tries, said, is_unsure
    spool.write(entry)
    found = spool.read(MEETING)
    assert found is not None
    assert (found.meeting, found.added_at) == (MEETING, added_at)
    assert {name: one.as_json() for name, one in found.deliveries.items()} == {
        name: one.as_json() for name, one in entry.deliveries.items()
    }


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"meeting": 1}', '{"meeting": "a", "added_at": "x"}', "\udcff"]
)
def test_an_entry_that_is_damaged_remembers_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / f"{MEETING}.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    spool = Spool(str(tmp_path))
    assert spool.meetings() == [MEETING]
    assert spool.read(MEETING) is None


def test_only_one_at_a_time_has_the_lock_and_its_end_gives_it_back(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path))
    with spool.lock(MEETING, 0) as first, spool.lock(MEETING, 0.1) as second:
        assert (first, second) == (True, False)
    with spool.lock(MEETING, 0) as third:
        assert third
    assert list(tmp_path.iterdir()) == []


def test_a_lock_whose_file_is_taken_away_meanwhile_is_no_lock(tmp_path: Path) -> None:
    """Eight at once, each of which takes the file away when it is done: never two inside."""
    spool = Spool(str(tmp_path))
    inside: list[int] = []
    most = []

    def enter_often(number: int) -> None:
        for _ in range(40):
            with spool.lock(MEETING, 60) as is_mine:
                assert is_mine
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(enter_often, number) for number in range(8)]:
            done.result()
    assert (len(most), max(most)) == (320, 1)
    assert list(tmp_path.iterdir()) == []


def test_what_is_removed_is_a_spools_own_and_no_more(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    spool = Spool(str(folder))
    spool.open()
    spool.write(Entry(MEETING, 0))
    spool.ask(MEETING)
    (folder / f"{MEETING}.lock").touch()
    (folder / "published").mkdir()
    (folder / "notes.json").touch()
    (folder / f"{MEETING}.xml").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").touch()
    assert not spool.remove()
    assert sorted(one.name for one in folder.iterdir()) == ["notes.json", "published"]
    assert (tmp_path / "elsewhere").exists()
    (folder / "published").rmdir()
    (folder / "notes.json").unlink()
    assert spool.remove()
    assert not folder.exists()
    assert spool.remove(), "a second time"


def test_a_spool_that_is_a_link_is_neither_read_nor_written_nor_removed(tmp_path: Path) -> None:
    target = Spool(str(tmp_path / "elsewhere"))
    target.open()
    target.write(Entry(MEETING, 0))
    (tmp_path / "spool").symlink_to(tmp_path / "elsewhere")
    spool = Spool(str(tmp_path / "spool"))
    with pytest.raises(Trouble, match="a symbolic link, which is not followed"):
        spool.open()
    with pytest.raises(Trouble):
        spool.ask(MEETING)
    assert (spool.meetings(), spool.read(MEETING), spool.remove()) == ([], None, False)
    assert target.read(MEETING)


# The token, and where it goes


@given(st.text(min_size=1).filter(lambda text: text.isprintable()), st.integers(0, 2**33))
def test_a_token_is_a_jwt_of_hs512_with_its_end_alone(secret: str, now: int) -> None:
    head, claims, signature = sign_token(secret, now).split(".")
    assert json.loads(base64.urlsafe_b64decode(head + "==")) == {"typ": "JWT", "alg": "HS512"}
    assert json.loads(base64.urlsafe_b64decode(claims + "==")) == {"exp": now + 86400}
    expected = hmac.new(secret.encode(), f"{head}.{claims}".encode(), hashlib.sha512).digest()
    assert base64.urlsafe_b64decode(signature + "==") == expected


@pytest.mark.parametrize(
    ("url", "host", "target"),
    [
        ("https://m.example.org/x.php?a=b&c=d", "m.example.org", "/x.php?a=b&c=d"),
        ("http://u:p@m.example.org:8080", "m.example.org:8080", "/"),
        ("https://m.example.org/a b/é?q=ü#part", "m.example.org", "/a%20b/%C3%A9?q=%C3%BC"),
        ("https://[::1]:8443/x\r\nHost: other", "[::1]:8443", "/xHost:%20other"),
    ],
)
def test_an_address_is_taken_apart(url: str, host: str, target: str) -> None:
    assert (host_of(url), target_of(url)) == (host, target)


# The host's own files


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=b", {"a": "b"}),
        ("  a = b c \n", {"a": "b c"}),
        ("a: b\nc d\ne", {"a": "b", "c": "d", "e": ""}),
        ("# a=b\n! c=d\n\n  #e=f", {}),
        ("a=b\\\n   c\nd=e", {"a": "bc", "d": "e"}),
        ("a=\\u0041\\t\\\\", {"a": "A\t\\"}),
        ("a\\=b=c=d", {"a=b": "c=d"}),
        ("a=1\na=2", {"a": "2"}),
        ("securitySalt=x/y+z==\r\n", {"securitySalt": "x/y+z=="}),
        ("url=https://host/path:7", {"url": "https://host/path:7"}),
    ],
)
def test_properties_are_read_as_java_reads_them(tmp_path: Path, text: str, expected: dict[str, str]) -> None:
    path = tmp_path / "a.properties"
    path.write_bytes(text.encode())
    assert read_properties(str(path)) == expected


@given(st.binary(max_size=300))
def test_no_bytes_stop_the_reading_of_properties(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("host") / "a.properties"
    path.write_bytes(data)
    assert isinstance(read_properties(str(path)), dict)


def test_a_secret_of_any_bytes_is_the_same_bytes_as_key(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "bigbluebutton" / "bbb-web.properties"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"securitySalt=caf\xe9\n")
    [(_, secret)] = secrets_of_host(Host(str(tmp_path)))
    head, claims, signature = sign_token(secret, 0).split(".")
    expected = hmac.new(b"caf\xe9", f"{head}.{claims}".encode(), hashlib.sha512).digest()
    assert base64.urlsafe_b64decode(signature + "==") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("BIGBLUEBUTTON_RELEASE=2.5.3\n", (2, 5)), ("BIGBLUEBUTTON_RELEASE=3.0.0-beta.1", (3, 0)), ("nothing", None)],
)
def test_the_version_is_read_where_the_host_says_it(
    tmp_path: Path, text: str, expected: tuple[int, int] | None
) -> None:
    path = tmp_path / "etc" / "bigbluebutton" / "bigbluebutton-release"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert Host(str(tmp_path)).release() == expected


@given(
    st.dictionaries(
        st.sampled_from(["rollcall_url", "timeout", "send_to_lms"]), st.from_regex(r"[a-z0-9:/.]+", fullmatch=True)
    )
)
def test_an_option_that_is_changed_is_read_as_it_was_changed(
    tmp_path_factory: pytest.TempPathFactory, options: dict[str, str]
) -> None:
    path = tmp_path_factory.mktemp("host") / "rollcall.conf"
    path.write_text(changed_text(configuration_text({"rollcall_url": "https://old.example.org/"}), options))
    assert read_properties(str(path)) == {"rollcall_url": "https://old.example.org/"} | options


def test_a_host_without_a_configuration_has_the_defaults(tmp_path: Path) -> None:
    configuration = read_configuration(Host(str(tmp_path)))
    assert configuration.faults == []
    assert (configuration.is_on("send_to_lms"), configuration.text("rollcall_url")) == (True, "")
    assert configuration.path("spool") == f"{tmp_path}/var/bigbluebutton/rollcall"


# The log


def test_a_log_that_has_grown_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "made" / "log"
    path.parent.mkdir()
    path.write_bytes(b"x" * (LOG_LIMIT + 1))
    Journal(str(path), is_quiet=True).write(MEETING, "one\nline, \udcff whatever is in it")
    assert path.read_text().endswith(f"Z {MEETING} one line, ? whatever is in it\n")
    assert path.with_name("log.1").stat().st_size == LOG_LIMIT + 1
