"""`rollcall server`: every server is checked, what is wrong is said in a sentence, and no secret is ever shown."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollcall.bbb import servers
from rollcall.cli import run
from rollcall.simulate.answers import RegisteredHook
from rollcall.simulate.generations import GENERATIONS
from rollcall.simulate.server import SimulatedServer
from rollcall.store.connections import Hook, Pool, Secret, Server
from rollcall.store.facts import Meeting
from rollcall.store.sealing import unseal
from tests.bbb.fake import PAGE, FakeBigBlueButton, running

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "simulated-secret"
OPERATORS = ["http://127.0.0.1:8911/hooks/bbb", "http://127.0.0.1:8911/hooks/bbb?raw=1"]


@pytest.fixture(autouse=True)
def _public_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_URL", "https://rollcall.example.org/")


@pytest.fixture
def bbb() -> Iterator[SimulatedServer]:
    with SimulatedServer(secret=SECRET) as server:
        yield server


def add(bbb: SimulatedServer, *more: str, secret: str = SECRET) -> int:
    return run(["server", "add", bbb.url, "--secret", secret, *more])


def told(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    captured = capsys.readouterr()
    assert SECRET not in captured.out + captured.err
    assert "Traceback" not in captured.err
    return captured.out, captured.err


# -- add ----------------------------------------------------------------------------------------------------------


def test_a_server_is_added_with_one_mapped_hook(bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert add(bbb) == 0
    [hook] = bbb.hooks
    row = Hook.objects.get()
    assert row.registered_url == hook.url == f"https://rollcall.example.org/hooks/{row.token}"
    assert (hook.is_raw, hook.meeting, hook.events) == (False, "", "")
    server = Server.objects.get()
    assert (server.pool.name, server.api_url) == (f"127.0.0.1:{bbb.port}", bbb.url)
    assert server.hooks_seen_at is not None
    assert (server.watcher, server.watched_until) == ("", 0)
    assert unseal(Secret.objects.get().encrypted) == SECRET
    assert SECRET.encode() not in bytes(Secret.objects.get().encrypted)
    assert "Hooks in place: 1." in told(capsys)[0]


def test_every_generation_takes_our_hooks() -> None:
    for name, generation in GENERATIONS.items():
        with SimulatedServer(secret=SECRET, generation=generation) as bbb:
            assert add(bbb, "--name", name, "--raw") == 0
            assert sorted(hook.is_raw for hook in bbb.hooks) == [False, True]


def test_raw_asks_for_a_second_hook_at_another_address(bbb: SimulatedServer) -> None:
    assert add(bbb, "--raw") == 0
    mapped, raw = sorted(bbb.hooks, key=lambda hook: hook.is_raw)
    assert (mapped.is_raw, raw.is_raw) == (False, True)
    assert mapped.url != raw.url
    assert Server.objects.get().wants_raw


def test_hooks_that_are_registered_already_are_taken_byte_for_byte_and_left_alone(bbb: SimulatedServer) -> None:
    bbb.hooks[:] = before = [RegisteredHook(str(n), url, is_raw=bool(n)) for n, url in enumerate(OPERATORS)]
    assert add(bbb, *[word for url in OPERATORS for word in ("--hook-url", url)]) == 0
    assert list(Hook.objects.order_by("pk").values_list("registered_url", "token", "is_ours")) == [
        (url, "bbb", False) for url in OPERATORS
    ]
    assert bbb.hooks == before


def test_a_hook_of_the_operators_that_is_not_there_is_said(
    bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(bbb, "--hook-url", OPERATORS[0]) == 1
    assert "is not registered on the server" in told(capsys)[1]
    assert Server.objects.count() == 1


def test_without_a_check_nobody_is_asked_and_no_server_need_be_there() -> None:
    words = ["--name", "capture", "--no-check", *[word for url in OPERATORS for word in ("--hook-url", url)]]
    assert run(["server", "add", "http://127.0.0.1:1/bigbluebutton/", "--secret", "capture-secret", *words]) == 0
    assert Hook.objects.filter(server__pool__name="capture").count() == 2


def test_a_server_without_hooks_is_polled_only(bbb: SimulatedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROLLCALL_URL")
    bbb.trouble.has_no_hooks_api = True
    assert add(bbb, "--no-hooks") == 0
    assert not Server.objects.get().has_hooks
    assert not Hook.objects.exists()


def test_the_constant_checksum_can_be_forbidden(bbb: SimulatedServer) -> None:
    assert add(bbb, "--forbid-constant-checksum") == 0
    assert not Server.objects.get().allows_constant_checksum


def test_the_same_server_added_twice_is_said(bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert add(bbb, "--name", "first") == 0
    assert add(bbb, "--name", "second") == 1
    assert "was added already, as first" in told(capsys)[1]
    assert len(bbb.hooks) == 1
    assert Server.objects.count() == 1


def test_another_server_may_not_take_a_name(bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert add(bbb, "--name", "school") == 0
    with SimulatedServer(secret=SECRET) as other:
        assert add(other, "--name", "school") == 1
    assert "Another server is called school" in told(capsys)[1]


def test_one_hook_may_not_belong_to_two_servers(bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert add(bbb, "--hook-url", OPERATORS[0], "--no-check") == 0
    with SimulatedServer(secret=SECRET) as other:
        assert add(other, "--hook-url", OPERATORS[0], "--no-check") == 1
    assert "belongs to" in told(capsys)[1]


def test_rollcalls_own_address_must_be_known(
    bbb: SimulatedServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ROLLCALL_URL")
    assert add(bbb) == 1
    assert "ROLLCALL_URL is not set" in told(capsys)[1]
    assert not Pool.objects.exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--raw", "--no-hooks"],
        ["--raw", "--hook-url", OPERATORS[0]],
        ["--no-hooks", "--hook-url", OPERATORS[0]],
        ["--hook-url", "https://rollcall.example.org/"],
        ["--hook-url", "not an address"],
        ["--hook-url", f"https://rollcall.example.org/hooks/{'x' * 65}"],
        ["--name", "x" * 101],
        ["--name", "two\nlines"],
    ],
)
def test_what_cannot_be_meant_is_refused_and_leaves_nothing_behind(bbb: SimulatedServer, words: list[str]) -> None:
    assert add(bbb, *words) == 1
    assert not Pool.objects.exists()
    assert not bbb.hooks


# -- the secret ---------------------------------------------------------------------------------------------------


def test_the_secret_may_come_from_a_file(bbb: SimulatedServer, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    assert run(["server", "add", bbb.url, "--secret-file", str(tmp_path / "secret")]) == 0


def test_the_secret_may_come_from_standard_input(bbb: SimulatedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\n"))
    assert run(["server", "add", bbb.url, "--secret-file", "-"]) == 0


def test_the_secret_may_come_from_the_environment(bbb: SimulatedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_SERVER_SECRET", SECRET)
    assert run(["server", "add", bbb.url]) == 0


def test_all_that_bbb_conf_prints_may_be_piped_in(bbb: SimulatedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    base = bbb.url.removesuffix("api/")
    printed = f"\n    URL: {base}\n    Secret: {SECRET}\n\n    Link to the API-Mate:\n    https://mate.example/#server={base}\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(printed))
    assert run(["server", "add", "-"]) == 0
    assert Server.objects.get().api_url == bbb.url


def test_standard_input_without_a_secret_is_said(
    bbb: SimulatedServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("hello\n"))
    assert run(["server", "add", "-"]) == 1
    assert "bbb-conf --secret |" in told(capsys)[1]
    assert run(["server", "add", bbb.url]) == 1
    assert "No shared secret was given" in told(capsys)[1]


def test_a_file_that_cannot_be_read_is_said(
    bbb: SimulatedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["server", "add", bbb.url, "--secret-file", str(tmp_path / "none")]) == 1
    assert "cannot be read" in told(capsys)[1]


# -- faults -------------------------------------------------------------------------------------------------------


def fails(url: str, sentence: str, capsys: pytest.CaptureFixture[str], *words: str) -> None:
    assert run(["server", "add", url, "--secret", SECRET, *words]) == 1
    _, err = told(capsys)
    assert sentence in err
    assert len([line for line in err.splitlines() if line.strip()]) == 2, "a sentence and what to do"
    assert not Pool.objects.exists()
    assert not Server.objects.exists()


def test_a_wrong_secret_is_said(bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]) -> None:
    bbb.secret = "another"
    fails(bbb.url, "does not accept the shared secret", capsys)


def test_a_wrong_path_is_said(bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]) -> None:
    fails(bbb.url.replace("/bigbluebutton/api/", "/rooms/api/"), "has nothing at /rooms/api/", capsys)


def test_an_unknown_name_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    fails("https://bbb.nowhere.invalid", "The name bbb.nowhere.invalid is not known", capsys)


def test_nobody_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    fails(f"http://127.0.0.1:{port}", "refuses the connection", capsys)


def test_https_to_a_port_of_http_is_said(bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]) -> None:
    fails(bbb.url.replace("http://", "https://"), "TLS", capsys)


def test_silence_is_said(
    bbb: SimulatedServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollcall.bbb.api.READ_SECONDS", 0.2)
    bbb.trouble.slow_seconds = 30
    fails(bbb.url, "did not answer in time", capsys)


def test_a_failing_server_is_said(bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]) -> None:
    bbb.trouble.fails = True
    fails(bbb.url, "HTTP 500", capsys)


def test_another_web_site_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    fake = FakeBigBlueButton()
    fake.answer = lambda _target: (200, {"Content-Type": "text/html"}, PAGE.encode())
    with running(fake) as there:
        fails(there.api_url, "is not BigBlueButton", capsys)


def test_a_balancer_is_said(bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]) -> None:
    bbb.trouble.has_no_hooks_api = True
    fails(bbb.url, "has no hooks API", capsys)


def test_a_hook_that_could_not_be_made_is_said_and_the_worker_goes_on_trying(
    bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    bbb.trouble.refuses_hooks = True
    assert add(bbb) == 1
    _, err = told(capsys)
    assert "createHookError" in err
    assert "A running worker goes on trying" in err
    assert Server.objects.count() == 1


# -- list and check -----------------------------------------------------------------------------------------------


def test_servers_are_listed(bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["server", "list"]) == 0
    assert "No server yet" in told(capsys)[0]
    add(bbb, "--name", "Σχολείο", "--raw")
    Server.objects.update(trouble="It is down.", polled_at=1_795_309_400_123)
    told(capsys)
    assert run(["server", "list"]) == 0
    head, line, _, address = told(capsys)[0].splitlines()
    assert head.split()[:2] == ["NAME", "ADDRESS"]
    assert line.startswith("Σχολείο")
    assert "mapped, raw" in line
    assert line.endswith("It is down.")
    assert run(["server", "list", "--format", "json"]) == 0
    [row] = json.loads(told(capsys)[0])
    assert row == {
        "name": "Σχολείο",
        "address": bbb.url,
        "hooks": "mapped, raw",
        "polled": "2026-11-22T01:03:20Z",
        "hooks_seen": row["hooks_seen"],
        "webhook_arrived": None,
        "record_arrived": None,
        "records": address.split()[-1],
        "trouble": "It is down.",
    }
    token = Pool.objects.get().callback_token
    assert token is not None
    assert address == f"  Σχολείο: {row['records']}"
    assert address.endswith(f"/callbacks/{token}")


def test_the_address_of_records_is_told_when_a_server_is_added_and_stays(
    bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    add(bbb, "--name", "school")
    address = told(capsys)[0].splitlines()[-1].strip()
    assert address.endswith(f"/callbacks/{Pool.objects.get().callback_token}")
    run(["server", "check"])
    assert address in told(capsys)[0]


def test_without_an_address_of_our_own_nothing_is_said_of_records(
    bbb: SimulatedServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ROLLCALL_URL")
    assert add(bbb, "--no-hooks") == 0
    assert "callbacks" not in told(capsys)[0]
    assert Pool.objects.get().callback_token is None


def test_all_is_well(bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]) -> None:
    add(bbb, "--name", "school")
    Server.objects.update(polled_at=servers.now_ms())
    told(capsys)
    assert run(["server", "check"]) == 0
    out, _ = told(capsys)
    assert "FAIL" not in out
    assert "Our mapped hook is in place." in out


def test_a_check_names_each_fault_with_what_to_do(bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]) -> None:
    add(bbb, "--name", "school", "--raw")
    told(capsys)
    bbb.lose_hooks()
    assert run(["server", "check", "school"]) == 1
    out, _ = told(capsys)
    assert "Our mapped hook is not registered there." in out
    assert "Our raw hook is not registered there." in out
    bbb.secret = "changed"
    assert run(["server", "check", "school"]) == 1
    out, _ = told(capsys)
    assert "does not accept the shared secret" in out
    bbb.stop()
    assert run(["server", "check", "school"]) == 1
    out, _ = told(capsys)
    assert out.count("refuses the connection") == 1


def test_a_check_as_json(bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]) -> None:
    add(bbb, "--name", "school")
    told(capsys)
    bbb.lose_hooks()
    assert run(["server", "check", "--format", "json"]) == 1
    rows = json.loads(told(capsys)[0])
    assert {row["about"] for row in rows} == {"school"}
    assert next(row for row in rows if row["level"] == "fault")["hint"]


def test_a_clock_that_is_off_is_said(bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]) -> None:
    add(bbb)
    bbb.now = lambda: servers.now_ms() + 120_000
    told(capsys)
    assert run(["server", "check"]) == 0
    assert "s ahead of this machine's" in told(capsys)[0]


def test_an_unknown_name_of_a_server_is_said_with_those_there_are(
    bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    add(bbb, "--name", "school")
    told(capsys)
    for words in (["check", "shcool"], ["remove", "shcool"], ["secret", "retire", "shcool"]):
        assert run(["server", *words]) == 1
        assert "There are: school." in told(capsys)[1]


# -- remove -------------------------------------------------------------------------------------------------------


def test_a_server_is_removed_with_our_hooks_and_without_its_facts(
    bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    add(bbb, "--name", "school", "--raw")
    others = RegisteredHook("other", "https://elsewhere.example/hook")
    bbb.hooks.append(others)
    meeting = Meeting.objects.create(pool=Pool.objects.get(), key=b"0" * 16, internal_meeting_id="m-1")
    told(capsys)
    assert run(["server", "remove", "school"]) == 0
    assert "Hooks destroyed: 2." in told(capsys)[0]
    assert bbb.hooks == [others]
    assert Meeting.objects.get() == meeting
    assert not Secret.objects.exists()
    assert not Hook.objects.exists()
    assert Server.objects.get().removed_at
    assert run(["server", "remove", "school"]) == 1


def test_a_server_that_is_gone_can_be_removed(bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]) -> None:
    add(bbb, "--name", "school")
    bbb.stop()
    assert run(["server", "remove", "school"]) == 0
    assert "could not be destroyed" in told(capsys)[1]


def test_hooks_of_the_operator_outlive_the_server(bbb: SimulatedServer) -> None:
    bbb.hooks[:] = before = [RegisteredHook("1", OPERATORS[0])]
    add(bbb, "--name", "school", "--hook-url", OPERATORS[0])
    assert run(["server", "remove", "school"]) == 0
    assert bbb.hooks == before


def test_a_removed_server_comes_back_to_its_meetings(bbb: SimulatedServer) -> None:
    add(bbb, "--name", "school")
    pool = Pool.objects.get()
    assert run(["server", "remove", "school"]) == 0
    assert add(bbb, "--name", "school") == 0
    assert Pool.objects.get() == pool
    assert Server.objects.get().removed_at is None
    assert len(bbb.hooks) == 1


# -- rotation -----------------------------------------------------------------------------------------------------


def current_secrets() -> list[str]:
    return [unseal(row.encrypted) for row in Secret.objects.filter(retired_at=None).order_by("-added_at", "-pk")]


def test_a_secret_is_rotated_without_a_gap(bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]) -> None:
    add(bbb, "--name", "school")
    bbb.secret = "second"
    assert run(["server", "secret", "add", "school", "--secret", "second"]) == 0
    assert current_secrets() == ["second", SECRET]
    assert run(["server", "secret", "retire", "school"]) == 0
    assert current_secrets() == ["second"]
    assert Secret.objects.exclude(retired_at=None).count() == 1
    told(capsys)


def test_a_new_secret_may_be_added_before_the_server_has_it_and_the_old_not_retired_before(
    bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    add(bbb, "--name", "school")
    assert run(["server", "secret", "add", "school", "--secret", "soon"]) == 0
    assert "does not accept the shared secret" in told(capsys)[0]
    assert current_secrets() == ["soon", SECRET]
    assert run(["server", "secret", "retire", "school"]) == 1, "the newest does not work yet"
    assert current_secrets() == ["soon", SECRET]


def test_the_same_secret_is_not_added_twice_and_the_only_one_not_retired(
    bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    add(bbb, "--name", "school")
    assert run(["server", "secret", "add", "school", "--secret", SECRET]) == 1
    assert "has this secret already" in told(capsys)[1]
    assert run(["server", "secret", "retire", "school"]) == 1
    assert "one secret only" in told(capsys)[1]


def test_a_secret_that_still_signs_webhooks_is_not_retired(
    bbb: SimulatedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    add(bbb, "--name", "school")
    bbb.secret = "second"
    run(["server", "secret", "add", "school", "--secret", "second"])
    Secret.objects.filter(pk=Secret.objects.order_by("pk").values_list("pk", flat=True)[0]).update(
        matched_at=servers.now_ms() - 60_000
    )
    told(capsys)
    assert run(["server", "secret", "retire", "school"]) == 1
    assert "bbb-webhooks" in told(capsys)[1]
    assert run(["server", "secret", "retire", "school", "--no-check"]) == 0
