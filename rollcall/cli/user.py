"""Staff accounts."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from rollcall.cli import new_app
from rollcall.cli.database import open_database
from rollcall.core.errors import Refused

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from rollcall.store.organisations import Organisation

app = new_app("Staff accounts: add, list, change, remove, their sessions.")

Name = Annotated[str, typer.Argument(help="The name to sign in with.", show_default=False)]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
OfOrganisation = Annotated[str, typer.Option("--organisation", help="It sees what is of this organisation.")]
AsOperator = Annotated[bool, typer.Option("--operator", help="It sees everything, and manages it.")]


@app.command()
def add(
    name: Name,
    organisation: OfOrganisation = "",
    operator: AsOperator = False,
    password_stdin: FromStdin = False,
    link: Annotated[bool, typer.Option("--link", help="No password: print a link that signs in once.")] = False,
) -> None:
    """Make an account of one organisation, or of an operator, which it is as long as there is no organisation."""
    open_database()
    from django.contrib.auth.models import User
    from django.core.exceptions import ValidationError
    from django.db import IntegrityError, transaction

    from rollcall.store.accounts import Account

    owner = _owner(organisation, is_operator=operator, is_new=True)
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
        with transaction.atomic():
            user.save()
            Account.objects.create(user=user, organisation=owner)
    except IntegrityError:
        raise _taken(name) from None
    _note(owner)
    print(f"Added {name}: {_told(owner)}.")
    if link:
        _print_link(user)


@app.command("list")
def list_users() -> None:
    """Show the accounts, what each may see, and when it was last used."""
    open_database()
    from django.contrib.auth.models import User

    from rollcall.store.accounts import Account

    owners = {one.user_id: _told(one.organisation) for one in Account.objects.select_related("organisation")}
    for user in User.objects.order_by("username"):
        last = f"{user.last_login:%Y-%m-%d %H:%M} UTC" if user.last_login else "never"
        print(f"{user.username}\t{owners.get(user.pk, 'sees nothing')}\tlast signed in: {last}")


@app.command()
def change(name: Name, organisation: OfOrganisation = "", operator: AsOperator = False) -> None:
    """Let an account see what is of this organisation from now on, or everything."""
    open_database()
    from rollcall.store.accounts import Account

    user, owner = _find(name), _owner(organisation, is_operator=operator, is_new=False)
    Account.objects.update_or_create(user=user, defaults={"organisation": owner})
    _note(owner)
    print(f"{name} is changed: {_told(owner)}.")


@app.command()
def sessions(name: Name) -> None:
    """Show where an account is signed in: since when, and when it was last used."""
    open_database()
    from rollcall.store.staff_sessions import sessions_of

    found = sessions_of(_find(name))
    for one in found:
        print(f"signed in: {_time(one.made_at)}\tlast used: {_time(one.seen_at)}")
    if not found:
        print(f"{name} is not signed in anywhere.")


@app.command("sign-out")
def sign_out(name: Name) -> None:
    """End all sessions of an account at once."""
    open_database()
    from rollcall.store.staff_sessions import end_sessions

    user = _find(name)
    count = end_sessions(user)
    _note(_owner_of(user))
    print(f"Sessions of {name} ended: {count}.")


@app.command()
def remove(name: Name) -> None:
    """Delete an account; whoever is signed in with it is out at once."""
    open_database()
    user = _find(name)
    owner = _owner_of(user)
    user.delete()
    _note(owner)
    print(f"Removed {name}.")


@app.command()
def password(name: Name, password_stdin: FromStdin = False) -> None:
    """Set another password; whoever is signed in with the old one is out at once."""
    open_database()
    user = _find(name)
    user.set_password(_password(user, from_stdin=password_stdin))
    user.save()
    _note(_owner_of(user))
    print(f"{name} has a new password.")


@app.command("link")
def print_link(name: Name) -> None:
    """Print a link that signs in once, within ten minutes."""
    open_database()
    _print_link(_find(name))


def _owner(organisation: str, *, is_operator: bool, is_new: bool) -> Organisation | None:
    """Of whom an account is to be, None is an operator's; a new one must say so once there is a choice."""
    from rollcall.store.organisations import Organisation
    from rollcall.store.organising import find_organisation

    if organisation and not is_operator:
        return find_organisation(organisation)
    if is_operator != bool(organisation) or (is_new and not is_operator and not Organisation.objects.exists()):
        return None
    raise Refused(
        "Say whose account it is: --organisation NAME or --operator, one of the two.",
        code="whose-account",
        hint="`rollcall organisation list` shows the organisations; an operator sees all of them.",
    )


def _owner_of(user: User) -> Organisation | None:
    from rollcall.store.accounts import Account

    found = Account.objects.select_related("organisation").filter(user=user).first()
    return found.organisation if found else None


def _note(owner: Organisation | None) -> None:
    from rollcall.cli.organisation import note

    note("account", owner.pk if owner else None)


def _told(owner: Organisation | None) -> str:
    return f"of {owner.name}" if owner else "operator, sees everything"


def _time(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M} UTC"


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
