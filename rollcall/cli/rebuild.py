"""`rollcall rebuild`: everything derived is made again from the facts, to the same bytes."""

from __future__ import annotations

from typing import Annotated

import typer

from rollcall.cli import new_app

app = new_app("Make everything derived again from the facts.")


@app.command()
def rebuild(*, quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False) -> None:
    """Make everything derived again from the facts; pages stay up meanwhile, and workers may run."""
    from rollcall.cli.database import open_database

    open_database()
    from rollcall.derive.activity import demand_all, fold_activities_due
    from rollcall.derive.log import Log
    from rollcall.derive.rebuild import demand, fold_due

    wanted = demand()
    log = Log()
    done = 0
    while folded := list(fold_due(log)):
        done += len(folded)
        if not quiet:
            typer.echo(f"\r{min(done, wanted)} of {wanted} meetings", err=True, nl=False)
    demand_all()
    while list(fold_activities_due()):
        pass
    if not quiet:
        typer.echo("" if done else "There is nothing to rebuild.", err=True)
