"""The files to be made, as a worker takes them: claim, tell how far, store.

Each is a compare-and-set, and no transaction holds more than a piece of a file, so that no webhook waits for one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Final

from django.db.models import Q
from django.utils import translation

from rollcall.store.exports import Export, ExportPart, ExportState
from rollcall.wording.translating import gettext as _

LEASE_MS: Final = 5 * 60_000
"""Longer than a part of a document takes; each part that is done makes it longer."""

TRIES: Final = 3
PIECE: Final = 512 * 1024
MOST_PIECES: Final = 1_000_000
"""Of one try; the pieces of two tries have numbers of their own."""

Claim = tuple[int, int]
"""A row, and the number of the try, which tells this claim from every other."""


def expire(now: int) -> int:
    """Forget what nobody can fetch any more: its pieces one by one, and then the row."""
    gone = list(Export.objects.filter(expires_at__lt=now).values_list("pk", flat=True))
    for pk in gone:
        _forget_pieces(Q(export_id=pk))
        Export.objects.filter(pk=pk).delete()
    return len(gone)


def delete(export: Export) -> None:
    """Nobody can fetch it any more, nobody goes on making it, and the next `expire` takes it out."""
    Export.objects.filter(pk=export.pk).update(expires_at=0, state=ExportState.FAILED)


def reclaim(worker: str, now: int) -> int:
    """Give back what an earlier worker of this name had in hand, or one whose lease has run out.

    What has ended its worker as often as may be tried does so no more.
    """
    stale = Export.objects.filter(Q(leased_until__lt=now) | Q(worker=worker), state=ExportState.MAKING)
    rows = list(stale)
    for one in rows:
        claimed = (one.pk, one.tries)
        if one.tries < TRIES:
            put_back(claimed)
        else:
            with translation.override(one.language):
                give_up(claimed, now)
    return len(rows)


def claim(worker: str, now: int) -> Export | None:
    """The one that has waited longest, taken so that nobody else makes it."""
    waiting = Export.objects.filter(state=ExportState.WAITING, expires_at__gte=now)
    for one in waiting.order_by("created_at", "pk")[:5]:
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
    """Put the file in; nobody sees a piece of it before all are there. False if the row is somebody else's by now."""
    pk, tries = claimed
    size = number = 0
    _forget_pieces(Q(export_id=pk, number__lt=number_of(tries, 0)))  # of a try that was lost
    while piece := _piece(file):
        if not Export.objects.filter(_held(claimed)).exists():
            return False
        ExportPart.objects.create(export_id=pk, number=number_of(tries, number), content=piece)
        size, number = size + len(piece), number + 1
    ready = {"state": ExportState.READY, "media_type": media_type, "size": size, "finished_at": now, "worker": ""}
    return Export.objects.filter(_held(claimed)).update(**ready) == 1


def _piece(file: IO[bytes]) -> bytes:
    return file.read(PIECE)


def number_of(tries: int, number: int) -> int:
    """A piece's number among those of all tries."""
    return tries * MOST_PIECES + number


def _forget_pieces(which: Q) -> None:
    for pk in list(ExportPart.objects.filter(which).values_list("pk", flat=True)):
        ExportPart.objects.filter(pk=pk).delete()


def fail(claimed: Claim, state: ExportState, sentence: str, hint: str, now: int) -> None:
    """Say why there will be no file."""
    Export.objects.filter(_held(claimed)).update(state=state, sentence=sentence, hint=hint, finished_at=now, worker="")


def give_up(claimed: Claim, now: int) -> None:
    """After so many tries it was not the moment's fault."""
    hint = _("Try again later; if it lasts, tell whoever runs Rollcall.")
    fail(claimed, ExportState.FAILED, _("The file could not be made."), hint, now)


def content_of(export: Export) -> Iterator[bytes]:
    """The file, piece by piece; it breaks off if somebody deletes it meanwhile."""
    for number in range(-(-(export.size or 0) // PIECE)):
        yield bytes(ExportPart.objects.get(export=export, number=number_of(export.tries, number)).content)
