"""From a job to a ticket: never twice, and never in the dark about what became of it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from reelvet.http import logger, telemetry
from reelvet.moderator.checks import check_demands, learnt
from reelvet.moderator.seal import check_key, seal
from reelvet.plugins import Created, Done, Outcome, Rejected, TimeWindow, Unknown
from reelvet.schema.errors import (
    ProviderError,
    ReelvetError,
    SubmitOutcomeUnknown,
    UnexpectedReply,
)
from reelvet.schema.errors.base import with_way_out
from reelvet.schema.task import TaskError, TaskRef
from reelvet.schema.ticket import TaskState, Ticket, TicketMedia, TicketTask
from reelvet.schema.urls import mask_urls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelvet.config import Config
    from reelvet.moderator.instance import Instance
    from reelvet.moderator.journal import Entry, MemoryJournal
    from reelvet.schema.job import ModerationJob
    from reelvet.schema.plan import Plan, VendorTask
    from reelvet.schema.task import RawTask

# Vendors' clocks and lists lag: a task is looked for from a little before it was sent.
_BEFORE = timedelta(minutes=5)
_log = logger("moderator")
_FIRST_LOOK = 0.5
_LONGEST_PAUSE = 5.0


async def submit_once(
    job: ModerationJob, plan: Plan, instance: Instance, *, config: Config, journal: MemoryJournal, entry: Entry
) -> Ticket:
    """The one submission of a job: prepares its plan, creates its tasks, and keeps the ticket in the journal's entry.

    Raises:
        UnsupportedFeature: The vendor cannot do what the job demands, as it turned out.
        SubmitOutcomeUnknown: A task may or may not exist.
        ProviderError: Nothing was created.
    """
    # The work of such a job is still to be done when it is waited for, and needs the whole URL.
    url = str(job.media.url) if job.media.has_secret and "run" in instance.capabilities.operations else None
    with telemetry.span("reelvet submit", instance.labels):
        submitted_at = datetime.now(UTC)
        try:
            check_key(config.seal_key if url else None)
            await instance.open()
            prepared = await prepare(plan, instance)
            check_demands(job, prepared)  # what only the vendor knows: whether it speaks a language
            place = await instance.places.take(job.media.kind, len(prepared.tasks), instance.provider, instance.name)
        except BaseException:
            journal.drop(job, entry)  # nothing was sent
            raise
        window = config.polling.settle_window
        with place:
            ticket, outcomes = await create(job, prepared, instance, window=window, submitted_at=submitted_at)
            place.keep(outcomes)
        ticket = ticket.model_copy(update={"warnings": learnt(plan, prepared)})
        try:
            ticket = settle(ticket, outcomes, instance)
        except SubmitOutcomeUnknown:
            raise
        except ReelvetError:
            journal.drop(job, entry)  # everything was refused
            raise
        if url is not None:
            ticket = seal(ticket.with_secret_url(url), config.seal_key)
        entry.keep(ticket)
        return ticket


async def prepare(plan: Plan, instance: Instance) -> Plan:
    """The plan with its placeholders filled. Nothing has been created yet, so whatever fails is a failed call.

    Raises:
        ProviderError: A call failed, or the provider did.
    """
    try:
        return await instance.provider.prepare(plan)
    except ReelvetError:
        raise
    except Exception as error:
        says = mask_urls(f"{type(error).__name__}: {error}")
        raise UnexpectedReply(
            f"the provider failed to prepare the job: {says}", instance.provider.id, instance.name, created="no"
        ) from error


async def create(
    job: ModerationJob, plan: Plan, instance: Instance, *, window: float, submitted_at: datetime
) -> tuple[Ticket, list[Outcome]]:
    """Creates the plan's tasks at the vendor. From here on something may exist there, so nothing is raised.

    Args:
        job: The job.
        plan: Its plan, prepared.
        instance: Where to.
        window: Seconds in which a task of unknown fate is looked up.
        submitted_at: When.

    Returns:
        The ticket, and what became of each task.
    """
    outcomes: list[Outcome] = []
    if plan.tasks:
        call = partial(send, instance=instance)
        outcomes = await instance.coalescer.submit(plan.tasks, call, partial(_leave, instance))
    taken = {outcome.ref.id for outcome in outcomes if isinstance(outcome, Created)}
    for number, (task, outcome) in enumerate(zip(plan.tasks, outcomes, strict=True)):
        if isinstance(outcome, Unknown):
            outcomes[number] = await _look_up(task, outcome, instance, submitted_at, window=window, taken=taken)
    return _ticket(job, plan, instance, outcomes, submitted_at), outcomes


def settle(ticket: Ticket, outcomes: Sequence[Outcome], instance: Instance) -> Ticket:
    """The ticket, if the job can be waited for.

    Raises:
        SubmitOutcomeUnknown: A task may or may not exist. The error's ticket says which.
        ProviderError: Every task was refused; none exists.
    """
    unknown = [outcome.error for outcome in outcomes if isinstance(outcome, Unknown)]
    if unknown:
        first = unknown[0]
        raise SubmitOutcomeUnknown(
            f"{len(unknown)} of {len(outcomes)} tasks may or may not have been created: {first.message}",
            ticket.provider, instance.name, ticket=ticket, code=first.code, status=first.status, request_id=first.request_id, body=first.body,
            way_out="Do not submit it again: look it up with find(key), or decide at the vendor's console; attempt=2 submits it anew.",
        ) from first  # fmt: skip
    refused = [outcome.error for outcome in outcomes if isinstance(outcome, Rejected)]
    if refused and len(refused) == len(outcomes):
        raise refused[0]
    return ticket


async def send(tasks: Sequence[VendorTask], instance: Instance) -> list[Outcome]:
    """One outcome per task, whatever the provider does: what it does not answer for is unknown, never lost."""
    try:
        outcomes = list(await instance.provider.submit(tasks))
    except ProviderError as error:
        return [Rejected(error) if error.created == "no" else Unknown(error) for _ in tasks]
    except Exception as error:  # noqa: BLE001  (a provider's bug may strike after the vendor has created something)
        bug = _odd(f"the provider failed: {mask_urls(f'{type(error).__name__}: {error}')}", instance)
        _log.debug("a provider failed in submit", exc_info=True)
        return [Unknown(bug) for _ in tasks]
    if len(outcomes) != len(tasks):
        return [Unknown(_odd(f"{len(outcomes)} outcomes for {len(tasks)} tasks", instance)) for _ in tasks]
    return [_known(outcome, instance) for outcome in outcomes]


async def _leave(instance: Instance) -> None:
    """Waits until a create would go out at once. Nothing of it can fail a job: the call itself waits again."""
    try:
        await instance.provider.leave()
    except Exception:  # noqa: BLE001  (a provider's bug)
        _log.debug("a provider failed in leave", exc_info=True)


def _known(outcome: object, instance: Instance) -> Outcome:
    if isinstance(outcome, Created) and not outcome.ref.id:
        return Unknown(_odd("a task was created and has no id", instance))
    if isinstance(outcome, Created | Done | Rejected | Unknown):
        return outcome
    return Unknown(_odd(f"{type(outcome).__name__} is no outcome of a submit", instance))


def _odd(says: str, instance: Instance) -> UnexpectedReply:
    return UnexpectedReply(
        says,
        instance.provider.id,
        instance.name,
        way_out="Update the provider's distribution, or tell its authors.",
    )


async def _look_up(
    task: VendorTask, outcome: Unknown, instance: Instance, since: datetime, *, window: float, taken: set[str]
) -> Outcome:
    """Looks a task of unknown fate up by its key, again and again over the window, since vendors' lists lag."""
    if "find" not in instance.capabilities.operations:
        return outcome
    until, pause = time.monotonic() + window, _FIRST_LOOK
    while True:
        try:
            found = list(await instance.provider.find(task.vendor_key, TimeWindow(since - _BEFORE)))
        except ProviderError as error:
            # A page in place of the list may be a passing one, and looking again is free.
            if not error.retryable and not isinstance(error, UnexpectedReply):
                return outcome
            found = []
        except Exception:  # noqa: BLE001  (whatever the look-up stumbles over, the task stays unknown)
            _log.debug("a provider failed in find", exc_info=True)
            return outcome
        # The provider compares exactly; this is the second lock on the same door, for vendors whose search does not.
        # One task of the vendor's answers for one of ours.
        for raw in found:
            if _answers_for(raw, task, since) and raw.ref.id not in taken:
                taken.add(raw.ref.id)
                return Created(raw.ref.model_copy(update={"name": task.name}))
        left = until - time.monotonic()
        if left <= 0:
            return outcome
        await asyncio.sleep(min(pause, left))  # the last look is at the very end of the window
        pause = min(pause * 2, _LONGEST_PAUSE)


def _answers_for(raw: RawTask, task: VendorTask, since: datetime) -> bool:
    """Whether a task found at the vendor is the one that was sent: not an older one under the same key."""
    is_older = raw.created_at is not None and raw.created_at < since - _BEFORE
    of_category = task.category in {None, raw.ref.category}
    return bool(raw.ref.id) and raw.vendor_key == task.vendor_key and of_category and not is_older


def _ticket(
    job: ModerationJob, plan: Plan, instance: Instance, outcomes: Sequence[Outcome], submitted_at: datetime
) -> Ticket:
    settings = instance.provider.settings
    return Ticket(
        key=job.key,
        attempt=job.attempt,
        provider=instance.provider.id,
        instance=instance.name,
        api=getattr(settings, "api", None),
        region=getattr(settings, "region", None),
        submitted_at=submitted_at,
        media=TicketMedia(source=job.media.source, digest=job.media.digest),
        asks=plan.asks,
        tasks=tuple(_ticket_task(task, outcome) for task, outcome in zip(plan.tasks, outcomes, strict=True)),
        job=job.model_dump(mode="json"),
    )


def _ticket_task(task: VendorTask, outcome: Outcome) -> TicketTask:
    match outcome:
        case Created(ref):
            return TicketTask(ref=ref, state=TaskState.CREATED, category=task.category)
        case Done(raw):
            # An answer that is not the last word is asked for again.
            answer = raw if raw.status.final else None
            return TicketTask(ref=raw.ref, state=TaskState.CREATED, category=task.category, answer=answer)
        case Rejected() | Unknown():
            state = TaskState.UNKNOWN if isinstance(outcome, Unknown) else TaskState.NOT_CREATED
            ref = TaskRef(id="", name=task.name, category=task.category)
            return TicketTask(ref=ref, state=state, category=task.category, error=told(outcome.error))


def told(error: ProviderError) -> TaskError:
    """An error as the data of a task."""
    says = with_way_out(error.message, error.way_out)
    return TaskError(code=error.code, message=says, type=type(error).__name__, retryable=error.retryable)
