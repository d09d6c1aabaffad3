"""How long ten thousand verdicts take to a gradebook that answers each in 50 ms, at twenty requests at a time.

Each is sent as in earnest: its request is written down before it leaves, and what came of it after, on the SQLite of a
data folder; the gradebook is a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bench.results import Result, as_lines, limited

if TYPE_CHECKING:
    from rollcall.deliveries.completions.wanting import Wish
    from rollcall.store.owed import CompletionTarget

OWED = 10_000
TARGETS = 4
ANSWER_MS = 50
LIMIT_SECONDS = 60.0
PATIENCE_SECONDS = 120.0
SCOPES = ("result.readonly", "score", "lineitem")


def owe(base: str, owed: int) -> None:
    """Activities of one LMS with a column each, and everybody's verdict in them."""
    from django.db import transaction

    from rollcall.core.deliveries import Goal, Step
    from rollcall.deliveries.completions.wanting import Wish, want

    done, reasons = Goal(is_done=True, thousandths=1000), a_reason()
    for number, target in enumerate(_targets(base)):
        people = range(number, owed, TARGETS)
        wishes = [Wish(user_id=str(1000 + one), goal=done, step=Step.DELIVER, reasons=reasons) for one in people]
        _judge(target, wishes)
        with transaction.atomic():
            want(target.pk, wishes, time.time_ns() // 1_000_000)


def _judge(target: CompletionTarget, wishes: list[Wish]) -> None:
    """The verdicts themselves, at which the sender looks before each request."""
    from rollcall.deliveries.completions.wanting import user_key_of
    from rollcall.store.completions import Completion

    same: dict[str, Any] = {"verdict": "met", "computed": "met", "organisation": target.activity.organisation}
    same |= {"activity": target.activity, "sort_key": b"", "detail": b"", "digest": bytes(16)}
    Completion.objects.bulk_create(
        Completion(user_key=user_key_of(one.user_id), external_user_id=one.user_id, **same) for one in wishes
    )


def a_reason() -> bytes:
    """Why somebody has met it: four classes of which three were needed."""
    import msgspec

    from rollcall.core.policy import Quantity
    from rollcall.core.verdicts import ClassVerdict, Measured, PersonVerdict, Verdict

    share = (Measured(Quantity.SHARE, 912, 912, 800, Verdict.MET),)
    met: dict[str, Any] = {"counts": Verdict.MET, "version": 0, "computed": Verdict.MET, "verdict": Verdict.MET}
    classes = tuple(
        ClassVerdict(meetings=(f"m{day}",), began_at=day * 86_400_000, measured=share, **met) for day in range(4)
    )
    return msgspec.json.encode(
        PersonVerdict(
            user_id="1000",
            computed=Verdict.MET,
            verdict=Verdict.MET,
            met=(4, 4),
            needed=3,
            share=(1000, 1000),
            measured=(),
            classes=classes,
        )
    )


def _targets(base: str) -> Iterator[CompletionTarget]:
    from rollcall.core.deliveries import Way
    from rollcall.lti.tokens import AGS
    from rollcall.store.decisions import Activity
    from rollcall.store.keys import key_of
    from rollcall.store.organisations import Organisation
    from rollcall.store.owed import CompletionTarget, Receiver
    from rollcall.store.platforms import Context, LineItem, Platform

    organisation = Organisation.objects.create(name="bench", added_at=0)
    platform = Platform.objects.create(
        organisation=organisation,
        name="bench",
        issuer=base,
        client_id="bench",
        key=key_of(base),
        site=base,
        site_key=key_of(base),
        host="127.0.0.1",
        authorization_url=f"{base}/auth",
        token_url=f"{base}/token",
        product="moodle",
        added_at=0,
    )
    receiver = Receiver.objects.create(platform=platform, way=Way.AGS)
    scopes = " ".join(AGS + scope for scope in SCOPES)
    course = Context.objects.create(
        platform=platform,
        context_id="1",
        key=key_of("1"),
        line_items_url=f"{base}/items",
        grade_scopes=scopes,
        launched_at=0,
    )
    for number in range(TARGETS):
        url = f"{base}/items/{number}/item"
        item = LineItem.objects.create(context=course, url=url, key=key_of(url), maximum=100, is_ours=True, seen_at=0)
        activity = Activity.objects.create(
            organisation=organisation.pk, key=key_of(str(number)), site=base, context_id="1", made_at=0
        )
        yield CompletionTarget.objects.create(activity=activity, receiver=receiver, line_item=item, added_at=0)


async def send(owed: int) -> float:
    """Seconds until the loop of the worker has sent all of them."""
    from asgiref.sync import sync_to_async

    from rollcall.deliveries.completions import sender
    from rollcall.store.owed import Owed, Owing

    sent = sync_to_async(Owed.objects.filter(state=Owing.SENT).count)
    stop, began = asyncio.Event(), time.monotonic()
    sending = asyncio.create_task(sender.run(stop))
    while (done := await sent()) < owed:
        if time.monotonic() - began > PATIENCE_SECONDS:
            raise TimeoutError(f"Only {done} were sent.")
        await asyncio.sleep(0.25)
    took = time.monotonic() - began
    stop.set()
    await sending
    return took


@contextmanager
def gradebook() -> Iterator[str]:
    """Its address, while it runs."""
    command = [sys.executable, "-m", "bench.lms_server", str(ANSWER_MS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def run(owed: int = OWED) -> list[Result]:
    """The time for all of them, and that each arrived once."""
    from rollcall.store.owed import Try

    with gradebook() as base:
        owe(base, owed)
        took = asyncio.run(send(owed))
        with urllib.request.urlopen(f"{base}/taken") as answer:
            taken = json.load(answer)
    if taken != {"scores": owed, "people": owed} or Try.objects.count() != owed:
        raise AssertionError(f"Taken: {taken}; tries written down: {Try.objects.count()}")
    return [
        limited("deliveries.ten_thousand", took * OWED / owed, "s", LIMIT_SECONDS),
        Result("deliveries.per_second", owed / took, "1/s"),
    ]


def main() -> None:
    """On an empty database of its own."""
    # The gradebook is on this machine, and speaks http.
    os.environ["ROLLCALL_LMS_HOSTS"] = "127.0.0.1"
    from rollcall.cli.database import open_database

    open_database()
    print(as_lines(run(*(int(one) for one in sys.argv[1:]))))


if __name__ == "__main__":
    main()
