"""From a ticket to the vendor's last word: polling, or doing the work where the provider does its own."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from reelvet.moderator.following import MOST_FAILURES
from reelvet.moderator.pace import LONGEST_HINT
from reelvet.moderator.queued import kind_of, waits_for
from reelvet.moderator.submitting import told
from reelvet.plugins import Progress
from reelvet.schema.errors import CancelUnsupported, InvalidTicket, ProviderError, TaskConflict, WaitTimeout
from reelvet.schema.result import Note
from reelvet.schema.task import RawTask, Status, TaskRef
from reelvet.schema.ticket import TaskState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelvet.config import PollingConfig
    from reelvet.moderator.followed import Followed
    from reelvet.moderator.instance import Instance
    from reelvet.schema.plan import Plan
    from reelvet.schema.ticket import Ticket, TicketTask

Hear = Callable[[int, RawTask], Awaitable[None]]
_GROWTH = 1.5
_NEWS_AFTER = 15.0
"""Seconds after which somebody who watches is told at the latest what is new."""


def existing(ticket: Ticket) -> list[TicketTask]:
    """The tasks that exist. Told apart by their place: a synchronous vendor may give two answers one id."""
    return [task for task in ticket.tasks if task.state is TaskState.CREATED]


def expires_at(ticket: Ticket) -> datetime | None:
    """The moment of the job's deadline."""
    if not (ticket.job or {}).get("deadline"):
        return None  # as most: the job need not be made anew
    job = ticket.moderation_job()
    return None if job is None else job.expires_at(ticket.submitted_at)


async def look(ticket: Ticket, instance: Instance) -> list[RawTask]:
    """What the vendor says of each task now, without waiting.

    Raises:
        ProviderError: No call succeeded; the failure of one of several is the status of its task.
    """
    found = await asyncio.gather(*(_look(task, instance) for task in existing(ticket)), return_exceptions=True)
    return _told(existing(ticket), found)


async def _look(task: TicketTask, instance: Instance) -> RawTask:
    return task.answer if task.answer is not None else await instance.provider.fetch(task.ref)


def _told(tasks: Sequence[TicketTask], found: Sequence[RawTask | BaseException]) -> list[RawTask]:
    """What is known of each task: the call that failed for one is its failure, so that the others are not lost.

    Raises:
        ProviderError: Nothing is known of any.
    """
    errors = [item for item in found if isinstance(item, BaseException)]
    grave = next((error for error in errors if not isinstance(error, ProviderError)), None)
    if grave is not None or (errors and len(errors) == len(found)):
        raise grave or errors[0]
    return [
        RawTask(ref=task.ref, status=Status.FAILED, native_status="unreachable", error=told(item))
        if isinstance(item, ProviderError)
        else item
        for task, item in zip(tasks, found, strict=True)
        if not isinstance(item, BaseException) or isinstance(item, ProviderError)
    ]


def wait(
    ticket: Ticket,
    plan: Plan | None,
    instance: Instance,
    polling: PollingConfig,
    *,
    timeout: float | None,
    expires_at: datetime | None,
    on_progress: Callable[[Progress], None] | None,
    hear: Hear | None = None,
) -> Coroutine[Any, Any, tuple[list[RawTask], list[Note]]]:
    """The last word on every task.

    Args:
        ticket: The job's handle.
        plan: Its plan; needed where the provider does its own work.
        instance: Whose account.
        polling: How often to ask.
        timeout: Seconds to wait at most; the job goes on.
        expires_at: The job's deadline; past it the tasks are canceled.
        on_progress: Told how far each task is.
        hear: Given every reply, with the place of its task among those that exist; the task is asked again once it has
            taken it. Who hears sees that a task is alive, so nothing gives up on it.

    Returns:
        The replies, and a note if the deadline cut them short.

    Raises:
        WaitTimeout: The time was up first.
        ProviderError: Asking failed for good, for every task.
    """
    deadline = None if expires_at is None else (expires_at - datetime.now(UTC)).total_seconds()
    give_up = polling.give_up if hear is None else None
    limits = [max(0.0, x) for x in (timeout, deadline, give_up) if x is not None]
    limit = min(limits) if limits else None
    is_for_good = deadline is not None and deadline <= (limit or 0.0)
    if limit is not None and hear is None and "run" not in instance.capabilities.operations:
        return _wait(ticket, instance, limit, on_progress, cancels=is_for_good)
    work = [
        _finish(
            task, ticket, plan, instance, polling=polling, on_progress=on_progress,
            hear=partial(hear, place) if hear is not None else None,
        )
        for place, task in enumerate(existing(ticket))
    ]  # fmt: skip
    return _work(work, ticket, instance, limit, cancels=is_for_good)


async def _wait(
    ticket: Ticket,
    instance: Instance,
    limit: float,
    on_progress: Callable[[Progress], None] | None,
    *,
    cancels: bool,
) -> tuple[list[RawTask], list[Note]]:
    """Of tasks that are polled, together with all others of their instance. There may be ten thousand of this coroutine."""
    kind, media = kind_of(ticket), ((ticket.job or {}).get("media") or {}).get("duration")
    followed = [
        instance.follower.follow(task.ref, ticket.submitted_at, kind=kind, media=media, answer=task.answer)
        for task in existing(ticket)
    ]
    if on_progress is not None:
        for one, _ in followed:
            instance.listen(one.ref.id, on_progress)
    timer = asyncio.get_running_loop().call_later(limit, _time_is_up, followed)
    try:
        for _, end in followed:
            try:
                await end
            except Exception:  # noqa: BLE001, S112  (it stays in `end`, and that of one task must not hide the others)
                continue
        ends = [None if isinstance(end.exception(), _TimeIsUp) else _outcome(end) for _, end in followed]
        return await _conclude(ends, ticket, instance, limit, cancels=cancels)
    finally:
        timer.cancel()
        for one, end in followed:
            instance.follower.leave(one, end)
            if on_progress is not None:
                instance.forget(one.ref.id, on_progress)


async def _work(
    work: Sequence[Coroutine[Any, Any, RawTask]],
    ticket: Ticket,
    instance: Instance,
    limit: float | None,
    *,
    cancels: bool,
) -> tuple[list[RawTask], list[Note]]:
    """Of tasks that are each seen to their end by themselves."""
    going = [asyncio.create_task(one) for one in work]
    try:
        # `wait` leaves what is not done going, so that a deadline can end it in its own way.
        pending = (await asyncio.wait(going, timeout=limit))[1] if going else set()
        ends = [None if one in pending else _outcome(one) for one in going]
        return await _conclude(ends, ticket, instance, limit or 0.0, cancels=cancels)
    finally:
        for one in going:
            one.cancel()
        await asyncio.gather(*going, return_exceptions=True)


async def _conclude(
    ends: Sequence[RawTask | BaseException | None], ticket: Ticket, instance: Instance, limit: float, *, cancels: bool
) -> tuple[list[RawTask], list[Note]]:
    """What is known of each task, `None` being what was still waited for when the time was up.

    Raises:
        WaitTimeout: It was, and it goes on.
        ProviderError: Nothing is known of any.
    """
    tasks = existing(ticket)
    told = [end for end in ends if end is not None]
    if len(told) == len(ends):
        return _told(tasks, told), []
    if not cancels:
        raise WaitTimeout(f"job {ticket.key} is not finished after {limit:g} s", ticket=ticket)
    told = [await _expire(task.ref, instance) if end is None else end for task, end in zip(tasks, ends, strict=True)]
    return _told(tasks, told), [_deadline_note(told)]


class _TimeIsUp(Exception):
    """In place of the end of a task that has not come."""


def _time_is_up(followed: Sequence[tuple[Followed, asyncio.Future[RawTask]]]) -> None:
    for _, end in followed:
        if not end.done():
            end.set_exception(_TimeIsUp())


def _deadline_note(ends: Sequence[RawTask | BaseException]) -> Note:
    goes_on = any(isinstance(end, RawTask) and not end.status.final for end in ends)
    how = "could not be canceled and goes on" if goes_on else "was canceled"
    return Note(code="deadline_passed", says=f"the deadline passed: what was not finished {how}")


def _outcome(work: asyncio.Future[RawTask]) -> RawTask | BaseException:
    return work.exception() or work.result()


async def _finish(
    task: TicketTask,
    ticket: Ticket,
    plan: Plan | None,
    instance: Instance,
    *,
    polling: PollingConfig,
    on_progress: Callable[[Progress], None] | None,
    hear: Callable[[RawTask], Awaitable[None]] | None,
) -> RawTask:
    with instance.listening(task.ref.id, on_progress):
        if task.answer is not None:
            raw = task.answer
        elif hear is None or "run" in instance.capabilities.operations:
            raw = await _run(task.ref, ticket, plan, instance)
        else:
            news = _News()
            with instance.hearing.waiting(instance.name, task.ref.id, news) if instance.hearing else nullcontext():
                raw = await _poll(task.ref, ticket, instance, polling, hear=hear, news=news)
    if hear is not None:
        await hear(raw)
    return raw


async def _run(ref: TaskRef, ticket: Ticket, plan: Plan | None, instance: Instance) -> RawTask:
    task = next((task for task in plan.tasks if task.name == ref.name), None) if plan is not None else None
    if task is None:
        raise InvalidTicket(
            f"the ticket of job {ticket.key} does not say what is to be done, and {ticket.provider} does its own work",
            field="job",
            way_out="Submit the job; there is no task elsewhere to take over.",
        )
    return await instance.provider.run(ref, task)


class _News:
    """What is told to one that waits between two questions."""

    def __init__(self) -> None:
        self._came = asyncio.Event()
        self._raw: RawTask | None = None

    def __call__(self, raw: RawTask | None) -> None:
        self._raw = raw
        self._came.set()

    async def within(self, seconds: float) -> RawTask | None:
        """Waits, but for so long only as there is nothing new; what was said, if it was all that there is."""
        ends = [asyncio.ensure_future(asyncio.sleep(seconds)), asyncio.ensure_future(self._came.wait())]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        self._came.clear()
        raw, self._raw = self._raw, None
        return raw


async def _poll(
    ref: TaskRef,
    ticket: Ticket,
    instance: Instance,
    polling: PollingConfig,
    *,
    hear: Callable[[RawTask], Awaitable[None]],
    news: _News,
) -> RawTask:
    """Asks for every reply in full, for somebody who wants to hear of everything that is new in it."""
    age = (datetime.now(UTC) - ticket.submitted_at).total_seconds()
    pause, failures = polling.first, 0
    told = await news.within(max(0.0, min(polling.first - age, polling.first)))
    while True:
        hint: float | None = None
        try:
            raw = told if told is not None else await instance.provider.fetch(ref)
        except ProviderError as error:
            failures += 1
            if not error.retryable or failures >= MOST_FAILURES:
                raise
            hint = error.retry_after
        else:
            failures, hint = 0, raw.poll_after
            if raw.status.final:
                return raw
            instance.tell(Progress(ref.id, None, _says(raw, ticket, instance)))
            await hear(raw)
            del raw  # a reply may be large, and the pause long
        pause = min(pause * _GROWTH, polling.most, _NEWS_AFTER)
        wished = hint is not None and hint > 0
        told = await news.within(min(hint or 0.0, LONGEST_HINT) if wished else pause * random.uniform(0.8, 1.0))  # noqa: S311


def _says(raw: RawTask, ticket: Ticket, instance: Instance) -> str:
    waits = waits_for(instance.capabilities, kind_of(ticket)) if raw.status is Status.QUEUED else None
    return waits or raw.native_status or raw.status


async def cancel(ticket: Ticket, instance: Instance) -> list[RawTask]:
    """Cancels every task that has not ended; one that cannot be canceled does not save the others.

    Raises:
        CancelUnsupported: The vendor has no cancel.
        ProviderError: No call succeeded.
    """
    tasks = existing(ticket)
    found = await asyncio.gather(*(_cancel(task, instance) for task in tasks), return_exceptions=True)
    return _told(tasks, found)


async def _cancel(task: TicketTask, instance: Instance) -> RawTask:
    if task.answer is not None:
        return task.answer
    try:
        return await instance.provider.cancel(task.ref)
    except TaskConflict:  # it ended before it could be canceled
        return await instance.provider.fetch(task.ref)


async def _expire(ref: TaskRef, instance: Instance) -> RawTask:
    """The state of a task past its deadline: canceled at the vendor, or as it is where that cannot be done."""
    try:
        return await instance.provider.cancel(ref)
    except (CancelUnsupported, TaskConflict):
        return await instance.provider.fetch(ref)
    except ProviderError as error:
        says = f"could not be canceled: {error.message}"
        return RawTask(ref=ref, status=Status.UNKNOWN, error=told(error).model_copy(update={"message": says}))
