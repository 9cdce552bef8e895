"""From a job to a ticket: never twice, and never in the dark about what became of it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reelvet.moderator.seal import seal
from reelvet.plugins import Created, Done, Outcome, Rejected, TimeWindow, Unknown
from reelvet.schema.errors import (
    LookupUnsupported,
    ProviderError,
    SubmitOutcomeUnknown,
    UnexpectedReply,
    UnsupportedFeature,
)
from reelvet.schema.task import RawTask, TaskError, TaskRef
from reelvet.schema.ticket import TaskState, Ticket, TicketMedia, TicketTask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import SecretStr

    from reelvet.moderator.instance import Instance
    from reelvet.schema.job import ModerationJob
    from reelvet.schema.plan import Plan, VendorTask

# Vendors' clocks and lists lag: a task is looked for from a little before it was sent.
_BEFORE = timedelta(minutes=5)
_FIRST_LOOK = 0.5
_LONGEST_PAUSE = 5.0


def check_demands(job: ModerationJob, plan: Plan) -> None:
    """Refuses a plan that cannot honour the job.

    Raises:
        UnsupportedFeature: A demand cannot be met, and the job does not say `on_unsupported="skip"`.
    """
    if plan.unsupported and job.on_unsupported == "raise":
        raise UnsupportedFeature(plan.unsupported, provider=plan.provider, instance=plan.instance)


async def submit(job: ModerationJob, plan: Plan, instance: Instance, *, window: float, key: SecretStr | None) -> Ticket:
    """Creates the plan's tasks at the vendor.

    Args:
        job: The job.
        plan: Its plan.
        instance: Where to.
        window: Seconds in which a task of unknown fate is looked up.
        key: Seals the URL of a job whose work is done only when it is waited for.

    Raises:
        SubmitOutcomeUnknown: A task may or may not exist. The error's ticket says which.
        ProviderError: Every task was refused; none exists.
    """
    submitted_at = datetime.now(UTC)
    prepared = await instance.provider.prepare(plan)
    outcomes = await _outcomes(prepared.tasks, instance) if prepared.tasks else []
    outcomes = [
        await _look_up(task, outcome, instance, submitted_at, window) if isinstance(outcome, Unknown) else outcome
        for task, outcome in zip(prepared.tasks, outcomes, strict=True)
    ]
    ticket = _ticket(job, prepared, instance, outcomes, submitted_at)
    unknown = [outcome.error for outcome in outcomes if isinstance(outcome, Unknown)]
    if unknown:
        first = unknown[0]
        raise SubmitOutcomeUnknown(
            f"{len(unknown)} of {len(outcomes)} tasks may or may not have been created: {first.message}",
            plan.provider, instance.name, ticket=ticket, code=first.code, status=first.status, request_id=first.request_id, body=first.body,
            way_out="Do not submit it again: look it up with find(key), or decide at the vendor's console; attempt=2 submits it anew.",
        ) from first  # fmt: skip
    refused = [outcome.error for outcome in outcomes if isinstance(outcome, Rejected)]
    if refused and len(refused) == len(outcomes):
        raise refused[0]
    if job.media.has_secret and "run" in instance.capabilities.operations:
        ticket = seal(ticket.with_secret_url(str(job.media.url)), key)
    return ticket


async def _outcomes(tasks: Sequence[VendorTask], instance: Instance) -> list[Outcome]:
    """One outcome per task, whatever the provider does: an exception or a short list leaves tasks unknown, never lost."""
    try:
        outcomes = list(await instance.provider.submit(tasks))
    except ProviderError as error:
        return [Rejected(error) if error.created == "no" else Unknown(error) for _ in tasks]
    except Exception as error:  # noqa: BLE001  (a provider's bug may strike after the vendor has created something)
        bug = UnexpectedReply(
            f"the provider failed: {type(error).__name__}: {error}", instance.provider.id, instance.name
        )
        bug.__cause__ = error
        return [Unknown(bug) for _ in tasks]
    if len(outcomes) != len(tasks):
        short = UnexpectedReply(f"{len(outcomes)} outcomes for {len(tasks)} tasks", instance.provider.id, instance.name)
        return [Unknown(short) for _ in tasks]
    return outcomes


async def _look_up(task: VendorTask, outcome: Unknown, instance: Instance, since: datetime, window: float) -> Outcome:
    """Looks a task of unknown fate up by its key, again and again over the window, since vendors' lists lag."""
    if "find" not in instance.capabilities.operations:
        return outcome
    until, pause = time.monotonic() + window, _FIRST_LOOK
    while True:
        try:
            found = await instance.provider.find(task.vendor_key, TimeWindow(since - _BEFORE))
        except LookupUnsupported:
            return outcome
        except ProviderError as error:
            if not error.retryable:
                return outcome
            found = ()
        # The provider compares exactly; this is the second lock on the same door, for vendors whose search does not.
        exact = [
            raw for raw in found if raw.vendor_key == task.vendor_key and task.category in {None, raw.ref.category}
        ]
        if exact:
            return Created(exact[0].ref.model_copy(update={"name": task.name}))
        left = until - time.monotonic()
        if left <= 0:
            return outcome
        await asyncio.sleep(min(pause, left))  # the last look is at the very end of the window
        pause = min(pause * 2, _LONGEST_PAUSE)


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
            return TicketTask(ref=raw.ref, state=TaskState.CREATED, category=task.category, answer=raw)
        case Rejected() | Unknown():
            state = TaskState.UNKNOWN if isinstance(outcome, Unknown) else TaskState.NOT_CREATED
            ref = TaskRef(id="", name=task.name, category=task.category)
            return TicketTask(ref=ref, state=state, category=task.category, error=told(outcome.error))


def told(error: ProviderError) -> TaskError:
    """An error as the data of a task."""
    return TaskError(code=error.code, message=error.message, type=type(error).__name__, retryable=error.retryable)


def answered(ticket: Ticket) -> dict[str, RawTask]:
    """Task id -> reply, for what a vendor answered at once."""
    return {task.ref.id: task.answer for task in ticket.tasks if task.answer is not None}
