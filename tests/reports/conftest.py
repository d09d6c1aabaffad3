"""What the tests of pages share."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from lxml import html

from tests.makers import operator


@pytest.fixture
def page(django_user_model: Any) -> Any:
    """Ask for an address, signed in; the answer as a tree of elements, with its status."""
    client = Client()
    client.force_login(operator(django_user_model, "teacher"))

    def get(address: str, *, status: int = 200, **headers: str) -> Any:
        response = client.get(address, headers=headers)
        assert response.status_code == status, response.content.decode()[:2000]
        return html.fromstring(response.content)

    get.client = client  # type: ignore[attr-defined]
    return get
