"""The page with every value to copy: for operators alone."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.lti.captured import captured
from tests.lti.standin import LAUNCH, TOOL
from tests.makers import operator

pytestmark = pytest.mark.django_db


def test_every_value_stands_on_it(client: Client) -> None:
    client.force_login(operator(User, "olga"))
    shown = client.get("/lti/configuration", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    for value in (LAUNCH, f"{TOOL}/lti/login", f"{TOOL}/lti/keys", "groups=$Moodle.Person.userGroupIds"):
        assert value in shown


def test_nobody_else_sees_it(client: Client) -> None:
    assert client.get("/lti/configuration").status_code == 302


def test_moodles_form_asks_for_nothing_that_is_not_named() -> None:
    from rollcall.web.lti.configuration import values

    asked = captured("lti-1.3-manual-registration-form")["form_posted"]
    assert {"lti_toolurl", "lti_publickeyset", "lti_initiatelogin", "lti_redirectionuris"} <= set(asked)
    told = dict(values())
    assert {told[name] for name in ("Tool URL", "Content Selection URL", "Redirection URI(s)")} == {LAUNCH}
