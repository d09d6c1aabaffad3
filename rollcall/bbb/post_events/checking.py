"""Everything that must be right on the host for a class to reach its LMS: looked at, and said in one sentence each."""

from __future__ import annotations

import email.utils
import grp
import os
import pwd
import shutil
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from rollcall import __version__
from rollcall.bbb.post_events.configuration import CONFIGURATION, Configuration, secret_for, secrets_of_host
from rollcall.bbb.post_events.divert import is_diverted
from rollcall.bbb.post_events.host import OVERLAY, PACKAGED, RELEASE, STOCK_SCRIPT, Host, Trouble
from rollcall.bbb.post_events.installing import CRON, LAUNCHER, PROGRAM, TIMER, has_systemd, worker_user
from rollcall.bbb.post_events.posting import Answer, host_of
from rollcall.bbb.post_events.sending import LMS, ROLLCALL, Head, counted, probe, read_head
from rollcall.bbb.post_events.spool import Spool
from rollcall.bbb.post_events.verdict import FAULT, HELD, judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FINE = "ok  "
WARNING = "warn"
WRONG = "FAIL"

LOOKED_AT_MEETINGS = 50
CLOCK_SECONDS = 60
_NAMES = {LMS: "the LMS", ROLLCALL: "Rollcall"}
_HEADER_MEND = (
    'Apache with PHP-FPM: `CGIPassAuth On` in the site\'s <Directory>, or `SetEnvIf Authorization "(.*)" '
    "HTTP_AUTHORIZATION=$1`; nginx: `fastcgi_param HTTP_AUTHORIZATION $http_authorization;`; else a firewall drops it"
)


class Finding:
    """One thing that was looked at."""

    __slots__ = ("mark", "sentence")

    def __init__(self, mark: str, sentence: str) -> None:
        self.mark = mark
        self.sentence = sentence


def examine(configuration: Configuration, url: str) -> Iterator[Finding]:
    """All findings; `url` is an LMS's address to try instead of the newest meeting's own."""
    host = configuration.host
    yield from _software(host)
    yield from _keeping(host)
    yield from _worker(host)
    yield from _scripts(host)
    yield from _options(configuration)
    yield from _secrets(configuration)
    yield from _folders(configuration)
    yield from _timer(host)
    heads = _newest_heads(configuration)
    yield from _meetings(host, heads)
    yield from _lms(configuration, heads, url)
    yield from _rollcall(configuration)


def _software(host: Host) -> Iterator[Finding]:
    release = host.properties(RELEASE).get("BIGBLUEBUTTON_RELEASE", "")
    named = f"BigBlueButton {release}" if release else "BigBlueButton of unknown version"
    ours = f"this is rollcall_post_events.py {__version__}"
    yield Finding(FINE, f"{named}, Python {sys.version.split()[0]}; {ours}; the worker's user is {worker_user(host)}.")


def _keeping(host: Host) -> Iterator[Finding]:
    """Without events kept BigBlueButton writes nothing and runs nothing, and says so nowhere."""
    switches = _switches(host)
    first = switches[0]
    if not any(os.path.isfile(host.path(name)) for switch in switches for name in switch.files):
        where = os.path.basename(first.files[0])
        yield Finding(
            WARNING, f"bbb-web is not on this host: where it is, {first.name}=true must stand in its {where}."
        )
        return
    on = [switch for switch in switches if switch.is_on(host)]
    if len(on) == len(switches):
        yield Finding(FINE, f"Events are kept ({first.said(host)}).")
    elif on:
        yield Finding(
            WARNING,
            f"Events are kept only if this is BigBlueButton {on[0].releases} ({on[0].said(host)}): "
            f"{RELEASE} does not say.",
        )
    else:
        yield Finding(
            WRONG,
            f"Events are not kept ({first.said(host)}), so nothing is ever sent: "
            f"write {first.name}=true into {first.files[0]} and run `bbb-conf --restart`.",
        )
    if _Switch("disableRecordingDefault", first.files).is_on(host):
        yield Finding(FINE, "Recordings are off (disableRecordingDefault=true); events are kept without them.")
    else:
        yield Finding(FINE, "Recordings are on; a recorded meeting is sent after it has been archived.")


class _Switch:
    """A property of bbb-web, and the files those releases read it from, the one that counts first."""

    __slots__ = ("files", "name", "releases")

    def __init__(self, name: str, files: Sequence[str], releases: str = "") -> None:
        self.name = name
        self.files = files
        self.releases = releases

    def is_on(self, host: Host) -> bool:
        values = [host.properties(name).get(self.name, "") for name in self.files]
        return next(filter(None, values), "").lower() == "true"

    def said(self, host: Host) -> str:
        values = [(host.properties(name).get(self.name) or "not set", name) for name in self.files]
        return f"{self.name}: {', '.join(f'{value} in {name}' for value, name in values)}"


def _switches(host: Host) -> list[_Switch]:
    """How this release is told to keep events; both ways where it does not say which it is."""
    packaged = host.packaged() or PACKAGED[0]
    newer = _Switch("defaultKeepEvents", (OVERLAY, packaged), "2.3 or newer")
    older = _Switch("keepEvents", (packaged,), "2.2")
    release = host.release()
    if release is None:
        return [newer, older]
    return [older if release < (2, 3) else newer]


def _worker(host: Host) -> Iterator[Finding]:
    if not has_systemd(host):
        yield _worker_among_processes(host)
        return
    units = [name for name in ("bbb-rap-resque-worker.service", "bbb-rap-starter.service") if _unit_is(name, "loaded")]
    if not units and _unit_is("bbb-record-core.timer", "loaded"):
        units = ["bbb-record-core.timer"]
    if not units:
        yield Finding(WRONG, "BigBlueButton's recording worker is not installed: `apt-get install bbb-record-core`.")
    for unit in units:
        if _unit_is(unit, "active"):
            yield Finding(FINE, f"{unit} is running.")
        else:
            yield Finding(WRONG, f"{unit} is not running, so ended meetings wait: `systemctl enable --now {unit}`.")
    queue = _show("bbb-rap-resque-worker.service", "Environment")
    if "QUEUE=" in queue and "rap:events" not in queue and "QUEUE=*" not in queue:
        yield Finding(
            WRONG,
            "bbb-rap-resque-worker.service does not serve the queue rap:events: "
            "add it to QUEUE in its override and restart it.",
        )


def _worker_among_processes(host: Host) -> Finding:
    names = []
    for number_of_process in filter(
        str.isdigit, os.listdir("/proc") if os.path.isdir("/proc") and not host.root else []
    ):
        try:
            with open(f"/proc/{number_of_process}/cmdline", "rb") as file:
                names.append(file.read())
        except OSError:
            continue
    if any(b"resque" in name or b"rap-" in name for name in names):
        return Finding(FINE, "BigBlueButton's recording worker is running.")
    return Finding(
        WARNING, "No recording worker was seen running, and there is no systemd to ask: look in its own container."
    )


def _unit_is(unit: str, wanted: str) -> bool:
    return _show(unit, "LoadState" if wanted == "loaded" else "ActiveState").strip() in {wanted, "activating"}


def _show(unit: str, name: str) -> str:
    try:
        done = subprocess.run(
            ["systemctl", "show", "--property", name, unit],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace").partition("=")[2]


def _scripts(host: Host) -> Iterator[Finding]:
    missing = [name for name in (LAUNCHER, PROGRAM) if not os.path.isfile(host.path(name))]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        yield Finding(WRONG, f"{' and '.join(missing)} {are} not there: run --install.")
    else:
        yield Finding(FINE, f"{LAUNCHER} runs before BigBlueButton's own script.")
    if not os.path.exists(host.path("/usr/bin/python3")) and shutil.which("python3") is None:
        yield Finding(WRONG, "There is no python3 on the PATH: `apt-get install python3`.")
    if is_diverted(host):
        yield Finding(FINE, "BigBlueButton's own script is put aside; --undivert brings it back.")
    elif os.path.exists(host.path(STOCK_SCRIPT)):
        yield Finding(
            FINE,
            "BigBlueButton's own script runs after ours; an LMS that has the meeting already answers it 202. "
            "--divert puts it aside.",
        )


def _options(configuration: Configuration) -> Iterator[Finding]:
    for fault in configuration.faults:
        yield Finding(WRONG, fault)
    yield from _unread(configuration.host, CONFIGURATION)
    yield from _open_to_all(configuration.host, CONFIGURATION)
    url = configuration.text("rollcall_url")
    if not url and not configuration.is_on("send_to_lms"):
        yield Finding(WRONG, f"{CONFIGURATION} sends nothing to anybody: set rollcall_url, or send_to_lms = yes.")
    elif not url:
        yield Finding(FINE, f"Nothing goes to Rollcall: rollcall_url is empty in {CONFIGURATION}.")
    elif not url.startswith("https://"):
        yield Finding(WARNING, "rollcall_url is not https: whoever listens on the way reads along.")
    if not configuration.is_on("verify_tls"):
        yield Finding(WARNING, "verify_tls is no: whoever stands on the way can read along and answer.")


def _secrets(configuration: Configuration) -> Iterator[Finding]:
    for destination in _destinations(configuration):
        try:
            where, _ = secret_for(configuration, destination)
        except Trouble as trouble:
            yield Finding(WRONG, str(trouble))
            continue
        yield Finding(FINE, f"What goes to {_NAMES[destination]} is signed with the secret of {where}.")
        if where.startswith("/") and where != CONFIGURATION:
            yield from _unread(configuration.host, where)
        if where == configuration.text(f"{destination}_secret_file"):
            yield from _open_to_all(configuration.host, where)
    found = secrets_of_host(configuration.host)
    if len({secret for _, secret in found}) > 1:
        yield Finding(
            WARNING,
            f"The files {' and '.join(name for name, _ in found)} hold different secrets; {found[0][0]} counts. "
            "BigBlueButton's own script, in older releases, takes the last.",
        )


def _destinations(configuration: Configuration) -> list[str]:
    is_asked = {LMS: configuration.is_on("send_to_lms"), ROLLCALL: bool(configuration.text("rollcall_url"))}
    return [destination for destination in (LMS, ROLLCALL) if is_asked[destination]]


def _unread(host: Host, name: str) -> Iterator[Finding]:
    user = worker_user(host)
    if os.path.exists(host.path(name)) and not _may_read(host, name):
        mend = f"`chgrp {user} {name}; chmod g+r {name}`"
        yield Finding(WRONG, f"{name} cannot be read by {user}, who has to: {mend}.")


def _open_to_all(host: Host, name: str) -> Iterator[Finding]:
    """BigBlueButton's own files are its own matter."""
    try:
        mode = os.stat(host.path(name)).st_mode
    except OSError:
        return
    if mode & stat.S_IROTH:
        mend = f"`chgrp {_worker_group(host)} {name}; chmod 640 {name}`"
        yield Finding(WARNING, f"{name} may hold a secret, and everybody on this host can read it: {mend}.")


def _worker_group(host: Host) -> str:
    try:
        return grp.getgrgid(host.owner()[1]).gr_name
    except KeyError:
        return str(host.owner()[1])


def _may_read(host: Host, name: str) -> bool:
    """Whether the worker's user may, by the file's own bits."""
    user, group = host.owner()
    try:
        status = os.stat(host.path(name))
    except OSError:
        return False
    groups = _groups_of(user) | {group}
    if user in {0, status.st_uid}:
        return user == 0 or bool(status.st_mode & stat.S_IRUSR)
    return bool(status.st_mode & (stat.S_IRGRP if status.st_gid in groups else stat.S_IROTH))


def _groups_of(user: int) -> set[int]:
    try:
        found = pwd.getpwuid(user)
    except KeyError:
        return set()
    return set(os.getgrouplist(found.pw_name, found.pw_gid))


def _folders(configuration: Configuration) -> Iterator[Finding]:
    spool = Spool(configuration.path("spool"))
    existing = _nearest_folder(spool.folder)
    if os.path.islink(spool.folder):
        yield Finding(
            WRONG,
            f"The spool {spool.folder} is a symbolic link, which is not followed, so nothing is tried again: "
            f"name the folder itself as spool in {CONFIGURATION}.",
        )
    elif not _may_write(configuration.host, existing):
        yield Finding(
            WRONG,
            f"{worker_user(configuration.host)} cannot write the spool {spool.folder}, so nothing is tried again: "
            f"`install -d -m 700 -o {worker_user(configuration.host)} {spool.folder}`.",
        )
    free = shutil.disk_usage(existing).free
    if free < 100_000_000:
        yield Finding(WRONG, f"The disk of {existing} is full: {free // 1_000_000} MB are left.")
    entries = [entry for entry in map(spool.read, spool.meetings()) if entry is not None]
    states = [one.state for entry in entries for one in entry.deliveries.values()]
    for state, one, many in (
        (FAULT, "delivery waits for something to be mended", "deliveries wait for something to be mended"),
        (HELD, "delivery is held back until you say --resend", "deliveries are held back until you say --resend"),
    ):
        if state in states:
            yield Finding(WARNING, f"{counted(states.count(state), one, many)}: --status shows them.")
    log = configuration.path("log")
    if os.path.islink(log):
        yield Finding(WARNING, f"{log} is a symbolic link, which is not followed: nothing is logged there.")
    elif not _may_write(configuration.host, log if os.path.exists(log) else _nearest_folder(os.path.dirname(log))):
        yield Finding(
            WARNING, f"{log} cannot be written by {worker_user(configuration.host)}: nothing is logged there."
        )


def _nearest_folder(path: str) -> str:
    while path not in {"", "/"} and not os.path.isdir(path):
        path = os.path.dirname(path)
    return path or "/"


def _may_write(host: Host, path: str) -> bool:
    user, _ = host.owner()
    try:
        status = os.stat(path)
    except OSError:
        return False
    if user in {0, status.st_uid}:
        return user == 0 or bool(status.st_mode & stat.S_IWUSR)
    return bool(status.st_mode & (stat.S_IWGRP if status.st_gid in _groups_of(user) else stat.S_IWOTH))


def _timer(host: Host) -> Iterator[Finding]:
    if os.path.exists(host.path(TIMER)):
        if host.root or _unit_is("rollcall-bbb.timer", "active"):
            yield Finding(FINE, "rollcall-bbb.timer tries again what could not be delivered.")
        else:
            yield Finding(WRONG, "rollcall-bbb.timer is not running: `systemctl enable --now rollcall-bbb.timer`.")
    elif os.path.exists(host.path(CRON)):
        yield Finding(FINE, f"{CRON} tries again what could not be delivered.")
    else:
        yield Finding(WARNING, "Nothing tries again by itself; only the next meeting's end does: run --install.")


def _newest_heads(configuration: Configuration) -> list[tuple[str, Head]]:
    """The newest meetings whose events were kept, newest first."""
    folder = configuration.host.events_folder()
    try:
        names = sorted(os.listdir(folder), key=lambda name: name.rpartition("-")[2], reverse=True)
    except OSError:
        return []
    spool = Spool(configuration.path("spool"))
    found = []
    for name in names[:LOOKED_AT_MEETINGS]:
        try:
            found.append((name, read_head(configuration.host, name, spool)))
        except Trouble:
            continue
    return found


def _meetings(host: Host, heads: list[tuple[str, Head]]) -> Iterator[Finding]:
    if not heads:
        yield Finding(WARNING, f"{host.events_folder()} holds no meeting yet: hold a short one, and look again.")
        return
    newest = os.path.getmtime(heads[0][1].path)
    days = int((time.time() - newest) / 86400)
    when = f"{counted(days, 'day', 'days')} ago" if days else "today"
    yield Finding(FINE, f"The newest meeting kept is {heads[0][0]}, of {when}.")


def _lms(configuration: Configuration, heads: list[tuple[str, Head]], url: str) -> Iterator[Finding]:
    if not configuration.is_on("send_to_lms"):
        yield Finding(FINE, "Nothing goes to the LMS from here: send_to_lms is no.")
        return
    url = url or next((head.callback_url() for _, head in heads if head.callback_url()), "")
    if not url:
        if heads:
            none = (
                f"None of the newest {len(heads)} meetings names an"
                if len(heads) > 1
                else "The newest meeting names no"
            )
            yield Finding(
                WARNING,
                f"{none} analytics-callback-url. "
                'Moodle: Site administration, BigBlueButton, Experimental features, "Register live sessions"; '
                "or try an address with --url.",
            )
        return
    yield from _probed(configuration, LMS, url)


def _rollcall(configuration: Configuration) -> Iterator[Finding]:
    if configuration.text("rollcall_url"):
        yield from _probed(configuration, ROLLCALL, configuration.text("rollcall_url"))


def _probed(configuration: Configuration, destination: str, url: str) -> Iterator[Finding]:
    try:
        answer = probe(configuration, url, secret_for(configuration, destination)[1])
    except Trouble:
        return  # said where secrets are looked at
    name = f"{_NAMES[destination]} at {host_of(url)}"
    yield from _clocks(name, answer)
    name = name[0].upper() + name[1:]
    if answer.status == 410:
        yield Finding(FINE, f"{name} is reached, the Authorization header arrives and the secret fits.")
        return
    said = judge(destination, answer).said
    if answer.status == 0:
        yield Finding(
            WRONG, f"{name} is not reached: {said}; look at its name, its certificate and the firewalls between."
        )
    elif "authorization failed" in answer.phrase.lower() or answer.code() == "authorization-missing":
        yield Finding(
            WRONG, f"{name} does not get the Authorization header ({said}). On its web server, {_HEADER_MEND}."
        )
    elif "signature" in f"{answer.phrase} {answer.code()}".lower():
        yield Finding(
            WRONG,
            f"{name} knows another secret ({said}): compare what it has with `bbb-conf --secret`, blanks and line ends "
            "too; behind a balancer it may be the balancer's own (lms_secret, rollcall_secret).",
        )
    elif 200 <= answer.status < 300:
        yield Finding(
            WARNING, f"{name} is reached and answers the probe {said}, as no Moodle does: the secret is not proved."
        )
    else:
        yield Finding(WRONG, f"{name} answers the probe {said}: is the address the right one?")


def _clocks(name: str, answer: Answer) -> Iterator[Finding]:
    try:
        theirs = email.utils.mktime_tz(email.utils.parsedate_tz(answer.date) or (0,) * 10)
    except (ValueError, OverflowError):
        return
    apart = int(abs(time.time() - theirs))
    if answer.date and apart > CLOCK_SECONDS:
        yield Finding(
            WARNING, f"The clocks of this host and of {name} are {apart} seconds apart: run an NTP client on both."
        )
