"""Checks of the journal: where it is, whether it can be written, and what in it waits for a decision."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

from reelvet.cli import known
from reelvet.cli.doctor.examined import Item
from reelvet.cli.doctor.instances import make
from reelvet.cli.text import count
from reelvet.config import resolve_reference
from reelvet.journal import Selection, WorkerId, opening
from reelvet.journal.record import UNSETTLED
from reelvet.schema.errors import ReelvetError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reelvet.cli.doctor.examined import Examined

_FIELD = "journal.url"
_OTHERS = 0o077
_PATIENCE = 15.0
_MEND = "Set `[journal] url`, or REELVET_STATE_DIR, to a place that may be written; `reelvet settle` needs it whole."


def check_journal(examined: Examined) -> Iterator[Item]:
    """Submissions can be kept, so that none is made twice. One in a file is tried if it is there; none is made."""
    of_machine = _is_reference(examined)
    try:
        url = _url(examined)
        opening.open_journal(url)  # opens nothing yet: what it needs is installed, and it is a URL
        file = known.file_of(examined.config)
    except ReelvetError as error:
        yield Item("wrong", error.message, error.way_out, _FIELD, of_machine=of_machine)
        return
    if url == opening.MEMORY:
        says = "submissions are kept in memory alone: what a process that dies was submitting, nobody knows"
        yield Item("warning", says, "Leave `[journal] url` out for a file in the state directory.", _FIELD)
    elif file is None:
        yield Item("ok", "submissions are kept in a database; --live tries it")
    elif file.exists():
        yield _tried(url, str(file), examined)
    else:
        yield _to_be_made(file)


def check_journal_permissions(examined: Examined) -> Iterator[Item]:
    """Nobody else can read the journal: tickets stand in it, and of work still to be done here whole URLs."""
    with contextlib.suppress(ReelvetError):  # told above
        file = known.file_of(examined.config)
        if os.name == "posix" and file is not None and file.is_file() and file.stat().st_mode & _OTHERS:
            says = f"others may read the journal {file}"
            yield Item("warning", says, f"chmod 600 {file}, or submit with `[secrets] key` set.", str(file))


def check_unsettled(examined: Examined) -> Iterator[Item]:
    """No submission waits for somebody to decide whether it exists."""
    with contextlib.suppress(ReelvetError):  # told above
        file = known.file_of(examined.config)
        if file is not None and file.is_file():
            yield from _unsettled(_url(examined))


def check_settling(examined: Examined) -> Iterator[Item]:
    """`[settle]` can do what it says at every instance."""
    if examined.config.settle.then != "resubmit":
        return
    for instance in examined.instances:
        operations: frozenset[str] = frozenset({"find"})
        with contextlib.suppress(Exception):  # an instance that cannot be made has been told of
            operations = frozenset(make(instance, examined).capabilities.operations)
        if not operations & {"find", "run"}:
            yield Item(
                "warning",
                f'[settle] then = "resubmit" is without effect at instance {instance!r}: {examined.plugin(instance)} cannot be asked for a task by its key',
                'What is unknown there stays parked: decide with `reelvet settle`, or write then = "review".',
                "settle.then",
            )


def check_database(examined: Examined) -> Iterator[Item]:
    """A journal in a database can be reached and written. For `--live`: it is on the network."""
    with contextlib.suppress(ReelvetError):  # told above
        url = _url(examined)
        if url != opening.MEMORY and known.file_of(examined.config) is None:
            tried = _tried(url, "in the database", examined)
            yield tried
            if tried.level == "ok":
                yield from _unsettled(url)


def _url(examined: Examined) -> str:
    url = examined.config.journal.url
    if url is None:
        return opening.default_url()
    return resolve_reference(url.get_secret_value(), field=_FIELD, environ=examined.environ)


def _is_reference(examined: Examined) -> bool:
    url = examined.config.journal.url
    return url is not None and url.get_secret_value().startswith(("env:", "file:"))


def _tried(url: str, where: str, examined: Examined) -> Item:
    """What a transaction comes to that writes nothing and needs the right to write."""

    async def write() -> None:
        journal = opening.open_journal(url)
        await asyncio.wait_for(journal.renew(WorkerId().name, 0.0), _PATIENCE)
        await journal.close()

    try:
        asyncio.run(write())
    except TimeoutError:
        return Item("wrong", f"the journal {where} does not answer", _MEND, _FIELD, of_machine=_is_reference(examined))
    except ReelvetError as error:
        return Item("wrong", error.message, error.way_out, _FIELD, of_machine=_is_reference(examined))
    return Item("ok", f"submissions are kept in the journal {where}")


def _to_be_made(file: Path) -> Item:
    nearest = next(place for place in file.parents if place.exists())
    if not nearest.is_dir():
        return Item("wrong", f"the journal {file} cannot be made: {nearest} is a file", _MEND, _FIELD)
    if not os.access(nearest, os.W_OK | os.X_OK):
        return Item("wrong", f"the journal {file} cannot be made: {nearest} cannot be written to", _MEND, _FIELD)
    return Item("ok", f"submissions will be kept in {file}")


def _unsettled(url: str) -> Iterator[Item]:
    async def found() -> int:
        journal = opening.open_journal(url)
        try:
            return len([record async for record in journal.records(Selection(states=UNSETTLED, ownerless=True))])
        finally:
            await journal.close()

    if number := asyncio.run(found()):
        yield Item(
            "warning",
            f"of {count(number, 'submission')} nobody knows whether it exists at its vendor",
            "`reelvet settle` looks them up, and takes your word for what is not found.",
            "journal",
        )
