"""Submitting from the command line: Ctrl-C never comes between a job and its ticket, and what others have in hand is waited for.

That nothing is submitted twice is the journal's doing. The tickets in the state directory are what the user is shown,
and can hold what no journal knows: tasks that were adopted, jobs of a journal in memory.
"""

from __future__ import annotations

import contextlib
import json
import shlex
import threading
import time
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Any

from reelvet.cli import exits, known, output
from reelvet.cli.interrupts import counted
from reelvet.cli.state import name_of
from reelvet.schema.errors import InvalidJob, InvalidTicket, KeyConflict, ReelvetError, SubmitOutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reelvet.cli.session import Session
    from reelvet.cli.state import State
    from reelvet.config import Config
    from reelvet.journal import Journal, Record
    from reelvet.moderator import Moderator
    from reelvet.moderator.settling import Settled
    from reelvet.schema.job import ModerationJob
    from reelvet.schema.ticket import Ticket

# How long Ctrl-C lets a submission end, so that what it creates is known.
_LET_END = 30.0
_TICK = 0.1


def submit(moderator: Moderator, job: ModerationJob, state: State) -> Ticket:
    """Submits a job and keeps its ticket. The same job under the same key is never submitted twice: its ticket is taken up again.

    Raises:
        ConfigurationError: The ticket could not be kept, so nothing was submitted.
        JournalError: The journal cannot be had, so nothing was submitted.
        KeyConflict: The key stands for another job.
        InvalidJob: The job of that key has ended already.
        SubmitOutcomeUnknown: A task may or may not exist. The ticket is kept all the same.
        TicketNotKept: The job was submitted, and its ticket could not be written.
        Interrupted: Ctrl-C came.
        ReelvetError: As `Moderator.submit`.
    """
    state.prepare()
    kept = _kept(job, moderator.use, state)
    if kept is not None and not is_unknown(kept):
        output.note(f"{_before(kept)}; it is not submitted again.")
        return kept
    earlier = known.at(moderator.journal, job.key, job.attempt)
    if earlier is None and kept is not None:
        raise _unheard_of(kept, state)
    if earlier is not None and earlier.instance != moderator.use:
        raise KeyConflict(job.key, attempt=job.attempt)
    others = known.Others(moderator.journal, job.key, job.attempt)
    ticket = let_end(lambda: _send(moderator, job, state), others, state)
    _tell_earlier(ticket, earlier, moderator.journal, was_anothers=others.told)
    return ticket


def take_up(moderator: Moderator, ticket: Ticket, file: Path | None, state: State) -> Ticket:
    """A kept ticket, once whoever submits it has done so; what was left unknown is looked up at the vendor.

    Args:
        moderator: Who asks the vendor.
        ticket: The ticket as it was found.
        file: Where. A file of the caller's own is taken as it is.
        state: Where tickets are kept.

    Raises:
        InvalidTicket: Nothing was submitted after all.
        SubmitOutcomeUnknown: No task is known to exist.
    """
    if not is_unknown(ticket) or file != state.ticket_path(ticket.key, ticket.attempt):
        return ticket
    state.prepare()
    others = known.Others(moderator.journal, ticket.key, ticket.attempt)
    with _interruptible(others, state):
        while True:
            record = _once_free(others)
            if record is None:
                raise _unheard_of(ticket, state)
            if record.state.settled:
                ticket = record.load_ticket()
                _keep(ticket, state)
                return ticket
            outcome = _looked_up(moderator, record)
            if outcome is not None and outcome.outcome != "under way":
                return _settled(outcome, state)
            time.sleep(_TICK)  # somebody was faster


def adopt(ticket: Ticket, session: Session, config: Config, state: State) -> Ticket:
    """Keeps a ticket for a task that was created elsewhere. A submission of unknown outcome under its key is settled by it.

    Raises:
        KeyConflict: The key stands for a submission at another instance.
        InvalidJob: The task is not the one that is missing.
        ProviderError: It could not be asked for.
    """
    state.prepare()
    with known.opened(session, config) as journal:
        record = None
        if journal is not None:
            others = known.Others(journal, ticket.key, ticket.attempt)
            with _interruptible(others, state):
                record = _once_free(others)
    if record is not None and not record.state.settled:
        if record.instance != ticket.instance:
            raise KeyConflict(ticket.key, attempt=ticket.attempt)
        ids = [task.ref.id for task in ticket.tasks]
        with session.moderator_of(config, use=ticket.instance) as moderator:
            ticket = moderator.decide(ticket.key, "adopt", attempt=ticket.attempt, tasks=ids).ticket
    state.save_ticket(ticket)
    return ticket


def is_unknown(ticket: Ticket) -> bool:
    """Whether a task of it may or may not exist."""
    return any(task.state == "unknown" for task in ticket.tasks)


def way_out(key: str, attempt: int) -> str:
    """What can be done about a submission of unknown outcome."""
    settle = f"reelvet settle {shlex.quote(key)}" + (f" --attempt {attempt}" if attempt > 1 else "")
    return f"Look it up again with: {settle}. Is it in the vendor's console: {settle} --adopt TASK_ID; is it not: {settle} --absent; --attempt {attempt + 1} submits it anew."


# --- what is known from before ---


def _kept(job: ModerationJob, use: str, state: State) -> Ticket | None:
    """The ticket that was kept of the very same job."""
    ticket = state.kept_ticket(job.key, job.attempt)
    if ticket is None:
        path = state.result_path(job.key, job.attempt)
        if path.exists():
            raise InvalidJob(
                f"the job of key {job.key!r} (attempt {job.attempt}) has ended, its result is {path}",
                field="key",
                way_out=f"Run it again with --attempt {job.attempt + 1}, or give the job a key of its own.",
            )
        return None
    is_same = ticket.media.digest == job.media.digest and ticket.instance == use
    if not is_same or _asked(ticket.job or {}) != _asked(job.model_dump(mode="json")):
        raise KeyConflict(job.key, attempt=job.attempt)
    return ticket


def _asked(job: dict[str, Any]) -> dict[str, Any]:
    """What of a job is no part of how it is run."""
    return {name: value for name, value in job.items() if name not in {"key", "attempt", "deadline"}}


def _before(ticket: Ticket) -> str:
    return f"Submitted before, {ticket.submitted_at:%Y-%m-%d %H:%M:%S} UTC"


def _tell_earlier(ticket: Ticket, earlier: Record | None, journal: Journal, *, was_anothers: bool) -> None:
    """Says that a job is not submitted now, and why."""
    if earlier is None and not was_anothers:
        return
    came_to = "; it is not submitted again"
    if earlier is not None and not earlier.state.settled and not was_anothers:
        now = known.at(journal, ticket.key, ticket.attempt)
        if now is None or now.state != "review":
            was_sent = now is not None and now.begun_at > earlier.begun_at
            came_to = ", and sent again" if was_sent else ", and found at the vendor"
    output.note(f"{_before(ticket)}{came_to}.")


def _unheard_of(ticket: Ticket, state: State) -> ReelvetError:
    """What is said of a ticket with unknown tasks of which the journal has nothing."""
    path = state.ticket_path(ticket.key, ticket.attempt)
    if not path.exists():
        return InvalidTicket(
            f"job {ticket.key} was not submitted after all", field="ticket", way_out="Submit it again."
        )
    key = shlex.quote(ticket.key)
    return SubmitOutcomeUnknown(
        f"job {ticket.key} was submitted before and what became of it is not known; the journal has nothing of it",
        ticket.provider, ticket.instance, ticket=ticket,
        way_out=f"Look it up with: reelvet find {key}. Is it there: reelvet adopt {ticket.instance} TASK_ID --key {key}; is it not: remove {path}, or submit it with --attempt {ticket.attempt + 1}.",
    )  # fmt: skip


def _once_free(others: known.Others) -> Record | None:
    """What the journal has of a job, once nobody else is submitting it."""
    while others.at_work():
        time.sleep(_TICK)
    return others.record()


def _looked_up(moderator: Moderator, record: Record) -> Settled | None:
    with contextlib.closing(moderator.settle(key=record.key, use=record.instance)) as outcomes:
        return next((outcome for outcome in outcomes if outcome.attempt == record.attempt), None)


def _settled(outcome: Settled, state: State) -> Ticket:
    """The ticket of a submission that was looked up.

    Raises:
        SubmitOutcomeUnknown: No task is known to exist.
    """
    ticket = outcome.ticket
    _keep(ticket, state)
    if outcome.outcome == "adopted":
        output.note(f"{_before(ticket)}, and found at the vendor.")
    if outcome.outcome != "parked" or any(task.state == "created" for task in ticket.tasks):
        return ticket
    raise SubmitOutcomeUnknown(
        f"job {ticket.key} was submitted before and what became of it is not known: {outcome.why}",
        ticket.provider, ticket.instance, ticket=ticket, way_out=way_out(ticket.key, ticket.attempt),
    )  # fmt: skip


# --- sending ---


def let_end(work: Callable[[], Ticket], others: known.Others, state: State) -> Ticket:
    """Does what may create something, in a thread of its own: Ctrl-C lets it end, so that what it creates is known.

    Args:
        work: What is done.
        others: Looks whether it is another process that submits: that one is left alone.
        state: Where tickets are kept.

    Raises:
        Interrupted: Ctrl-C came.
        ReelvetError: As `work`.
    """
    outcome: Future[Ticket] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001  (raised again by whoever asks for the outcome)
            outcome.set_exception(error)

    with counted() as presses:
        threading.Thread(target=run, name="reelvet submit", daemon=True).start()
        told = False
        while not outcome.done():
            wait([outcome], timeout=_TICK)
            if others.at_work() and presses:
                break
            if presses and not told:
                output.note(
                    f"Interrupted; the submission is let end, for {_LET_END:g} s at most. Ctrl-C again gives up."
                )
                told = True
            if len(presses) > 1 or (presses and time.monotonic() - presses[0] > _LET_END):
                break
    if presses:
        raise _interrupted(outcome, others, state)
    return outcome.result()


def _send(moderator: Moderator, job: ModerationJob, state: State) -> Ticket:
    try:
        ticket = moderator.submit(job)
    except SubmitOutcomeUnknown as error:
        error.way_out = way_out(job.key, job.attempt)
        if error.ticket is not None:
            output.note(f"The ticket is kept: {_keep(error.ticket, state, error)}")
        raise
    _keep(ticket, state)
    for note in ticket.warnings:
        if note.code == "ticket_not_kept":  # by the journal
            output.note(f"reelvet: warning: {note.says}")
    return ticket


def _keep(ticket: Ticket, state: State, unknown: SubmitOutcomeUnknown | None = None) -> Path:
    """Writes the ticket of what exists, or shows it where it cannot be written.

    Raises:
        TicketNotKept: It could not be written.
    """
    try:
        return state.save_ticket(ticket)
    except ReelvetError as error:
        shown = ticket.with_secret_url(None).dump()
        output.note(json.dumps(shown, indent=2))
        raise exits.TicketNotKept(
            f"job {ticket.key} {'may have been' if unknown else 'was'} submitted and its ticket could not be kept: {error.message}",
            key=ticket.key,
            tasks=tuple(task.ref.id for task in ticket.tasks if task.ref.id),
            held=shown,
        ) from unknown


# --- Ctrl-C ---


@contextlib.contextmanager
def _interruptible(others: known.Others, state: State) -> Iterator[None]:
    """Raises `Interrupted` for a Ctrl-C that comes while nothing is sent by this command."""
    try:
        yield
    except KeyboardInterrupt:
        raise _interrupted(None, others, state) from None


def _interrupted(outcome: Future[Ticket] | None, others: known.Others, state: State) -> ReelvetError:
    """What Ctrl-C comes to, once the submission has ended or nobody waits for it any longer."""
    key, attempt = others.key, others.attempt
    error = outcome.exception() if outcome is not None and outcome.done() else None
    if isinstance(error, exits.TicketNotKept):
        return error
    if isinstance(error, ReelvetError):
        return exits.Interrupted(f"interrupted; meanwhile: {error.message}", key=key, way_out=error.way_out)
    path, name = state.ticket_path(key, attempt), name_of(key, attempt)
    abandons = outcome is not None and not outcome.done()
    record: Record | None = None
    with contextlib.suppress(ReelvetError):
        record = others.record()
        if record is not None and not known.is_anothers(record) and not path.exists():
            state.save_ticket(record.load_ticket())
    told = f"its ticket is kept: {path}" if path.exists() else "the journal knows of it"
    ticket = str(path) if path.exists() else None
    if (outcome is not None and not abandons and error is None) or (record is not None and record.state.settled):
        says, way = f"interrupted; the job was submitted, {told}", f"Go on with: reelvet wait {name}"
    elif record is None:
        says, way = "interrupted; nothing had been sent", None
    elif known.is_ours(record):
        says = f"interrupted while the job was submitted, so it may exist at the vendor; {told}"
        way = f"Look it up with: reelvet wait {name}"
    else:
        says = f"interrupted; this command submitted nothing, {told}"
        way = f"Go on with: reelvet wait {name}"
    return exits.Interrupted(says, key=key, ticket=ticket, abandons=abandons, way_out=way)
