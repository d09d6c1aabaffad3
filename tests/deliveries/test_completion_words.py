"""One sentence about one verdict: short, exact, and never as if something were certain that is not."""

from __future__ import annotations

from datetime import UTC

import msgspec
import pytest

from rollcall.core.activity import ClassVerdict, Doubt, Measured, PersonVerdict, Verdict
from rollcall.core.policy import Quantity
from rollcall.deliveries.completion_words import class_sentence, sentence, sentence_of

MET, NOT_MET, CANNOT_TELL = Verdict.MET, Verdict.NOT_MET, Verdict.CANNOT_TELL
MINUTE = 60_000
NINE = 1_795_338_000_000  # 2026-11-22 09:00 UTC


def time(low: int, high: int | None, verdict: Verdict) -> Measured:
    return Measured(Quantity.TIME, low, high, 45 * MINUTE, verdict)


def a_class(measured: tuple[Measured, ...] = (), **fields: object) -> ClassVerdict:
    verdict = measured[0].verdict if measured else NOT_MET
    given: dict[str, object] = {
        "meetings": ("1",),
        "began_at": NINE,
        "counts": MET,
        "version": 0,
        "computed": verdict,
        "verdict": verdict,
        "measured": measured,
    }
    return ClassVerdict(**(given | fields))  # type: ignore[arg-type]


def person(*classes: ClassVerdict, **fields: object) -> PersonVerdict:
    verdict = classes[0].computed if classes else NOT_MET
    given: dict[str, object] = {
        "user_id": "42",
        "computed": verdict,
        "verdict": verdict,
        "met": (0, 0),
        "needed": 1,
        "share": (0, 0),
        "measured": (),
        "classes": classes,
    }
    return PersonVerdict(**(given | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("low", "high", "verdict", "told"),
    [
        (50 * MINUTE, 50 * MINUTE, MET, "Met. Time attended: 50:00 (45:00 needed)."),
        (50 * MINUTE, None, MET, "Met. Time attended: 50:00 or more (45:00 needed)."),
        (2_290_000, 2_290_000, NOT_MET, "Not met. Time attended: 38:10 of 45:00 needed, 6:50 missing."),
        (0, 2_290_000, NOT_MET, "Not met. Time attended: 0:00–38:10 of 45:00 needed, 6:50–45:00 missing."),
        (2_699_999, 2_699_999, NOT_MET, "Not met. Time attended: 44:59 of 45:00 needed, 0:01 missing."),
        (2_290_000, 2_700_000, CANNOT_TELL, "Cannot tell yet. Time attended: 38:10–45:00 (45:00 needed)."),
    ],
)
def test_a_class_says_how_much_there_is_and_how_much_is_missing(
    low: int, high: int | None, verdict: Verdict, told: str
) -> None:
    assert class_sentence(a_class((time(low, high, verdict),)), UTC) == told


def test_what_is_uncertain_says_why() -> None:
    doubt = Doubt("downtime", NINE, NINE + 5 * MINUTE)
    one = a_class((time(0, None, CANNOT_TELL),), doubts=(doubt,))

    assert class_sentence(one, UTC).endswith(
        "From 09:00:00 to 09:05:00 messages may be missing: Rollcall was not running."
    )


def test_of_several_classes_it_is_said_how_many_are_missing() -> None:
    one = person(a_class(), a_class(), met=(1, 1), needed=3)

    assert sentence_of(one, UTC) == "Not met yet. Classes attended: 1 of 3 needed, 2 missing."


def test_a_correction_stands_before_what_was_measured() -> None:
    one = person(a_class((time(0, 0, NOT_MET),)), verdict=MET, correction=7)

    assert sentence_of(one, UTC) == (
        "A teacher has set this to met. Measured: Not met yet. Time attended: 0:00 of 45:00 needed, 45:00 missing."
    )


def test_it_is_said_from_what_is_kept() -> None:
    one = person(a_class((time(0, 0, NOT_MET),)))

    assert sentence(msgspec.json.encode(one), UTC) == sentence_of(one, UTC)
