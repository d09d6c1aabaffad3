"""Folder trees laid out like BigBlueButton hosts, and the one file run on them as their worker runs it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from rollcall.bbb.post_events.installing import LAUNCHER_TEXT
from rollcall.bbb.post_events.single_file import assemble

SECRET = "shared-secret-of-this-host"
MEETING = "183f0bf3a0982a127bdb8161e0c44eb696b3e75c-1795309400000"
CREATED_AT = 1_795_309_400_000
SCRIPTS = "usr/local/bigbluebutton/core/scripts"
LAUNCHER_NAME = "post_events_00_rollcall.rb"
STOCK_NAME = "post_events_analytics_callback.rb"
LOG = "var/log/bigbluebutton/post_events_rollcall.log"
PACKAGED = "usr/share/bbb-web/WEB-INF/classes/bigbluebutton.properties"
OVERLAY = "etc/bigbluebutton/bbb-web.properties"

STOCK_STAND_IN = """\
require 'net/http'
require 'uri'
# What the real one does, with a body and a token made beforehand.
order = File.join(ENV["ROLLCALL_ROOT"], "order")
File.open(order, "a") { |file| file.puts "stock #{ARGV.join(' ')}" }
told = File.join(ENV["ROLLCALL_ROOT"], "stock")
if File.exist?("#{told}.url")
  uri = URI(File.read("#{told}.url"))
  request = Net::HTTP::Post.new(uri.request_uri, 'Content-Type' => 'application/json',
                                'Authorization' => "Bearer #{File.read("#{told}.token")}")
  request.body = File.read("#{told}.json")
  Net::HTTP.new(uri.host, uri.port).request(request)
end
exit 0
"""


@cache
def program_text() -> str:
    return assemble()


@dataclass
class HostTree:
    """One host. `python` runs the file; `ruby`, if there is one, the launcher."""

    root: Path
    version: str
    environment: dict[str, str] = field(default_factory=dict)
    python: str = sys.executable

    def path(self, name: str) -> Path:
        return self.root / name

    def write(self, name: str, text: str) -> Path:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def configure(self, **options: str) -> None:
        text = "".join(f"{name} = {value}\n" for name, value in options.items())
        self.write("etc/bigbluebutton/rollcall.conf", f"# made by a test\n\n{text}").chmod(0o640)

    def keep(self, text: str, meeting: str = MEETING) -> Path:
        return self.write(f"var/bigbluebutton/events/{meeting}/events.xml", text)

    def run(self, *arguments: str, program: str = "") -> subprocess.CompletedProcess[str]:
        """The Python file alone, as the launcher starts it."""
        program = program or str(self.path(f"{SCRIPTS}/post_events/rollcall_post_events.py"))
        command = [self.python, "-I", "-S", program, *arguments]
        return subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            env=self.surroundings(),
            timeout=60,
            cwd=self.path(SCRIPTS),
        )

    def surroundings(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "ROLLCALL_ROOT": str(self.root),
            "ROLLCALL_PYTHON": self.python,
            "LC_ALL": "C.UTF-8",
            **self.environment,
        }

    def run_as_worker(self, ruby: str, meeting: str = MEETING) -> list[subprocess.CompletedProcess[str]]:
        """Every post_events script in the order of its name. 2.2 names them from its own folder, later ones in full."""
        scripts = self.path(SCRIPTS)
        found = sorted(scripts.glob("post_events/*.rb"))
        names = [str(one.relative_to(scripts)) if self.version == "2.2" else str(one) for one in found]
        return [
            subprocess.run(
                [ruby, name, "-m", meeting],
                check=False,
                cwd=scripts,
                env=self.surroundings(),
                capture_output=True,
                text=True,
                timeout=60,
            )
            for name in names
        ]

    def log(self) -> list[str]:
        path = self.path(LOG)
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def spooled(self, meeting: str = MEETING) -> dict[str, Any]:
        path = self.path(f"var/bigbluebutton/rollcall/{meeting}.json")
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def hurry(self, meeting: str = MEETING) -> None:
        """As if the pause were over."""
        path = self.path(f"var/bigbluebutton/rollcall/{meeting}.json")
        entry = json.loads(path.read_text())
        for delivery in entry["deliveries"].values():
            delivery["next_at"] = 0
        path.write_text(json.dumps(entry))


def a_host(root: Path, version: str = "3.0", *, secret: str = SECRET) -> HostTree:
    """A host of this version with Rollcall's files copied into place, as its package would have laid it out."""
    tree = HostTree(root, version)
    tree.write("etc/bigbluebutton/bigbluebutton-release", f"BIGBLUEBUTTON_RELEASE={version}.4\n")
    _properties(tree, secret)
    tree.write(f"{SCRIPTS}/bigbluebutton.yml", _settings(version))
    tree.write(f"{SCRIPTS}/post_events/post_events.rb.example", "raise 'an example'\n")
    tree.write(f"{SCRIPTS}/post_events/{STOCK_NAME}", STOCK_STAND_IN)
    tree.write(f"{SCRIPTS}/post_events/{LAUNCHER_NAME}", LAUNCHER_TEXT)
    tree.write(f"{SCRIPTS}/post_events/rollcall_post_events.py", program_text())
    for folder in (
        "var/log/bigbluebutton",
        "var/bigbluebutton/recording/raw",
        "var/bigbluebutton/events",
        "etc/cron.d",
    ):
        tree.path(folder).mkdir(parents=True, exist_ok=True)
    return tree


def _properties(tree: HostTree, secret: str) -> None:
    """2.2 has one file of properties; later ones lay another over it, and from there the secret is the right one."""
    if tree.version == "2.2":
        tree.write(PACKAGED, f"#\n# packaged\nkeepEvents=true\nsecuritySalt={secret}\n")
        return
    tree.write(PACKAGED, "defaultKeepEvents=false\ndisableRecordingDefault=false\nsecuritySalt=as-it-was-packaged\n")
    tree.write(OVERLAY, f"# local settings\ndefaultKeepEvents = true\nsecuritySalt={secret}\n")


def _settings(version: str) -> str:
    return f"bbb_version: '{version}.4'\nredis_host: 127.0.0.1\nevents_dir: /var/bigbluebutton/events\n"


def meeting_id_of(external: str, created_at: int = CREATED_AT) -> str:
    return f"{hashlib.sha1(external.encode()).hexdigest()}-{created_at}"  # noqa: S324 - as BigBlueButton makes it


def events_xml(
    url: str = "",
    people: Sequence[str] = ("4711", "4712"),
    *,
    meeting: str = MEETING,
    external: str = "algebra-1",
    breakout: bool = False,
    metadata: str = "",
) -> str:
    """A short class: everybody comes after 10 s and stays until it ends after 30 minutes."""
    named = f' analytics-callback-url="{url.replace("&", "&amp;")}"' if url else ""
    joins = "\n".join(
        _event(10_000 + index, "PARTICIPANT", "ParticipantJoinEvent", _join(index, person))
        for index, person in enumerate(people)
    )
    end = _event(1_800_000, "PARTICIPANT", "EndAndKickAllEvent", "<reason>ENDED_AFTER_USER_LOGGED_OUT</reason>")
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<recording meeting_id="{meeting}" bbb_version="2.6.1">
  <meeting id="{meeting}" externalId="{external}" name="Algebra" breakout="{str(breakout).lower()}"/>
  <metadata isBreakout="{str(breakout).lower()}" meetingId="{external}" meetingName="Algebra"{named} {metadata}/>
  <breakout/>
  <breakoutRooms/>
{joins}
{end}
</recording>
"""


def _join(index: int, person: str) -> str:
    return (
        f"<userId>w_person{index:06d}</userId><externalUserId>{person}</externalUserId><role>VIEWER</role>"
        f"<name>Ada {index}</name>"
    )


def _event(after_ms: int, module: str, name: str, children: str) -> str:
    return (
        f'  <event timestamp="{30_000_000 + after_ms}" module="{module}" eventname="{name}">{children}'
        f"<timestampUTC>{CREATED_AT + after_ms}</timestampUTC><date>2026-11-22T01:03:31.000Z</date></event>"
    )
