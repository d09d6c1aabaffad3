from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.store.connections import Hook, Pool, Server
from rollcall.store.derived import Attendance
from rollcall.store.fields import storable


@given(st.text(st.characters(exclude_categories=())))
def test_what_is_storable_is_utf_8_without_nul_and_of_the_same_length(text: str) -> None:
    stored = storable(text)
    assert "\x00" not in stored
    assert len(stored.encode()) >= len(text) == len(stored)
    assert storable(stored) == stored


def test_ordinary_text_stays_as_it_is() -> None:
    assert storable("Ελένη 🦊 \ufffd\n") == "Ελένη 🦊 \ufffd\n"


@pytest.mark.usefixtures("database")
def test_text_from_outside_is_stored_and_read_back_whole() -> None:
    sent = "Ελένη 🦊 ÅÅ \U0010ffff" * 1_000
    server = Server.objects.create(pool=Pool.objects.create(name="p"), api_url=sent, added_at=0, trouble="\x00\ud800")
    server.refresh_from_db()
    assert (server.api_url, server.trouble) == (sent, "\ufffd\ufffd")


@pytest.mark.usefixtures("database")
def test_a_token_is_found_by_itself_alone() -> None:
    server = Server.objects.create(pool=Pool.objects.create(name="p"), api_url="u", added_at=0)
    for token in ("abc", "ABC", "abc ", "ábc"):
        Hook.objects.create(server=server, registered_url="u", token=token, added_at=0)
    assert [hook.token for hook in Hook.objects.filter(token="abc")] == ["abc"]
    assert [hook.token for hook in Hook.objects.filter(token="abc ")] == ["abc "]


@pytest.mark.usefixtures("database")
def test_a_text_can_be_asked_for_whatever_it_is() -> None:
    for asked in ("\x00", "\ud800", "Å" * 10_000):
        assert not Attendance.objects.filter(name=asked).exists()
