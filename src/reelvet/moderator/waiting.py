"""From a ticket to the vendor's last word: polling, or doing the work where the provider does its own."""

from __future__ import annotations

import asyncio
import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reelvet.moderator.submitting import answered, told
from reelvet.schema.errors import CancelUnsupported, InvalidTicket, ProviderError, TaskConflict, WaitTimeout
from reelvet.schema.result import Note
from reelvet.schema.task import RawTask, Status, TaskRef
from reelvet.schema.ticket import TaskState

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelvet.config import PollingConfig
    from reelvet.moderator.instance import Instance
    from reelvet.plugins import Progress
    from reelvet.schema.plan import Plan
    from reelvet.schema.ticket import Ticket

_GROWTH = 1.5
_MOST_FAILURES = 20


async def look(ticket: Ticket, instance: Instance) -> list[RawTask]:
    """What the vendor says of each task now, without waiting.

    Raises:
        ProviderError: A call failed.
    """
    known = answered(ticket)
    return list(await asyncio.gather(*(_look(ref, known, instance) for ref in refs(ticket))))


async def _look(ref: TaskRef, known: dict[str, RawTask], instance: Instance) -> RawTask:
    return known[ref.id] if ref.id in known else await instance.provider.fetch(ref)


def refs(ticket: Ticket) -> list[TaskRef]:
    """The tasks that exist."""
    return [task.ref for task in ticket.tasks if task.state is TaskState.CREATED]


async def wait(
    ticket: Ticket,
    plan: Plan | None,
    instance: Instance,
    polling: PollingConfig,
    *,
    timeout: float | None,
    expires_at: datetime | None,
    on_progress: Callable[[Progress], None] | None,
) -> tuple[list[RawTask], list[Note]]:
    """The last word on every task.

    Args:
        ticket: The job's handle.
        plan: Its plan; needed where the provider does its own work.
        instance: Whose account.
        polling: How often to ask.
        timeout: Seconds to wait at most; the job goes on.
        expires_at: The job's deadline; past it the tasks are canceled.
        on_progress: Told how far each task is.

    Returns:
        The replies, and a note if the deadline cut them short.

    Raises:
        WaitTimeout: The time was up first.
        ProviderError: Asking failed for good.
    """
    known = answered(ticket)
    deadline = None if expires_at is None else (expires_at - datetime.now(UTC)).total_seconds()
    limit = min(x for x in (timeout, deadline, polling.give_up) if x is not None)
    tasks = [
        asyncio.create_task(_finish(ref, ticket, plan, instance, polling=polling, on_progress=on_progress))
        for ref in refs(ticket)
        if ref.id not in known
    ]
    try:
        async with asyncio.timeout(max(limit, 0)):
            raws = await _all(tasks)
    except TimeoutError:
        if limit != deadline:
            raise WaitTimeout(
                f"job {ticket.key} is not finished after {limit:g} s",
                ticket=ticket,
                way_out="Wait for the ticket again, or cancel it.",
            ) from None
        raws = [await _expire(ref, instance) for ref in refs(ticket) if ref.id not in known]
        return [*known.values(), *raws], [
            Note(code="deadline_passed", says="the deadline passed, so what was not finished was canceled")
        ]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [*known.values(), *raws], []


async def _all(tasks: list[asyncio.Task[RawTask]]) -> list[RawTask]:
    """The results of all, or the first error as soon as there is one; unlike `gather`, nothing is left unseen."""
    if not tasks:
        return []
    ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    for task in ended:
        task.result()
    return [task.result() for task in tasks]


async def _finish(
    ref: TaskRef,
    ticket: Ticket,
    plan: Plan | None,
    instance: Instance,
    *,
    polling: PollingConfig,
    on_progress: Callable[[Progress], None] | None,
) -> RawTask:
    instance.listen(ref.id, on_progress)
    try:
        if "run" in instance.capabilities.operations:
            return await _run(ref, ticket, plan, instance)
        return await _poll(ref, ticket, instance, polling, on_progress)
    finally:
        instance.listen(ref.id, None)


async def _run(ref: TaskRef, ticket: Ticket, plan: Plan | None, instance: Instance) -> RawTask:
    task = next((task for task in plan.tasks if task.name == ref.name), None) if plan is not None else None
    if task is None:
        raise InvalidTicket(
            f"the ticket of job {ticket.key} does not say what is to be done, and {ticket.provider} does its own work",
            field="job",
            way_out="Submit the job; there is no task elsewhere to take over.",
        )
    return await instance.provider.run(ref, task)


async def _poll(
    ref: TaskRef,
    ticket: Ticket,
    instance: Instance,
    polling: PollingConfig,
    on_progress: Callable[[Progress], None] | None,
) -> RawTask:
    age = (datetime.now(UTC) - ticket.submitted_at).total_seconds()
    pause, failures = polling.first, 0
    await asyncio.sleep(max(0.0, min(polling.first - age, polling.first)))
    while True:
        hint: float | None = None
        try:
            raw = await instance.provider.fetch(ref)
        except ProviderError as error:
            failures += 1
            if not error.retryable or failures >= _MOST_FAILURES:
                raise
            hint = error.retry_after
        else:
            failures, hint = 0, raw.poll_after
            if raw.status.final:
                return raw
            _tell(ref, raw, on_progress)
        pause = min(pause * _GROWTH, polling.most)
        await asyncio.sleep(hint if hint is not None and hint > 0 else pause * random.uniform(0.8, 1.0))  # noqa: S311


def _tell(ref: TaskRef, raw: RawTask, on_progress: Callable[[Progress], None] | None) -> None:
    if on_progress is not None:
        from reelvet.plugins import Progress  # noqa: PLC0415

        on_progress(Progress(ref.id, None, raw.native_status or raw.status))


async def cancel(ticket: Ticket, instance: Instance) -> list[RawTask]:
    """Cancels every task that has not ended.

    Raises:
        CancelUnsupported: The vendor has no cancel.
        ProviderError: A call failed.
    """
    known = answered(ticket)
    raws = []
    for ref in refs(ticket):
        if ref.id in known:
            raws.append(known[ref.id])
            continue
        try:
            raws.append(await instance.provider.cancel(ref))
        except TaskConflict:  # it ended before it could be canceled
            raws.append(await instance.provider.fetch(ref))
    return raws


async def _expire(ref: TaskRef, instance: Instance) -> RawTask:
    """The state of a task past its deadline: canceled at the vendor, or as it is where that cannot be done."""
    started = time.monotonic()
    try:
        return await instance.provider.cancel(ref)
    except (CancelUnsupported, TaskConflict):
        return await instance.provider.fetch(ref)
    except ProviderError as error:
        says = f"could not be canceled after {time.monotonic() - started:.1f} s: {error.message}"
        return RawTask(ref=ref, status=Status.UNKNOWN, error=told(error).model_copy(update={"message": says}))
