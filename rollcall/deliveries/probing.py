"""The test connection: a signed request that no activity can be meant by, answered 410 where everything is right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from rollcall.deliveries.by_callback import PADDINGS, PROBE, is_broker, token
from rollcall.deliveries.post import Answer, Silence, post
from rollcall.deliveries.queue import Key, confirm_key, keys_for
from rollcall.deliveries.send import Found, find_key, now_ms, trouble_without_key
from rollcall.deliveries.told import mend_of, padded, trouble_of
from rollcall.outgoing.addresses import trusted_hosts
from rollcall.outgoing.connecting import http_client

if TYPE_CHECKING:
    from rollcall.store.connections import Pool


@dataclass(frozen=True, slots=True)
class Examination:
    """What the probe has found, in words."""

    is_well: bool
    sentence: str
    hint: str = ""


async def examine(pool: Pool, url: str, *, all_secrets: bool = False) -> Examination:
    """Ask with the secrets that are tried unasked, or with all of the pool's; of these the one that fits is remembered.

    Nothing is stored there, whatever it answers.
    """
    if not is_broker(url):
        return Examination(
            is_well=False,
            sentence=_("This is not the address of Moodle's receiver of meeting events."),
            hint=_("It ends in /mod/bigbluebuttonbn/bbb_broker.php?action=meeting_events&bigbluebuttonbn=NUMBER."),
        )
    keys, trusted = await keys_for(pool, url, all_secrets=all_secrets), trusted_hosts()
    async with http_client() as http:

        async def ask(key: Key) -> Answer | Silence:
            return await post(http, url, PROBE, token(PADDINGS[key.padding].format(key.text), now_ms()), trusted)

        found = await find_key(keys, ask)
    if all_secrets and found.key is not None:
        await confirm_key(pool, url, found.key, now_ms())
    return _examined(urlsplit(url).hostname or "", found)


def _examined(host: str, found: Found) -> Examination:
    if found.key is not None:
        return Examination(
            is_well=True,
            sentence=_(
                "%(host)s answers as it should (410 to a meeting that does not exist): address, header and secret are "
                "right, as far as can be told without sending a record."
            )
            % {"host": host},
            hint=padded() if found.key.padding else "",
        )
    trouble = trouble_without_key(found)
    phrase = f"{found.answer.status} {found.answer.phrase}" if isinstance(found.answer, Answer) else ""
    return Examination(is_well=False, sentence=f"{host}: {trouble_of(trouble, phrase)}", hint=mend_of(trouble))
