"""The launches that a running Moodle 4.5 was seen to send, replayed: its own tokens, its own keys."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rollcall.core.access import Role
from rollcall.lti import login
from rollcall.lti.claims import Launched
from rollcall.lti.launch import receive
from rollcall.lti.messages import Message
from rollcall.lti.refusals import LaunchRefused
from rollcall.store.keys import key_of
from rollcall.store.platforms import PendingLaunch, Platform
from tests.lti.captured import captured
from tests.lti.standin import StandIn, jwk, rsa_key

pytestmark = pytest.mark.django_db

SEEN_AT = "http://127.0.0.1:8091"


@pytest.fixture(autouse=True)
def _where_it_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both were on loopback, without TLS; every target of the tool stood for a launch."""
    monkeypatch.setenv("ROLLCALL_URL", SEEN_AT)
    monkeypatch.setenv("ROLLCALL_LMS_HOSTS", "127.0.0.1")
    monkeypatch.setattr("rollcall.lti.addresses.is_ours", lambda target: target.startswith(SEEN_AT))


def moodle(keys: dict[str, Any] | None = None, **changes: Any) -> StandIn:
    here = StandIn(issuer="http://127.0.0.1:8085", **changes)
    here.register(keys=json.dumps(keys or {"keys": [jwk(rsa_key(), here.kid, alg="RS256")]}))
    return here


def pending(state: str, nonce: str, target: str, now: int) -> None:
    PendingLaunch.objects.create(
        platform=Platform.objects.get(),
        state_key=key_of(state),
        nonce_key=key_of(nonce),
        target=target,
        expires_at=now + login.LIFETIME_MS,
    )


@pytest.mark.parametrize(
    ("who", "role"),
    [("student1", Role.LEARNER), ("teacher1", Role.INSTRUCTOR), ("admin", Role.ADMINISTRATOR)],
)
def test_the_very_tokens_are_taken(who: str, role: Role) -> None:
    seen = captured("lti-1.3-launch")
    one = seen["launches"][who]
    claims, fields = one["id_token_claims"], one["auth_response_form"]["fields"]
    stand_in = moodle(seen["jwks"])
    form = {name: [value] for name, value in one["initiation_params"].items()}
    assert login.begin(form, claims["iat"] * 1000).startswith(f"{stand_in.issuer}/mod/lti/auth.php?")
    now = claims["iat"] * 1000
    pending(fields["state"], claims["nonce"], one["initiation_params"]["target_link_uri"], now)
    launched = receive({name: [value] for name, value in fields.items()}, now)
    assert (launched.user_id, launched.role) == (claims["sub"], role)
    assert launched.context
    assert (launched.context.context_id, launched.context.label) == ("2", "BBB101")
    assert launched.memberships_url.endswith("/CourseSection/2/bindings/1/memberships")
    assert launched.line_item_url.endswith("/2/lineitems/2/lineitem?type_id=1")
    assert len(launched.grade_scopes) == 4
    assert "unknown" not in launched.custom
    assert launched.language == "en"


def replayed(claims: dict[str, Any], stand_in: StandIn) -> Launched:
    """The same claims, signed by a key whose private half is here."""
    from rollcall.lti import messages

    now = claims["iat"] * 1000
    pending("state", claims["nonce"], claims[messages.TARGET_LINK_URI], now)
    return receive({"state": ["state"], "id_token": [stand_in.sign(claims)]}, now)


def test_a_launch_of_an_activity_that_was_deep_linked() -> None:
    seen = captured("lti-launch-of-deep-linked-activity")
    launched = replayed(seen["student_id_token_claims"], moodle())
    assert launched.link
    assert (launched.link.link_id, launched.target) == ("8", f"{SEEN_AT}/lti/launch?session=abc")
    assert launched.groups == frozenset({"1"})


def test_a_review_from_the_gradebook() -> None:
    seen = captured("lti-launch-of-deep-linked-activity")
    launched = replayed(seen["submission_review_id_token_claims"], moodle())
    assert (launched.message, launched.for_user, launched.role) == (Message.REVIEW, "4", Role.INSTRUCTOR)


def test_a_request_for_content() -> None:
    seen = captured("lti-deep-linking")
    launched = replayed(seen["request_id_token_claims"], moodle())
    assert launched.message is Message.DEEP_LINK
    assert launched.link is None
    assert launched.deep_link
    assert launched.deep_link.return_url.endswith("sesskey=ZP0N4CgX2H")
    assert launched.deep_link.data is None


def test_a_launch_that_shares_no_name() -> None:
    seen = captured("lti-privacy-never")
    launched = replayed(
        seen["launch_claims_names_and_email_never"], moodle(client_id="WunwbSNs1tor1LR", deployment_id="2")
    )
    assert (launched.name, launched.user_id, launched.groups) == ("", "4", frozenset({"1"}))


def test_roles_as_moodle_gives_them() -> None:
    from rollcall.lti.claims import role_of
    from rollcall.lti.messages import ROLES

    seen = captured("lti-roles-by-moodle-role")["observations"]
    roles = {who: role_of({ROLES: seen[who]["roles"]}) for who in seen if isinstance(seen[who], dict)}
    assert roles == {
        "tutor1": Role.INSTRUCTOR,
        "manager1": Role.INSTRUCTOR,
        "teacher1 switched to the student role": Role.LEARNER,
    }


def test_the_errors_that_moodle_posts_are_told() -> None:
    stand_in = moodle()
    for case in captured("lti-1.3-auth-edge-cases")["cases"]:
        fields = (case.get("result") or {}).get("fields") or {}
        if "error" not in fields:
            continue
        pending(fields["state"], fields["state"], f"{SEEN_AT}/lti/launch", 0)
        with pytest.raises(LaunchRefused) as refused:
            receive({name: [value] for name, value in fields.items()}, 0)
        assert refused.value.code == "platform-error"
    assert stand_in.kid
