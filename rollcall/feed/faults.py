"""What an error of the database means for whoever was writing; each of the three names its errors in another way."""

from __future__ import annotations

from enum import Enum, auto

from django.db import DataError, Error, IntegrityError, InterfaceError

# PyMySQL's first argument. Deadlock, lock wait, changed since read.
_MARIADB_AGAIN = {1213, 1205, 1020}
# Too many connections, server shutting down, connection killed, packet out of order; from 2000 on: the client's own.
_MARIADB_LOST = {1040, 1053, 1080, 1158, 1159, 1160, 1161, 1203, 1927, 4031}
_MARIADB_TOO_LONG = {1105, 1118, 1153}
_SQLITE_AGAIN = {"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_SCHEMA"}


class Fault(Enum):
    """What to do next."""

    AGAIN = auto()  # another transaction was in the way, or first: the same once more
    LOST = auto()  # the connection is gone: once more on a new one
    DATA = auto()  # these data can never be stored
    DOWN = auto()  # the database cannot write now: full, read-only, without our tables


def fault_of(error: Error) -> Fault:
    """What to do about an error that came out of a transaction."""
    cause = error.__cause__ or error
    match error:
        case DataError():
            return Fault.DATA
        case IntegrityError():
            return Fault.AGAIN if _is_taken(cause) else Fault.DATA
        case InterfaceError():
            return Fault.LOST
    return _fault_by_code(cause)


def _is_taken(error: BaseException) -> bool:
    """Somebody else was first to insert the same: who tries again finds it."""
    name = getattr(error, "sqlite_errorname", "")
    taken_on_sqlite = name in {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}
    return taken_on_sqlite or getattr(error, "sqlstate", "") == "23505" or error.args[:1] == (1062,)


def _fault_by_code(error: BaseException) -> Fault:
    if name := getattr(error, "sqlite_errorname", ""):
        return Fault.AGAIN if name.startswith(tuple(_SQLITE_AGAIN)) else Fault.DOWN
    if hasattr(error, "sqlstate"):
        return _fault_on_postgresql(error.sqlstate)
    code = error.args[0] if error.args else None
    return _fault_on_mariadb(code) if isinstance(code, int) else Fault.DOWN


def _fault_on_postgresql(sqlstate: str | None) -> Fault:
    match sqlstate:
        case None:  # psycopg itself: the connection could not be made or broke off
            return Fault.LOST
        case "55P03" | "57014":  # no lock in time, statement cancelled
            return Fault.AGAIN
    match sqlstate[:2]:
        case "40":  # deadlock, serialization
            return Fault.AGAIN
        case "08" | "57":  # connection, shut down by the operator
            return Fault.LOST
        case "22" | "54":  # data exception, a limit of the program
            return Fault.DATA
    return Fault.DOWN


def _fault_on_mariadb(code: int) -> Fault:
    if code in _MARIADB_AGAIN:
        return Fault.AGAIN
    if code in _MARIADB_TOO_LONG:
        return Fault.DATA
    return Fault.LOST if code in _MARIADB_LOST or code >= 2000 else Fault.DOWN
