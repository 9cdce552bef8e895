"""Everything that is waited for at one instance, in one event loop: few timers, few requests, and no task per task."""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reelvet.moderator.followed import Followed
from reelvet.moderator.queued import waits_for
from reelvet.moderator.sweeping import Sweeper
from reelvet.plugins import Progress
from reelvet.schema.errors import ProviderError
from reelvet.schema.task import RawTask, Status

if TYPE_CHECKING:
    from reelvet.config import PollingConfig
    from reelvet.moderator.instance import Instance
    from reelvet.moderator.pace import Pace
    from reelvet.schema.media import MediaKind
    from reelvet.schema.task import TaskRef

MOST_FAILURES = 20
_AT_A_TIME = 30
"""Questions under way. More would wait for a connection, cost memory, and hold others up where they end together."""

_EARLY = 10_000
"""Tasks of which news came before anybody waited for them, remembered at most."""

_SCOUTS = 30
"""Tasks that are asked for as long as nobody knows how long they take; by those that end first, the others learn when."""

_TEACH = 200
"""Of tasks in flight so many are chosen, when they are submitted, to teach how long tasks take. All of them would not do: the
last that ended would be the slowest of those that were submitted together."""

_DONE = {Status.SUCCEEDED, Status.PARTIAL}


class Follower:
    """Finds out how tasks end.

    Each task has a timer, and is asked for when it fires. Where many are in flight and the vendor has a list, the list is
    read instead (`Sweeper`); what it shows to have ended is asked for once, for the whole reply. Whoever hears of a task
    from elsewhere, as in a callback, calls `wake`.
    """

    def __init__(self, instance: Instance, polling: PollingConfig, pace: Pace) -> None:
        self._instance = instance
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._all: dict[str, Followed] = {}
        self._asking = 0
        self._turn: OrderedDict[Followed, None] = OrderedDict()
        self._early: OrderedDict[str, None] = OrderedDict()
        self._sweeper: Sweeper | None = None
        if "sweep" in instance.capabilities.operations:
            self._sweeper = Sweeper(
                instance.provider, pace, self._all, least=polling.list_from, seen=self._seen, released=self._released
            )

    def __len__(self) -> int:
        return len(self._all)

    def follow(
        self,
        ref: TaskRef,
        submitted_at: datetime,
        *,
        kind: MediaKind,
        media: float | None = None,
        answer: RawTask | None = None,
    ) -> tuple[Followed, asyncio.Future[RawTask]]:
        """Has a task followed until it has ended, or everybody who waits for it has left.

        Args:
            ref: The task.
            submitted_at: When it was submitted.
            kind: Of what media.
            media: How long that is in seconds, where it is known.
            answer: The last word, of a vendor that gave it when the task was submitted.

        Returns:
            What is followed, and the last word on it, or the error that nothing helps against. Both are to be given to
            `leave`.
        """
        end: asyncio.Future[RawTask] = self._loop.create_future()
        age = max(0.0, (datetime.now(UTC) - submitted_at).total_seconds())
        followed = Followed(ref, now=self._loop.time(), age=age, kind=kind, media=media)
        if answer is not None:
            end.set_result(answer)
            return followed, end
        known = self._all.get(ref.id)
        if known is not None and known.ref == ref and not known.is_over:
            known.ends += (end,)
            return known, end
        followed.ends = (end,)
        if known is None or known.is_over:
            self._all[ref.id] = followed
        # else the same task by another name (adopted, and submitted here), followed by itself: what is read differs
        followed.is_scout = len(self._all) <= _SCOUTS
        followed.teaches = random.random() * len(self._all) < _TEACH  # noqa: S311
        if ref.id in self._early:
            del self._early[ref.id]
            self._ask(followed)
        else:
            self._arm(followed, max(0.0, self._pause(followed, None, age=0.0) - age))
        if self._sweeper is not None:
            self._sweeper.consider()
        return followed, end

    def leave(self, followed: Followed, end: asyncio.Future[RawTask]) -> None:
        """Whoever waited does so no more."""
        followed.ends = tuple(one for one in followed.ends if one is not end)
        if followed.ends:
            return
        followed.rest()
        self._turn.pop(followed, None)
        if self._all.get(followed.ref.id) is followed:
            del self._all[followed.ref.id]
        if not self._all and self._sweeper is not None:
            self._sweeper.stop()

    def follows(self, task: str) -> bool:
        """Whether anybody waits for a task."""
        return task in self._all

    def wake(self, task: str, raw: RawTask | None = None) -> bool:
        """That there is news of a task.

        Args:
            task: The vendor's id of it.
            raw: All that the vendor has to say of it, where that is trusted: if it has ended, no request is made.
                `None` has it asked for at once.

        Returns:
            Whether anybody waits for it. If nobody does yet, it will be asked for at once when somebody does.
        """
        followed = self._all.get(task)
        if followed is None:
            self._early[task] = None
            self._early.move_to_end(task)
            if len(self._early) > _EARLY:
                self._early.popitem(last=False)
            return False
        if raw is not None and raw.status.final:
            now = self._loop.time()
            self._end(followed, raw.model_copy(update={"ref": followed.ref}), took=now - followed.submitted_at)
        else:
            self._ask(followed)
        return True

    # --- asking ---

    def _arm(self, followed: Followed, seconds: float) -> None:
        if followed.timer is not None:
            followed.timer.cancel()
        # Tasks that were submitted together are not asked for in one moment.
        spread = seconds * random.uniform(0.9, 1.0)  # noqa: S311  (no secret)
        followed.timer = self._loop.call_later(spread, self._due, followed)

    def _due(self, followed: Followed) -> None:
        followed.timer = None
        if self._sweeper is not None:
            self._sweeper.consider()
        if self._sweeper is not None and self._sweeper.covers(followed):
            self._arm(followed, self._pace.rarely(self._loop.time() - followed.submitted_at))
        else:
            self._ask(followed)

    def _ask(self, followed: Followed) -> None:
        if followed.is_over or not followed.ends:
            return
        if followed.task is not None:
            followed.again = True
            return
        if self._asking >= _AT_A_TIME:
            self._turn[followed] = None
            return
        self._asking += 1
        followed.task = self._loop.create_task(self._fetch(followed), context=followed.context)
        followed.task.add_done_callback(self._next)

    def _next(self, _: object) -> None:
        self._asking -= 1
        while self._turn and self._asking < _AT_A_TIME:
            self._ask(self._turn.popitem(last=False)[0])

    async def _fetch(self, followed: Followed) -> None:
        followed.again, hint = False, None
        try:
            raw = await self._instance.provider.fetch(followed.ref)
        except ProviderError as error:
            followed.failures += 1
            if not error.retryable or followed.failures >= MOST_FAILURES:
                followed.end(error)
            hint = error.retry_after
        except Exception as error:  # noqa: BLE001  (a provider's bug is told to whoever waits)
            followed.end(error)
        except asyncio.CancelledError:
            for end in followed.ends:
                end.cancel()  # by a loop that ends: nobody waits in vain
            raise
        else:
            followed.failures, hint = 0, raw.poll_after
            if raw.status.final:
                self._end(followed, raw)
            else:
                self._alive(followed, raw)
        finally:
            followed.task = None
        if followed.is_over or not followed.ends:
            return
        if followed.again:
            self._loop.call_soon(self._ask, followed)
        else:
            self._arm(followed, self._pause(followed, hint))

    def _pause(self, followed: Followed, hint: float | None, *, age: float | None = None) -> float:
        if age is None:
            age = self._loop.time() - followed.submitted_at
        if self._sweeper is not None and self._sweeper.reaches(followed) and not followed.failures:
            return self._pace.rarely(age, hint=hint)
        if not followed.is_scout and not self._pace.knows(followed.ref.category) and not followed.failures:
            return self._pace.rarely(age, hint=hint)
        soonest = self._pace.soonest(followed.ref.category, followed.media)
        return self._pace.pause(age, soonest, hint=hint, failures=followed.failures)

    # --- what comes of it ---

    def _seen(self, followed: Followed, raw: RawTask) -> None:
        """What the list shows of a task: enough to go on waiting, and too little to end with."""
        if raw.status.final:
            self._ask(followed)
        else:
            self._alive(followed, raw)

    def _released(self) -> None:
        """Nobody is told of by others any more: by the list, which is no longer read, or by scouts, who are back."""
        for followed in self._all.values():
            if followed.task is None and not followed.is_over:
                self._arm(followed, self._pause(followed, None))

    def _alive(self, followed: Followed, raw: RawTask) -> None:
        followed.alive_at = self._loop.time()
        if self._instance.is_heard(followed.ref.id):
            waits = waits_for(self._instance.capabilities, followed.kind) if raw.status is Status.QUEUED else None
            self._instance.tell(Progress(followed.ref.id, None, waits or raw.native_status or raw.status))

    def _end(self, followed: Followed, raw: RawTask, *, took: float | None = None) -> None:
        if followed.is_over:
            return
        took = followed.took(self._loop.time()) if took is None else took
        if took is not None and followed.teaches and raw.status in _DONE:
            knew = self._pace.knows(followed.ref.category)
            self._pace.learn(followed.ref.category, took, followed.media)
            if not knew and self._pace.knows(followed.ref.category):
                self._released()
        followed.end(raw)
