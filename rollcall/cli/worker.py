"""`rollcall worker`: a worker alone, beside others on the same database."""

from __future__ import annotations

from rollcall.cli import new_app

app = new_app("A worker alone.")


@app.command()
def worker() -> None:
    """Fold what is due and watch the BigBlueButton servers, until told to stop."""
    from rollcall.cli.database import open_database

    open_database()
    from rollcall.logs import set_up_logging
    from rollcall.worker import work

    set_up_logging("worker")
    work()
