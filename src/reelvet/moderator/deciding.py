"""A person's word on a submission of which nobody knows what it created."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from reelvet.moderator.settling import unknown_tasks, with_found
from reelvet.schema.errors import InvalidJob, InvalidTicket
from reelvet.schema.ticket import TaskState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelvet.journal import Journal, Place, Record
    from reelvet.moderator.instance import Instance
    from reelvet.moderator.settling import Settled, Settler
    from reelvet.schema.ticket import Ticket

Decision = Literal["adopt", "absent", "resubmit", "review"]


async def decide(
    place: Place, decision: Decision, tasks: Sequence[str], *, settler: Settler, journal: Journal
) -> Settled:
    """Settles a submission; see `AsyncModerator.decide`."""
    record = await journal.get(place)
    if record is None or record.state.settled:
        says = "there is no such submission" if record is None else f"it is settled ({record.state})"
        raise InvalidJob(
            f"job {place.key!r} (attempt {place.attempt}): {says}",
            field="key",
            way_out="`reelvet settle` lists those of which something is to be decided.",
        )
    async with settler.taken(record) as taken:
        if taken is None:
            raise InvalidJob(
                f"job {place.key!r} is being submitted by {record.owner}",
                field="key",
                way_out="Wait until that has ended.",
            )
        return await _decided(taken, decision, tasks, settler, journal)


async def _decided(
    record: Record, decision: Decision, tasks: Sequence[str], settler: Settler, journal: Journal
) -> Settled:
    ticket, instance = record.load_ticket(), settler.instance(record.instance)
    if decision == "adopt":
        ticket = await _adopted(ticket, tasks, record, instance)
        await settler.keep(record, ticket)
        return settler.told(record, "adopted", ticket)
    if decision == "review":
        return settler.told(record, "review", await settler.hand_over(record, ticket, "so it was decided", by="person"))
    if decision == "resubmit":
        job, says = settler.job_of(ticket, None)
        if job is None:
            raise InvalidTicket(
                f"job {record.key} cannot be sent again: {says}",
                field="job",
                way_out="Decide that it is absent, and submit it anew.",
            )
        return settler.told(record, "resubmitted", await settler.again(record, ticket, job, instance))
    ticket = _absent(ticket)
    if any(task.state is TaskState.CREATED for task in ticket.tasks):
        await settler.keep(record, ticket)
    else:
        await journal.drop(record)
    return settler.told(record, "absent", ticket)


def _absent(ticket: Ticket) -> Ticket:
    """The ticket with what was unknown said not to exist."""
    tasks = (
        task.model_copy(update={"state": TaskState.NOT_CREATED}) if task.state is TaskState.UNKNOWN else task
        for task in ticket.tasks
    )
    return ticket.model_copy(update={"tasks": tuple(tasks)})


async def _adopted(ticket: Ticket, tasks: Sequence[str], record: Record, instance: Instance) -> Ticket:
    """The ticket with tasks that a person says are its own, asked for at the vendor first.

    Raises:
        InvalidJob: There are more or fewer than are unknown, or one carries another job's key.
        ProviderError: One is not there, or cannot be asked for.
    """
    missing = unknown_tasks(ticket)
    if len(tasks) != len(missing):
        names = ", ".join(task.ref.name or "one" for task in missing)
        raise InvalidJob(
            f"{len(tasks)} task ids for {len(missing)} unknown tasks ({names})",
            field="tasks",
            way_out="Give one for each, in that order.",
        )
    await instance.open()
    keys, found = {task.name: task.vendor_key for task in record.plan}, {}
    for task, id_ in zip(missing, tasks, strict=True):
        raw = await instance.provider.fetch(task.ref.model_copy(update={"id": id_}))
        if raw.vendor_key not in {None, record.key, keys.get(task.ref.name)}:
            raise InvalidJob(
                f"task {id_} carries the key {raw.vendor_key!r}, so it is another job's",
                field="tasks",
                way_out="Look for the one with this job's key.",
            )
        found[task.ref.name] = raw.ref.model_copy(update={"name": task.ref.name})
    return with_found(ticket, found)
