"""What a vendor says of tasks that nobody has a ticket of: stored replies, and what it finds under a key."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reelvet.plugins import TimeWindow
from reelvet.schema.errors import InvalidJob, LookupUnsupported, OperationUnsupported
from reelvet.schema.job import vendor_key
from reelvet.schema.lenient import is_too_deep, storable
from reelvet.schema.task import RawTask, TaskRef
from reelvet.schema.ticket import TaskState, Ticket, TicketTask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelvet.moderator.instance import Instance
    from reelvet.plugins import Learned, ProviderSpec, Registry
    from reelvet.schema.job import ModerationJob
    from reelvet.schema.plan import Plan


_FIND_SINCE = timedelta(days=3)


def recognize(payload: Any, instance: Instance) -> RawTask:
    """A stored reply, parsed from JSON.

    Raises:
        InvalidJob: It is no such reply.
    """
    if is_too_deep(payload):
        raise InvalidJob(
            "the payload is nested deeper than any reply",
            way_out="Give what the vendor answered, and nothing around it.",
        )
    return instance.provider.recognize(storable(payload))


def ticket_of(raw: RawTask, instance: Instance, job: ModerationJob | None, plan: Plan | None) -> Ticket:
    """A ticket for the task of such a reply, for a job if it is known which."""
    ticket = Ticket.adopt(instance.provider.id, raw.ref.id, instance=instance.name)
    if job is None or plan is None:
        return ticket
    media = ticket.media.model_copy(update={"source": job.media.source, "digest": job.media.digest})
    told = {"key": job.key, "attempt": job.attempt, "job": job.model_dump(mode="json"), "asks": plan.asks}
    return ticket.model_copy(update={**told, "media": media})


async def find(key: str, attempt: int, since: datetime | None, instance: Instance) -> list[Ticket]:
    """Tickets for the tasks that the vendor holds under a job's key.

    Raises:
        LookupUnsupported: The vendor keeps no key.
        ProviderError: The call failed.
    """
    if "find" not in instance.capabilities.operations:
        raise LookupUnsupported("cannot look a task up by its key", instance.provider.id, instance.name)
    await instance.open()
    wanted = instance.provider.vendor_key_of(vendor_key(key, attempt))
    found = await instance.provider.find(wanted, TimeWindow(since or datetime.now(UTC) - _FIND_SINCE))
    # The provider compares exactly; this is the second lock on the same door.
    return [_found(raw, key, attempt, instance) for raw in found if raw.vendor_key == wanted]


async def learn(payloads: Sequence[Any], tasks: Sequence[str], instance: Instance, registry: Registry) -> Learned:
    """See `AsyncModerator.learn`."""
    provider = instance.provider
    if "learn" not in instance.capabilities.operations:
        able = ", ".join(spec.id for spec in registry if _can_learn(spec))
        raise OperationUnsupported(
            "has no policies whose declaration could be learned", provider.id, instance.name,
            way_out=f"That is for {able}." if able else "No provider that is installed has any.",
        )  # fmt: skip
    raws = [recognize(payload, instance) for payload in payloads]
    if tasks:
        await instance.open()
        raws += await asyncio.gather(*(provider.fetch(provider.in_full(TaskRef(id=task))) for task in tasks))
    return provider.learn(raws)


def _can_learn(spec: ProviderSpec) -> bool:
    try:
        return "learn" in spec.at_most.operations
    except Exception:  # noqa: BLE001  (a stranger's callable)
        return False


def _found(raw: RawTask, key: str, attempt: int, instance: Instance) -> Ticket:
    """The ticket of a task that the vendor holds under a job's key."""
    task = TicketTask(ref=raw.ref, state=TaskState.CREATED, category=raw.ref.category)
    return Ticket(
        key=key, attempt=attempt, provider=instance.provider.id, instance=instance.name,
        submitted_at=raw.created_at or datetime.now(UTC), tasks=(task,),
    )  # fmt: skip
