"""Tasks that call back and that no submission knows: the answer to their create was lost, and they tell whose they are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from reelvet.http import logger
from reelvet.journal import Selection
from reelvet.journal.record import UNSETTLED
from reelvet.moderator.hearing import said_in
from reelvet.moderator.looking import BEFORE
from reelvet.moderator.settling import unknown_tasks, with_found
from reelvet.schema.errors import TaskNotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelvet.journal import Journal, News, PlannedTask, Record
    from reelvet.moderator.instance import Instance
    from reelvet.moderator.lease import Lease
    from reelvet.moderator.settling import Settler
    from reelvet.schema.task import RawTask
    from reelvet.schema.ticket import TicketTask

Fate = Literal["known", "adopted", "under way", "nobody's"]
_log = logger("moderator")


class Orphans:
    """Gives tasks that call back to the submissions that they belong to.

    A callback is no proof. Whoever can post one with another job's key must not have a task of theirs taken for that
    job's, as its result might be a pass. So a task is asked for at the vendor first, and adopted only if the vendor says
    that it carries the job's key; or, where the vendor keeps none, that it was created when that job was submitted.

    Args:
        journal: Where submissions are kept.
        lease: Those of the moderator.
        settler: Keeps what a submission comes to.
        instance: An instance by its name.
    """

    def __init__(
        self, journal: Journal, lease: Lease, settler: Settler, *, instance: Callable[[str], Instance]
    ) -> None:
        self._journal = journal
        self._lease = lease
        self._settler = settler
        self._instance = instance

    async def place(self, news: News) -> Fate:
        """Finds out whose task has called back, and adopts an orphan.

        Returns:
            `known`: a submission has it. `adopted`: a submission whose fate was unknown has it now. `under way`: somebody
            is at work on the submission that it may belong to; to be looked at again. `nobody's`: it is none of ours.

        Raises:
            ProviderError: The vendor could not be asked.
            JournalError: The journal could not.
        """
        if await self._journal.of_task(news.instance, news.task) is not None:
            return "known"
        claims = await self._claims(news)
        if not claims:  # it may have been settled just now
            return "nobody's" if await self._journal.of_task(news.instance, news.task) is None else "known"
        if any(self._is_at_work(record) for record, _, _ in claims):
            return "under way"
        instance = self._instance(news.instance)
        confirmed = [claim for claim in claims if await self._belongs(news, claim, instance)]
        if len(confirmed) != 1:
            says = "it is not that job's" if not confirmed else "it may be that of several attempts"
            _log.warning(
                "task %s of %s called back with a job's key, and is not adopted: %s", news.task, news.instance, says
            )
            return "nobody's"
        return await self._adopt(news, *confirmed[0][:2])

    async def _claims(self, news: News) -> list[tuple[Record, TicketTask, PlannedTask]]:
        """The submissions whose key a callback carries, each with the task of unknown fate that it may be."""
        if news.key is None:
            return []
        selection = Selection(states=UNSETTLED, instance=news.instance)
        found = []
        async for record in self._journal.records(selection):
            planned = {task.name: task for task in record.plan}
            for task in unknown_tasks(record.load_ticket()) if _names(record, news.key) else ():
                plan = planned.get(task.ref.name)
                if plan is not None and (plan.category in {None, news.category} or news.category is None):
                    found.append((record, task, plan))
                    break  # several of one category are as good as each other
        return found

    def _is_at_work(self, record: Record) -> bool:
        return not self._lease.is_over(record)

    async def _belongs(self, news: News, claim: tuple[Record, TicketTask, PlannedTask], instance: Instance) -> bool:
        record, task, planned = claim
        raw = said_in(news)
        if raw is None:
            await instance.open()
            try:
                raw = await instance.provider.fetch(task.ref.model_copy(update={"id": news.task}))
            except TaskNotFound:
                return False
        return _is_of(raw, record, planned)

    async def _adopt(self, news: News, record: Record, task: TicketTask) -> Fate:
        async with self._settler.taken(record) as taken:
            if taken is None:
                return "under way"
            ref = task.ref.model_copy(update={"id": news.task})
            ticket = with_found(taken.load_ticket(), {task.ref.name: ref})
            if unknown_tasks(ticket):
                await self._settler.park(taken, ticket, why="others of its tasks are not found yet")
            else:
                await self._settler.keep(taken, ticket)
        _log.info("job %s: task %s has called back, and is adopted", record.key, news.task)
        return "adopted"


def _names(record: Record, key: str) -> bool:
    return record.key == key or any(task.vendor_key == key for task in record.plan)


def _is_of(raw: RawTask, record: Record, planned: PlannedTask) -> bool:
    """Whether the vendor's word makes a task that of a submission."""
    begun_at = datetime.fromtimestamp(record.begun_at, UTC)
    if raw.created_at is not None and raw.created_at < begun_at - BEFORE:
        return False
    if raw.vendor_key is not None:
        return raw.vendor_key in {record.key, planned.vendor_key}
    return raw.created_at is not None and raw.created_at <= begun_at + BEFORE
