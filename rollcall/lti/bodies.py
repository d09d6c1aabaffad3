"""JSON that an LMS has sent, as long as it has no more values than any list that is meant well."""

from __future__ import annotations

import json
from typing import Final

from rollcall.lti.trouble import ServiceTrouble, Trouble

MOST_BYTES: Final = 4 << 20
"""Of one page; of an LMS that knows no pages, of the whole list. A member takes 300 to 600 bytes in Moodle."""

MOST_VALUES: Final = 300_000
"""Four megabytes of `{},` are a million and a half objects, and a hundred megabytes in memory; of members 100,000."""


def read_json(content: bytes) -> object:
    """What a body says, None where it is no JSON; ServiceTrouble before anything is made of one that has too much.

    Commas and brackets in texts are counted too: it is a bound, and well above what a page really has.
    """
    if sum(map(content.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise ServiceTrouble(Trouble.TOO_BIG)
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
