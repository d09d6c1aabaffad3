"""What a file holds is told by its bytes, and no file unfolds to more than it may."""

from __future__ import annotations

import gzip
import io
import tarfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.importing.layers import (
    BLOCK,
    DEEPEST,
    Allowance,
    Counted,
    Form,
    Inflated,
    Peeking,
    Tolerant,
    Unreadable,
    form_of,
    members,
    unwrapped,
)
from tests.importing.history import tar

RECORDING = b'<?xml version="1.0"?>\n<!-- made by hand -->\n<recording meeting_id="x-1" bbb_version="2.6">'


@pytest.mark.parametrize(
    ("head", "form"),
    [
        (b"", Form.EMPTY),
        (b"\x1f\x8b\x08", Form.GZIP),
        (RECORDING, Form.RECORDING),
        (b"\xef\xbb\xbf" + RECORDING, Form.RECORDING),
        (RECORDING.decode().encode("utf-16"), Form.RECORDING),
        (RECORDING.decode().encode("utf-16-be"), Form.RECORDING),
        (b"<recording><id>x</id><state>published</state></recording>", Form.OTHER),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", Form.OTHER),
        (b"\x1aE\xdf\xa3webm", Form.OTHER),
        (b'\n {"version": "1.0"', Form.JSON),
        (b"PK\x03\x04...", Form.PACKED),
        (b"\xfd7zXZ\x00...", Form.PACKED),
    ],
)
def test_a_form_is_told_by_the_first_bytes(head: bytes, form: Form) -> None:
    assert form_of(head) is form


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_kind_of_tar_is_read(form: int) -> None:
    name = "é" * 20 + "/" + "/".join("folder" for _ in range(12)) + "/events.xml"
    files = {name: b"one", "empty": b"", "b": bytes(range(256)) * 9}
    assert read_all(tar(files, "w", form)) == files


def test_a_name_that_is_longer_than_a_header_is_whole() -> None:
    files = {"x" * 3000: b"1", "y": b"2"}
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        assert read_all(tar(files, "w", form)) == files


def test_folders_and_links_of_an_archive_lead_nowhere() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for kind, name in ((tarfile.DIRTYPE, "f"), (tarfile.SYMTYPE, "../../etc/passwd"), (tarfile.LNKTYPE, "/h")):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
        archive.addfile(tarfile.TarInfo("../../../outside"), io.BytesIO())
    assert read_all(out.getvalue()) == {"../../../outside": b""}


@given(st.integers(0, 40 * BLOCK))
def test_an_archive_that_breaks_off_anywhere_says_so_and_gives_what_stands_before(length: int) -> None:
    files = {"a": b"1" * 700, "b" * 150: b"2" * 900, "c": b"3" * 100}
    whole = tar(files, "w", tarfile.GNU_FORMAT).rstrip(b"\0")
    found: dict[str, bytes] = {}
    with pytest.raises(Unreadable):
        collect(whole[: min(length, len(whole))], found)
    assert found.items() <= files.items()


@given(st.integers(0, 3 * BLOCK), st.integers(0, 255))
def test_no_byte_of_an_archive_can_do_more_than_make_it_unreadable(place: int, byte: int) -> None:
    content = bytearray(tar({"a": b"1" * 700, "b": b"2"}, "w"))
    content[place] = byte
    with suppress(Unreadable):
        collect(bytes(content), {})


def test_a_name_longer_than_any_is_refused_before_it_is_read() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        member = tarfile.TarInfo("long")
        member.type, member.size = tarfile.GNUTYPE_LONGNAME, 10**9
        archive.addfile(member)
    with pytest.raises(Unreadable, match="longer than any"):
        read_all(out.getvalue())


@pytest.mark.parametrize("pieces", [1, 3])
def test_compressed_bytes_come_out_as_they_were(pieces: int) -> None:
    text = b"0123456789" * 100_000
    packed = b"".join(gzip.compress(text) for _ in range(pieces)) + bytes(512)
    assert drain(Inflated(io.BytesIO(packed), Allowance())) == text * pieces


@given(st.integers(1, 300))
def test_compressed_bytes_that_break_off_give_what_stands_before(missing: int) -> None:
    text = bytes(i * i % 251 for i in range(3000))
    packed = gzip.compress(text)[:-missing]
    tolerant = Tolerant(Inflated(io.BytesIO(packed), Allowance()))
    assert text.startswith(drain(tolerant))
    assert tolerant.fault == "Its compressed data break off."


def test_a_bomb_is_defused() -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)
    allowance = Allowance(free=1_000_000)
    with pytest.raises(Unreadable, match="trap"):
        drain(Inflated(Counted(io.BytesIO(bomb), allowance), allowance))
    assert allowance.given < 1_000_000 + 200 * len(bomb) + 300_000


def test_a_bomb_in_a_bomb_counts_for_the_file_on_the_disk() -> None:
    bomb = gzip.compress(gzip.compress(bytes(200_000_000), 9), 9)
    allowance = Allowance(free=1_000_000)
    with pytest.raises(Unreadable, match="trap"):
        drain(unwrapped(Counted(io.BytesIO(bomb), allowance), allowance)[1])
    assert allowance.given < 5_000_000


def test_nothing_is_unwrapped_for_ever() -> None:
    content = b"x"
    for _ in range(DEEPEST + 1):
        content = gzip.compress(content)
    with pytest.raises(Unreadable, match="more often"):
        unwrapped(io.BytesIO(content), Allowance())


def test_what_stands_before_a_break_can_be_looked_at() -> None:
    packed = gzip.compress(RECORDING)
    stream = Peeking(Inflated(io.BytesIO(packed[:-8]), Allowance()))
    assert stream.peek(4096) == RECORDING
    assert stream.read(4096) == RECORDING
    with pytest.raises(Unreadable):
        stream.read(1)


def read_all(archive: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    collect(archive, found)
    return found


def collect(archive: bytes, found: dict[str, bytes]) -> None:
    for member in members(Peeking(io.BytesIO(archive))):
        content = member.content.read_exactly(member.size)
        if len(content) == member.size:
            found[member.name] = content


def drain(source: Inflated | Tolerant | Peeking) -> bytes:
    parts = []
    while part := source.read(65_536):
        parts.append(part)
    return b"".join(parts)
