"""Which journal a URL names, and where the default one lies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from reelvet.journal.memory import MemoryJournal
from reelvet.schema.errors import ConfigurationError

if TYPE_CHECKING:
    from reelvet.journal.base import Journal

VARIABLE = "REELVET_STATE_DIR"
MEMORY = "memory:"
_KNOWN = "Give memory:, sqlite:///PATH (three slashes, four for an absolute path), or postgresql://USER:PASSWORD@HOST/DATABASE."


def state_directory() -> Path:
    """Where what outlives a process is kept: `REELVET_STATE_DIR`, or the platform's place for it."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_state_path  # noqa: PLC0415  (only when nothing was named)

    return user_state_path("reelvet")


def default_url() -> str:
    """An SQLite file in the state directory."""
    return f"sqlite:///{state_directory() / 'journal.db'}"


def open_journal(url: str | None = None) -> Journal:
    """The journal that a URL names. Nothing is opened before it is first used.

    Args:
        url: `memory:`, `sqlite:///journal.db`, `postgresql://user:password@host/database`; by default an SQLite file
            in the state directory.

    Raises:
        ConfigurationError: It names none, or what it needs is not installed.
    """
    url = url if url is not None else default_url()
    if url == MEMORY:
        return MemoryJournal()
    if url.startswith(("sqlite:", "postgresql:", "postgres:", "postgresql+psycopg:")):
        from reelvet.journal.sql import SqlJournal  # noqa: PLC0415  (a large library, not needed for memory)

        return SqlJournal(url)
    raise ConfigurationError(
        f"{url.partition('://')[0]!r} names no kind of journal", field="journal.url", way_out=_KNOWN
    )
