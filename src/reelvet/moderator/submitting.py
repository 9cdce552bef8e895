"""From a plan to a ticket: creating the tasks, and never in the dark about what became of them."""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING

from reelvet.http import logger
from reelvet.moderator.looking import search
from reelvet.plugins import Created, Done, Outcome, Rejected, Unknown
from reelvet.schema.errors import (
    ProviderError,
    ReelvetError,
    SubmitOutcomeUnknown,
    UnexpectedReply,
)
from reelvet.schema.errors.base import with_way_out
from reelvet.schema.task import TaskError, TaskRef
from reelvet.schema.ticket import TaskState, Ticket, TicketTask
from reelvet.schema.urls import mask_urls

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from reelvet.moderator.instance import Instance
    from reelvet.schema.plan import Plan, VendorTask

_log = logger("moderator")


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
    intent: Ticket,
    plan: Plan,
    instance: Instance,
    *,
    window: float,
    submitted_at: datetime,
    may_send: Callable[[VendorTask], bool],
) -> tuple[Ticket, list[Outcome]]:
    """Creates the plan's tasks at the vendor. From here on something may exist there, so nothing is raised.

    Args:
        intent: The ticket of the job that is about to be submitted.
        plan: Its plan, prepared.
        instance: Where to.
        window: Seconds in which a task of unknown fate is looked up.
        submitted_at: When.
        may_send: Asked right before each call: whether a task still is this process's to create.

    Returns:
        The ticket, and what became of each task.
    """
    outcomes: list[Outcome] = []
    if plan.tasks:
        call = partial(send, instance=instance, may_send=may_send)
        outcomes = await instance.coalescer.submit(plan.tasks, call, partial(_leave, instance))
    unknown = [task for task, outcome in zip(plan.tasks, outcomes, strict=True) if isinstance(outcome, Unknown)]
    if unknown:
        taken = {outcome.ref.id for outcome in outcomes if isinstance(outcome, Created)}
        found = (await search(unknown, instance, submitted_at, window=window, taken=taken)).found
        outcomes = [
            Created(found[task.name]) if isinstance(outcome, Unknown) and task.name in found else outcome
            for task, outcome in zip(plan.tasks, outcomes, strict=True)
        ]
    tasks = (_ticket_task(task, outcome) for task, outcome in zip(plan.tasks, outcomes, strict=True))
    told = {"asks": plan.asks, "tasks": tuple(tasks), "submitted_at": submitted_at}
    return intent.model_copy(update=told), outcomes


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
            way_out=way_out_of_unknown(ticket.key, ticket.attempt),
        ) from first  # fmt: skip
    refused = [outcome.error for outcome in outcomes if isinstance(outcome, Rejected)]
    if refused and not any(task.state is TaskState.CREATED for task in ticket.tasks):
        raise refused[0]
    return ticket


def way_out_of_unknown(key: str, attempt: int) -> str:
    """What can be done about a submission of unknown outcome."""
    command = f"reelvet settle {shlex.quote(key)}" + (f" --attempt {attempt}" if attempt > 1 else "")
    return f"Do not submit it again by other means: `{command}`, or settle(key=...), looks it up once more; what it is then can be decided by the same command, or decide(key, ...); attempt={attempt + 1} submits it anew."


async def send(
    tasks: Sequence[VendorTask], instance: Instance, may_send: Callable[[VendorTask], bool]
) -> list[Outcome]:
    """One outcome per task, whatever the provider does: what it does not answer for is unknown, never lost."""
    mine = [may_send(task) for task in tasks]
    sent = [task for task, is_mine in zip(tasks, mine, strict=True) if is_mine]
    outcomes = iter(await _send(sent, instance) if sent else ())
    return [next(outcomes) if is_mine else _late(instance) for is_mine in mine]


async def _send(tasks: Sequence[VendorTask], instance: Instance) -> list[Outcome]:
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


class HeldUp(ProviderError):
    """This process was held up so long before it sent anything that another may have taken the job over."""

    default_way_out = "Submit it again: that gives the ticket of whoever did."


def _late(instance: Instance) -> Rejected:
    return Rejected(
        HeldUp(
            "the process was held up, and another may have taken the job over meanwhile; nothing was sent",
            instance.provider.id, instance.name, created="no", retryable=True,
        )
    )  # fmt: skip


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
