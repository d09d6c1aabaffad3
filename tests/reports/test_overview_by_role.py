"""Who does not run Rollcall is told nothing of servers, neither that they are ill nor that they are well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rollcall.store.accounts import Account
from rollcall.store.connections import Server
from rollcall.store.organisations import Licence, Organisation
from tests.makers import Attendee, make_meeting, operator

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client

pytestmark = pytest.mark.django_db


def test_only_an_operator_hears_of_servers(client: Client, django_user_model: type[User]) -> None:
    organisation = Organisation.objects.create(name="School", added_at=0)
    Licence.objects.create(organisation=organisation, starts_at=0, added_at=0)
    make_meeting(Attendee())
    Server.objects.update(trouble="It is down.")
    ada = operator(django_user_model, "ada")
    client.force_login(ada)
    assert "It is down." in client.get("/").content.decode()

    Account.objects.filter(user=ada).update(organisation=organisation)
    page = client.get("/").content.decode()
    assert "It is down." not in page
    assert "every server answers" not in page
