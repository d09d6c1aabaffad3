"""What a language decides about dates, numbers and what stands between them. Here, and only here, Babel is asked.

The same in every language: a clock of 24 hours with seconds where they are known, durations as 1:02:10, and the digits
0 to 9. Files for programs and spreadsheets come from none of this: they are written as ISO 8601.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from babel import Locale, dates, numbers
from babel.core import get_global
from django.utils import translation
from django.utils.translation import pgettext

from rollcall import languages
from rollcall.wording.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime
    from decimal import Decimal

    Width = Literal["abbreviated", "narrow", "wide"]

_LRI, _FSI, _PDI = "\u2066", "\u2068", "\u2069"

_DAY, _DAY_AND_WEEKDAY, _DAY_OF_THIS_YEAR = "yMMMd", "yMMMEd", "MMMEd"
_ENGLISH = {_DAY_AND_WEEKDAY: "EEE d MMM y", _DAY_OF_THIS_YEAR: "EEE d MMM", "full": "EEEE d MMMM y"}
"""English is at home in many countries: this is read in all of them, and has no comma where another one follows."""


def _language() -> str:
    return translation.get_language() or languages.SOURCE


@lru_cache
def _locale(language: str) -> Locale:
    return languages.locale(language)


# --- dates ------------------------------------------------------------------------------------------------------------


def date_and_time(at: datetime) -> str:
    """Sun 22 Nov 2026, 10:02."""
    return _at(_date(_language(), at.date(), _DAY_AND_WEEKDAY), f"{at:%H:%M}")


def near_date_and_time(at: datetime, *, year: int) -> str:
    """Sun 22 Nov, 10:02, for a list that is read in this year; what is of another one says so."""
    form = _DAY_OF_THIS_YEAR if at.year == year else _DAY_AND_WEEKDAY
    return _at(_date(_language(), at.date(), form), f"{at:%H:%M}")


def full_date_and_time(at: datetime) -> str:
    """Sunday 22 November 2026, 10:02:11."""
    return _at(full_date(at.date()), f"{at:%H:%M:%S}")


def _at(day: str, clock: str) -> str:
    """Both, with the language's own comma between."""
    return _pattern(_language()).replace("{1}", day).replace("{0}", clock)


@lru_cache
def _pattern(language: str) -> str:
    return str(dates.get_datetime_format("medium", _locale(language)))


def full_date(day: date) -> str:
    """Sunday 22 November 2026."""
    return _date(_language(), day, "full")


def short_date(day: date) -> str:
    """22 Nov 2026."""
    return _date(_language(), day, _DAY)


@lru_cache(4096)
def _date(language: str, day: date, form: str) -> str:
    locale = _locale(language)
    if language == languages.SOURCE and form in _ENGLISH:
        return dates.format_date(day, _ENGLISH[form], locale)
    if form == "full":
        return dates.format_date(day, form, locale)
    return dates.format_skeleton(form, day, locale=locale)


def weekday(number: int, width: Width = "abbreviated") -> str:
    """What a day of the week is called where it stands alone; 0 is Monday."""
    return str(dates.get_day_names(width, "stand-alone", _locale(_language()))[number])


def month(number: int, width: Width = "abbreviated") -> str:
    """What a month is called where it stands alone; 1 is January."""
    return str(dates.get_month_names(width, "stand-alone", _locale(_language()))[number])


def first_weekday() -> int:
    """The day with which a week begins for the reader; 0 is Monday. A language alone is read where most speak it."""
    return _first_weekday(_language())


@lru_cache
def _first_weekday(language: str) -> int:
    locale = _locale(language)
    if locale.territory is None:
        locale = Locale.parse(get_global("likely_subtags").get(str(locale), str(locale)))
    return int(locale.first_week_day)


# --- numbers ----------------------------------------------------------------------------------------------------------


def number(value: int) -> str:
    """1,234 or 1.234."""
    return _number(_language(), value)


@lru_cache(1024)
def _number(language: str, value: int) -> str:
    return numbers.format_decimal(value, locale=_locale(language))


def decimal(value: Decimal) -> str:
    """7.5 or 7,5, with three decimals at the most."""
    return left_to_right(numbers.format_decimal(value, locale=_locale(_language())))


def percent(least: int, most: int | None = None, *, sign: str = "") -> str:
    """Whole percents: 88%, 84–88% or <1%, as the language writes them."""
    return _percent(_language(), least, least if most is None else most, sign)


@lru_cache(1024)
def _percent(language: str, least: int, most: int, sign: str) -> str:
    shown = numbers.format_percent(most / 100, locale=_locale(language))
    if least != most:
        shown = shown.replace(str(most), f"{least}–{most}")
    # Behind an Arabic letter the sign would change sides, and stand otherwise than in the cell above.
    return _left_to_right(sign + shown, language)


def exact_percent(share: Decimal) -> str:
    """66.7%, with as many decimals as there are."""
    shown = numbers.format_percent(share, locale=_locale(_language()), decimal_quantization=False)
    return left_to_right(shown)


# --- what stands between ----------------------------------------------------------------------------------------------


def interval(least: str, most: str) -> str:
    """Two clock times, durations or numbers: 40:00–42:10, earlier before later in every direction of writing.

    Ends of several words, such as dates, are text, which goes the way of the language.
    """
    if " " in least or " " in most:
        return f"{least} – {most}"
    return left_to_right(f"{least}–{most}")


def left_to_right(text: str) -> str:
    """Numbers with signs between, which must not be turned round amid text that is written from right to left."""
    return _left_to_right(text, _language())


def _left_to_right(text: str, language: str) -> str:
    return f"{_LRI}{text}{_PDI}" if languages.is_right_to_left(language) else text


def isolated(name: str) -> str:
    """A name in a sentence, such that the direction it is written in turns nothing beside it."""
    return f"{_FSI}{visible(name)}{_PDI}"


def typed(text: str) -> str:
    """What somebody wrote, in a sentence of a language that may go the other way."""
    return isolated(text) if languages.is_right_to_left(_language()) else visible(text)


def listed(parts: Iterable[str], *, have_commas: bool = False) -> str:
    """Several things side by side."""
    several = list(parts)
    if len(several) < 2:
        return "".join(several)  # as in most rows of a class of 300, where each look at the language costs
    if have_commas:
        return pgettext("between the parts of a list that have commas of their own", "; ").join(several)
    return pgettext("between the parts of a list", ", ").join(several)
