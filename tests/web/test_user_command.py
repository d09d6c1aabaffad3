"""`rollcall user`: accounts from the command line."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.test import Client

from rollcall.cli import run
from rollcall.store.accounts import Account
from rollcall.store.organisations import Organisation
from tests.makers import operator

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"


@pytest.fixture
def rollcall(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command line; its status and what it printed."""

    def call(*words: str, stdin: str = "") -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        status = run(["user", *words])
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return call


def test_an_account_is_added_with_a_password_from_standard_input(rollcall: Any) -> None:
    assert rollcall("add", "ada", "--password-stdin", stdin=PASSWORD + "\n") == (
        0,
        "Added ada: operator, sees everything.\n",
    )
    assert authenticate(username="ada", password=PASSWORD) is not None


def test_a_link_stands_in_for_a_password(rollcall: Any) -> None:
    status, printed = rollcall("add", "ada", "--link")

    assert status == 0
    path = re.search(r"http://127\.0\.0\.1:8000(/login/link/\S+)", printed)
    assert path is not None
    assert Client().get(path[1]).status_code == 302
    status, printed = rollcall("link", "ada")
    assert (status, Client().get(printed.split(":8000")[1].strip()).status_code) == (0, 302)


@pytest.mark.parametrize("password", ["", "tiny", "password1234"])
def test_a_weak_password_makes_no_account(rollcall: Any, password: str) -> None:
    status, printed = rollcall("add", "ada", "--password-stdin", stdin=password + "\n")

    assert status == 1
    assert "This password will not do" in printed
    assert password not in printed or not password
    assert "no account 'ada'" in rollcall("link", "ada")[1]


@pytest.mark.parametrize("name", ["", "a b", "x" * 151, "<script>"])
def test_a_name_that_cannot_be_one_is_refused(rollcall: Any, name: str) -> None:
    status, printed = rollcall("add", name, "--link")

    assert status == 1
    assert "cannot be a name to sign in with" in printed


def test_a_name_is_taken_once(rollcall: Any) -> None:
    rollcall("add", "ada", "--link")
    status, printed = rollcall("add", "ada", "--link")

    assert status == 1
    assert "There is already an account 'ada'" in printed
    assert "rollcall user link ada" in printed


def test_accounts_are_listed_with_their_last_use(rollcall: Any) -> None:
    rollcall("add", "emmy", "--link")
    rollcall("add", "ada", "--link")

    assert rollcall("list") == (
        0,
        "\n".join(f"{name}\toperator, sees everything\tlast signed in: never" for name in ("ada", "emmy")) + "\n",
    )


def test_an_account_is_of_an_organisation_or_an_operators_and_can_become_the_other(rollcall: Any) -> None:
    Organisation.objects.create(name="Upper School", added_at=0)

    assert rollcall("add", "ada", "--link", "--organisation", "Upper School")[1].startswith(
        "Added ada: of Upper School."
    )
    assert rollcall("change", "ada", "--operator") == (0, "ada is changed: operator, sees everything.\n")
    assert rollcall("change", "ada", "--operator") == (0, "ada is changed: operator, sees everything.\n")
    assert Account.objects.get().organisation is None
    assert rollcall("change", "ada", "--organisation", "Upper School") == (0, "ada is changed: of Upper School.\n")
    assert rollcall("list")[1] == "ada\tof Upper School\tlast signed in: never\n"


@pytest.mark.parametrize("words", [(), ("--operator", "--organisation", "Upper School")])
def test_where_there_is_a_choice_it_must_be_made(rollcall: Any, words: tuple[str, ...]) -> None:
    Organisation.objects.create(name="Upper School", added_at=0)
    status, printed = rollcall("add", "ada", "--link", *words)

    assert status == 1
    assert "--organisation NAME or --operator, one of the two" in printed
    assert not Account.objects.exists()


def test_sessions_are_listed_and_ended(rollcall: Any, django_user_model: Any) -> None:
    client = Client()
    client.force_login(operator(django_user_model, "ada"))
    assert rollcall("sessions", "ada")[1].startswith("signed in: 20")

    assert rollcall("sign-out", "ada") == (0, "Sessions of ada ended: 1.\n")
    assert client.get("/meetings").status_code == 302
    assert rollcall("sign-out", "ada") == (0, "Sessions of ada ended: 0.\n")
    assert rollcall("sessions", "ada") == (0, "ada is not signed in anywhere.\n")


def test_a_removed_account_is_out_at_once(rollcall: Any, django_user_model: Any) -> None:
    client = Client()
    client.force_login(operator(django_user_model, "ada"))
    assert client.get("/meetings").status_code == 200

    assert rollcall("remove", "ada") == (0, "Removed ada.\n")
    assert client.get("/meetings").status_code == 302


def test_a_new_password_puts_out_who_had_the_old_one(rollcall: Any) -> None:
    rollcall("add", "ada", "--password-stdin", stdin=PASSWORD + "\n")
    client = Client()
    client.login(username="ada", password=PASSWORD)

    assert rollcall("password", "ada", "--password-stdin", stdin="another long password\n")[0] == 0
    assert client.get("/meetings").status_code == 302
    assert authenticate(username="ada", password="another long password") is not None


@pytest.mark.parametrize("command", ["remove", "password", "link", "sessions", "sign-out"])
def test_who_is_not_there_is_named(rollcall: Any, command: str) -> None:
    status, printed = rollcall(command, "nobody")

    assert status == 1
    assert "There is no account 'nobody'." in printed
    assert "rollcall user list" in printed
