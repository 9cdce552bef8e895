"""Jobs that the journal knows, whoever submitted them: asked by code without an event loop."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any

from reelvet.cli import output
from reelvet.cli.state import meanings, name_of
from reelvet.schema.errors import InvalidTicket, JournalError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reelvet.cli.session import Session
    from reelvet.cli.state import State
    from reelvet.config import Config
    from reelvet.journal import Journal, Record
    from reelvet.schema.ticket import Ticket

_LOOK = 0.5
"""Seconds between two looks at who is at work on a job."""
_MOST_NAMED = 5


@contextlib.contextmanager
def opened(session: Session, config: Config) -> Iterator[Journal | None]:
    """The configured journal while the block runs; `None` where it is a file that is not there: looking for a job makes none."""
    import asyncio  # noqa: PLC0415  (--help needs none)

    file = file_of(config)
    if file is not None and not file.exists():
        yield None
        return
    journal = session.journal(config)
    try:
        yield journal
    finally:
        asyncio.run(journal.close())


def file_of(config: Config) -> Path | None:
    """The file that the configured journal is, or will be; `None` where it is none."""
    from pathlib import Path  # noqa: PLC0415

    from reelvet.journal import opening  # noqa: PLC0415  (each command loads what it needs)

    url = config.journal.target() or opening.default_url()
    if not url.startswith("sqlite:"):
        return None
    from sqlalchemy import make_url  # noqa: PLC0415
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        named = make_url(url).database
    except ArgumentError:
        return None  # told by whoever opens it
    return Path(named).absolute() if named else None


def at(journal: Journal, key: str, attempt: int) -> Record | None:
    """What the journal has of one attempt of a job."""
    import asyncio  # noqa: PLC0415  (--help needs none)

    from reelvet.journal import Place  # noqa: PLC0415

    return asyncio.run(journal.get(Place(key, attempt)))


def named(journal: Journal, name: str) -> Record | None:
    """The job that a command line names: by its key, `key@2` for a second attempt.

    Raises:
        InvalidTicket: There are several attempts, and it is not said which.
    """
    for key, attempt in meanings(name):
        if (record := at(journal, key, attempt)) is not None:
            return record
    attempts = listed(journal, key=name)
    if len(attempts) > 1:
        some = ", ".join(name_of(one.key, one.attempt) for one in attempts[:_MOST_NAMED])
        raise InvalidTicket(
            f"job {name!r} has {len(attempts)} attempts: {some}", field="ticket", way_out="Say which of them is meant."
        )
    return attempts[0] if attempts else None


def listed(journal: Journal, **which: Any) -> list[Record]:
    """The submissions that are meant, by the fields of a `Selection`."""
    import asyncio  # noqa: PLC0415  (--help needs none)

    from reelvet.journal import Selection  # noqa: PLC0415

    async def found() -> list[Any]:
        return [record async for record in journal.records(Selection(**which))]

    return asyncio.run(found())


def taken_from(journal: Journal, record: Record, state: State) -> tuple[Ticket | None, Path]:
    """What a command needs to go on with a job that only the journal knows: its ticket, kept now, or else its result.

    Returns:
        The ticket and its file, which is not there as long as it is not known what was created; no ticket where there is
        a result: then the file is the result's.
    """
    import asyncio  # noqa: PLC0415  (--help needs none)

    from reelvet.schema.result import ModerationResult  # noqa: PLC0415

    if (stored := asyncio.run(journal.result(record.place))) is not None:
        return None, state.save_result(ModerationResult.parse(stored), record.attempt)
    ticket = record.load_ticket()
    if not record.state.settled:
        return ticket, state.ticket_path(ticket.key, ticket.attempt)
    return ticket, state.save_ticket(ticket)


class Others:
    """Looks whether another process is submitting a job, and tells so once.

    Args:
        journal: Where that stands.
        key: The job's key.
        attempt: Which attempt of it.
    """

    def __init__(self, journal: Journal, key: str, attempt: int) -> None:
        self._journal = journal
        self.key, self.attempt = key, attempt
        self._next = 0.0
        self._at_work = False
        self.told = False

    def record(self) -> Record | None:
        """What the journal has of the job."""
        return at(self._journal, self.key, self.attempt)

    def at_work(self) -> bool:
        """Whether one is, as of now or of half a second ago."""
        if time.monotonic() < self._next:
            return self._at_work
        with contextlib.suppress(JournalError):  # told by whoever submits
            record = self.record()
            self._at_work = record is not None and is_anothers(record)
            if record is not None and self._at_work and not self.told:
                self.told = True
                output.note(f"The job is being submitted by {_who(record)}; waiting for that.")
        self._next = time.monotonic() + _LOOK
        return self._at_work


def is_anothers(record: Record) -> bool:
    """Whether another process is at work on a submission."""
    return _is_at_work(record) and not _is_ours(record)


def is_ours(record: Record) -> bool:
    """Whether this process is at work on a submission."""
    return _is_at_work(record) and _is_ours(record)


def _is_at_work(record: Record) -> bool:
    from reelvet.journal import WorkerId  # noqa: PLC0415  (each command loads what it needs)

    if record.state.settled or record.owner is None or record.lease_left <= 0:
        return False
    return not WorkerId().outlived(record.owner)


def _is_ours(record: Record) -> bool:
    from reelvet.journal import WorkerId  # noqa: PLC0415

    return (record.owner or "").startswith(f"{WorkerId().host}/{os.getpid()}/")


def _who(record: Record) -> str:
    from reelvet.journal import WorkerId  # noqa: PLC0415

    host, _, process = (record.owner or "").rpartition("/")[0].rpartition("/")
    if not process.isdecimal():
        return "another process"
    return f"process {process}" + (f" on {host}" if host != WorkerId().host else "")
