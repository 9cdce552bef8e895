"""What became of a submission that nobody finished: looked up at the vendor, adopted, or parked until somebody decides."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Protocol

from reelvet.http import logger
from reelvet.journal import Place, Selection, State
from reelvet.journal.record import UNSETTLED
from reelvet.moderator import submitting
from reelvet.moderator.checks import check_demands
from reelvet.moderator.looking import Search, search
from reelvet.moderator.policies import HANDED_OVER
from reelvet.moderator.seal import unseal
from reelvet.schema.errors import InvalidTicket, ReelvetError, SubmitOutcomeUnknown
from reelvet.schema.result import Note, Verdict
from reelvet.schema.ticket import TaskState, Ticket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from reelvet.config import Config
    from reelvet.events import Telling
    from reelvet.journal import Journal, PlannedTask, Record
    from reelvet.moderator.instance import Instance
    from reelvet.moderator.lease import Lease
    from reelvet.schema.job import ModerationJob
    from reelvet.schema.plan import Plan
    from reelvet.schema.task import TaskRef

Outcome = Literal["under way", "adopted", "resubmitted", "review", "parked", "absent"]
_ROUNDS = 4
_SHORTEST, _LONGEST = 1.0, 60.0
"""Seconds between two rounds over what is not settled."""
_log = logger("moderator")


@dataclass(frozen=True, slots=True)
class Settled:
    """One submission of unknown outcome, looked at."""

    key: str
    attempt: int
    instance: str
    outcome: Outcome
    """`adopted`: it was found at the vendor. `resubmitted`, `review`: as the policy says. `parked`: still unknown. `absent`:
    decided that it does not exist, so that its key may be submitted again. `under way`: somebody is at work on it."""
    begun_at: datetime
    """When it was sent, or about to be."""
    ticket: Ticket
    why: str | None = None
    """Why it is parked."""


class Send(Protocol):
    """How a prepared plan is sent, its intent being in the journal."""

    async def __call__(  # noqa: D102
        self,
        job: ModerationJob,
        plan: Plan,
        prepared: Plan,
        instance: Instance,
        *,
        record: Record,
        intent: Ticket,
        is_again: bool = False,
    ) -> Ticket: ...


class Settler:
    """Settles submissions.

    Args:
        config: The configuration.
        journal: Where submissions are kept.
        lease: Those of the moderator.
        instance: An instance by its name.
        plan: A job's plan at an instance.
        send: Sends a prepared plan.
        written: A ticket as it is kept.
        telling: What is to be told of what was parked or decided.
    """

    def __init__(
        self,
        config: Config,
        journal: Journal,
        lease: Lease,
        *,
        instance: Callable[[str], Instance],
        plan: Callable[[ModerationJob, Instance], Plan],
        send: Send,
        written: Callable[[Ticket], bytes],
        telling: Telling,
    ) -> None:
        self._config = config
        self._journal = journal
        self._lease = lease
        self.instance = instance
        self._plan = plan
        self._send = send
        self._written = written
        self._telling = telling
        self._running: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    def start(self) -> None:
        """Begins to settle what earlier runs have left, and goes on where a policy of settling may decide later."""
        if self._running is None:
            self._running = asyncio.create_task(self._run())

    async def aclose(self, patience: float) -> None:
        """Lets what is being settled end.

        Args:
            patience: Seconds that it may take.
        """
        self._stopping.set()
        if self._running is not None:
            await asyncio.wait([self._running], timeout=patience)
            self._running.cancel()

    async def _run(self) -> None:
        after = self._config.settle.after
        states = frozenset({State.INTENT}) if after is None else UNSETTLED
        pause = None if after is None else min(max(after.total_seconds() / _ROUNDS, _SHORTEST), _LONGEST)
        while not self._stopping.is_set():
            try:
                async for settled in self.settle(Selection(states=states, ownerless=True)):
                    _log.info("job %s, submitted before: %s", settled.key, settled.outcome)
                    if self._stopping.is_set():
                        return
            except ReelvetError:
                _log.warning("what was left of earlier submissions could not be settled", exc_info=True)
            if pause is None:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    async def take_over(self, record: Record, job: ModerationJob | None = None) -> Ticket | None:
        """Settles a submission that nobody is at work on any more.

        Args:
            record: It, as it was just found.
            job: The job, where the caller has it.

        Returns:
            The ticket; `None` if somebody is at work on it.

        Raises:
            SubmitOutcomeUnknown: A task may or may not exist.
            ProviderError: It was to be sent again, and nothing was created.
        """
        settled = await self._settle(record, job)
        if settled is None:
            return None
        if settled.outcome == "parked":
            raise self._unknown(settled)
        return settled.ticket

    async def settle(self, selection: Selection) -> AsyncIterator[Settled]:
        """Looks at every submission of unknown outcome that is meant, once."""
        async for record in self._journal.records(selection):
            try:
                settled = await self._settle(record, None)
            except ReelvetError as error:
                settled = self.told(record, "parked", record.load_ticket(), str(error))
            yield settled or self.told(record, "under way", record.load_ticket())

    async def known(self, ticket: Ticket) -> Ticket:
        """A ticket with what is known by now of tasks whose fate was not: as the journal has it, or the vendor."""
        if not unknown_tasks(ticket):
            return ticket
        record = await self._journal.get(Place(ticket.key, ticket.attempt))
        if record is None or record.instance != ticket.instance:
            return ticket
        if record.state.settled:
            return record.load_ticket()
        try:
            return await self.take_over(record) or ticket
        except SubmitOutcomeUnknown as error:
            return error.ticket or ticket

    # --- one of them ---

    @contextlib.asynccontextmanager
    async def taken(self, record: Record) -> AsyncIterator[Record | None]:
        """Has a record while the block runs; `None` if somebody is at work on it, or was faster."""
        if not self._lease.is_over(record):
            yield None
            return
        # Held before it is taken, lest another of this moderator takes it too.
        with self._lease.held(record.place, time.monotonic(), [task.vendor_key for task in record.plan]):
            yield await self._journal.take(_free(record), self._lease.owner, self._lease.seconds)

    async def _settle(self, record: Record, job: ModerationJob | None) -> Settled | None:
        async with self.taken(record) as taken:
            if taken is None:
                return None
            try:
                return await self._decide(taken, job)
            except SubmitOutcomeUnknown as error:  # it was sent again, and parked again
                return self.told(taken, "parked", error.ticket or taken.load_ticket(), error.message)

    async def _decide(self, record: Record, job: ModerationJob | None) -> Settled:
        instance, ticket = self.instance(record.instance), record.load_ticket()
        if (work := self._work_done_here(ticket, instance, job)) is not None:
            return self.told(record, "resubmitted", await self.again(record, ticket, work, instance))
        await instance.open()
        found = await self._look(record, ticket, instance)
        ticket = with_found(ticket, found.found)
        if not unknown_tasks(ticket):
            await self.keep(record, ticket)
            return self.told(record, "adopted", ticket)
        why = found.why
        if self._may_decide(record):
            if self._config.settle.then == "review":
                return self.told(record, "review", await self.hand_over(record, ticket, why))
            if found.answered:
                work, says = self.job_of(ticket, job)
                if work is not None:
                    return self.told(record, "resubmitted", await self.again(record, ticket, work, instance))
                why = f"{why}; it is not sent again, as {says}"
        await self.park(record, ticket, why=why)
        return self.told(record, "parked", ticket, why)

    async def _look(self, record: Record, ticket: Ticket, instance: Instance) -> Search:
        names = {task.ref.name for task in unknown_tasks(ticket)}
        since = datetime.fromtimestamp(record.begun_at, UTC)
        window = max(0.0, self._config.polling.settle_window - max(0.0, time.time() - record.begun_at))
        taken = {task.ref.id for task in ticket.tasks if task.ref.id}
        tasks: Sequence[PlannedTask] = [task for task in record.plan if task.name in names]
        return await search(tasks, instance, since, window=window, taken=taken)

    def _may_decide(self, record: Record) -> bool:
        after = self._config.settle.after
        return after is not None and max(0.0, time.time() - _unknown_since(record)) >= after.total_seconds()

    def _work_done_here(self, ticket: Ticket, instance: Instance, job: ModerationJob | None) -> ModerationJob | None:
        """The job, if it is done on this machine: submitting it created nothing anywhere, whatever became of it."""
        if "run" not in instance.capabilities.operations:
            return None
        work, _ = self.job_of(ticket, job)
        return work if work is not None and not self._plan(work, instance).requests else None

    def job_of(self, ticket: Ticket, job: ModerationJob | None) -> tuple[ModerationJob | None, str]:
        """The job with its whole URL; or why that cannot be had."""
        if job is not None:
            return job, ""
        try:
            work = unseal(ticket, self._config.seal_key).moderation_job()
        except InvalidTicket as error:
            return None, error.message
        return work, "it does not say what was asked"

    async def again(self, record: Record, ticket: Ticket, job: ModerationJob, instance: Instance) -> Ticket:
        """Sends again what certainly, or as the policy has it, was not created; a new intent is entered first.

        Raises:
            ProviderError: Nothing was created; the submission is parked as it was.
            SubmitOutcomeUnknown: The same happened again.
        """
        names = {task.ref.name for task in unknown_tasks(ticket)}
        try:
            await instance.open()
            plan = self._plan(job, instance)
            prepared = await submitting.prepare(plan, instance)
            check_demands(job, prepared)
        except BaseException:
            await self.park(record, ticket, why="it could not be prepared")
            raise
        part = prepared.model_copy(update={"tasks": tuple(task for task in prepared.tasks if task.name in names)})
        intent = record.with_state(State.INTENT, self._written(ticket), begun_at=time.time(), unknown_since=None)
        if not await self._journal.keep(intent):
            raise InvalidTicket(f"job {record.key} was settled by another process meanwhile", field="key", way_out="Submit it again: that gives its ticket.")  # fmt: skip
        return await self._send(job, plan, part, instance, record=intent, intent=ticket, is_again=True)

    # --- what it comes to ---

    async def keep(self, record: Record, ticket: Ticket) -> None:
        """Keeps a ticket that says of every task whether it exists."""
        ids = [task.ref.id for task in ticket.tasks if task.ref.id]
        clean = without_url(ticket)
        await self._journal.keep(record.with_state(State.SUBMITTED, self._written(clean), plan=()), ids)

    async def park(self, record: Record, ticket: Ticket, *, why: str) -> None:
        """Keeps a ticket of which somebody must decide."""
        ids = [task.ref.id for task in ticket.tasks if task.ref.id]
        events = self._telling.events_for_parked(ticket, why)
        parked = record.with_state(State.PARKED, self._written(ticket), unknown_since=_unknown_since(record))
        await self._journal.keep(parked, ids, events)

    async def hand_over(self, record: Record, ticket: Ticket, why: str, *, by: str = "policy") -> Ticket:
        """Keeps a ticket that nobody looks up any more: its video goes to a person."""
        note = Note(
            code=HANDED_OVER, says=f"nobody knows whether it was submitted, so a person is to look at it: {why}"
        )
        ticket = without_url(ticket).model_copy(update={"warnings": (*ticket.warnings, note)})
        ids = [task.ref.id for task in ticket.tasks if task.ref.id]
        events = self._telling.events_for_decision(
            record.place, Verdict.REVIEW, by=by, at=datetime.now(UTC), note=note.says
        )
        await self._journal.keep(record.with_state(State.REVIEW, self._written(ticket)), ids, events)
        return ticket

    def told(self, record: Record, outcome: Outcome, ticket: Ticket, why: str | None = None) -> Settled:
        """What a record came to, for whoever asked."""
        begun_at = datetime.fromtimestamp(record.begun_at, UTC)
        return Settled(record.key, record.attempt, record.instance, outcome, begun_at, ticket, why)

    @staticmethod
    def _unknown(settled: Settled) -> SubmitOutcomeUnknown:
        left = len(unknown_tasks(settled.ticket))
        return SubmitOutcomeUnknown(
            f"job {settled.key} was submitted at {settled.begun_at:%Y-%m-%d %H:%M:%S} UTC, and of {left} of its tasks nobody knows whether they were created: {settled.why}",
            settled.ticket.provider, settled.instance, ticket=settled.ticket,
            way_out=submitting.way_out_of_unknown(settled.key, settled.attempt),
        )  # fmt: skip


def unknown_tasks(ticket: Ticket) -> list:  # type: ignore[type-arg]
    """The tasks that may or may not exist."""
    return [task for task in ticket.tasks if task.state is TaskState.UNKNOWN]


def with_found(ticket: Ticket, found: dict[str, TaskRef]) -> Ticket:
    """The ticket with what was found, by the names of its tasks, in the place of what was unknown."""
    if not found:
        return ticket
    tasks = [
        task.model_copy(update={"ref": found[task.ref.name], "state": TaskState.CREATED, "error": None})
        if task.state is TaskState.UNKNOWN and task.ref.name in found
        else task
        for task in ticket.tasks
    ]
    return ticket.model_copy(update={"tasks": tuple(tasks)})


def without_url(ticket: Ticket) -> Ticket:
    """Nothing is left to send, so the whole URL is erased."""
    if ticket.sealed is None and ticket.secret_url is None:
        return ticket
    return ticket.model_copy(update={"sealed": None}).with_secret_url(None)


def _free(record: Record) -> Record:
    """What is known to have no owner any more is taken whatever its lease."""
    return record if record.lease_left <= 0 else record.with_state(record.state, lease_left=0.0)


def _unknown_since(record: Record) -> float:
    """Since when nobody knows what became of it: as it was parked; of an intent, since now, when it was sent in the last moment."""
    return record.unknown_since if record.unknown_since is not None else time.time()
