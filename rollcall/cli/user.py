"""Staff accounts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from rollcall.cli import new_app
from rollcall.cli.database import open_database
from rollcall.core.errors import Refused

if TYPE_CHECKING:
    from django.contrib.auth.models import User

app = new_app("Staff accounts: add, list, remove.")

Name = Annotated[str, typer.Argument(help="The name to sign in with.", show_default=False)]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@app.command()
def add(
    name: Name,
    password_stdin: FromStdin = False,
    link: Annotated[bool, typer.Option("--link", help="No password: print a link that signs in once.")] = False,
) -> None:
    """Make an account that may see every meeting."""
    open_database()
    from django.contrib.auth.models import User
    from django.core.exceptions import ValidationError
    from django.db import IntegrityError

    user = User(username=name, is_staff=True)
    try:
        user.clean_fields(exclude=["password"])
    except ValidationError as error:
        raise Refused(
            f"{name!r} cannot be a name to sign in with: {' '.join(error.messages)}",
            code="bad-name",
            hint="Take up to 150 letters, digits and @ . + - _ .",
        ) from None
    if User.objects.filter(username=name).exists():
        raise _taken(name)
    if link:
        user.set_unusable_password()
    else:
        user.set_password(_password(user, from_stdin=password_stdin))
    try:
        user.save()
    except IntegrityError:
        raise _taken(name) from None
    print(f"Added {name}.")
    if link:
        _print_link(user)


@app.command("list")
def list_users() -> None:
    """Show the accounts and when each was last used."""
    open_database()
    from django.contrib.auth.models import User

    for user in User.objects.order_by("username"):
        last = f"{user.last_login:%Y-%m-%d %H:%M} UTC" if user.last_login else "never"
        print(f"{user.username}\tlast signed in: {last}")


@app.command()
def remove(name: Name) -> None:
    """Delete an account; whoever is signed in with it is out at once."""
    open_database()
    _find(name).delete()
    print(f"Removed {name}.")


@app.command()
def password(name: Name, password_stdin: FromStdin = False) -> None:
    """Set another password; whoever is signed in with the old one is out at once."""
    open_database()
    user = _find(name)
    user.set_password(_password(user, from_stdin=password_stdin))
    user.save()
    print(f"{name} has a new password.")


@app.command("link")
def print_link(name: Name) -> None:
    """Print a link that signs in once, within ten minutes."""
    open_database()
    _print_link(_find(name))


def _taken(name: str) -> Refused:
    return Refused(
        f"There is already an account {name!r}.",
        code="name-taken",
        hint=f"`rollcall user password {name}` sets its password, `rollcall user link {name}` prints a link.",
    )


def _find(name: str) -> User:
    from django.contrib.auth.models import User

    user = User.objects.filter(username=name).first()
    if user is None:
        raise Refused(f"There is no account {name!r}.", code="no-such-user", hint="`rollcall user list` shows them.")
    return user


def _password(user: User, *, from_stdin: bool) -> str:
    """From standard input or asked for twice, and good enough."""
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    if from_stdin:
        given = sys.stdin.readline().rstrip("\r\n")
    else:
        given = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    try:
        validate_password(given, user)
    except ValidationError as error:
        raise Refused(
            f"This password will not do: {' '.join(error.messages)}", code="weak-password", hint="Take a longer one."
        ) from None
    return given


def _print_link(user: User) -> None:
    from rollcall import environment
    from rollcall.web.sign_in import LINK_SECONDS, make_link

    base = environment.URL.read() or f"http://{environment.HOST.read()}:{environment.PORT.read()}"
    print(f"This link signs {user.username} in once, within {LINK_SECONDS // 60} minutes:")
    print(base.rstrip("/") + make_link(user))
