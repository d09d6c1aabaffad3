"""/etc/bigbluebutton/rollcall.conf, and the shared secret from whatever file holds it."""

from __future__ import annotations

import os
import re

from rollcall.bbb.post_events.host import (
    BIGBLUEBUTTON_FOLDER,
    MEETING_ID,
    OVERLAY,
    PACKAGED,
    Host,
    Trouble,
    read_properties,
)
from rollcall.bbb.post_events.spool import OWN_NAME

CONFIGURATION = "/etc/bigbluebutton/rollcall.conf"

# (name, default, the lines that stand above it in the file)
OPTIONS = (
    (
        "rollcall_url",
        "",
        (
            "Where Rollcall takes this server's records, as `rollcall bbb-host --server NAME` prints it.",
            "Keep it to yourself. Empty: nothing goes to Rollcall.",
        ),
    ),
    (
        "rollcall_gets",
        "events",
        (
            "events: events.xml itself, compressed.",
            "callback: the numbers alone, as the LMS gets them, with nobody left out.",
        ),
    ),
    (
        "send_to_lms",
        "yes",
        (
            "yes: each meeting's own analytics-callback-url gets a clean post, before BigBlueButton's own one.",
            "no: only Rollcall is told, as where Rollcall itself passes records on.",
        ),
    ),
    (
        "guests",
        "auto",
        (
            "drop: attendees whose user id is no number are left out for the LMS, since Moodle 4.5 stops at the first.",
            "keep: nobody is left out. auto: they are left out where the meeting or the address is Moodle's.",
        ),
    ),
    (
        "lms_secret",
        "",
        ("Another secret than BigBlueButton's own for the LMS, as behind Scalelite; or a file that holds it.",),
    ),
    ("lms_secret_file", "", ()),
    ("rollcall_secret", "", ("The same for Rollcall.",)),
    ("rollcall_secret_file", "", ()),
    ("verify_tls", "yes", ("no: any certificate will do. Better name the right authority in ca_file.",)),
    ("ca_file", "", ("A file of certificate authorities, instead of the system's.",)),
    ("proxy", "", ("A proxy all posts go through, such as http://proxy.example.org:3128.",)),
    ("connect_timeout", "10", ("Seconds to be let in, and to be answered.",)),
    ("timeout", "30", ()),
    ("keep_days", "14", ("What could not be delivered within so many days is given up, with a line in the log.",)),
    ("spool", "/var/bigbluebutton/rollcall", ("Where deliveries are remembered; nobody else may read it.",)),
    ("log", "/var/log/bigbluebutton/post_events_rollcall.log", ("Where each delivery gets its line.",)),
)
_DEFAULTS = {name: default for name, default, _ in OPTIONS}
_ONE_OF = {
    "rollcall_gets": ("events", "callback"),
    "send_to_lms": ("yes", "no"),
    "guests": ("auto", "drop", "keep"),
    "verify_tls": ("yes", "no"),
}
_NUMBERS = ("connect_timeout", "timeout", "keep_days")
_PATHS = ("log", "spool")
# What is theirs with all that is under it, or is emptied when the host starts.
_SYSTEM_FOLDERS = (
    *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/root", "/run", "/sbin"),
    *("/sys", "/tmp", "/usr", "/var/log", "/var/run", "/var/tmp"),  # noqa: S108 - none is put there
)
# Folders of packages, or of people, in which each has one of its own.
_PARENTS = ("/home", "/var", "/var/cache", "/var/lib", "/var/local", "/var/mail", "/var/opt", "/var/spool", "/var/www")
_BIGBLUEBUTTON_NAMES = (
    *("basic_stats", "blank", "captions", "configs", "deleted", "diagnostics", "events", "meetings", "playback"),
    *("presentation", "published", "recording", "screenshare", "unpublished"),
)


class Configuration:
    """What the operator wants; `faults` are sentences about lines that could not be followed."""

    __slots__ = ("faults", "host", "values")

    def __init__(self, host: Host, values: dict[str, str], faults: list[str]) -> None:
        self.host = host
        self.values = values
        self.faults = faults

    def text(self, name: str) -> str:
        """One option as it stands."""
        return self.values[name]

    def is_on(self, name: str) -> bool:
        """One option of yes and no."""
        return self.values[name] == "yes"

    def number(self, name: str) -> int:
        """One option that is a number."""
        return int(self.values[name])

    def path(self, name: str) -> str:
        """One option that is a path of the host."""
        return self.host.path(self.values[name])


def read_configuration(host: Host) -> Configuration:
    """The defaults, where there is no file; a line that makes no sense leaves its default standing and is a fault."""
    path = host.path(CONFIGURATION)
    try:
        given = read_properties(path) if os.path.exists(path) else {}
        faults = []
    except OSError as error:
        given, faults = (
            {},
            [f"{path} cannot be read ({error.strerror}): let the user of BigBlueButton's worker read it."],
        )
    found = {name: _fault_of(host, name, given[name]) for name in sorted(given)}
    faults += [f"{CONFIGURATION}: {fault}" for fault in found.values() if fault]
    wrong = {name for name in found if found[name]}
    values = {**_DEFAULTS, **{name: value for name, value in given.items() if name not in wrong}}
    return Configuration(host, values, faults)


def _fault_of(host: Host, name: str, value: str) -> str:
    if name not in _DEFAULTS:
        return f"there is no option {name}; its names are {', '.join(sorted(_DEFAULTS))}."
    if name in _ONE_OF and value not in _ONE_OF[name]:
        return f"{name} is one of {', '.join(_ONE_OF[name])}, not {value!r}."
    if name in _NUMBERS and not (value.isdigit() and 0 < int(value) < 10000):
        return f"{name} is a number from 1 on, not {value!r}."
    if name in _PATHS and not value.startswith("/"):
        return f"{name} is a path that begins with /, not {value!r}."
    return _fault_of_spool(host, value) if name == "spool" else ""


def _fault_of_spool(host: Host, value: str) -> str:
    """A spool is a folder of its own: what lies in it is Rollcall's, and so is who may read it."""
    name = os.path.normpath("/" + value.lstrip("/"))
    if name == _DEFAULTS["spool"]:
        return ""
    real = _real_path(host, name)
    if _is_system_folder(name) or _is_system_folder(real):
        whose = "the system's"
    elif _is_bigbluebuttons(host, real):
        whose = "BigBlueButton's"
    elif _is_in_use(host.path(name)):
        whose = "in use for something else"
    else:
        return ""
    return f"spool cannot be {value}, which is {whose}: name a folder of its own, such as {_DEFAULTS['spool']}."


def _real_path(host: Host, name: str) -> str:
    """Where this path of the host leads, seen from the host."""
    real, root = os.path.realpath(host.path(name)), os.path.realpath(host.root or "/").rstrip("/")
    return real[len(root) :] if (real + "/").startswith(root + "/") else real


def _is_system_folder(name: str) -> bool:
    above = os.path.dirname(name)
    return above in {"/", "/home"} or name in _PARENTS or any(_is_in(name, one) for one in _SYSTEM_FOLDERS)


def _is_in(name: str, folder: str) -> bool:
    return (name + "/").startswith(folder + "/")


def _is_bigbluebuttons(host: Host, name: str) -> bool:
    theirs = _real_path(host, BIGBLUEBUTTON_FOLDER)
    if any(_is_in(name, _real_path(host, folder)) for folder in host.data_folders()):
        return True
    first = name[len(theirs) + 1 :].partition("/")[0] if _is_in(name, theirs) else "-"
    return not first or first in _BIGBLUEBUTTON_NAMES or MEETING_ID.match(first) is not None


def _is_in_use(path: str) -> bool:
    """Whether it holds something, and nothing that a spool would."""
    try:
        names = [name for name in os.listdir(path) if not name.startswith(".") and name != "lost+found"]
    except OSError:
        return False
    return bool(names) and not any(map(OWN_NAME.match, names))


def secrets_of_host(host: Host) -> list[tuple[str, str]]:
    """(file, securitySalt) of every file that holds one, the one that counts first."""
    found = []
    for name in (OVERLAY, *PACKAGED):
        secret = host.properties(name).get("securitySalt", "")
        if secret and "{{" not in secret:  # what a container's template has not been filled with
            found.append((name, secret))
    if not found and os.environ.get("SHARED_SECRET"):
        found.append(("the variable SHARED_SECRET", os.environ["SHARED_SECRET"]))
    return found


def secret_for(configuration: Configuration, destination: str) -> tuple[str, str]:
    """(where it stands, the secret) a post to "lms" or "rollcall" is signed with."""
    name = destination + "_secret"
    if configuration.text(name):
        return CONFIGURATION, configuration.text(name)
    if configuration.text(name + "_file"):
        return _secret_in_file(configuration, name + "_file")
    found = secrets_of_host(configuration.host)
    if not found:
        raise Trouble(
            "BigBlueButton's shared secret was not found: securitySalt stands in none of "
            f"{', '.join((OVERLAY, *PACKAGED))} that can be read here; name a file that holds it "
            f"as {name}_file in {CONFIGURATION}."
        )
    return found[0]


def _secret_in_file(configuration: Configuration, name: str) -> tuple[str, str]:
    path = configuration.path(name)
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            secret = file.read().strip()
    except OSError as error:
        raise Trouble(f"{path}, the {name} of {CONFIGURATION}, cannot be read: {error.strerror}.") from None
    if not secret:
        raise Trouble(f"{path}, the {name} of {CONFIGURATION}, is empty.")
    return configuration.text(name), secret


def check_options(host: Host, given: dict[str, str]) -> None:
    """Refuse options that make no sense before they are written down."""
    for name in sorted(given):
        fault = _fault_of(host, name, given[name])
        if fault:
            raise Trouble(fault)


def configuration_text(given: dict[str, str]) -> str:
    """The file with every option, its default and what it is for."""
    lines = [
        "# What rollcall_post_events.py sends from this BigBlueButton host, and where to.",
        "# A line that begins with # says the default.",
    ]
    for name, default, words in OPTIONS:
        lines += ["", *(f"# {line}" for line in words)] if words else []
        is_set = name in given or name == "rollcall_url"
        lines.append(f"{name} = {given.get(name, '')}".rstrip() if is_set else f"#{name} = {default}".rstrip())
    return "\n".join(lines) + "\n"


def changed_text(text: str, given: dict[str, str]) -> str:
    """The file with these options changed and everything else as it was."""
    for name, value in sorted(given.items()):
        lines = text.rstrip("\n").split("\n")
        places = [place for place, line in enumerate(lines) if re.match(r"\s*" + name + r"\s*([=:\s]|\Z)", line)]
        for place in places:
            lines[place] = f"{name} = {value}"
        text = "\n".join(lines if places else [*lines, f"{name} = {value}"]) + "\n"
    return text
