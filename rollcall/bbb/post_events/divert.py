"""BigBlueButton's own script put aside and brought back, in a way that upgrades respect where the host has dpkg."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from rollcall.bbb.post_events.host import STOCK_SCRIPT, Host, Trouble

if TYPE_CHECKING:
    from collections.abc import Sequence

# No name of a Ruby script: the worker runs whatever ends in .rb.
DIVERTED_SCRIPT = STOCK_SCRIPT + ".put-aside-by-rollcall"
_SAY_AGAIN = " There is no dpkg-divert here: after an upgrade of BigBlueButton say --divert again."


def is_diverted(host: Host) -> bool:
    """Whether the stock script is aside and none is in its place."""
    return os.path.exists(host.path(DIVERTED_SCRIPT)) and not os.path.exists(host.path(STOCK_SCRIPT))


def divert(host: Host) -> str:
    """Put it aside, and say what was done; a second time changes nothing."""
    stock, aside = host.path(STOCK_SCRIPT), host.path(DIVERTED_SCRIPT)
    was_aside = is_diverted(host)
    try:
        _drop_older(stock, aside)
        if _has_dpkg(host) and _diversion(stock) != aside:
            _dpkg_divert(["--rename", "--divert", aside, "--add", stock])
        if os.path.exists(stock):
            os.replace(stock, aside)
    except OSError as error:
        raise Trouble(f"{stock} cannot be put aside ({error.strerror}): are you root?") from None
    if not os.path.exists(aside):
        return f"There is no {stock}; nothing had to be put aside."
    if was_aside:
        return f"{stock} is aside already."
    return f"{stock} is aside; --undivert brings it back." + ("" if _has_dpkg(host) else _SAY_AGAIN)


def undivert(host: Host) -> str:
    """Bring it back; a second time changes nothing."""
    stock, aside = host.path(STOCK_SCRIPT), host.path(DIVERTED_SCRIPT)
    try:
        _drop_older(stock, aside)
        if _has_dpkg(host) and _diversion(stock) == aside:
            _dpkg_divert(["--rename", "--remove", stock])
        if os.path.exists(aside):
            os.replace(aside, stock)
    except OSError as error:
        raise Trouble(f"{stock} cannot be brought back ({error.strerror}): are you root?") from None
    return f"{stock} is in its place." if os.path.exists(stock) else f"There is no {stock}, and none is aside."


def _drop_older(stock: str, aside: str) -> None:
    """Where both are there, an upgrade or somebody's hand has put a newer one in place."""
    if os.path.exists(stock) and os.path.exists(aside):
        os.unlink(aside)


def _has_dpkg(host: Host) -> bool:
    """Whether dpkg looks after this host; after a tree under another root only where DPKG_ADMINDIR says so."""
    return shutil.which("dpkg-divert") is not None and bool(not host.root or os.environ.get("DPKG_ADMINDIR"))


def _diversion(path: str) -> str:
    """Where dpkg puts what a package brings under this path."""
    return _run_dpkg_divert(["--truename", path])


def _dpkg_divert(arguments: Sequence[str]) -> None:
    _run_dpkg_divert(["--local", "--quiet", *arguments])


def _run_dpkg_divert(arguments: Sequence[str]) -> str:
    done = subprocess.run(
        ["dpkg-divert", *arguments],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise Trouble(f"dpkg-divert failed ({reason}): are you root?")
    return done.stdout.decode("utf-8", "replace").strip()
