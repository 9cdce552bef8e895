"""The moderator, for asyncio."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakValueDictionary

from reelvet.config import Config
from reelvet.http import telemetry
from reelvet.journal import Journal, MemoryJournal, Place, open_journal
from reelvet.moderator import many, replies, waiting, watching
from reelvet.moderator.assembling import assemble
from reelvet.moderator.checks import check_demands, check_options, check_owner, skipped
from reelvet.moderator.hearing import Hearing
from reelvet.moderator.instance import Instance
from reelvet.moderator.policies import judged, load_policies
from reelvet.moderator.reporting import Reporting
from reelvet.moderator.seal import unseal
from reelvet.moderator.submissions import Submissions
from reelvet.moderator.upkeep import Upkeep
from reelvet.plugins import Registry
from reelvet.schema.errors import InvalidJob

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
    from pathlib import Path

    from reelvet.moderator.following import Follower
    from reelvet.moderator.many import Moderated
    from reelvet.plugins import Progress
    from reelvet.policy import Policy
    from reelvet.schema.delta import Delta
    from reelvet.schema.job import ModerationJob
    from reelvet.schema.plan import Plan
    from reelvet.schema.result import ModerationResult, Note
    from reelvet.schema.task import RawTask
    from reelvet.schema.ticket import Ticket


class AsyncModerator(Upkeep):
    """Jobs in, verdicts out, through one configured instance.

    ```python
    async with AsyncModerator.from_config() as moderator:
        result = await moderator.moderate(ModerationJob(media="https://cdn.example.com/clip.mp4"))
    ```

    Args:
        config: The configuration; by default what `Config.load()` finds.
        use: The instance jobs go to, overriding the configuration's.
        registry: The installed providers; by default discovered.
        policies: What judges the results; by default the configuration's.
        credentials: `False` for a moderator that only plans and reads stored payloads.
        journal: Where submissions are kept; by default the configuration's. It is the caller's to close.

    Raises:
        ConfigurationError: The configuration cannot work.
        PluginError: The instance's provider is missing or broken.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        use: str | None = None,
        registry: Registry | None = None,
        policies: Sequence[Policy] | None = None,
        credentials: bool = True,
        journal: Journal | None = None,
    ) -> None:
        self.config = (config if config is not None else Config.load()).model_copy(
            update={"use": use} if use is not None else {}
        )
        self.registry = registry if registry is not None else Registry.discover(allow=self.config.plugins.allow)
        self.policies = tuple(policies) if policies is not None else load_policies(self.config, self.registry)
        self._credentials = credentials
        self._instances: dict[str, Instance] = {}
        # Whoever waits where they submitted need not have the job made of its ticket again; nobody's job is kept alive for that.
        self._jobs: WeakValueDictionary[Place, ModerationJob] = WeakValueDictionary()
        if journal is None and not credentials:
            journal = MemoryJournal()  # nothing will be submitted
        self.journal = journal if journal is not None else open_journal(self.config.journal.target())
        self._closes_journal = journal is None
        self._reporting = Reporting(self.config, self.journal, sends=credentials)
        self.hearing = Hearing(self.journal, follower=self._follower)
        self._submissions = Submissions(
            self.config, self.journal, instance=self._instance, plan=lambda job, at: self.plan(job, use=at.name),
            telling=self._reporting.telling,
        )  # fmt: skip
        self.orphans = self._submissions.orphans
        self.instance_of = self._instance  # for what is built upon the moderator
        # What the configuration names must be usable now, not when the first video waits for it.
        self.use = self.config.active(self.registry)
        self._instance(self.use)

    @classmethod
    def from_config(
        cls, path: Path | str | None = None, *, use: str | None = None, profile: str | None = None, **arguments: Any
    ) -> Self:
        """A moderator from `reelvet.toml`, the profile, the environment and the arguments, each overriding what comes before it.

        Args:
            path: The file; by default `REELVET_CONFIG`, `./reelvet.toml`, or the user's own.
            use: The instance jobs go to.
            profile: A `[profiles.<name>]` table to lay over the file.
            arguments: Any key of the file, as `policy="kids"` or `providers={"local": {"interval": 2}}`.
        """
        return cls(Config.load(path, profile=profile, use=use, **arguments))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Waits for submissions that are under way, then closes every provider that was opened.

        Raises:
            Exception: What the first provider raised that failed to close; all the others are closed.
        """
        await self._submissions.aclose()
        await self._reporting.aclose()
        closed = await asyncio.gather(*(i.close() for i in self._instances.values()), return_exceptions=True)
        if self._closes_journal:
            await self.journal.close()
        for error in closed:
            if isinstance(error, BaseException):
                raise error

    @property
    def tells_of_results(self) -> bool:
        """Whether anybody is told of results, or the journal keeps them."""
        return self._reporting.keeps_results

    # --- without talking ---

    def plan(self, job: ModerationJob, *, use: str | None = None) -> Plan:
        """What the vendor would be sent, and what would be looked at. No I/O; never refuses a job for what it asks.

        Raises:
            UnknownLabel: A label in the job is in no taxonomy.
            InvalidOptions: The options for the provider are not its own.
        """
        instance = self._instance(use)
        check_options(job, self.registry)
        plan = instance.provider.plan(job)
        if plan.unsupported and job.on_unsupported == "skip":
            plan = plan.model_copy(update={"warnings": (*plan.warnings, *skipped(plan.unsupported))})
        return plan

    def normalize(self, payload: Any, *, use: str | None = None, job: ModerationJob | None = None) -> ModerationResult:
        """A stored reply to the vendor's "get task" as a judged result. No I/O.

        Args:
            payload: The reply, parsed from JSON, in any dialect of the vendor's.
            use: The instance, or the provider's id.
            job: What was asked; without it the coverage is what the payload shows.

        Raises:
            InvalidJob: The payload is no such reply.
        """
        instance = self._instance(use)
        raw = replies.recognize(payload, instance)
        plan = self.plan(job, use=instance.name) if job is not None else None
        ticket = replies.ticket_of(raw, instance, job, plan)
        return self._judge(assemble(ticket, plan, [raw], instance.provider))

    # --- talking ---

    async def moderate(
        self,
        job: ModerationJob,
        *,
        timeout: float | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> ModerationResult:
        """Submits a job and waits for its result. See `submit` and `wait` for what is raised."""
        return await self.wait(await self.submit(job), timeout=timeout, on_progress=on_progress)

    async def submit(self, job: ModerationJob, *, use: str | None = None) -> Ticket:
        """Creates the job's tasks at the vendor, once: the same job under the same key gives the same ticket.

        Raises:
            UnsupportedFeature: A demand of the job cannot be met.
            KeyConflict: The key stands for another job.
            InvalidJob: The deadline has passed.
            SubmitOutcomeUnknown: A task may or may not exist; the error's ticket is what to look it up with.
            ProviderError: Nothing was created.
        """
        instance = self._instance(use)
        plan = self.plan(job, use=instance.name)
        check_demands(job, plan)
        now = datetime.now(UTC)
        if (expires_at := job.expires_at(now)) is not None and expires_at <= now:
            raise InvalidJob(
                f"deadline: {expires_at.isoformat()} has passed",
                field="deadline",
                way_out="Give a later moment, or seconds from the submission.",
            )
        self._reporting.start()
        ticket = await self._submissions.submit(job, plan, instance)
        self._jobs[Place(ticket.key, ticket.attempt)] = job
        return ticket

    async def wait(
        self,
        ticket: Ticket,
        *,
        timeout: float | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> ModerationResult:
        """The result of a submitted job, here or in another process, now or another day.

        Args:
            ticket: The job's handle.
            timeout: Seconds to wait at most; the job goes on.
            on_progress: Told how far each task is, from the event loop.

        Raises:
            WaitTimeout: The time was up first; the ticket still stands.
            InvalidTicket: The ticket's URL cannot be had here.
            ProviderError: Asking the vendor failed for good.
        """
        plan: Plan | None = None
        if is_done_here := "run" in self._owner(ticket).capabilities.operations:
            instance, ticket, _, plan = await self._taken_up(ticket)
        else:
            instance, ticket = await self._known(ticket)
        with telemetry.span("reelvet wait", instance.labels) as span:
            await instance.open()
            with self.hearing.present():
                raws, notes = await waiting.wait(
                    ticket, plan, instance, self.config.polling,
                    timeout=timeout, expires_at=waiting.expires_at(ticket), on_progress=on_progress,
                )  # fmt: skip
            if not is_done_here:  # only now: ten thousand that wait would hold ten thousand plans
                plan = self._replan(ticket, instance)[1]
            result = self._conclude(ticket, plan, raws, instance, notes)
            await self._reporting.conclude(result, ticket)
            span.set_attribute("reelvet.status", result.status)
            span.set_attribute("reelvet.verdict", result.verdict or "none")
        return result

    async def watch(
        self,
        ticket: Ticket,
        *,
        timeout: float | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> AsyncGenerator[Delta]:
        """What is new about a submitted job, as it becomes known: for a live stream, or any job that runs.

        The last delta has the result, judged, and nothing is in it that could not be told again: whoever leaves early, or
        is interrupted, watches the ticket anew. Asks at least every 15 seconds, and has no end of its own, as a stream may
        run for days. What was told is remembered as digests alone, and of the oldest only until when they were.

        Args:
            ticket: The job's handle.
            timeout: Seconds to watch at most; the job goes on.
            on_progress: Told how far each task is, from the event loop.

        Raises:
            As `wait`.
        """
        instance, ticket, job, plan = await self._taken_up(ticket)
        await instance.open()
        expires_at = job.expires_at(ticket.submitted_at) if job else None
        deltas = watching.watch(
            ticket, plan, instance, self.config.polling,
            timeout=timeout, expires_at=expires_at, on_progress=on_progress,
            conclude=lambda raws, notes: self._conclude(ticket, plan, raws, instance, notes),
        )  # fmt: skip
        async with aclosing(deltas):
            async for delta in deltas:
                if delta.result is not None:
                    await self._reporting.conclude(delta.result, ticket)
                yield delta

    async def status(self, ticket: Ticket) -> ModerationResult:
        """The result as far as it is; its verdict is `null` until the job has ended.

        Raises:
            ProviderError: A call failed.
        """
        instance, ticket = await self._known(ticket)
        raws = await waiting.look(ticket, instance)
        return await self._so_far(ticket, raws, instance)

    async def cancel(self, ticket: Ticket) -> ModerationResult:
        """Stops a job and gives what there is of its result.

        Raises:
            CancelUnsupported: The vendor has no cancel.
            ProviderError: A call failed.
        """
        instance, ticket = await self._known(ticket)
        raws = await waiting.cancel(ticket, instance)
        return await self._so_far(ticket, raws, instance)

    async def moderate_many(
        self, jobs: Iterable[ModerationJob] | AsyncIterable[ModerationJob], *, concurrency: int = 8
    ) -> AsyncIterator[Moderated]:
        """Moderates many jobs at a time, giving each as it ends.

        Jobs are taken from the iterable only as there is room, so that memory holds what is in flight and no more.
        A job that fails is an item with its error; the others go on. Left early, what is in flight is no longer waited
        for; submitting such a job again gives its ticket.

        Args:
            jobs: The jobs, finite or not.
            concurrency: How many are in flight at a time.
        """
        async for item in many.moderate_many(self, jobs, concurrency):
            yield item

    # --- inside ---

    def _follower(self, instance: str) -> Follower | None:
        """What follows an instance's tasks here, if anything does."""
        known = self._instances.get(instance)
        return None if known is None else known.follower

    def _instance(self, name: str | None) -> Instance:
        name = name if name is not None else self.use
        if name not in self._instances:
            self._instances[name] = Instance(name, self.config, self.registry, credentials=self._credentials)
            self._instances[name].hearing = self.hearing
        return self._instances[name]

    def _owner(self, ticket: Ticket) -> Instance:
        instance = self._instance(ticket.instance)
        check_owner(ticket, instance)
        return instance

    async def _known(self, ticket: Ticket) -> tuple[Instance, Ticket]:
        """A ticket with its owner, opened, and what has become known of tasks whose fate was not."""
        instance = self._owner(ticket)
        await instance.open()
        return instance, await self._submissions.settler.known(ticket)

    async def _taken_up(self, ticket: Ticket) -> tuple[Instance, Ticket, ModerationJob | None, Plan | None]:
        """A ticket whose work is to be seen to its end: with its owner, its whole URL where that is needed, job and plan."""
        instance, ticket = await self._known(ticket)
        if "run" in instance.capabilities.operations:
            ticket = unseal(ticket, self.config.seal_key)
        return instance, ticket, *self._replan(ticket, instance)

    def _replan(self, ticket: Ticket, instance: Instance) -> tuple[ModerationJob | None, Plan | None]:
        """The job and plan of a ticket. Planning is pure, so it is done again rather than stored."""
        job = self._jobs.get(Place(ticket.key, ticket.attempt))
        if job is None or job.media.digest != ticket.media.digest:
            job = ticket.moderation_job()
        return job, None if job is None else self.plan(job, use=instance.name)

    def _conclude(
        self, ticket: Ticket, plan: Plan | None, raws: Sequence[RawTask], instance: Instance, notes: Sequence[Note]
    ) -> ModerationResult:
        result = self._result(ticket, plan, raws, instance, notes)
        instance.measure(result)
        return result

    def _result(
        self, ticket: Ticket, plan: Plan | None, raws: Sequence[RawTask], instance: Instance, notes: Sequence[Note] = ()
    ) -> ModerationResult:
        instance.places.ended(raws)
        return self._judge(assemble(ticket, plan, raws, instance.provider, notes=notes))

    async def _so_far(self, ticket: Ticket, raws: Sequence[RawTask], instance: Instance) -> ModerationResult:
        result = self._result(ticket, self._replan(ticket, instance)[1], raws, instance)
        await self._reporting.conclude(result, ticket)
        return result

    def _judge(self, result: ModerationResult) -> ModerationResult:
        return judged(result, self.policies, self.registry.taxonomy)
