"""Many jobs at a time, in the order in which they end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reelvet.http import logger
from reelvet.schema.errors import InvalidJob, ReelvetError
from reelvet.schema.job import ModerationJob

if TYPE_CHECKING:
    from reelvet.moderator.async_moderator import AsyncModerator
    from reelvet.schema.result import ModerationResult
    from reelvet.schema.ticket import Ticket

_END: Any = object()
_NO_JOB = "Give `ModerationJob` objects; `ModerationJob.parse` makes one of JSON or of a mapping."
_BUG = "The log of reelvet.moderator has the traceback; update the provider's distribution, or tell its authors."
_log = logger("moderator")


@dataclass(frozen=True, slots=True)
class Moderated:
    """One of many jobs, ended."""

    job: ModerationJob
    ticket: Ticket | None
    """`None` if it could not be submitted."""
    result: ModerationResult | None
    error: ReelvetError | None
    """Why there is no result."""


async def moderate_many(
    moderator: AsyncModerator, jobs: Iterable[ModerationJob] | AsyncIterable[ModerationJob], concurrency: int
) -> AsyncIterator[Moderated]:
    """See `AsyncModerator.moderate_many`."""
    if concurrency < 1:
        raise ValueError(f"concurrency must be at least 1, not {concurrency}")
    source = _Source(jobs)
    running: set[asyncio.Task[Moderated]] = set()
    coming: asyncio.Task[Any] | None = None
    exhausted = False
    try:
        while running or not exhausted:
            if not exhausted and len(running) < concurrency:
                source.ask(concurrency - len(running))
                coming = coming or asyncio.create_task(source.next())
            # What has ended is given at once, however long the source thinks about the next job.
            await asyncio.wait({*running, *([coming] if coming else [])}, return_when=asyncio.FIRST_COMPLETED)
            if coming is not None and coming.done():
                jobs_here, coming = [coming.result(), *source.at_hand()], None
                exhausted = jobs_here[-1] is _END
                running |= {asyncio.create_task(_one(moderator, job)) for job in jobs_here if job is not _END}
            for ended in [task for task in running if task.done()]:
                running.discard(ended)
                yield ended.result()
    finally:
        left = [*running, *([coming] if coming else [])]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await source.close()


@dataclass(frozen=True, slots=True)
class _Raised:
    """What an iterable raised in place of a job."""

    error: Exception


async def _one(moderator: AsyncModerator, job: Any) -> Moderated:
    if not isinstance(job, ModerationJob):
        return Moderated(job, None, None, InvalidJob(f"{type(job).__name__} is no ModerationJob", way_out=_NO_JOB))
    ticket: Ticket | None = None
    try:
        ticket = await moderator.submit(job)
        return Moderated(job, ticket, await moderator.wait(ticket), None)
    except ReelvetError as error:
        return Moderated(job, ticket or getattr(error, "ticket", None), None, error)
    except Exception as error:  # noqa: BLE001  (a provider's bug in one job must not end the others)
        _log.warning("a job failed by a bug", exc_info=True)
        return Moderated(job, ticket, None, ReelvetError(f"the provider failed: {type(error).__name__}", way_out=_BUG))


class _Source:
    """Takes as many jobs as are asked for, and hands each over as soon as it is there."""

    def __init__(self, jobs: Iterable[ModerationJob] | AsyncIterable[ModerationJob]) -> None:
        self._jobs = aiter(jobs) if isinstance(jobs, AsyncIterable) else iter(jobs)
        self._here: asyncio.Queue[Any] = asyncio.Queue()
        self._owed = 0
        self._asked = 0
        self._taker: asyncio.Task[None] | None = None
        self._closed = threading.Event()

    def ask(self, room: int) -> None:
        """Has so many jobs taken, less those that were asked for before and have not been handed over."""
        more = max(0, room - self._owed)
        self._owed += more
        self._asked += more
        if self._asked and self._taker is None:
            self._taker = asyncio.create_task(self._take_what_is_asked())

    async def next(self) -> Any:
        """The next job, or `_END`.

        Raises:
            Exception: What the iterable raised.
        """
        return self._handed_over(await self._here.get())

    def at_hand(self) -> Iterator[Any]:
        """Those that are there without waiting."""
        while not self._here.empty():
            yield self._handed_over(self._here.get_nowait())

    async def close(self) -> None:
        """Takes no more."""
        self._closed.set()
        if self._taker is not None:
            self._taker.cancel()
            await asyncio.gather(self._taker, return_exceptions=True)

    def _handed_over(self, item: Any) -> Any:
        self._owed -= 1
        if isinstance(item, _Raised):
            raise item.error
        return item

    async def _take_what_is_asked(self) -> None:
        loop = asyncio.get_running_loop()
        while self._asked:
            count, self._asked = self._asked, 0
            if isinstance(self._jobs, AsyncIterator):
                await self._wait_for(self._jobs, count)
            else:
                # A generator may read from a disk or a database: not in the event loop. All that there is room for in
                # one visit to the thread: each visit waits while the loop is busy, and what comes apart is sent apart.
                await asyncio.to_thread(self._take, self._jobs, count, loop)
        self._taker = None

    async def _wait_for(self, jobs: AsyncIterator[ModerationJob], count: int) -> None:
        for _ in range(count):
            try:
                item = await anext(jobs, _END)
            except Exception as error:  # noqa: BLE001  (raised where the job would have been handed over)
                item = _Raised(error)
            self._here.put_nowait(item)
            if item is _END or isinstance(item, _Raised):
                return

    def _take(self, jobs: Iterator[ModerationJob], count: int, loop: asyncio.AbstractEventLoop) -> None:
        for _ in range(count):
            if self._closed.is_set():
                return
            try:
                item = next(jobs, _END)
            except Exception as error:  # noqa: BLE001  (as above)
                item = _Raised(error)
            if self._closed.is_set():
                return
            loop.call_soon_threadsafe(self._here.put_nowait, item)
            if item is _END or isinstance(item, _Raised):
                return
