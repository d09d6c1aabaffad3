"""Where things lie on a BigBlueButton host, from 2.2 on packages to 3.0 in containers."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OVERLAY = "/etc/bigbluebutton/bbb-web.properties"
PACKAGED = (
    "/usr/share/bbb-web/WEB-INF/classes/bigbluebutton.properties",
    "/var/lib/tomcat8/webapps/bigbluebutton/WEB-INF/classes/bigbluebutton.properties",
    "/var/lib/tomcat7/webapps/bigbluebutton/WEB-INF/classes/bigbluebutton.properties",
)
SCRIPTS = "/usr/local/bigbluebutton/core/scripts"
STOCK_SCRIPT = SCRIPTS + "/post_events/post_events_analytics_callback.rb"
# Later ones win, as in BigBlueButton's own read_props.
RECORDING_SETTINGS = (SCRIPTS + "/bigbluebutton.yml", "/etc/bigbluebutton/recording/recording.yml")
RELEASE = "/etc/bigbluebutton/bigbluebutton-release"
BIGBLUEBUTTON_FOLDER = "/var/bigbluebutton"

MEETING_ID = re.compile(r"[0-9a-f]{1,64}-[0-9]{1,20}\Z")
_PROPERTY = re.compile(r"((?:\\.|[^\\\s=:])+)(?:\s*[=:]\s*|\s+|\Z)(.*)\Z", re.DOTALL)
_ESCAPED = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_BLANKS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_SETTING = re.compile(r"^([a-z_]+)\s*:\s*(.*?)\s*(?:\s#.*)?$")


class Trouble(Exception):
    """Something an operator has to mend; its text is one sentence."""


class Host:
    """This machine. `root` stands before every path: a tree of a test, or an image mounted somewhere."""

    __slots__ = ("root",)

    def __init__(self, root: str = "") -> None:
        self.root = root.rstrip("/")

    def path(self, name: str) -> str:
        """Where this path of the host is found from here."""
        return self.root + name

    def properties(self, name: str) -> dict[str, str]:
        """The properties of one of the host's files; none where it cannot be read."""
        try:
            return read_properties(self.path(name))
        except OSError:
            return {}

    def packaged(self) -> str:
        """The properties file that came with bbb-web, or "" where there is none, as in a container of its own."""
        return next((name for name in PACKAGED if os.path.isfile(self.path(name))), "")

    def release(self) -> tuple[int, int] | None:
        """2.5.3 is (2, 5); None where the host does not say."""
        found = re.match(r"(\d+)\.(\d+)", self.properties(RELEASE).get("BIGBLUEBUTTON_RELEASE", ""))
        return (int(found.group(1)), int(found.group(2))) if found else None

    def data_folders(self) -> list[str]:
        """Where the recording scripts keep events, and recorded meetings raw."""
        folders = {"events_dir": BIGBLUEBUTTON_FOLDER + "/events", "recording_dir": BIGBLUEBUTTON_FOLDER + "/recording"}
        found: dict[str, str] = {}
        for name in RECORDING_SETTINGS:
            found.update(_read_settings(self.path(name)))
        return [found.get(setting) or folder for setting, folder in sorted(folders.items())]

    def events_folder(self) -> str:
        """Where events are kept."""
        return self.path(self.data_folders()[0])

    def recording_folder(self) -> str:
        """Where recorded meetings are kept raw."""
        return self.path(self.data_folders()[1])

    def events_files(self, meeting: str) -> list[str]:
        """Where the events of this meeting may be, best first."""
        return [
            os.path.join(self.events_folder(), meeting, "events.xml"),
            os.path.join(self.recording_folder(), "raw", meeting, "events.xml"),
        ]

    def owner(self) -> tuple[int, int]:
        """User and group of BigBlueButton's data: those its worker runs as."""
        try:
            status = os.stat(self.path(BIGBLUEBUTTON_FOLDER))
        except OSError:
            return os.geteuid(), os.getegid()
        return status.st_uid, status.st_gid


def read_properties(path: str) -> dict[str, str]:
    """A Java properties file; bytes that are no UTF-8 survive, since a secret is bytes."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return dict(_properties(file.read()))


def _properties(text: str) -> Iterator[tuple[str, str]]:
    for line in _logical_lines(text):
        found = _PROPERTY.match(line)
        if found:
            yield _unescape(found.group(1)), _unescape(found.group(2)).strip()


def _logical_lines(text: str) -> Iterator[str]:
    """Lines without comments; one that ends in an odd number of backslashes goes on in the next."""
    begun = ""
    for line in text.splitlines():
        whole = begun + line.lstrip()
        begun = ""
        if not whole or whole[0] in "#!":
            continue
        if (len(whole) - len(whole.rstrip("\\"))) % 2:
            begun = whole[:-1]
            continue
        yield whole
    if begun:
        yield begun


def _unescape(text: str) -> str:
    return _ESCAPED.sub(_unescaped, text)


def _unescaped(found: re.Match[str]) -> str:
    escape = found.group(1)
    if len(escape) == 5:
        return chr(int(escape[1:], 16))
    return _BLANKS.get(escape, escape)


def _read_settings(path: str) -> dict[str, str]:
    """The plain lines of a YAML file; nothing else of it is wanted here."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            found = [_SETTING.match(line) for line in file]
    except OSError:
        return {}
    return {one.group(1): one.group(2).strip("'\"") for one in found if one}
