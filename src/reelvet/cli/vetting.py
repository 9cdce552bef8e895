"""The ticket's way through a command: kept before anything waits, resumed by any later process, dropped when it is done."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reelvet.cli import exits, known, output
from reelvet.cli.progress import progress_bar
from reelvet.cli.state import State, name_of
from reelvet.schema.errors import InvalidJob, InvalidTicket, ReelvetError, SealRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reelvet.cli.session import Session
    from reelvet.moderator import Moderator
    from reelvet.schema.delta import Delta
    from reelvet.schema.result import ModerationResult
    from reelvet.schema.ticket import Ticket


def wait(moderator: Moderator, ticket: Ticket, state: State, *, timeout: float | None, quiet: bool) -> ModerationResult:
    """Waits for a ticket that is kept, with a progress bar.

    Whatever ends the waiting early, the way to go on is told on stderr.
    """
    title = Path(ticket.media.source).name if ticket.media.source else ticket.key
    with _kept(ticket, state), progress_bar(title, len(ticket.tasks), quiet=quiet) as on_progress:
        return moderator.wait(ticket, timeout=timeout, on_progress=on_progress)


def watch(
    moderator: Moderator, ticket: Ticket, state: State, *, timeout: float | None, show: Callable[[Delta], None]
) -> Delta:
    """Shows what is new about a ticket that is kept, up to the last delta, which has the result and is not shown."""
    with _kept(ticket, state, "watch"), contextlib.closing(moderator.watch(ticket, timeout=timeout)) as deltas:
        for delta in deltas:
            if delta.result is not None:
                return delta
            show(delta)
    raise RuntimeError("a job was watched to its end, and there is no result")


@contextlib.contextmanager
def _kept(ticket: Ticket, state: State, command: str = "wait") -> Iterator[None]:
    path = state.ticket_path(ticket.key, ticket.attempt)
    try:
        yield
    except KeyboardInterrupt:
        raise exits.Interrupted(
            f"interrupted; the ticket is kept: {path}",
            key=ticket.key,
            ticket=str(path),
            way_out=f"Go on with: reelvet {command} {name_of(ticket.key, ticket.attempt)}",
        ) from None
    except ReelvetError:
        output.note(f"The ticket is kept: {path}\nGo on with: reelvet {command} {name_of(ticket.key, ticket.attempt)}")
        raise


def keep_result(result: ModerationResult, ticket: Ticket, state: State, *, out: str | None = None) -> Path | None:
    """Writes a final result and drops its ticket, whose work is done.

    Returns:
        Where the result's JSON is; `None` while it is not final.
    """
    if not result.status.final:
        return None
    path = state.save_result(result, ticket.attempt)
    state.drop_ticket(ticket)
    if out is None:
        return path
    target = Path(out).expanduser()
    try:
        target.write_text(result.dump_json(indent=2) + "\n", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise InvalidJob(
            f"cannot write {target}: {error.strerror}", field="--out", way_out=f"The result is kept in {path}."
        ) from None
    return target


def check_out(out: str | None) -> None:
    """Refuses a place that a result could not be written to, before anything is paid for.

    Raises:
        InvalidJob: Its directory does not exist, or it is a directory itself.
    """
    if out is None:
        return
    target = Path(out).expanduser()
    if target.is_dir() or not target.absolute().parent.is_dir():
        raise InvalidJob(
            f"cannot write {target}: {'it is a directory' if target.is_dir() else 'its directory does not exist'}",
            field="--out",
            way_out="Name a file in a directory that exists.",
        )


def show_result(
    result: ModerationResult, moderator: Moderator | None, path: Path | None, *, as_json: bool
) -> exits.Exit:
    """Prints a result, as JSON or for a person.

    Returns:
        The exit code that it comes to.
    """
    try:
        if as_json:
            output.write_json(result.dump())
        else:
            from reelvet.cli.report import print_report  # noqa: PLC0415  (rich, for people only)

            print_report(result, moderator.registry.taxonomy if moderator is not None else None, path)
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # rich makes a SystemExit of it; the exit code stays that of the verdict
        output.close_stdout()
    return exits.of_result(result)


def show_ticket(ticket: Ticket, path: Path, *, as_json: bool) -> None:
    """Prints a ticket that was kept."""
    if not as_json:
        output.plain(f"{ticket.key}")
        output.note(f"The ticket is kept: {path}\nWait for it with: reelvet wait {name_of(ticket.key, ticket.attempt)}")
        return
    try:
        output.write_json(ticket.dump())
    except SealRefused:
        output.write_json(ticket.with_secret_url(None).dump())
        output.note(
            f"The printed ticket is without its whole URL, which may be a secret. Wait for it with: reelvet wait {name_of(ticket.key, ticket.attempt)}"
        )


def load_ticket(name: str, state: State, session: Session) -> tuple[Ticket | None, Path | None]:
    """The ticket that a command line names, and its file.

    Returns:
        The ticket and its file; no file for stdin. No ticket where the job is finished: then the file is its result. The file
        of a job of which only the journal knows is not there as long as nobody knows what was created.

    Raises:
        InvalidTicket: There is none.
    """
    from reelvet.schema.ticket import Ticket  # noqa: PLC0415

    if name == "-":
        return Ticket.load(sys.stdin.read()), None
    path = Path(name).expanduser()
    if not path.is_file():
        if path.is_dir():
            raise InvalidTicket(
                f"{name} is a directory", field="ticket", way_out="Give the path of a ticket, a key, or - for stdin."
            )
        exact = state.exact(name)
        if exact is None and (found := _in_journal(name, state, session)) is not None:
            return found
        path = exact or state.beginning(name)
        if state.is_result(path):
            return None, path
    return Ticket.load(path), path


def _in_journal(name: str, state: State, session: Session) -> tuple[Ticket | None, Path | None] | None:
    """A job whose ticket is not kept, or not any more: submitted by a program, or by a command that was killed."""
    with known.opened(session, session.config()) as journal:
        record = known.named(journal, name) if journal is not None else None
        return None if journal is None or record is None else known.taken_from(journal, record, state)


def load_result(path: Path) -> ModerationResult:
    """The stored result of a job that ended before."""
    from reelvet.schema.result import ModerationResult  # noqa: PLC0415  (each command loads what it needs)

    return ModerationResult.parse(path.read_bytes())


def erase_seal(ticket: Ticket, path: Path | None) -> None:
    """Takes the URL out of a ticket file of the caller's own once its work is done; the file itself stays."""
    if path is not None and path.exists() and (ticket.sealed or ticket.secret_url):
        ticket.model_copy(update={"sealed": None}).with_secret_url(None).save(path)
