from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from rollcall.core.errors import Misconfigured
from rollcall.store.sealing import Purpose, seal, unseal


@pytest.mark.parametrize("secret", ["", "639259d4-9dd8-4b25-bf01-95f9567eaf4b", "Ελένη 🦊", "x" * 10_000])
def test_what_was_sealed_is_opened_again(secret: str) -> None:
    assert unseal(seal(secret)) == secret
    assert unseal(memoryview(seal(secret))) == secret


def test_what_is_stored_tells_nothing() -> None:
    sealed = seal("shared-secret")
    assert b"shared-secret" not in sealed
    assert seal("shared-secret") != sealed


def test_another_secret_key_is_told_in_a_sentence(settings: Settings) -> None:
    sealed = seal("shared-secret")
    settings.SECRET_KEY = "another"
    with pytest.raises(Misconfigured, match="cannot be opened") as refused:
        unseal(sealed)
    assert "secret" in refused.value.hint
    assert "shared-secret" not in str(refused.value)
    assert unseal(seal("x")) == "x"


def test_bytes_that_were_changed_are_not_opened() -> None:
    with pytest.raises(Misconfigured):
        unseal(seal("shared-secret")[:-2] + b"AA")


def test_what_is_sealed_for_one_purpose_is_not_opened_for_another() -> None:
    sealed = seal("token", Purpose.MOODLE_TOKENS)
    assert unseal(sealed, Purpose.MOODLE_TOKENS) == "token"
    with pytest.raises(Misconfigured) as refused:
        unseal(sealed)
    assert "server" in refused.value.hint
    with pytest.raises(Misconfigured) as refused:
        unseal(seal("secret"), Purpose.MOODLE_TOKENS)
    assert "token" in refused.value.hint


def test_what_was_sealed_before_there_were_purposes_is_still_opened(settings: Settings) -> None:
    settings.SECRET_KEY = "first"
    sealed = b"gAAAAABrAwyA_9VCpm1T6k0aicYTZW4eA_B-FsmoT0hfQFxVOZrVV8tPOvFQp4BF9Tiec2Eu_PrOeSS07ot8wXb24zc-AXoulQ=="
    assert unseal(sealed) == "639259d4"
