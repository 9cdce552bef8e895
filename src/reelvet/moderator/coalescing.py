"""What is submitted at the same time to a vendor that takes several tasks in one call is sent together.

Only the sending is shared. Each task has an outcome of its own, and whoever submitted it learns of no other.
"""

from __future__ import annotations

import asyncio
import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reelvet.plugins import Rejected, Unknown
from reelvet.schema.errors import UnexpectedReply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from reelvet.plugins import BatchRule, Outcome
    from reelvet.schema.plan import VendorTask

    Send = Callable[[Sequence[VendorTask]], Awaitable[list[Outcome]]]
    Leave = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    task: VendorTask
    outcome: asyncio.Future[Outcome]


_MOST_WINDOWS = 10
"""Windows for which a call is held at most while tasks keep coming."""


@dataclass(slots=True)
class _Bucket:
    """Tasks that may share a call, and the timer after which those that are there are sent."""

    until: float
    """When they are sent, however many are still coming."""
    waiting: list[_Waiting] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None
    seen: int = 1
    """How many there were when the timer was set."""
    sending: asyncio.Task[None] | None = None
    """Waits for leave, and sends what has come until then."""
    keys: set[str] = field(default_factory=set)
    """Of those that wait."""

    def take(self, most: int) -> list[_Waiting]:
        """The tasks of one call: two equal keys could not be told apart in one, and who was cancelled has sent nothing."""
        call: dict[str, _Waiting] = {}
        left: list[_Waiting] = []
        for one in self.waiting:
            if one.outcome.done():
                continue
            if len(call) < most and one.task.vendor_key not in call:
                call[one.task.vendor_key] = one
            else:
                left.append(one)
        self.waiting, self.keys = left, {one.task.vendor_key for one in left}
        return [*call.values()]


class Coalescer:
    """The submissions of one instance, in whichever event loop they are made.

    A call is made up when it may go, and not before: as long as the vendor's rate has it wait, tasks still join it.

    Args:
        rule: The provider's; `None` sends what is submitted together, and nothing else, in one call of the provider.
    """

    def __init__(self, rule: BatchRule | None) -> None:
        self._rule = rule
        self._buckets: dict[tuple[asyncio.AbstractEventLoop, str], _Bucket] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._turns: dict[asyncio.AbstractEventLoop, asyncio.Lock] = {}

    async def submit(self, tasks: Sequence[VendorTask], send: Send, leave: Leave | None = None) -> list[Outcome]:
        """One outcome per task, in order.

        Cancelled before its tasks are sent, they are not. Afterwards the call goes on: others have tasks in it.

        Args:
            tasks: What to submit.
            send: Sends tasks in one call, and gives one outcome for each.
            leave: Waits until a call would go out at once; `None`: it always does.
        """
        rule = self._rule
        if rule is None:
            return await send(tasks)
        alone = [rule.share_key(task) is None for task in tasks]
        places = [
            asyncio.ensure_future(self._one(task, send)) if is_alone else self._join(task, rule, send, leave)
            for task, is_alone in zip(tasks, alone, strict=True)
        ]
        return list(await asyncio.gather(*places))

    @staticmethod
    async def _one(task: VendorTask, send: Send) -> Outcome:
        return (await send([task]))[0]

    def _join(self, task: VendorTask, rule: BatchRule, send: Send, leave: Leave | None) -> asyncio.Future[Outcome]:
        loop = asyncio.get_running_loop()
        place = (loop, rule.share_key(task) or "")
        bucket = self._buckets.setdefault(place, _Bucket(loop.time() + _MOST_WINDOWS * rule.window))
        outcome: asyncio.Future[Outcome] = loop.create_future()
        bucket.waiting.append(_Waiting(task, outcome))
        bucket.keys.add(task.vendor_key)
        if bucket.sending is None:
            if len(bucket.keys) >= rule.max:
                self._start(place, rule, send, leave)
            elif bucket.timer is None:
                self._wait(place, rule, send, leave)
        return outcome

    def _wait(
        self, place: tuple[asyncio.AbstractEventLoop, str], rule: BatchRule, send: Send, leave: Leave | None
    ) -> None:
        """Waits a window for what may come besides."""
        bucket = self._buckets[place]
        bucket.seen = len(bucket.waiting)
        bucket.timer = place[0].call_later(rule.window, self._due, place, rule, send, leave)

    def _due(
        self, place: tuple[asyncio.AbstractEventLoop, str], rule: BatchRule, send: Send, leave: Leave | None
    ) -> None:
        """Sends what waits, unless there is more to come.

        More may come as long as some came within the last window; or if the loop was too busy for any to come, which
        says nothing of whether somebody was about to.
        """
        loop, bucket = place[0], self._buckets[place]
        now, due = loop.time(), bucket.timer.when() if bucket.timer is not None else 0.0
        if now < bucket.until and (len(bucket.waiting) > bucket.seen or now - due > rule.window):
            self._wait(place, rule, send, leave)
        else:
            self._start(place, rule, send, leave)

    def _start(
        self, place: tuple[asyncio.AbstractEventLoop, str], rule: BatchRule, send: Send, leave: Leave | None
    ) -> None:
        bucket = self._buckets[place]
        if bucket.timer is not None:
            bucket.timer.cancel()
            bucket.timer = None
        bucket.sending = place[0].create_task(self._send(place, rule, send, leave))

    async def _send(
        self, place: tuple[asyncio.AbstractEventLoop, str], rule: BatchRule, send: Send, leave: Leave | None
    ) -> None:
        """Sends what waits, and what comes meanwhile; the rest of it, if it fills no call, waits for others anew."""
        loop, bucket = place[0], self._buckets[place]
        turn = self._turns.setdefault(loop, asyncio.Lock())
        try:
            while True:
                async with turn:  # leave is for one call
                    if leave is not None:
                        await leave()
                    if call := bucket.take(rule.max):
                        running = loop.create_task(_call(call, send))
                        self._calls.add(running)
                        running.add_done_callback(self._calls.discard)
                        await asyncio.sleep(0)  # it has begun, and the leave is used up
                if len(bucket.keys) < rule.max:
                    break
        except BaseException:
            for one in bucket.waiting:
                one.outcome.cancel()  # it was broken off
            bucket.waiting = []
            raise
        finally:
            bucket.sending = None
            if bucket.waiting:
                bucket.until = loop.time() + _MOST_WINDOWS * rule.window
                self._wait(place, rule, send, leave)
            else:
                del self._buckets[place]
                if not any(other is loop for other, _ in self._buckets):
                    del self._turns[loop]


async def _call(waiting: Sequence[_Waiting], send: Send) -> None:
    """One call, whose outcomes are handed to those who wait for them."""
    try:
        outcomes = await send([one.task for one in waiting])
        if len(outcomes) != len(waiting):
            error = UnexpectedReply(f"{len(outcomes)} outcomes for {len(waiting)} tasks")
            outcomes = [Unknown(error) for _ in waiting]
        for one, outcome in zip(waiting, outcomes, strict=True):
            if not one.outcome.done():
                one.outcome.set_result(_own(outcome) if len(waiting) > 1 else outcome)
    finally:
        for one in waiting:
            if not one.outcome.done():
                one.outcome.cancel()  # the call itself was broken off


def _own(outcome: Outcome) -> Outcome:
    """An outcome with an error of its own: raised for one job, it must not carry another's traceback."""
    if isinstance(outcome, Rejected | Unknown):
        error = copy.copy(outcome.error)
        error.__cause__ = outcome.error.__cause__
        return replace(outcome, error=error)
    return outcome
