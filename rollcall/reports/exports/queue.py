"""The files to be made, as a worker takes them: claim, tell how far, store. Each a compare-and-set or a transaction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Final

from django.db import transaction
from django.db.models import Q

from rollcall.store.exports import Export, ExportPart, ExportState

LEASE_MS: Final = 5 * 60_000
"""Longer than a part of a document takes; each part that is done makes it longer."""

TRIES: Final = 3
PIECE: Final = 512 * 1024

Claim = tuple[int, int]
"""A row, and the number of the try, which tells this claim from every other."""


def expire(now: int) -> int:
    """Forget what nobody can fetch any more, with its pieces."""
    old = Export.objects.filter(expires_at__lt=now)
    # Asked first: a write that changes nothing still has to wait for the other writers.
    return old.delete()[0] if old.exists() else 0


def reclaim(worker: str, now: int) -> int:
    """Give back what an earlier worker of this name had in hand, or one whose lease has run out."""
    stale = Export.objects.filter(Q(leased_until__lt=now) | Q(worker=worker), state=ExportState.MAKING)
    return stale.update(state=ExportState.WAITING, worker="") if stale.exists() else 0


def claim(worker: str, now: int) -> Export | None:
    """The one that has waited longest, taken so that nobody else makes it."""
    for one in Export.objects.filter(state=ExportState.WAITING).order_by("created_at", "pk")[:5]:
        taken = Export.objects.filter(pk=one.pk, state=ExportState.WAITING, tries=one.tries).update(
            state=ExportState.MAKING,
            worker=worker,
            tries=one.tries + 1,
            started_at=now,
            done=0,
            leased_until=now + LEASE_MS,
        )
        if taken:
            return Export.objects.select_related("user").get(pk=one.pk)
    return None


def _held(claimed: Claim) -> Q:
    pk, tries = claimed
    return Q(pk=pk, tries=tries, state=ExportState.MAKING)


def tell(claimed: Claim, done: int, now: int) -> bool:
    """How many rows are done; False if the row is somebody else's by now, or gone."""
    return Export.objects.filter(_held(claimed)).update(done=done, leased_until=now + LEASE_MS) == 1


def release(claimed: Claim) -> None:
    """Leave it to the next worker: this one has to stop, which counts as no try."""
    Export.objects.filter(_held(claimed)).update(state=ExportState.WAITING, worker="", tries=claimed[1] - 1)


def put_back(claimed: Claim) -> None:
    """Have it tried again, by whomever."""
    Export.objects.filter(_held(claimed)).update(state=ExportState.WAITING, worker="")


def store(claimed: Claim, file: IO[bytes], media_type: str, now: int) -> bool:
    """Put the file in, whole or not at all; it is finished, so that no other writer waits while it is made."""
    pk, _tries = claimed
    with transaction.atomic():
        ready = {"state": ExportState.READY, "media_type": media_type, "finished_at": now, "worker": ""}
        if not Export.objects.filter(_held(claimed)).update(**ready):
            return False
        size = 0
        for number, piece in enumerate(iter(lambda: file.read(PIECE), b"")):
            size += len(piece)
            ExportPart.objects.create(export_id=pk, number=number, content=piece)
        Export.objects.filter(pk=pk).update(size=size)
    return True


def fail(claimed: Claim, state: ExportState, sentence: str, hint: str, now: int) -> None:
    """Say why there will be no file."""
    Export.objects.filter(_held(claimed)).update(state=state, sentence=sentence, hint=hint, finished_at=now, worker="")


def content_of(export: Export) -> Iterator[bytes]:
    """The file, piece by piece."""
    for number in range(-(-(export.size or 0) // PIECE)):
        piece = ExportPart.objects.filter(export=export, number=number).values_list("content", flat=True).first()
        yield bytes(piece or b"")
