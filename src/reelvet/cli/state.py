"""Where tickets and results are kept between two commands: for their owner's eyes only."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from reelvet.schema.errors import ConfigurationError, InvalidTicket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelvet.schema.result import ModerationResult
    from reelvet.schema.ticket import Ticket

VARIABLE = "REELVET_STATE_DIR"

_SAFE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,79}")
_MOST_NAMED = 5
_DIGITS = 9


def file_name(key: str, attempt: int = 1) -> str:
    """A file name for a key and attempt: the key itself where that is safe on every file system, else with a digest of it."""
    name = (
        key
        if _SAFE.fullmatch(key)
        else f"{re.sub('[^a-z0-9_]+', '-', key.lower())[:40].strip('-')}~{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    )
    return f"{name}@{attempt}" if attempt > 1 else name


def name_of(key: str, attempt: int) -> str:
    """How a kept ticket is named on a command line."""
    if key.startswith("-"):  # would be taken for an option
        return shlex.quote(file_name(key, attempt))
    return shlex.quote(f"{key}@{attempt}" if attempt > 1 else key)


def meanings(name: str) -> list[tuple[str, int]]:
    """The keys and attempts that a name on a command line may stand for: keys may hold an `@`."""
    key, _, attempt = name.rpartition("@")
    is_attempt = bool(key) and attempt.isdecimal() and len(attempt) <= _DIGITS
    return [(name, 1), *([(key, int(attempt))] if is_attempt else [])]


class State:
    """The state directory. Directories are 0700, files 0600.

    Raises:
        ConfigurationError: By what writes: the directory cannot be made or written to.
    """

    def __init__(self, where: Path | None = None) -> None:
        from reelvet.journal.opening import state_directory  # noqa: PLC0415  (each command loads what it needs)

        self.root = where or state_directory()

    def prepare(self) -> None:
        """Makes the directories, so that nothing is paid for that could not be kept."""
        for directory in (self.root, self._tickets, self._results):
            try:
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=directory):
                    pass
            except OSError as error:
                raise ConfigurationError(
                    f"the state directory {directory} cannot be written to: {error.strerror}",
                    field=VARIABLE, way_out=f"Tickets and results are kept there; set {VARIABLE} to a directory of yours.",
                ) from None  # fmt: skip

    def save_ticket(self, ticket: Ticket) -> Path:
        """Keeps a ticket."""
        self.prepare()
        path = self.ticket_path(ticket.key, ticket.attempt)
        with _written(path):
            ticket.save(path)
        return path

    def save_result(self, result: ModerationResult, attempt: int = 1) -> Path:
        """Keeps a result."""
        self.prepare()
        path = self.result_path(result.key, attempt)
        with _written(path):
            write_private(path, result.dump_json(indent=2) + "\n")
        return path

    def kept_ticket(self, key: str, attempt: int = 1) -> Ticket | None:
        """The ticket that is kept for a key and attempt."""
        from reelvet.schema.ticket import Ticket  # noqa: PLC0415  (only where one is read)

        path = self.ticket_path(key, attempt)
        return Ticket.load(path) if path.is_file() else None

    def drop_ticket(self, ticket: Ticket) -> None:
        """Forgets a ticket whose work is done."""
        self.ticket_path(ticket.key, ticket.attempt).unlink(missing_ok=True)

    def ticket_path(self, key: str, attempt: int = 1) -> Path:
        """Where a ticket is kept."""
        return self._tickets / f"{file_name(key, attempt)}.json"

    def result_path(self, key: str, attempt: int = 1) -> Path:
        """Where a result is kept."""
        return self._results / f"{file_name(key, attempt)}.json"

    def exact(self, name: str) -> Path | None:
        """The file of a ticket, or else of a result, by key: `key@2` for a second attempt."""
        wanted = [file_name(*meaning) for meaning in meanings(name)]
        for directory in (self._tickets, self._results):
            for stem in wanted:
                if (directory / f"{stem}.json").is_file():
                    return directory / f"{stem}.json"
        return None

    def beginning(self, name: str) -> Path:
        """The file of a ticket, or of a result, by how one key begins.

        Raises:
            InvalidTicket: There is none, or several keys begin so.
        """
        begins = [
            path
            for directory in (self._tickets, self._results)
            for path in sorted(directory.glob("*.json"))
            if path.stem.startswith(name)
        ]
        begins += [
            path for path in sorted(self._tickets.glob("*.json")) if path not in begins and _key(path).startswith(name)
        ]
        if len(begins) == 1:
            return begins[0]
        if begins:
            some = ", ".join(path.stem for path in begins[:_MOST_NAMED]) + (
                ", ..." if len(begins) > _MOST_NAMED else ""
            )
            raise InvalidTicket(
                f"{len(begins)} jobs begin with {name!r}: {some}", field="ticket", way_out="Give more of the key."
            )
        raise InvalidTicket(
            f"there is no ticket file {name!r}, and no job of that key in {self.root}", field="ticket",
            way_out="Give the path of a ticket, a key, or - for stdin.",
        )  # fmt: skip

    def ticket_names(self) -> list[str]:
        """The names under which tickets are kept: keys, `key@2` for a second attempt."""
        return [path.stem for path in sorted(self._tickets.glob("*.json"))]

    def files(self) -> list[Path]:
        """Every kept ticket, then every kept result."""
        return [path for directory in (self._tickets, self._results) for path in sorted(directory.glob("*.json"))]

    def forget(self, key: str, attempt: int = 1) -> None:
        """Removes what is kept of a key and attempt."""
        for path in (self.ticket_path(key, attempt), self.result_path(key, attempt)):
            with _written(path):
                path.unlink(missing_ok=True)

    def is_result(self, path: Path) -> bool:
        """Whether a file found is that of a result."""
        return path.parent == self._results

    @property
    def _tickets(self) -> Path:
        return self.root / "tickets"

    @property
    def _results(self) -> Path:
        return self.root / "results"


def _key(ticket: Path) -> str:
    """The key in a ticket's file; empty where it is none."""
    try:
        return str(json.loads(ticket.read_bytes())["key"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


@contextlib.contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror or error}", field=VARIABLE,
            way_out=f"Tickets and results are kept there; set {VARIABLE} to a directory of yours.",
        ) from None  # fmt: skip


def write_private(path: Path, text: str) -> None:
    """Writes a file of mode 0600, whole or not at all."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
