"""The command line: one module per command, loaded only when it is called.

A command named NAME is the module rollcall.cli.NAME (`module_of` where that is no module's name) with `app`, made by
`new_app()`. What is slow to import (Django, httpx) is imported inside its functions, after
`rollcall.cli.database.open_database()` where it needs the database.
"""

from __future__ import annotations

import os
import sys
from keyword import iskeyword
from typing import TYPE_CHECKING

from rollcall import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    import typer

    from rollcall.core.errors import RollcallError

COMMANDS: dict[str, str] = {
    "serve": "Web pages, webhooks and worker; makes its database; prints the address.",
    "worker": "A worker alone.",
    "demo": "serve with a simulated school and a class running now.",
    "server": "BigBlueButton servers: add, list, check, remove.",
    "bbb-host": "What is copied to a BigBlueButton host, and how.",
    "organisation": "Schools and universities, each of which sees its own: add, list, edit, remove.",
    "licence": "From when until when an organisation may see its records, and how much.",
    "platform": "LMSs: invite, add, list, check, remove; their servers, deployments and keys.",
    "claim": "Meetings that no platform owns: whose they are.",
    "user": "Staff accounts: add, list, change, remove, their sessions.",
    "token": "Tokens for programs that read the API: add, list, revoke.",
    "report": "Meetings, attendance, people and coverage as table, JSON or CSV.",
    "import": "Old records: events.xml, data.json, callback bodies, folders and archives.",
    "events": "What one events.xml says; no database.",
    "relay": "Records passed on to the LMS: list, on, off, retry, cancel, repair, test.",
    "completion": "Verdicts for the LMS: list, retry, cancel, resend, send-history, stop, start.",
    "capture": "What is captured and what not, by server, site and activity: list, off, on.",
    "explain": "Why this number: one person in one meeting.",
    "doctor": "Look at everything and say what is wrong.",
    "rebuild": "Make everything derived again from the facts.",
    "simulate": "A BigBlueButton that is not there.",
}

# Started by `serve`, or by `import`, alone.
INTERNAL = frozenset({"web", "import-reader"})

# A path may be any bytes; these take nothing else to where it would have to be text.
TAKE_PATHS = frozenset({"import", "events"})

EXIT_FAILED = 1
EXIT_MISUSED = 2
EXIT_INTERRUPTED = 130


def new_app(text: str | None = None) -> typer.Typer:
    """What every command module calls `app`: plain text, since the coloured kind takes longer to load than to read."""
    import typer

    return typer.Typer(
        help=text, add_completion=False, no_args_is_help=False, rich_markup_mode=None, pretty_exceptions_enable=False
    )


def main() -> None:
    """The console script. What it writes holds names: nobody else on this machine may read it."""
    os.umask(0o077)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:  # noqa: PLR0911 - one for each thing it may be
    """Run one command line and return its exit status."""
    rest = _take_data_folder(list(arguments))
    if rest is None:
        return _misused("--data needs a folder")
    if not all(map(_is_text, _words(arguments, rest))):
        return _misused("An argument is not text in this terminal's encoding")
    match rest:
        case [] | ["--help" | "-h" | "help", *_]:
            print(_help())
            return 0
        case ["--version", *_]:
            print(f"rollcall {__version__}")
            return 0
        case [name, *own] if name in COMMANDS or name in INTERNAL:
            return _run_command(name, own)
        case [name, *_]:
            return _misused(f"There is no command {name!r}{_nearest(name)}")
    return EXIT_MISUSED


def _words(arguments: Sequence[str], rest: Sequence[str]) -> list[str]:
    """What must be text: all but a path that a command is given."""
    takes_paths = bool(TAKE_PATHS.intersection(rest[:1]))
    return [argument for argument in arguments if not (takes_paths and argument in rest)]


def _is_text(argument: str) -> bool:
    """Bytes that are none of the terminal's encoding come in as lone surrogates, which no database takes."""
    return not any("\ud800" <= character <= "\udfff" for character in argument)


def _take_data_folder(arguments: list[str]) -> list[str] | None:
    """Every command accepts --data; the settings are read from the environment when Django starts."""
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            return [*rest, word, *words]
        if word != "--data" and not word.startswith("--data="):
            rest.append(word)
            continue
        folder = word.partition("=")[2] if "=" in word else next(words, "")
        if not folder:
            return None
        os.environ["ROLLCALL_DATA"] = folder
    return rest


def module_of(name: str) -> str:
    """`bbb-host` is the module bbb_host; a word of the language's own, as `import`, is import_."""
    return f"{name}_" if iskeyword(name) else name.replace("-", "_")


def _run_command(name: str, arguments: list[str]) -> int:
    from importlib import import_module

    from rollcall.core.errors import RollcallError

    try:
        module = import_module(f"rollcall.cli.{module_of(name)}")
        # A command that is quick enough for loading typer to be felt answers the plain call without it.
        if not getattr(module, "quickly", _never)(arguments):
            module.app(args=arguments, prog_name=f"rollcall {name}")
    except RollcallError as error:
        _complain(error)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`rollcall report … | head`); Python must not complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else EXIT_FAILED
    return 0


def _never(_arguments: Sequence[str]) -> bool:
    return False


def _complain(error: RollcallError) -> None:
    print(f"rollcall: {error}", file=sys.stderr)
    if error.hint:
        print(f"          {error.hint}", file=sys.stderr)


def _misused(sentence: str) -> int:
    print(f"rollcall: {sentence}\n          `rollcall --help` lists the commands.", file=sys.stderr)
    return EXIT_MISUSED


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    found = get_close_matches(name, COMMANDS, n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


def _help() -> str:
    width = max(map(len, COMMANDS))
    commands = "\n".join(f"  {name:<{width}}  {sentence}" for name, sentence in COMMANDS.items())
    return (
        "Usage: rollcall [--data FOLDER] COMMAND …\n\n"
        "Who was in the BigBlueButton class, for how long and how actively.\n\n"
        f"Commands (each has its own --help):\n{commands}\n\n"
        "Options:\n"
        "  --data FOLDER  The folder of the database, the secret key and the logs; also ROLLCALL_DATA.\n"
        "  --version      Print the version."
    )
