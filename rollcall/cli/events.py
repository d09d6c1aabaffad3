"""What one events.xml says: the analytics callback that BigBlueButton should have sent; no database, no Django."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

from rollcall.bbb.callback_body import as_time, body_of
from rollcall.bbb.recording import Recording, open_recording
from rollcall.core.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import typer

    from rollcall.bbb.recording import Opened

EXIT_NOT_WHOLE = 3
LIKE_GEM, FOR_LMS = "--like-gem", "--for-lms"

# Why a recording ends where it does; `{at}` is a byte of it.
DAMAGES = {
    "truncated": "It breaks off at byte {at}.",
    "malformed": "It is damaged from byte {at} on.",
    "doctype": "It has a document type, which no recording has: nothing is read from byte {at} on.",
}
UNREADABLE = {
    "empty": "is empty",
    "not-a-recording": "is no events.xml: its first element is not <recording>",
    "doctype": "has a document type, which no recording has, and is not read",
    "truncated": "breaks off before it names its meeting",
    "malformed": "is no XML where it should name its meeting",
    "": "does not name its meeting",
}


def __getattr__(name: str) -> typer.Typer:
    """Typer takes as long to load as all the rest: it is loaded for help and mistakes alone."""
    if name == "app":
        return _new_app()
    raise AttributeError(name)


def quickly(arguments: Sequence[str]) -> bool:
    """Do it at once if there is nothing to explain about these arguments."""
    files = [argument for argument in arguments if argument == "-" or not argument.startswith("-")]
    flags = [argument for argument in arguments if argument in {LIKE_GEM, FOR_LMS}]
    if len(files) != 1 or len(flags) > 1 or len(files) + len(flags) != len(arguments):
        return False
    tell(files[0], like_gem=LIKE_GEM in flags, for_lms=FOR_LMS in flags)
    return True


def _new_app() -> typer.Typer:
    import typer

    from rollcall.cli import new_app

    app = new_app("What one events.xml says, as the analytics callback's body.")

    no = False  # typer takes a default first and by place, where a name is given

    @app.command()
    def events(
        file: str = typer.Argument(..., metavar="FILE", help="events.xml, plain or gzip; - is standard input."),
        *,
        like_gem: bool = typer.Option(no, LIKE_GEM, help="The numbers of BigBlueButton's own gem, faults included."),
        for_lms: bool = typer.Option(no, FOR_LMS, help="Without guests: only people whose id the LMS gave."),
    ) -> None:
        """Print the analytics callback that BigBlueButton should have sent, as JSON."""
        if like_gem and for_lms:
            raise typer.BadParameter(f"The gem knows no {FOR_LMS}: give one of the two.")
        tell(file, like_gem=like_gem, for_lms=for_lms)

    return app


def tell(file: str, *, like_gem: bool, for_lms: bool) -> None:
    """The body on standard output, what is to be said about the file on standard error."""
    with closing(_opened(file)) as stream:
        recording = Recording(stream)
        try:
            body = _body(recording, like_gem=like_gem, for_lms=for_lms)
        except OSError as error:
            raise Refused(f"{_called(file)} cannot be read: {error.strerror or error}") from error
    if not recording.meeting:
        raise Refused(
            f"{_called(file)} {UNREADABLE.get(recording.damage, UNREADABLE[''])}",
            hint="A recording lies in /var/bigbluebutton/events/<meeting>/events.xml or recording/raw/<meeting>/.",
        )
    sys.stdout.buffer.write(json.dumps(body, ensure_ascii=False).encode() + b"\n")
    sys.stdout.buffer.flush()
    for note in _notes(recording):
        print(f"rollcall: {note}", file=sys.stderr)
    if not recording.is_whole():
        raise SystemExit(EXIT_NOT_WHOLE)


def _opened(file: str) -> Opened:
    try:
        return open_recording(sys.stdin.buffer if file == "-" else file)
    except OSError as error:
        raise Refused(f"{_called(file)} cannot be read: {error.strerror or error}") from error


def _called(file: str) -> str:
    return "Standard input" if file == "-" else file


def _body(recording: Recording, *, like_gem: bool, for_lms: bool) -> dict[str, Any]:
    if not like_gem:
        return body_of(recording, for_lms=for_lms)
    from rollcall.bbb.gem import like_gem as by_gem

    return by_gem(recording)


def _notes(recording: Recording) -> Iterator[str]:
    last = "nothing" if recording.last_at is None else as_time(recording.last_at)
    if recording.damage:
        said = DAMAGES.get(recording.damage, DAMAGES["malformed"]).format(at=recording.damage_at)
        yield f"{said} What stands before is counted; the last of it is of {last}."
    if recording.blank_events:
        yield (
            f"{recording.blank_events} of its events are blank: they had expired on the server before it was written. "
            "Joins and leaves may be among them."
        )
    if recording.odd_events:
        yield f"{recording.odd_events} of its events have no name or no sensible time and are not counted."
    if not (recording.damage or recording.is_closed) and not recording.is_whole():
        yield f"It has no end of the meeting: whoever has not left is counted until {last}, its last event."
