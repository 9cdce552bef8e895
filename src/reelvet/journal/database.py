"""How the database of a journal is named, made private, and opened."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from reelvet.journal import tables as t
from reelvet.schema.errors import ConfigurationError, JournalError

if TYPE_CHECKING:
    from pathlib import Path

_BUSY = 30_000
"""Milliseconds for which SQLite waits for another process's transaction."""


def checked(url: str) -> sa.URL:
    """What a URL names, with the driver that is used for it.

    Raises:
        ConfigurationError: It names no database, or the driver is not installed.
    """
    try:
        where = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ConfigurationError(
            "the journal's URL cannot be read", field="journal.url",
            way_out="Write it as sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE; special characters in the password as %XX.",
        ) from None  # fmt: skip
    if where.drivername == "sqlite":
        if not where.database or where.database == ":memory:":
            raise ConfigurationError(
                "the journal's URL names no file", field="journal.url", way_out="Write sqlite:///PATH, or memory:."
            )
        return where
    try:
        import psycopg  # noqa: F401, PLC0415  (an extra)
    except ImportError:
        raise ConfigurationError(
            "a journal in PostgreSQL needs psycopg", field="journal.url", way_out="pip install 'psycopg[binary]'."
        ) from None
    return where.set(drivername="postgresql+psycopg")


def make_private(file: Path) -> None:
    """Makes a file, if it is not there, that only this user can read."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise JournalError(
            f"the journal {file} cannot be opened: {error.strerror or error}",
            way_out='Set REELVET_STATE_DIR or `[journal] url` to a place that may be written; `url = "memory:"` keeps it in memory alone.',
        ) from None


def tune(connection: Any, _: Any) -> None:
    """Sets a new connection to SQLite up."""
    connection.isolation_level = None  # transactions are begun below, not by the driver
    for pragma in (f"busy_timeout={_BUSY}", "journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}").close()


def begin_transaction(connection: sa.Connection) -> None:
    """Begins a transaction of SQLite."""
    # A transaction that reads first and then wants to write could be refused: it asks for the right at once.
    writes = connection.get_execution_options().get("reelvet_writes", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def check_version(connection: sa.Connection, insert: Any) -> None:
    """Writes the version of the tables, or refuses another one."""
    connection.execute(insert(t.versions).values(version=t.VERSION).on_conflict_do_nothing())
    version = connection.scalar(sa.select(sa.func.max(t.versions.c.version)))
    if version != t.VERSION:
        raise JournalError(
            f"the journal has version {version}, this reelvet knows {t.VERSION}", way_out="Upgrade reelvet."
        )
