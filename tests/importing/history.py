"""What a BigBlueButton host has kept of some classes, as it lies on its disk."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from random import Random

from rollcall.simulate.callback import callback_body, data_json
from rollcall.simulate.classes import Plan, make_class
from rollcall.simulate.eras import ERAS
from rollcall.simulate.recording import Recorded, recordings
from rollcall.simulate.recording_xml import to_xml

ERA = "3.0"


@lru_cache(maxsize=64)
def recorded(number: int, *, people: int = 5, minutes: int = 10, rooms: int = 0, cursor: float = 0.0) -> list[Recorded]:
    """One class, its root first."""
    era = ERAS[ERA]
    plan = Plan(starts_at=era.at + number * 3_600_000, instance=number + 1, people=people, minutes=minutes, rooms=rooms)
    truth = make_class(Random(number), plan)
    return list(recordings(truth, era, Random(number), cursor_share=cursor).values())


def events_xml(number: int, **how: float) -> bytes:
    """Of the root."""
    return to_xml(recorded(number, **how)[0])


def meeting_of(number: int, **how: float) -> str:
    """The internal id of the root."""
    return recorded(number, **how)[0].meeting


def callback(number: int) -> bytes:
    """What the analytics callback of the class would have been."""
    return json.dumps(callback_body(recorded(number)[0])).encode()


def data_of(number: int) -> bytes:
    """The gem's own output, which lies beside events.xml."""
    return json.dumps(data_json(recorded(number)[0])).encode()


def host(folder: Path, classes: int, **how: float) -> Path:
    """/var/bigbluebutton of a host with so many classes, every second of them recorded."""
    for number in range(classes):
        for one in recorded(number, **how):
            name = one.meeting
            write(folder / "events" / name / "events.xml", to_xml(one))
            if number % 2:
                write(folder / "recording" / "raw" / name / "events.xml", to_xml(one))
                write(folder / "recording" / "raw" / name / "video.webm", b"\x1aE\xdf\xa3" + bytes(500))
    return folder


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def tar(files: Mapping[str, bytes], mode: str = "w:gz", form: int = tarfile.PAX_FORMAT) -> bytes:
    """An archive of these."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=form) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), 1_700_000_000
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()
