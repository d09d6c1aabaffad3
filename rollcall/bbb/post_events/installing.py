"""The files of a host put where BigBlueButton and systemd look for them, and taken away again."""

from __future__ import annotations

import os
import pwd
import subprocess
from typing import TYPE_CHECKING

from rollcall.bbb.post_events.configuration import (
    CONFIGURATION,
    changed_text,
    check_options,
    configuration_text,
    read_configuration,
)
from rollcall.bbb.post_events.divert import undivert
from rollcall.bbb.post_events.host import SCRIPTS, Host, Trouble
from rollcall.bbb.post_events.sending import counted
from rollcall.bbb.post_events.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = SCRIPTS + "/post_events/rollcall_post_events.py"
# The worker takes them in the order of their names: `_00` is in front of `_analytics_callback`.
LAUNCHER = SCRIPTS + "/post_events/post_events_00_rollcall.rb"
COMMAND = "/usr/local/bin/rollcall-bbb"
SERVICE = "/etc/systemd/system/rollcall-bbb.service"
TIMER = "/etc/systemd/system/rollcall-bbb.timer"
CRON = "/etc/cron.d/rollcall-bbb"

LAUNCHER_TEXT = """\
# Runs rollcall_post_events.py, which lies beside it, when BigBlueButton has written down a meeting's events.
# It needs no gem, and whatever happens to it, BigBlueButton's worker goes on. Licence: Apache-2.0.

PATIENCE = Integer(ENV["ROLLCALL_PATIENCE"] || 180) # seconds

def say(sentence)
  puts "Rollcall: #{sentence}"
  log = "#{ENV["ROLLCALL_ROOT"]}/var/log/bigbluebutton/post_events_rollcall.log"
  flags = File::WRONLY | File::APPEND | File::CREAT | File::NOFOLLOW
  File.open(log, flags, 0640) { |file| file.puts "#{Time.now.utc.strftime("%Y-%m-%dT%H:%M:%SZ")} #{sentence}" }
rescue StandardError
  nil
end

def ended?(pid, seconds)
  (seconds * 20).times do
    return true if Process.wait(pid, Process::WNOHANG)
    sleep 0.05
  end
  false
end

begin
  program = File.join(File.dirname(File.expand_path(__FILE__)), "rollcall_post_events.py")
  python = ENV["ROLLCALL_PYTHON"] || "python3"
  pid = Process.spawn(python, "-I", program, *ARGV, in: File::NULL)
  unless ended?(pid, PATIENCE)
    say "#{program} took more than #{PATIENCE} seconds and was stopped; it goes on at its next run."
    Process.kill("TERM", pid)
    Process.kill("KILL", pid) unless ended?(pid, 5)
  end
rescue StandardError => e
  say "#{program} could not be run: #{e.message}"
end
exit 0
"""

SERVICE_TEXT = """\
[Unit]
Description=Rollcall: meetings that could not be delivered yet
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
User={user}
ExecStart=/usr/bin/env python3 -I {program} --retry
Nice=10
NoNewPrivileges=true
"""

TIMER_TEXT = """\
[Unit]
Description=Rollcall: meetings that could not be delivered yet

[Timer]
OnBootSec=2min
OnUnitInactiveSec=5min
RandomizedDelaySec=30
Unit=rollcall-bbb.service

[Install]
WantedBy=timers.target
"""

CRON_TEXT = """\
# Rollcall: meetings that could not be delivered yet (where systemd has no timer for it).
PATH=/usr/local/bin:/usr/bin:/bin
*/5 * * * * {user} python3 -I {program} --retry >/dev/null
"""


def worker_user(host: Host) -> str:
    """Who BigBlueButton's worker runs as: `bigbluebutton`, or `tomcat7` long ago."""
    try:
        return pwd.getpwuid(host.owner()[0]).pw_name
    except KeyError:
        return "bigbluebutton"


def has_systemd(host: Host) -> bool:
    """Whether systemd runs this host: containers have none."""
    return os.path.isdir(host.path("/run/systemd/system"))


def install(host: Host, program: str, options: dict[str, str]) -> Iterator[str]:
    """Put everything in its place, over what an older version has put there; says what."""
    check_options(host, options)
    if not os.path.isdir(host.path(SCRIPTS)):
        raise Trouble(f"there is no {host.path(SCRIPTS)}: this is no BigBlueButton host, or not its recording part")
    try:
        yield from _install(host, program, options)
    except OSError as error:
        raise Trouble(f"{error.filename} cannot be written ({error.strerror}): are you root?") from None


def _install(host: Host, program: str, options: dict[str, str]) -> Iterator[str]:
    with open(program, encoding="utf-8") as file:
        text = file.read()
    _put(host.path(PROGRAM), text, 0o755)
    _put(host.path(LAUNCHER), LAUNCHER_TEXT, 0o644)
    yield f"BigBlueButton's worker will run {LAUNCHER} before its own scripts."
    yield _install_configuration(host, options)
    os.makedirs(os.path.dirname(host.path(COMMAND)), exist_ok=True)
    _link(PROGRAM, host.path(COMMAND))
    yield from _install_timer(host)


def _install_configuration(host: Host, options: dict[str, str]) -> str:
    path = host.path(CONFIGURATION)
    if not os.path.exists(path):
        text, said = configuration_text(options), "says what is sent where"
    elif options:
        with open(path, encoding="utf-8") as file:
            text, said = (
                changed_text(file.read(), options),
                f"has a new {' and '.join(sorted(options))}; the rest stays",
            )
    else:
        _close(path, host)
        return f"{CONFIGURATION} stays as it is."
    _put(path, text, 0o640)
    _close(path, host)
    return f"{CONFIGURATION} {said}."


def _close(path: str, host: Host) -> None:
    """The worker may read it and nobody else: the address in it, or a secret, is meant for this host alone."""
    user, group = host.owner()
    if os.geteuid() == 0:
        os.chown(path, -1, group)
    status = os.stat(path)
    os.chmod(path, status.st_mode & 0o640 | (0o600 if status.st_uid == user else 0o640))


def _install_timer(host: Host) -> Iterator[str]:
    words = {"user": worker_user(host), "program": PROGRAM}
    if has_systemd(host):
        _put(host.path(SERVICE), SERVICE_TEXT.format(**words), 0o644)
        _put(host.path(TIMER), TIMER_TEXT, 0o644)
        _unlink_if_there(host.path(CRON))
        yield (
            _systemctl(host, "enable", "--now", "rollcall-bbb.timer") or "rollcall-bbb.timer looks every five minutes."
        )
    elif os.path.isdir(host.path("/etc/cron.d")):
        _put(host.path(CRON), CRON_TEXT.format(**words), 0o644)
        yield f"{CRON} looks every five minutes."
    else:
        yield "There is neither systemd nor cron here: what is owed is tried again when the next meeting ends."


def _systemctl(host: Host, *words: str) -> str:
    """Run it on the real host; a sentence if that failed."""
    if host.root:
        return ""
    for command in (["systemctl", "daemon-reload"], ["systemctl", *words]):
        done = subprocess.run(
            command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if done.returncode:
            return f"`{' '.join(command)}` failed: {done.stdout.decode('utf-8', 'replace').strip()}"
    return ""


def uninstall(host: Host) -> Iterator[str]:
    """Take everything away that was installed; BigBlueButton's own script is in its place again."""
    try:
        yield undivert(host)
        configuration = read_configuration(host)
        owed = len(Spool(configuration.path("spool")).meetings())
        if has_systemd(host) and os.path.exists(host.path(TIMER)):
            yield _systemctl(host, "disable", "--now", "rollcall-bbb.timer") or "rollcall-bbb.timer is stopped."
        for name in (LAUNCHER, PROGRAM, COMMAND, SERVICE, TIMER, CRON, CONFIGURATION):
            if _unlink_if_there(host.path(name)):
                yield f"{name} is removed."
        spool = Spool(configuration.path("spool"))
        is_removed = spool.remove()
        yield f"The spool is removed, with {counted(owed, 'meeting', 'meetings')} in it. The log stays."
        if not is_removed:
            yield f"The folder {spool.folder} stays: it is a link, or holds what is not Rollcall's, or is not yours."
    except OSError as error:
        raise Trouble(f"{error.filename} cannot be removed ({error.strerror}): are you root?") from None


def _put(path: str, text: str, mode: int) -> None:
    """Written whole or not at all; a running worker may read it at any moment."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    new = path + ".new"
    _unlink_if_there(new)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(new, mode)
    os.replace(new, path)


def _link(target: str, path: str) -> None:
    _unlink_if_there(path)
    os.symlink(target, path)


def _unlink_if_there(path: str) -> bool:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True
