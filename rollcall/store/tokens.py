"""Tokens of programs: shown once, kept as a digest, with scopes, an end and the minute they were last used."""

from __future__ import annotations

import secrets
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from django.db.models import Q
from django.utils.translation import gettext as _

from rollcall.core.errors import Refused
from rollcall.store.accounts import Token
from rollcall.store.keys import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.db.models import QuerySet

    from rollcall.store.organisations import Organisation

PREFIX: Final = "rollcall_"
"""So that tools which look for leaked secrets know one."""

START: Final = 12
MINUTE_MS: Final = 60_000


class Scope(StrEnum):
    """What a token opens."""

    READ = "read"  # meetings, attendance, people, courses, use
    FACTS = "facts"  # what was heard
    EXPORTS = "exports"  # files made in the background
    SERVERS = "servers"  # BigBlueButton servers and coverage: of a token of all organisations alone
    PLATFORMS = "platforms"
    AUDIT = "audit"
    COMPLETION = "completion"  # verdicts, with how far they are on their way to the LMS


OF_REPORTS: Final[Mapping[str, Scope]] = MappingProxyType(
    {
        "facts": Scope.FACTS,
        "facts-of-person": Scope.FACTS,
        "servers": Scope.SERVERS,
        "coverage": Scope.SERVERS,
        "audit": Scope.AUDIT,
        "completion": Scope.COMPLETION,
    }
)
"""What opens a report that READ does not."""


def scope_of(report: str) -> Scope:
    """What opens this report, read page by page or made as a file."""
    return OF_REPORTS.get(report, Scope.READ)


def make(
    organisation: Organisation | None, name: str, scopes: Iterable[str], *, now: int, expires_at: int | None = None
) -> tuple[Token, str]:
    """A new token and its text, which is known only here and now. Times are epoch ms."""
    text = PREFIX + secrets.token_urlsafe(32)
    token = Token.objects.create(
        organisation=organisation,
        name=name.strip(),
        key=key_of(text),
        start=text[:START],
        scopes=" ".join(_known(scopes)),
        made_at=now,
        expires_at=expires_at,
    )
    return token, text


def _known(scopes: Iterable[str]) -> list[str]:
    known = [scope.value for scope in Scope]
    asked = list(dict.fromkeys(scopes))
    for one in asked:
        if one not in known:
            raise Refused(
                _("There is no scope “%(name)s”.") % {"name": one[:40]},
                code="unknown-scope",
                hint=_("There are: %(names)s.") % {"names": ", ".join(known)},
            )
    return sorted(asked) or [Scope.READ.value]


def find(text: str, now: int) -> Token | None:
    """The token of this text, if it may be used at this time; that it was is noted, to the minute."""
    token = in_force(now).filter(key=key_of(text)).first()
    if token is not None and (token.used_at is None or token.used_at <= now - MINUTE_MS):
        Token.objects.filter(pk=token.pk).update(used_at=now - now % MINUTE_MS)
    return token


def in_force(now: int) -> QuerySet[Token]:
    """All that may be used at this time."""
    lasts = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    return Token.objects.filter(lasts, revoked_at__isnull=True)


def revoke(token: Token, now: int) -> None:
    """From now on it opens nothing."""
    Token.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=now)
