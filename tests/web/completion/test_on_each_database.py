"""From a policy to a corrected verdict, on SQLite, PostgreSQL and MariaDB: as a browser without JavaScript goes it."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.makers import Attendee, make_meeting, make_organisation, make_platform, make_pool, staff

pytestmark = pytest.mark.usefixtures("database")

SITE = "https://moodle.example.org"


def test_a_policy_is_published_judged_and_one_verdict_corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.contrib.auth.models import User

    from rollcall.core.activity import Verdict
    from rollcall.derive.activity import refold_activity
    from rollcall.feed.deciding import activity_for
    from rollcall.store.completions import Completion
    from rollcall.store.keys import key_of
    from tests.web.completion.conftest import DAYS, NOON

    monkeypatch.setattr("rollcall.store.licensing.now_ms", lambda: NOON)
    organisation = make_organisation("Upper School")
    make_platform(organisation, SITE, make_pool())
    people = (Attendee(name="Ada", uid="501"), Attendee(name="Παπαδόπουλος", uid="502", proved=(("10:03", "10:09"),)))
    columns = {"site": SITE, "course": "7", "organisation": organisation.pk, "activity": "algebra"}
    meeting, *_others = [make_meeting(*people, day=day, heard=NOON - 1, **columns) for day in DAYS]
    client = Client(headers={"accept": "text/html"})
    client.force_login(staff(User, "grace", organisation))
    path = f"/activities/{bytes(meeting.activity_key).hex()}"

    def fold() -> None:
        refold_activity(activity_for(organisation.pk, bytes(meeting.activity_key), now=NOON).pk, now=NOON)

    assert b"Nothing is set yet" in client.get("/activities?name=alg").content
    sent = {"share": "80", "needed": "2", "seen": "0", "once": "a"}
    assert b"Would be met" in client.post(f"{path}/policy", sent | {"act": "preview"}).content
    assert client.post(f"{path}/policy", sent | {"act": "publish"}).status_code == 303
    fold()
    assert dict(Completion.objects.values_list("external_user_id", "verdict")) == {"501": "met", "502": "not-met"}
    for query in ("", "?verdict=met", "?verdict=not-met&name=papad", "?verdict=teachers"):
        assert client.get(path + query).status_code == 200

    person = f"{path}/people/{key_of('502').hex()}"
    word = {"act": "correct", "verdict": "met", "class": "all", "reason": "She was ill. 🦊", "once": "b"}
    assert client.post(person, word).status_code == 303
    fold()
    assert Completion.objects.get(external_user_id="502").verdict == Verdict.MET
    assert "She was ill. 🦊" in client.get(person).content.decode()
    for page in ("/classes", "/sending", "/policy"):
        assert client.get(path + page).status_code == 200, page
    hours = {"act": "hours", "meeting": str(meeting.meeting_id), "begin": "10:00", "end": "10:45", "once": "c"}
    assert client.post(f"{path}/classes", hours).status_code == 303
    fold()
