"""How to put the one file onto a host, said for each version of BigBlueButton."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rollcall.bbb.post_events.configuration import CONFIGURATION, configuration_text
from rollcall.bbb.post_events.host import OVERLAY, PACKAGED, SCRIPTS
from rollcall.bbb.post_events.installing import (
    COMMAND,
    CRON,
    CRON_TEXT,
    LAUNCHER,
    LAUNCHER_TEXT,
    PROGRAM,
    SERVICE,
    SERVICE_TEXT,
    TIMER,
    TIMER_TEXT,
)
from rollcall.bbb.post_events.single_file import FILE_NAME, assemble

ADDRESS_PLACE = "https://rollcall.example.org/callbacks/…"
HOST_PLACE = "bbb.example.org"


@dataclass(frozen=True, slots=True)
class Release:
    """What differs from one version to the next."""

    system: str
    python: str
    has_overlay: bool = True


RELEASES: Mapping[str, Release] = {
    "2.2": Release("Ubuntu 16.04", "3.5", has_overlay=False),
    "2.3": Release("Ubuntu 18.04", "3.6"),
    "2.4": Release("Ubuntu 18.04", "3.6"),
    "2.5": Release("Ubuntu 20.04", "3.8"),
    "2.6": Release("Ubuntu 20.04", "3.8"),
    "2.7": Release("Ubuntu 20.04", "3.8"),
    "3.0": Release("Ubuntu 22.04", "3.10"),
}


def instructions(version: str, options: Mapping[str, str], host: str = HOST_PLACE) -> str:
    """Everything to do on this host, in its order, as plain text."""
    release = RELEASES[version]
    return f"""\
Rollcall on a BigBlueButton {version} host ({release.system}, Python {release.python})

1. Let BigBlueButton keep the events of each meeting; without that nothing is ever sent.
{_keeping(release)}
       bbb-conf --restart

2. Bring {FILE_NAME} to the host, from where Rollcall is:

       rollcall bbb-host --script > {FILE_NAME}
       scp {FILE_NAME} root@{f"[{host}]" if ":" in host else host}:

   and install it, as root on the host:

       python3 {FILE_NAME} --install {" ".join(_words(options))}

3. Look whether everything is right; each line that is not says how to mend it:

       rollcall-bbb --check

4. Hold a class of a minute, end it, and look at what was sent:

       rollcall-bbb --status
       tail /var/log/bigbluebutton/post_events_rollcall.log

5. {_diverting(options)}, put BigBlueButton's own script aside:

       rollcall-bbb --divert                  (and back: --undivert)

{CONFIGURATION} says what is sent where. `rollcall-bbb --uninstall` takes everything away again.
{_upgrades(release)}

{_BY_HAND}"""


_BY_HAND = f"""\
By hand, instead of --install, from `rollcall bbb-host --output FOLDER`:

       {PROGRAM.rpartition("/")[2]}, {LAUNCHER.rpartition("/")[2]} -> {SCRIPTS}/post_events/
       rollcall.conf -> {CONFIGURATION}   (chgrp bigbluebutton, chmod 640)
       rollcall-bbb.service, rollcall-bbb.timer -> {SERVICE.rpartition("/")[0]}/, then
           systemctl daemon-reload; systemctl enable --now rollcall-bbb.timer
       or, without systemd, rollcall-bbb.cron -> {CRON}
       ln -s {PROGRAM} {COMMAND}

In containers (bigbluebutton/docker) step 2 is for the container `recordings`: mount the two files of post_events and
rollcall.conf into it. It has no timer: let the machine around it run
`docker compose exec -T -u bigbluebutton recordings python3 {PROGRAM} --retry` every five minutes.
"""


def _words(options: Mapping[str, str]) -> list[str]:
    """What --install is told."""
    given = [f"--set {name}={value}" for name, value in options.items() if name != "rollcall_url"]
    return [f"--rollcall-url {options.get('rollcall_url', ADDRESS_PLACE)}", *given]


def _keeping(release: Release) -> str:
    if release.has_overlay:
        return f"""\
   In {OVERLAY}:

       defaultKeepEvents=true
"""
    return f"""\
   In {PACKAGED[0]} (this version has no file of your own beside it,
   so do it again after each upgrade):

       keepEvents=true
"""


def _diverting(options: Mapping[str, str]) -> str:
    if options.get("send_to_lms") == "no":
        return "Rollcall itself passes records on to the LMS. So that nobody else does"
    return "If the LMS is a Moodle, and no unfiltered second post is to race ours"


def _upgrades(release: Release) -> str:
    if release.has_overlay:
        return "After an upgrade of BigBlueButton run `rollcall-bbb --check` once."
    return (
        "After an upgrade of BigBlueButton, and after one to 2.3 with its new system, run `rollcall-bbb --check` once."
    )


def files(version: str, options: Mapping[str, str], host: str = HOST_PLACE) -> dict[str, str]:
    """Name and text of everything that goes to a host."""
    words = {"user": "bigbluebutton", "program": PROGRAM}
    return {
        FILE_NAME: assemble(),
        LAUNCHER.rpartition("/")[2]: LAUNCHER_TEXT,
        "rollcall.conf": configuration_text(dict(options)),
        SERVICE.rpartition("/")[2]: SERVICE_TEXT.format(**words),
        TIMER.rpartition("/")[2]: TIMER_TEXT,
        "rollcall-bbb.cron": CRON_TEXT.format(**words),
        "INSTALL.txt": instructions(version, options, host),
    }
