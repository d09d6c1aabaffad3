"""What is sent is bounded: so many files at a time, and only what an address may ask for."""

from __future__ import annotations

import asyncio
from threading import BoundedSemaphore
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import translation

from rollcall.core.errors import Refused
from rollcall.reports import files, words
from rollcall.reports.pdf.printable import Printable
from rollcall.wording.formatting import isolated
from tests.reports.test_files import response


@pytest.mark.django_db
def test_only_so_many_files_are_sent_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_PLACES", BoundedSemaphore(files.AT_ONCE))  # not those of earlier tests
    sent = [response([1]) for _ in range(files.AT_ONCE)]

    with pytest.raises(Refused) as refused:
        response([1])

    assert refused.value.status == 503
    sent.pop().close()
    del sent[0]
    assert [response([1]).getvalue() for _ in range(2)] == [b"Number\r\n1\r\n"] * 2


class Connection:
    """One to a database, in a transaction or not."""

    def __init__(self, *, is_in_transaction: bool) -> None:
        self.in_atomic_block = is_in_transaction
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


def test_no_connection_is_held_while_the_reader_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    idle, busy = Connection(is_in_transaction=False), Connection(is_in_transaction=True)
    monkeypatch.setattr(files, "connections", SimpleNamespace(all=lambda **_: [idle, busy]))

    async def read() -> None:
        parts = aiter(response([1]))
        assert await anext(parts)
        assert (idle.is_closed, busy.is_closed) == (True, False)

    asyncio.run(read())


@pytest.mark.parametrize("address", ["/people.csv?bom=2", "/people.pdf?signatures=yes"])
@pytest.mark.django_db
def test_what_is_neither_yes_nor_no_is_refused(admin_client: Any, address: str) -> None:
    answer = admin_client.get(address)

    assert answer.status_code == 400
    assert b"neither yes nor no" in answer.content


def test_a_name_does_not_leave_what_is_around_it() -> None:
    assert isolated("Ada\u2069 \u2067x") == "\u2068Ada[U+2069] [U+2067]x\u2069"

    printed = Printable(is_rtl=True).data("Ada\u2069 \u2067x")
    assert printed == "\u2068Ada \u2067x\u2069\u2069"


def test_a_role_that_nobody_knows_is_shown_and_not_looked_up() -> None:
    with translation.override("de"):
        assert words.role("\x1b[31mCOPRESENTER", "user") == "[U+001B][31mCOPRESENTER"
        assert words.role("MODERATOR", "user") == "Moderation"
