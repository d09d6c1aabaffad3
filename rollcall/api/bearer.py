"""Who asks: the bearer of a token, which has an organisation, scopes and an end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from ninja.security import HttpBearer

from rollcall.api import rate
from rollcall.core.access import Reader, Role
from rollcall.core.errors import Refused
from rollcall.reports.access import let_in
from rollcall.store import tokens

if TYPE_CHECKING:
    from django.http import HttpRequest

    from rollcall.store.accounts import Token
    from rollcall.store.tokens import Scope


class NoToken(Refused):
    """There is none, or it is none of ours, or not any more."""

    code = "no-token"
    status = 401


class Bearer(HttpBearer):
    """`Authorization: Bearer rollcall_…`."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> Any:  # noqa: ANN401 - ninja's signature
        """Whoever asks without a token is told that one is needed."""
        if (found := super().__call__(request)) is None:
            raise NoToken(
                _("A token is needed."), hint=_("Send it as “Authorization: Bearer …”; `rollcall token add` makes one.")
            )
        return found

    def authenticate(self, request: HttpRequest, token: str) -> Token:
        """Let the bearer in, within the token's organisation."""
        found = tokens.find(token, time.time_ns() // 1_000_000)
        if found is None:
            raise NoToken(
                _("This token is none, or has ended, or was revoked."), hint=_("`rollcall token list` shows which are.")
            )
        rate.count(request, str(found.pk))
        require_scope(found, self.scope)
        let_in(request, reader_of(found))
        return found


def require_scope(token: Token, scope: Scope) -> None:
    """That the token opens this."""
    if scope.value not in token.scopes.split():
        raise Refused(
            _("This token may not do that: it has no scope “%(scope)s”.") % {"scope": scope.value},
            code="missing-scope",
            status=403,
            hint=_("Make another one with `rollcall token add --scope %(scope)s`.") % {"scope": scope.value},
        )


def reader_of(token: Token) -> Reader:
    """What the bearer sees."""
    if token.organisation_id is None:
        return Reader(role=Role.OPERATOR, name=token.name)
    return Reader(role=Role.PROGRAM, name=token.name, organisation=token.organisation_id)
