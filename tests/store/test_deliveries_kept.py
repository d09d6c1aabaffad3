"""What was owed long ago is forgotten: attempts after a term, people without a verdict after a year."""

from __future__ import annotations

import pytest

from rollcall.store.completions import Completion
from rollcall.store.deliveries_kept import forget
from rollcall.store.keys import key_of
from rollcall.store.owed import CompletionTarget, Owed, Owing, Reversal, Try
from rollcall.store.platforms import Platform
from rollcall.store.rosters import DAY_MS
from tests.deliveries.completions.outbox_world import make_target

pytestmark = pytest.mark.usefixtures("database")

NOW = 1_795_176_000_000
LONG_AGO = NOW - 401 * DAY_MS


@pytest.fixture
def target() -> CompletionTarget:
    return make_target()


def owe(target: CompletionTarget, user: str, *, at: int = LONG_AGO, state: Owing = Owing.SENT) -> Owed:
    return Owed.objects.create(
        target=target,
        user_key=key_of(user),
        external_user_id=user,
        wanted="done",
        sent="done",
        reasons=b"{}",
        wanted_at=at,
        state=state,
    )


def left() -> set[str]:
    return set(Owed.objects.values_list("external_user_id", flat=True))


def test_whom_nobody_judges_any_more_is_forgotten_after_a_year(target: CompletionTarget) -> None:
    judged = owe(target, "7")
    Completion.objects.create(
        activity=target.activity, organisation=1, user_key=judged.user_key, external_user_id="7", sort_key=b"a",
        verdict="met", computed="met", digest=bytes(16), detail=b"{}",
    )  # fmt: skip
    owe(target, "8")
    owe(target, "9", at=NOW - 399 * DAY_MS)
    owe(target, "10", state=Owing.DUE)
    assert forget(NOW) == 1
    assert left() == {"7", "9", "10"}


def test_attempts_go_after_a_term_and_what_was_seen_to_after_a_year(target: CompletionTarget) -> None:
    row = owe(target, "7", at=NOW)
    for days in (99, 101):
        Try.objects.create(owed=row, revision=1, at=NOW - days * DAY_MS)
    for handled_at in (None, NOW - 399 * DAY_MS, NOW - 401 * DAY_MS):
        Reversal.objects.create(
            owed=row, before="done", after="open", step="flag", at=LONG_AGO, handled_at=handled_at, reasons=b""
        )
    assert forget(NOW) == 2
    assert (Try.objects.count(), Reversal.objects.count()) == (1, 2)


def test_of_an_lms_that_was_removed_a_month_ago_nothing_is_owed(target: CompletionTarget) -> None:
    owe(target, "7", at=NOW)
    Platform.objects.update(removed_at=NOW - 29 * DAY_MS)
    assert forget(NOW) == 0
    Platform.objects.update(removed_at=NOW - 31 * DAY_MS)
    assert forget(NOW) == 1
    assert CompletionTarget.objects.count() == 1
