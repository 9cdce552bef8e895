"""Every submission of a moderator: one per key, whoever asks, and whatever became of an earlier one."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reelvet.http import logger, telemetry
from reelvet.journal import Place, PlannedTask, Record, State
from reelvet.moderator import submitting
from reelvet.moderator.checks import check_demands, learnt
from reelvet.moderator.lease import Lease
from reelvet.moderator.orphans import Orphans
from reelvet.moderator.seal import check_key, seal
from reelvet.moderator.settling import Settler, without_url
from reelvet.schema.errors import JournalError, KeyConflict, ReelvetError, SubmitOutcomeUnknown
from reelvet.schema.result import Note
from reelvet.schema.task import TaskRef
from reelvet.schema.ticket import TaskState, Ticket, TicketMedia, TicketTask

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reelvet.config import Config
    from reelvet.events import Telling
    from reelvet.journal import Journal
    from reelvet.moderator.instance import Instance
    from reelvet.schema.job import ModerationJob
    from reelvet.schema.plan import Plan

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_GRACE = 5.0
_log = logger("moderator")


class Submissions:
    """From jobs to tickets, never twice.

    A job's intent is in the journal before anything is sent, and what became of it afterwards. Whoever asks for the same
    key meanwhile waits for the same submission; whoever finds an intent whose owner is gone looks at the vendor what
    became of it, and sends nothing that may have been sent.

    Args:
        config: The configuration.
        journal: Where submissions are kept.
        instance: An instance by its name.
        plan: A job's plan at an instance.
        telling: What the platform is to be told of what is parked.
    """

    def __init__(
        self,
        config: Config,
        journal: Journal,
        *,
        instance: Callable[[str], Instance],
        plan: Callable[[ModerationJob, Instance], Plan],
        telling: Telling,
    ) -> None:
        self._config = config
        self._journal = journal
        self._instance = instance
        self._lease = Lease(journal)
        self.settler = Settler(
            config,
            journal,
            self._lease,
            instance=instance,
            plan=plan,
            send=self._send,
            written=self.written,
            telling=telling,
        )
        self.orphans = Orphans(journal, self._lease, self.settler, instance=instance)
        self._flights: dict[Place, tuple[str, asyncio.Task[Ticket]]] = {}

    async def submit(self, job: ModerationJob, plan: Plan, instance: Instance) -> Ticket:
        """The ticket of a job's one submission.

        Raises:
            KeyConflict: The key and attempt stand for another job.
            UnsupportedFeature: The vendor cannot do what the job demands, as it turned out.
            SubmitOutcomeUnknown: A task may or may not exist.
            ProviderError: Nothing was created.
            JournalError: The intent could not be entered, so nothing was sent.
        """
        self.settler.start()
        place = Place(job.key, job.attempt)
        fingerprint, flight = self._flights.get(place, (job.fingerprint, None))
        if flight is None:
            flight = asyncio.create_task(self._once(job, plan, instance, fingerprint))
            self._flights[place] = (fingerprint, flight)
            flight.add_done_callback(lambda task: self._landed(place, task))
        elif fingerprint != job.fingerprint:
            raise KeyConflict(job.key, attempt=job.attempt)
        # A caller that is cancelled leaves the submission going: broken off, nobody would know what it had created.
        return await asyncio.shield(flight)

    async def aclose(self) -> None:
        """Waits for what is under way: broken off, nobody would know what it had created."""
        flights = [flight for _, flight in self._flights.values()]
        if flights:
            # A vendor that hangs must not hold the door open; its jobs stand in the journal.
            _, late = await asyncio.wait(flights, timeout=self._config.polling.settle_window + _GRACE)
            for flight in late:
                flight.cancel()
        await self.settler.aclose(self._config.polling.settle_window + _GRACE)

    def written(self, ticket: Ticket) -> bytes:
        """A ticket as it is kept.

        Raises:
            SealRefused: It holds a whole URL, there is no key to seal it, and others can read the journal.
        """
        context = {"private_file": True} if self._journal.private else None
        return ticket.model_dump_json(context=context).encode()

    # --- one submission ---

    def _landed(self, place: Place, flight: asyncio.Task[Ticket]) -> None:
        self._flights.pop(place, None)
        if not flight.cancelled():
            flight.exception()  # whoever submitted may be gone; asyncio would complain of an error that nobody saw

    async def _once(self, job: ModerationJob, plan: Plan, instance: Instance, fingerprint: str) -> Ticket:
        with telemetry.span("reelvet submit", instance.labels):
            place, pause = Place(job.key, job.attempt), _FIRST_PAUSE
            record: Record | None = None
            while True:
                # What is held is being settled by this very moderator.
                if record is None and not self._lease.holds(place):
                    ticket, record = await self._first(job, plan, instance, fingerprint)
                    if ticket is not None:
                        return ticket
                if record is not None:
                    if record.fingerprint != fingerprint:
                        raise KeyConflict(job.key, attempt=job.attempt)
                    if record.state.settled:
                        ticket = record.load_ticket()
                        # The caller's URL is signed later, and a key may have come since.
                        is_run = _is_run(instance) and instance.name == record.instance
                        return self._with_url(ticket, job, instance) if is_run else ticket
                    ticket = await self.settler.take_over(record, job)
                    if ticket is not None:
                        return ticket
                if record is not None or self._lease.holds(place):
                    await asyncio.sleep(pause)  # somebody is at work on it
                    pause = min(pause * 2, _LONGEST_PAUSE)
                record = await self._journal.get(place)

    async def _first(
        self, job: ModerationJob, plan: Plan, instance: Instance, fingerprint: str
    ) -> tuple[Ticket | None, Record | None]:
        """Submits a job of which nothing is known; or gives the record of whoever was faster."""
        check_key(self._config.seal_key if self._url(job, instance) else None)
        ticket = self._with_url(intent_of(job, plan, instance), job, instance)
        intent = Record(
            key=job.key, attempt=job.attempt, fingerprint=fingerprint, provider=instance.provider.id, instance=instance.name,
            state=State.INTENT, ticket=self.written(ticket), plan=planned(plan), begun_at=ticket.submitted_at.timestamp(),
            owner=self._lease.owner, user=job.user,
        )  # fmt: skip
        with self._lease.held(intent.place, time.monotonic(), (task.vendor_key for task in plan.tasks)):
            record = await self._journal.begin(intent, self._lease.seconds)
            # An owner's name alone would not do: an earlier submission of this moderator's own may have been broken off.
            if (record.owner, record.begun_at, record.state) != (intent.owner, intent.begun_at, intent.state):
                return None, record
            try:
                await instance.open()
                prepared = await submitting.prepare(plan, instance)
                check_demands(job, prepared)  # what only the vendor knows: whether it speaks a language
            except BaseException:
                await _noted(self._journal.drop(record))  # nothing was sent
                raise
            try:
                return await self._send(job, plan, prepared, instance, record=record, intent=ticket), None
            except submitting.HeldUp:
                return None, None  # it may have another owner by now: looked at again

    async def _send(
        self,
        job: ModerationJob,
        plan: Plan,
        prepared: Plan,
        instance: Instance,
        *,
        record: Record,
        intent: Ticket,
        is_again: bool = False,
    ) -> Ticket:
        """Creates the tasks of an intent that is in the journal, and keeps what came of it.

        Args:
            job: The job.
            plan: Its plan.
            prepared: The plan, prepared; of a job that is sent again, only what is.
            instance: Where to.
            record: The intent.
            intent: Its ticket; of a job that is sent again, with what is known of its other tasks.
            is_again: Whether the job is sent again.
        """
        earlier = intent if is_again else None
        submitted_at = datetime.fromtimestamp(record.begun_at, UTC)
        try:
            room = await instance.places.take(job.media.kind, len(prepared.tasks), instance.provider, instance.name)
        except ReelvetError as error:
            await self._refused(record, earlier, error)
            raise
        with room:
            ticket, outcomes = await submitting.create(
                intent, prepared, instance, window=self._config.polling.settle_window, submitted_at=submitted_at,
                may_send=self._lease.may_send,
            )  # fmt: skip
            room.keep(outcomes)
        ticket = merged(earlier, ticket.model_copy(update={"warnings": learnt(plan, prepared)}))
        try:
            ticket = submitting.settle(ticket, outcomes, instance)
        except SubmitOutcomeUnknown as error:
            await _noted(self.settler.park(record, self._with_url(ticket, job, instance), why=error.message))
            raise
        except ReelvetError as error:
            await self._refused(record, earlier, error)
            raise
        # Only the work of whoever waits is still to be done, and needs the whole URL.
        ticket = self._with_url(ticket, job, instance) if _is_run(instance) else without_url(ticket)
        return await self._keep(record, ticket)

    async def _refused(self, record: Record, earlier: Ticket | None, error: ReelvetError) -> None:
        """Nothing was created. Of a first time that is not settled nobody knows any more than before."""
        if earlier is None:
            await _noted(self._journal.drop(record))
        else:
            await _noted(self.settler.park(record, earlier, why=error.message))

    def _url(self, job: ModerationJob, instance: Instance) -> str | None:
        """The URL of a job's media, if it has a secret in it and is needed after the submission was begun.

        That is so for work that is done by whoever waits, and for a job that a policy of settling may send again.
        """
        needed = self._config.settle.then == "resubmit" or _is_run(instance)
        return str(job.media.url) if needed and job.media.has_secret else None

    def _with_url(self, ticket: Ticket, job: ModerationJob, instance: Instance) -> Ticket:
        """A ticket that knows the whole URL, where it is still needed, sealed where there is a key."""
        url = self._url(job, instance)
        return ticket if url is None else seal(ticket.with_secret_url(url), self._config.seal_key)

    async def _keep(self, record: Record, ticket: Ticket) -> Ticket:
        """Keeps the ticket of what exists. Where that fails it is given all the same: it is all there is to find the job by."""
        kept = record.with_state(State.SUBMITTED, self.written(ticket), plan=())
        try:
            await self._journal.keep(kept, ids_of(ticket))
        except JournalError as error:
            _log.warning("job %s was submitted, and the journal could not keep its ticket", record.key, exc_info=True)
            says = f"the journal could not keep the ticket, so keep it well: {error.message}"
            note = Note(code="ticket_not_kept", says=says)
            return ticket.model_copy(update={"warnings": (*ticket.warnings, note)})
        return ticket


def ids_of(ticket: Ticket) -> list[str]:
    """The vendor's ids of the tasks that exist."""
    return [task.ref.id for task in ticket.tasks if task.state is TaskState.CREATED and task.ref.id]


def planned(plan: Plan) -> tuple[PlannedTask, ...]:
    """What of a plan is needed to find its tasks again."""
    return tuple(PlannedTask(task.name, task.category, task.vendor_key) for task in plan.tasks)


async def _noted(writing: Awaitable[object]) -> None:
    """Writes what became of a submission. Where that fails it stands in the journal as an intent, which loses nothing."""
    try:
        await writing
    except JournalError:
        _log.warning("the journal could not keep what became of a submission", exc_info=True)


def _is_run(instance: Instance) -> bool:
    """Whether the work is done by whoever waits."""
    return "run" in instance.capabilities.operations


def merged(earlier: Ticket | None, ticket: Ticket) -> Ticket:
    """The ticket of a job that was sent again in part, with what is known of the other tasks from before."""
    if earlier is None:
        return ticket
    anew = {task.ref.name: task for task in ticket.tasks}
    return ticket.model_copy(update={"tasks": tuple(anew.get(task.ref.name, task) for task in earlier.tasks)})


def intent_of(job: ModerationJob, plan: Plan, instance: Instance) -> Ticket:
    """The ticket of a job of which nothing is known but that it is about to be submitted."""
    settings = instance.provider.settings
    return Ticket(
        key=job.key, attempt=job.attempt, provider=instance.provider.id, instance=instance.name,
        api=getattr(settings, "api", None), region=getattr(settings, "region", None),
        media=TicketMedia(source=job.media.source, digest=job.media.digest), asks=plan.asks, job=job.model_dump(mode="json"),
        tasks=tuple(
            TicketTask(
                ref=TaskRef(id="", name=task.name, category=task.category), state=TaskState.UNKNOWN, category=task.category
            )
            for task in plan.tasks
        ),
    )  # fmt: skip
