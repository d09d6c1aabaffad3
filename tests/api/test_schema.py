"""Whatever is asked at random, the API answers as its OpenAPI document says, and never with a fault of its own.

`make api-long` asks ten thousand times at each address; a usual run asks a few times.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.test import Client

IS_LONG = bool(os.environ.get("ROLLCALL_LONG"))
EXAMPLES = 10_000 if IS_LONG else 12
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def operations() -> dict[str, Any]:
    """By what each is called: GET /api/v1/meetings."""
    from rollcall.api.views import api

    described = schemathesis.openapi.from_dict(api.get_openapi_schema())
    found = [one.ok() for one in described.get_all_operations() if isinstance(one, Ok)]
    return {one.label: one for one in found}


OPERATIONS = operations()


@pytest.fixture
def token(program: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ROLLCALL_API_PER_MINUTE", "1000000000")
    client = program("read", "facts", "exports", "servers", "platforms", "audit")
    found: str = client.defaults["HTTP_AUTHORIZATION"]
    return found


@pytest.fixture
def in_one_transaction(db: None) -> Iterator[None]:
    """As Django's own client does: the end of a request does not close the connection the test stands in."""
    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (signals.request_started, signals.request_finished):
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("in_one_transaction")
@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_answers_as_it_is_described(name: str, token: str) -> None:
    application = get_wsgi_application()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=not IS_LONG,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=OPERATIONS[name].as_strategy())
    def ask(case: Any) -> None:
        response = case.call(app=application, headers={"Authorization": token})
        case.validate_response(response, checks=CHECKS)

    ask()


def test_no_operation_is_left_out() -> None:
    assert len(OPERATIONS) == 17
