"""`rollcall bbb-host`: what is copied to a host is there, complete, and says how."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rollcall.bbb.post_events.instructions import RELEASES
from rollcall.bbb.post_events.single_file import assemble
from rollcall.cli import run
from rollcall.cli.bbb_host import Version
from rollcall.store.connections import Pool, Server

VERSIONS = [version.value for version in Version]


@pytest.fixture
def pool(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Pool:
    monkeypatch.setenv("ROLLCALL_URL", "https://rollcall.example.org/")
    pool = Pool.objects.create(name="main")
    Server.objects.create(pool=pool, api_url="https://bbb7.example.org:8443/bigbluebutton/api/", added_at=1)
    return pool


def test_every_version_has_its_instructions() -> None:
    assert list(RELEASES) == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_instructions_are_of_that_version(version: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bbb-host", "--bbb", version]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"Rollcall on a BigBlueButton {version} host (Ubuntu ")
    assert ("defaultKeepEvents=true" in shown) is (version != "2.2")
    assert "--install --rollcall-url https://rollcall.example.org/callbacks/…" in shown


def test_the_script_alone_can_be_written_into_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bbb-host", "--script"]) == 0
    assert capsys.readouterr().out == assemble()


def test_a_server_has_its_address_put_in(pool: Pool, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bbb-host", "--server", "main"]) == 0
    pool.refresh_from_db()
    address = f"https://rollcall.example.org/callbacks/{pool.callback_token}"
    shown = capsys.readouterr().out
    assert f"--install --rollcall-url {address}\n" in shown
    assert "scp rollcall_post_events.py root@bbb7.example.org:\n" in shown


def test_a_server_without_a_name_is_reached_by_its_address(pool: Pool, tmp_path: Path) -> None:
    Server.objects.update(api_url="http://[2001:db8::7]/bigbluebutton/api/")
    assert run(["bbb-host", "--server", "main", "--output", str(tmp_path)]) == 0
    assert "root@[2001:db8::7]:\n" in (tmp_path / "INSTALL.txt").read_text()


def test_a_host_whose_records_are_relayed_does_not_send_them_itself(
    pool: Pool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Pool.objects.update(relays=True)
    assert run(["bbb-host", "--server", "main", "--output", str(tmp_path)]) == 0
    assert "send_to_lms = no\n" in (tmp_path / "rollcall.conf").read_text()
    assert "--set send_to_lms=no\n" in (tmp_path / "INSTALL.txt").read_text()
    assert "Rollcall itself passes records on" in (tmp_path / "INSTALL.txt").read_text()
    assert str(tmp_path) in capsys.readouterr().out


def test_all_files_are_written_and_each_is_named_in_the_instructions(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "here"
    assert run(["bbb-host", "--output", str(folder)]) == 0
    names = {one.name for one in folder.iterdir()}
    install = (folder / "INSTALL.txt").read_text()
    assert [name for name in names - {"INSTALL.txt"} if name not in install] == []
    ast.parse((folder / "rollcall_post_events.py").read_text(), feature_version=(3, 5))
    assert run(["bbb-host", "--output", str(folder)]) == 0, "a second time"


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert run(["bbb-host", "--output", str(tmp_path / "file")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_a_server_that_is_not_known_is_refused(pool: Pool, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bbb-host", "--server", "other"]) == 1
    assert "other" in capsys.readouterr().err


def test_the_script_needs_neither_django_nor_a_database() -> None:
    words = "import sys; from rollcall.cli import run; run(['bbb-host', '--script']); sys.exit('django' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", words], check=False, stdout=subprocess.DEVNULL, timeout=60)
    assert done.returncode == 0


def test_every_option_the_host_has_is_on_its_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "on-the-bbb-host.md").read_text()
    program = assemble()
    options = set(re.findall(r"add\((?:'-m', )?'(--[a-z-]+)'", program)) - {"--root"}
    assert len(options) > 10
    assert [option for option in options if f"`{option}" not in page and f" {option}" not in page] == []


def test_every_setting_of_the_host_is_on_its_page() -> None:
    from rollcall.bbb.post_events.configuration import OPTIONS

    page = (Path(__file__).parents[2] / "docs" / "on-the-bbb-host.md").read_text()
    for name, default, _ in OPTIONS:
        [line] = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        assert default in line
