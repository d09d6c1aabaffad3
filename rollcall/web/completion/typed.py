"""What people type into forms, read as they mean it: numbers in any digits, minutes or hours, days and times of day.

Each `read_…` takes what stands in a field, with blanks around it, and gives None for nothing; what cannot be meant is
Wrong, with a sentence for the field.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from rollcall.core.errors import Refused
from rollcall.core.policy import MINUTE_MS
from rollcall.wording import formatting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

LONGEST: Final = 50
"""Characters that are looked at of a number, a day or a time of day."""
LONGEST_REASON: Final = 500
MOST_HOURS: Final = 12
"""Of a time that is written as hours and minutes."""

_WHOLE = re.compile(r"[0-9]{1,9}")
_DECIMAL = re.compile(r"([0-9]{1,6})(?:[.,]([0-9]{1,3}))?")
_HOURS = re.compile(r"([0-9]{1,4}):([0-9]{2})(?::([0-9]{2}))?")
_CLOCK = re.compile(r"([0-9]{1,2})[:.]([0-9]{2})(?:[:.]([0-9]{2}))?")
_TENTH_MS: Final = MINUTE_MS // 10
_FIRST_YEAR, _LAST_YEAR = 2000, 2199


class Wrong(Exception):
    """What stands in a field cannot be meant; the message is the sentence that says so."""


class WrongForm(Refused):
    """Some fields of a form are wrong; `fields` has the sentence of each by its name."""

    code = "wrong-form"

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(" ".join(fields.values()))
        self.fields = fields


def plain(text: str) -> str:
    """Without blanks around it, every script's digits as 0 to 9, and an Arabic comma as one."""
    kept = text.replace("\0", "").strip()[:LONGEST].replace("٫", ",")
    return "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in kept)


def read_number(text: str, least: int, most: int) -> int | None:
    """A whole number within bounds."""
    word = plain(text)
    if not word:
        return None
    found = _WHOLE.fullmatch(word)
    number = int(word) if found else -1
    if not least <= number <= most:
        told = _("“%(word)s” is no whole number from %(least)s to %(most)s.")
        raise Wrong(told % _bounds(word, formatting.number(least), formatting.number(most)))
    return number


def read_share(text: str) -> int | None:
    """Percents, as thousandths: more than none, and no more than all."""
    word = plain(text).removesuffix("%").removesuffix("٪").removeprefix("%").strip()
    if not word:
        return None
    thousandths = _decimal(word, 10)
    if thousandths is None or not 1 <= thousandths <= 1000:
        told = _("“%(word)s” is no percentage: write a number up to 100, such as 80.")
        raise Wrong(told % {"word": formatting.typed(word)})
    return thousandths


def read_length(text: str, least_ms: int, most_ms: int) -> int | None:
    """Minutes (45 or 7,5), or hours and minutes (1:30), as ms."""
    word = plain(text)
    if not word:
        return None
    hours = _HOURS.fullmatch(word)
    # 45:00 is how pages show minutes and seconds: nobody asks for 45 hours.
    if hours and max(int(hours[2]), int(hours[3] or 0)) < 60 and (hours[3] or int(hours[1]) <= MOST_HOURS):
        ms: int | None = 1000 * (3600 * int(hours[1]) + 60 * int(hours[2]) + int(hours[3] or 0))
    else:
        ms = None if hours else _decimal(word, MINUTE_MS)
    if ms is None:
        told = _("“%(word)s” is no time: write minutes such as 45, or hours and minutes such as 1:30.")
        raise Wrong(told % {"word": formatting.typed(word)})
    if not least_ms <= ms <= most_ms:
        told = _("“%(word)s” is too short or too long: it may be %(least)s to %(most)s minutes.")
        least, most = (formatting.decimal(Decimal(one) / MINUTE_MS) for one in (least_ms, most_ms))
        raise Wrong(told % _bounds(word, least, most))
    return ms


def read_day(text: str) -> date | None:
    """A day as browsers send it, 2026-11-22; also as 22.11.2026, which is what is typed where they show a blank."""
    word = plain(text)
    if not word:
        return None
    for form in ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y"):
        try:
            day = datetime.strptime(word, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
        if _FIRST_YEAR <= day.year <= _LAST_YEAR:
            return day
    raise Wrong(_("“%(word)s” is no date: write it as 2026-11-22.") % {"word": formatting.typed(word)})


def read_clock(text: str) -> time | None:
    """A time of day, 08:30."""
    word = plain(text)
    if not word:
        return None
    found = _CLOCK.fullmatch(word)
    hour, minute, second = (int(part or 0) for part in found.groups()) if found else (24, 0, 0)
    if hour > 23 or minute > 59 or second > 59:
        raise Wrong(_("“%(word)s” is no time of day: write it as 08:30.") % {"word": formatting.typed(word)})
    return time(hour, minute, second)


def read_reason(text: str) -> str:
    """Why somebody decided something: it is required, and kept, and shown to whoever sees what was decided."""
    reason = " ".join(text.replace("\0", "").split())
    if not reason:
        raise Wrong(_("Say why in a few words: whoever sees the correction sees the reason."))
    if len(reason) > LONGEST_REASON:
        told = _("The reason is too long: it may have %(most)s characters, and has %(number)s.")
        words = {"most": formatting.number(LONGEST_REASON), "number": formatting.number(len(reason))}
        raise Wrong(told % words)
    return reason


def instant(day: date, clock: time | None, zone: tzinfo) -> int:
    """Epoch ms; of an hour that the clocks are put over, what they show after it."""
    local = datetime.combine(day, clock or time(), zone)
    return round(local.astimezone(UTC).timestamp() * 1000)


def last_of(day: date, zone: tzinfo) -> int:
    """When the day is over, epoch ms."""
    return instant(day + timedelta(days=1), None, zone) - 1


def typed_length(ms: int) -> str:
    """As `read_length` reads it, and somebody would write it."""
    minutes, rest = divmod(ms, MINUTE_MS)
    if rest % _TENTH_MS == 0:
        return str(Decimal(ms) / MINUTE_MS)
    return f"{minutes // 60}:{minutes % 60:02}:{rest // 1000:02}"


def typed_share(thousandths: int) -> str:
    """The same for `read_share`."""
    whole, rest = divmod(thousandths, 10)
    return f"{whole}.{rest}" if rest else str(whole)


def _decimal(word: str, unit: int) -> int | None:
    found = _DECIMAL.fullmatch(word)
    if found is None:
        return None
    part = int((found[2] or "").ljust(3, "0") or 0)
    return int(found[1]) * unit + round(part * unit / 1000)


def _bounds(word: str, least: str, most: str) -> dict[str, str]:
    return {"word": formatting.typed(word), "least": least, "most": most}
