"""The command line of the one file: what BigBlueButton's worker calls, what the timer calls, what an operator calls."""

from __future__ import annotations

import argparse
import io
import json
import os
import pwd
import sys
import time
from typing import TYPE_CHECKING

from rollcall import __version__
from rollcall.bbb.post_events.checking import WRONG, examine
from rollcall.bbb.post_events.configuration import Configuration, read_configuration
from rollcall.bbb.post_events.divert import divert, undivert
from rollcall.bbb.post_events.host import MEETING_ID, Host, Trouble
from rollcall.bbb.post_events.installing import install, uninstall
from rollcall.bbb.post_events.journal import Journal
from rollcall.bbb.post_events.sending import DUE, FOREGROUND_SECONDS, NAMED, OWED, TITLES, Sender, counted, shown
from rollcall.bbb.post_events.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DESCRIPTION = "Tells the LMS and Rollcall what happened in a class, when BigBlueButton has written it down."


def main(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status."""
    _speak_anywhere()
    given = _parser().parse_args(arguments)
    # Folders that are made for programs are open to those who run them; those for meetings are not.
    os.umask(0o022 if given.install else 0o027)
    host = Host(given.root)
    try:
        return _run(given, host)
    except Trouble as trouble:
        sys.stderr.write(f"Rollcall: {trouble}\n")
        return 1


def _speak_anywhere() -> None:
    """A worker without a locale writes ASCII; what that lacks is written as its code, not as an error."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        encoding = stream.encoding
        setattr(sys, name, _Outlet(stream.detach(), encoding, "backslashreplace", line_buffering=True))


class _Outlet(io.TextIOWrapper):
    """Where sentences go. That nobody reads on, as behind `head`, stops nothing of what is being done."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except BrokenPipeError:
            self._close_down()
        return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError:
            self._close_down()

    def _close_down(self) -> None:
        """What is still in it goes nowhere, like all that follows."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rollcall-bbb", description=DESCRIPTION)
    add = parser.add_argument
    add("-m", "--meeting-id", metavar="ID", default="", help="send this meeting, as BigBlueButton's worker does")
    add("--dry-run", action="store_true", help="with -m: print what would be sent, and send nothing")
    add("--resend", action="store_true", help="with -m: send it again; alone: try everything that is owed, now")
    add("--retry", action="store_true", help="try again what is due, as the timer does")
    add("--status", action="store_true", help="list what was sent lately, and what is owed")
    add("--check", action="store_true", help="look at everything this needs, and say how to mend it")
    add("--url", metavar="URL", default="", help="with --check: the LMS's address, instead of the newest meeting's own")
    add("--divert", action="store_true", help="put BigBlueButton's own script aside")
    add("--undivert", action="store_true", help="bring it back")
    add("--install", action="store_true", help="put this program, its launcher, configuration and timer in place")
    add("--rollcall-url", metavar="URL", default="", help="with --install: what rollcall_url is to be")
    add("--set", metavar="NAME=VALUE", action="append", default=[], help="with --install: any option of rollcall.conf")
    add("--uninstall", action="store_true", help="take all that away again, with the spool")
    add("--version", action="version", version=__version__)
    add(
        "--root",
        metavar="FOLDER",
        default=os.environ.get("ROLLCALL_ROOT", ""),
        help="look at a host's tree under this folder",
    )
    return parser


def _run(given: argparse.Namespace, host: Host) -> int:
    if given.install:
        return _say(install(host, os.path.realpath(sys.argv[0]), _options_of(given)))
    if given.uninstall:
        return _say(uninstall(host))
    if given.divert or given.undivert:
        return _say([divert(host) if given.divert else undivert(host)])
    if given.check:
        return _check(read_configuration(host), given.url)
    if given.meeting_id or given.retry or given.resend or given.status:
        _become_worker(host)
        return _send(given, read_configuration(host))
    _parser().print_help()
    return 2


def _options_of(given: argparse.Namespace) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in given.set]
    named = {name.strip(): value.strip() for name, _, value in pairs}
    return dict(named, rollcall_url=given.rollcall_url) if given.rollcall_url else named


def _say(sentences: Iterable[str]) -> int:
    for sentence in sentences:
        sys.stdout.write(f"{sentence}\n")
    return 0


def _check(configuration: Configuration, url: str) -> int:
    findings = []
    for finding in examine(configuration, url):
        findings.append(finding)
        sys.stdout.write(f"{finding.mark}  {finding.sentence}\n")
        sys.stdout.flush()
    return int(any(finding.mark == WRONG for finding in findings))


def _become_worker(host: Host) -> None:
    """What root does here must not leave files that BigBlueButton's worker cannot write."""
    user, group = host.owner()
    if os.geteuid() or not user:
        return
    try:
        os.initgroups(pwd.getpwuid(user).pw_name, group)
        os.setgid(group)
        os.setuid(user)
    except (OSError, KeyError) as error:
        raise Trouble(
            f"user {user}, whom {host.path('/var/bigbluebutton')} belongs to, cannot be taken on: {error}"
        ) from None


def _send(given: argparse.Namespace, configuration: Configuration) -> int:
    journal = Journal(configuration.path("log"))
    sender = Sender(configuration, journal)
    if given.status:
        return _status(sender.spool)
    if given.dry_run:
        return _show_what(sender, given.meeting_id)
    for fault in configuration.faults:
        journal.write("-", fault)
    if given.meeting_id:
        is_done = sender.send(given.meeting_id, asked=NAMED if given.resend else DUE)
        if given.resend:
            return int(not is_done)
        sender.retry(now=time.time(), seconds=FOREGROUND_SECONDS)
        return 0
    owed = sender.retry(now=time.time(), asked=OWED if given.resend else DUE)
    return int(bool(owed) and given.resend)


def _status(spool: Spool) -> int:
    meetings = spool.meetings()
    for meeting in meetings:
        entry = spool.read(meeting)
        if entry is None:
            sys.stdout.write(f"{meeting}  waits for its turn\n")
            continue
        for destination, delivery in sorted(entry.deliveries.items()):
            at = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(delivery.at))
            tries = counted(delivery.tries, "try", "tries")
            words = f"{entry.meeting}  {TITLES[destination]:<8}  {delivery.state:<7}  {tries}  {at}"
            sys.stdout.write(f"{words}  {delivery.said}\n")
    if not meetings:
        sys.stdout.write("Nothing was sent lately, and nothing is owed.\n")
    return 0


def _show_what(sender: Sender, meeting: str) -> int:
    if not meeting:
        raise Trouble("--dry-run wants to know the meeting: -m ID")
    if not MEETING_ID.match(meeting):
        raise Trouble(f"{meeting[:80]!r} is no internal meeting id")
    json.dump(shown(sender, meeting), sys.stdout, indent=2, sort_keys=True)
    sys.stdout.write("\n")
    return 0
