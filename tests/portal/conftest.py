"""Portals to test with: each on SQLite and on a real PostgreSQL, with people who may do this or that.

PostgreSQL is that of Debian's package `postgresql`; one cluster serves all tests of a process, and each test has a
database of its own.
"""

from __future__ import annotations

import datetime
import os
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI
from sqlalchemy.engine import make_url

from scorekit.portal.ledger import people
from scorekit.portal.ledger.people import Actor
from scorekit.portal.opened import Portal
from scorekit.portal.settings import DATABASE, Settings, settings
from scorekit.portal.storage import Database, Storage, migrating
from scorekit.portal.web.app import create_app
from tests.conftest import NOT_APPLICABLE
from tests.portal.postgres import TEMPLATE, Cluster, binaries
from tests.portal.statements import watch

if TYPE_CHECKING:
    from tests.portal.calling import Caller

_NUMBERS = count()
START = datetime.datetime(2026, 3, 2, 9, 0, tzinfo=datetime.UTC)
URL = "http://portal.test/"


class Clock:
    """The time that a portal believes in; it stands still until it is moved."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime.datetime:
        return self.at

    def advance(self, **length: float) -> None:
        """Let time go by; as for `datetime.timedelta`."""
        self.at += datetime.timedelta(**length)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL that runs, with a database that has all tables."""
    programs = binaries()
    if programs is None:
        # Where all tests must run, nothing is passed over: CI installs it.
        marked = "" if os.environ.get("SCOREKIT_STRICT") == "1" else NOT_APPLICABLE
        pytest.skip(f"{marked}no PostgreSQL is installed (Debian: postgresql)")
    found = Cluster(programs)
    try:
        found.execute(f"CREATE DATABASE {TEMPLATE}")
        _migrate(found.url(TEMPLATE))
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of SQLite that has all tables."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with all tables and nothing in them; each test runs on both kinds."""
    yield from database_of(request, request.param, tmp_path / "data")


@pytest.fixture
def sqlite_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The same, of SQLite alone: for what has nothing to do with the kind of database."""
    yield from database_of(request, "sqlite", tmp_path / "data")


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any table, of the same kind as `database_url`."""
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    cluster = request.getfixturevalue("cluster")
    name = f"empty_{next(_NUMBERS)}"
    cluster.execute(f"CREATE DATABASE {name}")
    yield cluster.url(name)
    cluster.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def clock() -> Clock:
    """The time of the portal."""
    return Clock()


@pytest.fixture
def portal_settings(database_url: str, tmp_path: Path) -> Settings:
    """How the portal is set up."""
    return settings_of(tmp_path / "data", database_url)


@pytest.fixture
def portal(portal_settings: Settings, clock: Clock) -> Iterator[Portal]:
    """A portal with nothing in it, whose time stands still, on either database."""
    opened = Portal.open(portal_settings, now=clock)
    late = watch(opened.storage.database)
    yield opened
    opened.close()
    assert late() == [], "a transaction waits for rows while it holds the end of the audit log"


@pytest.fixture
def portal_on_sqlite(sqlite_url: str, tmp_path: Path, clock: Clock) -> Iterator[Portal]:
    """A portal on SQLite alone: for what has nothing to do with the kind of database."""
    opened = Portal.open(settings_of(tmp_path / "data", sqlite_url), now=clock)
    yield opened
    opened.close()


@pytest.fixture
def app(portal_on_sqlite: Portal) -> FastAPI:
    """Its application."""
    return create_app(portal_on_sqlite)


@pytest.fixture
def storage(portal: Portal) -> Storage:
    """What the portal keeps."""
    return portal.storage


@pytest.fixture
def parts(portal: Portal) -> Path:
    """What has come of its uploads."""
    return portal.settings.parts


@pytest.fixture
def operator(portal: Portal) -> Actor:
    """One who decides."""
    return actor_of(portal, "operator")


@pytest.fixture
def submitter(portal: Portal) -> Actor:
    """One who hands in."""
    return actor_of(portal, "submitter")


@pytest.fixture
def worker(portal: Portal) -> Actor:
    """One who measures."""
    return actor_of(portal, "worker")


@pytest.fixture
def ada(portal: Portal) -> Caller:
    """One who hands in through the API."""
    # It takes names of this module.
    from tests.portal.calling import caller

    return caller(portal, "submitter")


def settings_of(data: Path, database_url: str) -> Settings:
    """Settings of a portal in a folder, with a database by its address."""
    return settings(data, public_url=URL, environment={DATABASE: database_url})


def actor_of(portal: Portal, role: people.Role, name: str | None = None) -> Actor:
    """A new account of a role, let in by a token."""
    actor = people.actor_of_token(portal.storage, token_of(portal, role, name))
    assert actor is not None
    return actor


def token_of(portal: Portal, role: people.Role, name: str | None = None) -> str:
    """The secret of a token of a new account."""
    account = people.make_account(portal.storage, name or f"A {role}", role)
    return people.make_token(portal.storage, account, "test", datetime.timedelta(days=30)).secret


def _migrate(url: str) -> None:
    database = Database(url)
    try:
        migrating.upgrade(database)
    finally:
        database.close()


def database_of(request: pytest.FixtureRequest, kind: str, data: Path) -> Iterator[str]:
    if kind == "sqlite":
        url = f"sqlite:///{data / 'portal.db'}"
        path = make_url(url).database
        assert path is not None
        data.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(request.getfixturevalue("migrated_file"), path)
        yield url
        return
    cluster = request.getfixturevalue("cluster")
    name = cluster.database()
    yield cluster.url(name)
    cluster.give_back(name)
