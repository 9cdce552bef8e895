"""Submitting once: a record of the intent before anything is sent, the ticket in its place afterwards.

The record is a ticket whose tasks are all `unknown`, kept under a lock that the system takes back from a process that
dies. So whoever finds one and gets the lock knows that nobody will ever replace it: what became of it must be looked
up, and what cannot be found stays unknown rather than being paid for twice.
"""

from __future__ import annotations

import contextlib
import json
import shlex
import threading
import time
from concurrent.futures import Future, wait
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reelvet.cli import exits, output
from reelvet.cli.interrupts import counted
from reelvet.cli.state import name_of
from reelvet.schema.errors import (
    InvalidJob,
    InvalidTicket,
    KeyConflict,
    LookupUnsupported,
    ProviderError,
    ReelvetError,
    SubmitOutcomeUnknown,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from reelvet.cli.state import State
    from reelvet.moderator import Moderator
    from reelvet.schema.job import ModerationJob
    from reelvet.schema.ticket import Ticket

# How long Ctrl-C lets a submission end, so that what it creates is known.
_LET_END = 30.0
_TICK = 0.1
# Clocks differ: what the vendor dates a little before the intent may still be its task.
_BEFORE = timedelta(minutes=5)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0


def submit(moderator: Moderator, job: ModerationJob, state: State) -> Ticket:
    """Submits a job and keeps its ticket. The same job under the same key is never submitted twice: its ticket is taken up again.

    Raises:
        ConfigurationError: The ticket could not be kept, so nothing was submitted.
        KeyConflict: The key stands for another job.
        InvalidJob: The job of that key has ended already.
        SubmitOutcomeUnknown: A task may or may not exist. The ticket is kept all the same.
        TicketNotKept: The job was submitted, and its ticket could not be written.
        Interrupted: Ctrl-C came.
        ReelvetError: As `Moderator.submit`.
    """
    state.prepare()
    with alone(job.key, job.attempt, state):
        known = _known(job, moderator.use, state)
        if known is None:
            return _send(moderator, job, state)
        if not is_unknown(known):
            output.note(f"Submitted before, {known.submitted_at:%Y-%m-%d %H:%M:%S} UTC; it is not submitted again.")
            return known
        if _is_nowhere_else(moderator, known.instance, job):
            return _send(moderator, job, state)
        return _settle(moderator, known, state)


def take_up(
    moderator: Moderator, ticket: Ticket, file: Path | None, state: State, *, window: float | None = None
) -> Ticket:
    """A kept ticket, once whoever submits it has done so; what was left unknown is looked up at the vendor.

    Args:
        moderator: Who asks the vendor.
        ticket: The ticket as it was found.
        file: Where. A file of the caller's own is taken as it is.
        state: Where tickets are kept.
        window: Seconds in which to look again and again; by default the configuration's.

    Raises:
        InvalidTicket: Nothing was submitted after all.
        SubmitOutcomeUnknown: No task is known to exist.
    """
    if not is_unknown(ticket) or file != state.ticket_path(ticket.key, ticket.attempt):
        return ticket
    state.prepare()
    with alone(ticket.key, ticket.attempt, state):
        kept = state.kept_ticket(ticket.key, ticket.attempt)
        if kept is None or _is_nowhere_else(moderator, kept.instance, kept.moderation_job()):
            raise InvalidTicket(
                f"job {ticket.key} was not submitted after all", field="ticket", way_out="Submit it again."
            )
        if not is_unknown(kept):
            return kept
        try:
            return _settle(moderator, kept, state, window=window)
        except SubmitOutcomeUnknown as error:
            if error.ticket is not None and any(task.state == "created" for task in error.ticket.tasks):
                return error.ticket
            raise


def is_unknown(ticket: Ticket) -> bool:
    """Whether a task of it may or may not exist."""
    return any(task.state == "unknown" for task in ticket.tasks)


def _known(job: ModerationJob, use: str, state: State) -> Ticket | None:
    """The ticket of the very same job, submitted by an earlier command."""
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


def _is_nowhere_else(moderator: Moderator, instance: str, job: ModerationJob | None) -> bool:
    """Whether a job is done on this machine, so that submitting it created nothing anywhere, whatever became of it."""
    plugin = moderator.config.plugin_of(instance, moderator.registry)
    if job is None or "run" not in moderator.registry.spec(plugin).at_most.operations:
        return False
    return not moderator.plan(job, use=instance).requests


@contextlib.contextmanager
def alone(key: str, attempt: int, state: State) -> Iterator[None]:
    """Holds the lock of a job while the block runs. Raises `Interrupted` for a Ctrl-C that came before anything was sent."""
    try:
        with state.lock(key, attempt, _tell_owner):
            yield
    except KeyboardInterrupt:
        path = state.ticket_path(key, attempt)
        told = f", its ticket is kept: {path}" if path.exists() else ""
        raise exits.Interrupted(
            f"interrupted; this command submitted nothing{told}",
            key=key,
            ticket=str(path) if told else None,
            way_out=f"Go on with: reelvet wait {name_of(key, attempt)}" if told else None,
        ) from None


def _tell_owner(process: int | None) -> None:
    who = f"process {process}" if process is not None else "another process"
    output.note(f"The job is being submitted by {who}; waiting for that.")


# --- sending ---


def _send(moderator: Moderator, job: ModerationJob, state: State) -> Ticket:
    """Submits in a thread of its own, so that Ctrl-C never comes between a task and its ticket."""
    intent = _intent(moderator, job)
    outcome: Future[Ticket] = Future()

    def work() -> None:
        try:
            outcome.set_result(_send_and_keep(moderator, job, intent, state))
        except BaseException as error:  # noqa: BLE001  (raised again by whoever asks for the outcome)
            outcome.set_exception(error)

    with counted() as presses:
        threading.Thread(target=work, name="reelvet submit", daemon=True).start()
        told = False
        while not outcome.done():
            wait([outcome], timeout=_TICK)
            if presses and not told:
                output.note(
                    f"Interrupted; the submission is let end, for {_LET_END:g} s at most. Ctrl-C again gives up."
                )
                told = True
            if len(presses) > 1 or (presses and time.monotonic() - presses[0] > _LET_END):
                break
    if presses:
        raise _interrupted(outcome, intent, state)
    return outcome.result()


def _send_and_keep(moderator: Moderator, job: ModerationJob, intent: Ticket, state: State) -> Ticket:
    state.save_ticket(intent)  # also takes the place that the ticket will need
    try:
        ticket = moderator.submit(job)
    except SubmitOutcomeUnknown as error:
        kept = error.ticket if error.ticket is not None else intent
        path = _keep(kept, state, error)
        error.way_out = _way_out(moderator, kept)
        output.note(f"The ticket is kept: {path}")
        raise
    except ReelvetError:  # it certainly created nothing
        state.drop_ticket(intent)
        raise
    _keep(ticket, state)
    return ticket


def _intent(moderator: Moderator, job: ModerationJob) -> Ticket:
    """The ticket of a job of which nothing is known but that it is about to be submitted."""
    from reelvet.schema.task import TaskRef  # noqa: PLC0415  (each command loads what it needs)
    from reelvet.schema.ticket import TaskState, Ticket, TicketMedia, TicketTask  # noqa: PLC0415

    plan = moderator.plan(job)
    tasks = [
        TicketTask(
            ref=TaskRef(id="", name=task.name, category=task.category), state=TaskState.UNKNOWN, category=task.category
        )
        for task in plan.tasks
    ]
    return Ticket(
        key=job.key, attempt=job.attempt, provider=plan.provider, instance=moderator.use,
        media=TicketMedia(source=job.media.source, digest=job.media.digest), asks=plan.asks,
        # A plan without tasks is no reason to believe that nothing was created.
        tasks=tuple(tasks) or (TicketTask(ref=TaskRef(id=""), state=TaskState.UNKNOWN),), job=job.model_dump(mode="json"),
    )  # fmt: skip


def _keep(ticket: Ticket, state: State, unknown: SubmitOutcomeUnknown | None = None) -> Path:
    """Writes the ticket of what exists, or shows it where it cannot be written: it is all there is to find the job by.

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


def _interrupted(outcome: Future[Ticket], intent: Ticket, state: State) -> ReelvetError:
    """What Ctrl-C comes to, once the submission has ended or nobody waits for it any longer."""
    name, path = name_of(intent.key, intent.attempt), state.ticket_path(intent.key, intent.attempt)
    error = outcome.exception() if outcome.done() else None
    if isinstance(error, exits.TicketNotKept):
        return error
    if isinstance(error, ReelvetError):
        return exits.Interrupted(f"interrupted; meanwhile: {error.message}", key=intent.key, way_out=error.way_out)
    if error is not None or not outcome.done():
        return exits.Interrupted(
            f"interrupted while the job was submitted, so it may exist at the vendor; that is kept: {path}",
            key=intent.key, ticket=str(path), abandons=True, way_out=f"Look it up with: reelvet wait {name}",
        )  # fmt: skip
    return exits.Interrupted(
        f"interrupted; the job was submitted, its ticket is kept: {path}",
        key=intent.key,
        ticket=str(path),
        way_out=f"Go on with: reelvet wait {name}",
    )


# --- finding out ---


def _settle(moderator: Moderator, ticket: Ticket, state: State, *, window: float | None = None) -> Ticket:
    """The ticket with every task that was unknown found at the vendor.

    Raises:
        SubmitOutcomeUnknown: Some were not found, which does not say that they do not exist.
    """
    window = moderator.config.polling.settle_window if window is None else window
    age = (datetime.now(UTC) - ticket.submitted_at).total_seconds()
    until, pause = time.monotonic() + max(window - max(age, 0.0), 0.0), _FIRST_PAUSE
    why = "it is not found at the vendor (yet)"
    while True:
        try:
            found = moderator.find(
                ticket.key, attempt=ticket.attempt, use=ticket.instance, since=ticket.submitted_at - _BEFORE
            )
        except LookupUnsupported as error:
            why = f"{ticket.provider} {error.message}"
            break
        except ProviderError as error:
            why = f"it could not be looked up: {error.message}"
            if not error.retryable:
                break
            found = []
        if (settled := _adopted(ticket, found)) != ticket:
            ticket = settled
            _keep(ticket, state)
        if not is_unknown(ticket):
            output.note(f"Submitted before, {ticket.submitted_at:%Y-%m-%d %H:%M:%S} UTC, and found at the vendor.")
            return ticket
        left = until - time.monotonic()
        if left <= 0:
            break
        time.sleep(min(pause, left))
        pause = min(pause * 2, _LONGEST_PAUSE)
    raise SubmitOutcomeUnknown(
        f"job {ticket.key} was submitted before and what became of it is not known: {why}",
        ticket.provider,
        ticket.instance,
        ticket=ticket,
        way_out=_way_out(moderator, ticket),
    )


def _adopted(ticket: Ticket, found: Sequence[Ticket]) -> Ticket:
    """The ticket with what was found in the place of what was unknown, each task found taken once."""
    from reelvet.schema.ticket import TaskState  # noqa: PLC0415  (each command loads what it needs)

    held = {task.ref.id for task in ticket.tasks}
    free = [task.ref for one in found for task in one.tasks if task.ref.id not in held]
    tasks = []
    for task in ticket.tasks:
        ref = next((ref for ref in free if task.category in {None, ref.category}), None)
        if task.state != "unknown" or ref is None:
            tasks.append(task)
            continue
        free.remove(ref)
        ref = ref.model_copy(update={"name": task.ref.name})
        tasks.append(task.model_copy(update={"ref": ref, "state": TaskState.CREATED, "error": None}))
    return ticket.model_copy(update={"tasks": tuple(tasks)})


def _way_out(moderator: Moderator, ticket: Ticket) -> str:
    plugin = moderator.config.plugin_of(ticket.instance, moderator.registry)
    key, again = shlex.quote(ticket.key), f"--attempt {ticket.attempt + 1} submits it anew"
    attempt = f" --attempt {ticket.attempt}" if ticket.attempt > 1 else ""
    if "find" in moderator.registry.spec(plugin).at_most.operations:
        return f"Look it up with: reelvet find {key}{attempt}, or reelvet wait {name_of(ticket.key, ticket.attempt)}; {again}."
    return f"Look for it in the vendor's console: if it is there, reelvet adopt {ticket.instance} TASK_ID --key {key}; if not, {again}."
