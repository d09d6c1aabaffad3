"""One sentence about one verdict: short, exact, and never as if something were certain that is not."""

from __future__ import annotations

import re
from datetime import UTC
from pathlib import Path

import msgspec
import pytest

from rollcall.core import activity
from rollcall.core.intervals import OPEN
from rollcall.core.policy import OF_HOURS, Quantity
from rollcall.core.verdicts import ClassVerdict, Doubt, Measured, PersonVerdict, Verdict
from rollcall.deliveries.completion_words import class_sentence, sentence, sentence_of
from rollcall.wording.doubts import CODES
from rollcall.wording.measuring import WHAT, measured_sentence

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


def test_why_not_is_said_of_what_was_missed() -> None:
    away = Doubt("away", NINE + 7 * MINUTE, NINE + 19 * MINUTE)
    one = a_class((time(2_290_000, 2_290_000, NOT_MET),), doubts=(away,))

    assert class_sentence(one, UTC) == (
        "Not met. Time attended: 38:10 of 45:00 needed, 6:50 missing. Not there from 09:07:00 to 09:19:00."
    )


@pytest.mark.parametrize(
    ("measured", "told"),
    [
        (Measured(Quantity.SHARE, 796, 796, 800, NOT_MET), "Share attended: 79% of 80% needed, 1% missing."),
        (Measured(Quantity.SHARE, 796, 796, 667, MET), "Share attended: 79.6% (66.7% needed)."),
        (Measured(Quantity.SHARE, 0, 1000, 800, CANNOT_TELL), "Share attended: 0–100% (80% needed)."),
        (Measured(Quantity.WHOLE_MINUTES, 44, 44, 45, NOT_MET), "Whole minutes attended: 44 of 45 needed, 1 missing."),
        (Measured(Quantity.CHATS, 2, None, 3, CANNOT_TELL), "Chat messages: 2 or more (3 needed)."),
        (Measured(Quantity.TALK_TIME, 0, 0, 60_000, NOT_MET), "Time talked: 0:00 of 1:00 needed, 1:00 missing."),
        (Measured(Quantity.PRESENT_BY, NINE, NINE, NINE + MINUTE, MET), "There by 09:01:00, as needed."),
        (Measured(Quantity.PRESENT_BY, NINE, NINE, NINE - MINUTE, NOT_MET), "Came at 09:00:00; needed by 08:59:00."),
        (
            Measured(Quantity.PRESENT_BY, None, NINE, NINE + MINUTE, CANNOT_TELL),
            "Came at 09:00:00 or later; needed by 09:01:00.",
        ),
        (Measured(Quantity.PRESENT_BY, None, None, NINE, NOT_MET), "Not there; needed by 09:00:00."),
        (Measured(Quantity.PRESENT_UNTIL, NINE, NINE, NINE, MET), "There until 09:00:00, as needed."),
        (
            Measured(Quantity.PRESENT_UNTIL, NINE, NINE, NINE + MINUTE, NOT_MET),
            "Went at 09:00:00; needed until 09:01:00.",
        ),
        (
            Measured(Quantity.PRESENT_UNTIL, NINE, NINE + MINUTE, NINE + MINUTE, CANNOT_TELL),
            "Went at 09:01:00 or earlier; needed until 09:01:00.",
        ),
        (
            Measured(Quantity.PRESENT_UNTIL, None, None, 0, CANNOT_TELL),
            "Being there on time cannot be told without the hours of the class.",
        ),
    ],
)
def test_every_quantity_has_its_sentence(measured: Measured, told: str) -> None:
    assert measured_sentence(measured, UTC) == told


def test_every_quantity_is_told_of() -> None:
    assert set(WHAT) | OF_HOURS == set(Quantity)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("short", "This class does not count. It was too short."),
        ("few", "This class does not count. Too few people were there."),
        ("switched-off", "This class does not count. A teacher has switched it off."),
    ],
)
def test_a_class_that_does_not_count_says_why(code: str, told: str) -> None:
    one = a_class((time(0, 0, NOT_MET),), counts=NOT_MET, doubts=(Doubt(code),))

    assert class_sentence(one, UTC) == told


def test_a_class_that_may_not_count_says_so() -> None:
    one = a_class((time(50 * MINUTE, 50 * MINUTE, MET),), counts=CANNOT_TELL, doubts=(Doubt("may-be-few"),))

    assert class_sentence(one, UTC) == (
        "Met, if the class counts, which is not certain. Time attended: 50:00 (45:00 needed). "
        "There may have been too few people."
    )


def test_of_a_class_that_is_summed_with_others_nothing_is_needed() -> None:
    one = a_class((Measured(Quantity.TIME, 60_000, 60_000, 0, MET),))

    assert class_sentence(one, UTC) == "Was there. Time attended: 1:00."


def test_of_two_conditions_those_are_said_that_have_decided() -> None:
    chats = Measured(Quantity.CHATS, 1, 1, 3, NOT_MET)
    one = a_class((chats, time(50 * MINUTE, 50 * MINUTE, MET)))

    assert class_sentence(one, UTC) == "Not met. Chat messages: 1 of 3 needed, 2 missing."


def test_where_one_condition_is_enough_that_is_said() -> None:
    chats = Measured(Quantity.CHATS, 1, 1, 3, NOT_MET)
    one = a_class((time(0, 0, NOT_MET), chats), is_any=True)

    assert class_sentence(one, UTC) == (
        "Not met. One of these is enough. Time attended: 0:00 of 45:00 needed, 45:00 missing. "
        "Chat messages: 1 of 3 needed, 2 missing."
    )


def test_of_several_classes_it_is_said_how_many_are_missing_and_which() -> None:
    unsure = a_class((time(0, None, CANNOT_TELL),), began_at=NINE + 24 * 60 * MINUTE)
    met = a_class((time(50 * MINUTE, 50 * MINUTE, MET),), began_at=NINE - 24 * 60 * MINUTE)
    one = person(a_class((time(0, 0, NOT_MET),)), unsure, met, met=(1, 2), needed=3)

    assert sentence_of(one, UTC) == (
        "Not met yet. Classes attended: 1–2 of 3 needed, 1–2 missing. "
        "Not attended: 22 Nov 2026. Not certain: 23 Nov 2026."
    )


def test_of_many_days_the_latest_are_said() -> None:
    classes = [a_class((time(0, 0, NOT_MET),), began_at=NINE + day * 24 * 60 * MINUTE) for day in range(5)]
    one = person(*classes, needed=6)

    assert sentence_of(one, UTC).endswith("Not attended: 24 Nov 2026, 25 Nov 2026, 26 Nov 2026 and 2 earlier classes.")


@pytest.mark.parametrize(
    ("settles_at", "told"),
    [
        (None, "No further record is expected: a teacher can decide."),
        (OPEN, "The class is not over yet."),
        (
            NINE,
            "A record of the class may settle it until Sun 22 Nov 2026, 09:00; a teacher can decide at any time.",
        ),
    ],
)
def test_what_is_uncertain_says_what_will_settle_it(settles_at: int | None, told: str) -> None:
    one = person(a_class((time(0, None, CANNOT_TELL),)), settles_at=settles_at)

    assert (
        sentence_of(one, UTC, as_of=NINE - 1) == f"Cannot tell yet. Time attended: 0:00 or more (45:00 needed). {told}"
    )


def test_a_running_class_is_a_state_of_its_own() -> None:
    summed = Measured(Quantity.TIME, 0, None, 0, CANNOT_TELL)
    running = a_class((summed,), counts=CANNOT_TELL, doubts=(Doubt("may-be-short"), Doubt("to-come")))
    missed = a_class((Measured(Quantity.TIME, 0, 0, 0, MET),))
    one = person(running, missed, measured=(time(0, None, CANNOT_TELL),), needed=0, settles_at=OPEN)

    told = "Cannot tell yet. Time attended: 0:00 so far (45:00 needed). The class is not over yet."
    assert sentence_of(one, UTC) == told
    assert class_sentence(running, UTC).endswith("Time attended: 0:00 so far. The class is not over yet.")


def test_what_is_not_known_otherwise_is_no_so_far() -> None:
    doubts = (Doubt("to-come"), Doubt("downtime", NINE, NINE + MINUTE))
    running = a_class((Measured(Quantity.TIME, 0, None, 0, CANNOT_TELL),), doubts=doubts)

    assert "0:00 or more" in class_sentence(running, UTC)


def test_what_was_to_settle_is_not_waited_for_afterwards() -> None:
    one = person(a_class((time(0, None, CANNOT_TELL),)), settles_at=NINE)

    assert "may settle it until" in sentence_of(one, UTC, as_of=NINE - 1)
    assert sentence_of(one, UTC, as_of=NINE).endswith("No further record is expected: a teacher can decide.")


def test_a_correction_stands_before_what_was_measured() -> None:
    one = person(a_class((time(0, 0, NOT_MET),)), verdict=MET, correction=7)

    assert sentence_of(one, UTC) == (
        "A teacher has set this to met. Measured: Not met yet. Time attended: 0:00 of 45:00 needed, 45:00 missing."
    )


@pytest.mark.parametrize("settles_at", [None, OPEN])
def test_what_a_teacher_has_decided_waits_for_nothing(settles_at: int | None) -> None:
    one = person(a_class((time(0, None, CANNOT_TELL),)), verdict=MET, correction=7, settles_at=settles_at)

    told = sentence_of(one, UTC)
    assert told.startswith("A teacher has set this to met. Measured: Cannot tell yet.")
    assert "teacher can decide" not in told
    assert "not over" not in told


def test_a_corrected_class_shows_through() -> None:
    corrected = a_class((time(0, 0, NOT_MET),), verdict=MET, correction=7)

    assert sentence_of(person(corrected, verdict=MET), UTC) == class_sentence(corrected, UTC)
    assert "A teacher has corrected some of the classes." in sentence_of(person(corrected, corrected, needed=2), UTC)


def test_no_doubt_is_without_words() -> None:
    folder = Path(activity.__file__).parent
    told = {code for path in folder.glob("*.py") for code in re.findall(r'Doubt\("([a-z-]+)"', path.read_text())}

    assert "no-hours" in told
    assert told | {"short", "few", "may-be-short", "may-be-few", "open", "uncertain", "away"} <= CODES


def test_it_is_said_from_what_is_kept() -> None:
    one = person(a_class((time(0, 0, NOT_MET),)))

    assert sentence(msgspec.json.encode(one), UTC) == sentence_of(one, UTC)
