"""What a moderator does besides moderating: finding, settling and forgetting submissions, and looking after instances."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from reelvet.journal import Place, Selection
from reelvet.journal.record import UNSETTLED
from reelvet.moderator import deciding, purging, replies

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime, timedelta

    from reelvet.journal import Journal
    from reelvet.moderator.deciding import Decision
    from reelvet.moderator.hearing import Hearing
    from reelvet.moderator.instance import Instance
    from reelvet.moderator.purging import Erasure
    from reelvet.moderator.settling import Settled
    from reelvet.moderator.submissions import Submissions
    from reelvet.plugins import Health, Learned, Registry
    from reelvet.schema.task import RawTask
    from reelvet.schema.ticket import Ticket


class Upkeep(ABC):
    """The part of `AsyncModerator` that no job's road leads through."""

    journal: Journal
    registry: Registry
    hearing: Hearing
    _submissions: Submissions

    @abstractmethod
    def _instance(self, name: str | None) -> Instance:
        """An instance; without a name, the one that jobs go to."""

    async def find(
        self, key: str, *, attempt: int = 1, use: str | None = None, since: datetime | None = None
    ) -> list[Ticket]:
        """Tickets for the tasks that the vendor holds under a job's key.

        Args:
            key: The job's key.
            attempt: Which attempt of it.
            use: The instance.
            since: How far back to look; by default three days.

        Raises:
            LookupUnsupported: The vendor keeps no key.
            ProviderError: The call failed.
        """
        instance = self._instance(use)
        return await replies.find(key, attempt, since, instance)

    async def settle(self, *, key: str | None = None, use: str | None = None) -> AsyncIterator[Settled]:
        """Looks at every submission of which nobody knows what it created, once: adopts what is found at the vendor.

        What is not found stays parked, unless the configuration's `[settle]` says what then becomes of it.

        Args:
            key: Only those of one job.
            use: Only those of one instance.
        """
        selection = Selection(states=UNSETTLED, key=key, instance=use)
        async for settled in self._submissions.settler.settle(selection):
            yield settled

    async def decide(self, key: str, decision: Decision, *, attempt: int = 1, tasks: Sequence[str] = ()) -> Settled:
        """Settles a submission by a person's word.

        Args:
            key: The job's key.
            decision: `adopt`: these tasks of the vendor's are its own. `absent`: what is unknown does not exist, so that the
                key may be submitted again. `resubmit`: that is done at once. `review`: it is left as it is, and its
                result says `review`.
            attempt: Which attempt of it.
            tasks: For `adopt`: the vendor's task ids, in the order of the tasks that are unknown.

        Raises:
            InvalidJob: There is no such submission, it is settled, or the tasks do not fit it.
            ProviderError: A call failed.
        """
        return await deciding.decide(
            Place(key, attempt), decision, tasks, settler=self._submissions.settler, journal=self.journal
        )

    async def purge(
        self, *, key: str | None = None, user: str | None = None, older_than: timedelta | None = None,
        local_only: bool = False, dry_run: bool = False,
    ) -> list[Erasure]:  # fmt: skip
        """Forgets jobs, here and at their vendors where these can. See `reelvet.moderator.purging.purge`."""
        return await purging.purge(
            self.journal, self._instance,
            key=key, user=user, older_than=older_than, local_only=local_only, dry_run=dry_run,
        )  # fmt: skip

    async def learn(
        self, payloads: Sequence[Any] = (), *, tasks: Sequence[str] = (), use: str | None = None
    ) -> Learned:
        """What the policies that are kept at the vendor seem to look at: a declaration for a person to check.

        Args:
            payloads: Stored replies to the vendor's "get task", with all that was looked at. No I/O for these.
            tasks: Ids of tasks to read besides.
            use: The instance, or the provider's id.

        Raises:
            OperationUnsupported: The provider has no such policies.
            InvalidJob: A payload is no such reply.
            ProviderError: A call failed.
        """
        return await replies.learn(payloads, tasks, self._instance(use), self.registry)

    async def check(self, *, use: str | None = None) -> Health:
        """A free call at the vendor that proves credentials and reach."""
        instance = self._instance(use)
        await instance.open()
        return await instance.provider.check()

    def notify(self, task: str, raw: RawTask | None = None, *, use: str | None = None) -> bool:
        """That there is news of a task, as from a callback: whoever waits for it here needs no poll to know.

        Args:
            task: The vendor's id of the task.
            raw: The whole last word on it, if that is trusted: no request is made. `None`: it is asked for at once.
            use: The instance whose account owns the task.

        Returns:
            Whether anybody waits for it. If nobody does yet, it is asked for as soon as somebody does.
        """
        return self.hearing.tell(self._instance(use).name, task, raw)
