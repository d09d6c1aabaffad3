"""What every test stands on: settings that point into a temporary folder, real servers, no way out of this machine."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import django
import hypothesis
import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests import programs, scratch
from tests.loopback import stay_on_loopback
from tests.servers import Desk, ask_desk, fresh_database

scratch.write_into_memory()

# Before anything imports the settings: nothing of the person who runs the tests, and a data folder per process.
_DATA = Path(tempfile.mkdtemp(prefix="rollcall-tests-"))
_SQLITE = _DATA / "rollcall.sqlite3"
_EXAMPLES = "ROLLCALL_TEST_EXAMPLES"
_FOR_TESTS = {"ROLLCALL_TEST_ALL", "ROLLCALL_KILLS", "ROLLCALL_LONG", "ROLLCALL_ACTIVITIES", _EXAMPLES}
for _name in [name for name in os.environ if name.startswith("ROLLCALL_") and name not in _FOR_TESTS]:
    del os.environ[_name]
os.environ |= {"DJANGO_SETTINGS_MODULE": "rollcall.settings", "ROLLCALL_DATA": str(_DATA)}

# No deadline: what is slow on a busy machine is no fault.
hypothesis.settings.register_profile(
    "rollcall", deadline=None, print_blob=True, max_examples=int(os.environ.get(_EXAMPLES, "100"))
)
hypothesis.settings.load_profile("rollcall")

stay_on_loopback()
django.setup()

_DESK = pytest.StashKey[Desk]()
_ADDRESS = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        config.stash[_ADDRESS] = config.workerinput["desk"]
        return
    config.stash[_DESK] = desk = Desk()
    config.stash[_ADDRESS] = desk.address


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what reads the demo first, in whatever order it is: so one process has all of it, and starts one demo.

    Each process begins with its own part of the list, and takes from the end of another's when it has done that.
    """
    items.sort(key=lambda item: "demo" not in getattr(item, "fixturenames", ()))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell a worker of pytest-xdist where the servers are asked for."""
    node.workerinput["desk"] = node.config.stash[_ADDRESS]  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    if desk := config.stash.get(_DESK, None):
        desk.close()
    shutil.rmtree(_DATA, ignore_errors=True)
    scratch.clear_up()


@pytest.fixture(scope="session")
def templates(pytestconfig: pytest.Config, django_db_blocker: DjangoDbBlocker) -> Callable[[str, Path], str]:
    """Give a copy of a migrated, empty database of a kind; a SQLite database is copied to that path."""
    from tests.templates import Templates

    # Where the desk stands is the one folder that all processes of the run know.
    known = Templates(Path(pytestconfig.stash[_ADDRESS]).parent, partial(_fresh, pytestconfig))

    def copy(kind: str, sqlite: Path) -> str:
        with django_db_blocker.unblock():
            return known.copy(kind, sqlite)

    return copy


@pytest.fixture(scope="session")
def django_db_modify_db_settings(templates: Callable[[str, Path], str]) -> None:
    """A file: the database in memory that Django would take has other locks than the real one."""
    from django.db import connections
    from django.test import TransactionTestCase

    from tests import databases

    # After each test with transactions of its own Django would make every table anew, and the permissions for each.
    TransactionTestCase._fixture_teardown = lambda _: databases.empty()  # type: ignore[attr-defined]
    file = _DATA / "test.sqlite3"
    templates("sqlite", file)
    connections["default"].settings_dict["TEST"]["NAME"] = str(file)


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Its tables are there already."""
    return True


@pytest.fixture
def admin_user(admin_user: Any) -> Any:
    """pytest-django's, with what it may see."""
    from rollcall.store.accounts import Account

    Account.objects.get_or_create(user=admin_user)
    return admin_user


@pytest.fixture
def need() -> Callable[[str], str]:
    """`need("chromium")` is its path; without it the test is skipped by name, or fails under ROLLCALL_TEST_ALL=1."""
    return programs.need


@pytest.fixture
def instance_env(tmp_path: Path) -> dict[str, str]:
    """The whole environment of a `rollcall` started as a process of its own, on a free port and in an empty folder."""
    return {
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
        "PYTHONUNBUFFERED": "1",
        "ROLLCALL_DATA": str(tmp_path / "rollcall-data"),
        "ROLLCALL_PORT": "0",
        "TZ": "UTC",
    }


@pytest.fixture
def migrated_env(instance_env: dict[str, str], templates: Callable[[str, Path], str]) -> dict[str, str]:
    """The same with a SQLite database that has its tables already: a start takes a second less."""
    templates("sqlite", _sqlite_of(instance_env))
    return instance_env


@pytest.fixture
def postgresql_url(pytestconfig: pytest.Config) -> str:
    """A fresh, empty database on a real PostgreSQL."""
    return _fresh(pytestconfig, "postgresql")


@pytest.fixture
def mariadb_url(pytestconfig: pytest.Config) -> str:
    """A fresh, empty database on a real MariaDB."""
    return _fresh(pytestconfig, "mariadb")


@pytest.fixture
def redis_url(pytestconfig: pytest.Config) -> str:
    """A fresh, empty database on a real Redis, for ROLLCALL_CACHE_URL."""
    return _fresh(pytestconfig, "redis")


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database_url(request: pytest.FixtureRequest) -> str:
    """ROLLCALL_DATABASE_URL for each of the three databases in turn, fresh and empty; "" is SQLite."""
    return _fresh(request.config, request.param)


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def migrated_url(
    request: pytest.FixtureRequest, instance_env: dict[str, str], templates: Callable[[str, Path], str]
) -> str:
    """The same with all tables; "" is SQLite in the data folder of `instance_env`."""
    return templates(request.param, _sqlite_of(instance_env))


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database(
    request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker, _migrated: Callable[[str], str]
) -> Iterator[str]:
    """Django's own default database is a migrated, empty one of each kind in turn: for tests of the store.

    Transactions, threads and processes are real here; a process needs ROLLCALL_DATABASE_URL, which is what this gives.
    """
    from tests import databases

    url = _migrated(request.param)
    with django_db_blocker.unblock(), databases.default_database(url, _SQLITE):
        yield url
        databases.empty()


@pytest.fixture(scope="session")
def _migrated(templates: Callable[[str, Path], str]) -> Callable[[str], str]:
    """One database of each kind for this process of the run, copied when the first test wants it."""
    return cache(lambda kind: templates(kind, _SQLITE))


def _sqlite_of(env: dict[str, str]) -> Path:
    return Path(env["ROLLCALL_DATA"]) / "rollcall.sqlite3"


def _fresh(config: pytest.Config, kind: str) -> str:
    return "" if kind == "sqlite" else fresh_database(ask_desk(config.stash[_ADDRESS], kind))
