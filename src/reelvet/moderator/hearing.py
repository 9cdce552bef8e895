"""News of tasks, told to whoever waits for them: from this process's receiver of callbacks, or from another's by the journal."""

from __future__ import annotations

import asyncio
import contextlib
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reelvet.http import logger
from reelvet.schema.errors import JournalError
from reelvet.schema.task import RawTask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reelvet.journal import Journal, News
    from reelvet.moderator.following import Follower

    Wake = Callable[[RawTask | None], None]

INTERVAL = 0.5
"""Seconds between two looks into the journal, while somebody waits."""
_OVERLAP = 64
"""News from before the first waiter that are told all the same: one may have come while it began to wait."""
_PAGE = 500
_GRACE = 5.0
"""Seconds in which a lower number may still appear after a higher one: it was given first, and is committed last."""
_log = logger("moderator")


class Hearing:
    """Who waits for which task, and what is new for them.

    While anybody waits and other processes write into the journal, its news are read every so often: a small query of
    the database, and none of a vendor. Used from one event loop.

    Args:
        journal: Where callbacks are kept.
        follower: By the name of an instance, what follows its tasks here: it is woken too.
        interval: Seconds between two looks into it.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        follower: Callable[[str], Follower | None] = lambda _: None,
        interval: float = INTERVAL,
    ) -> None:
        self._journal = journal
        self._follower = follower
        self._present = 0
        self._interval = interval
        self._waiters: dict[tuple[str, str], list[Wake]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._began = self._after = 0
        """From where on, and up to where, all of the journal's news were told."""
        self._seen: set[int] = set()
        """Those that were told beyond that."""
        self._mark: tuple[float, int] | None = None
        """A time, and the highest number of then: while some below it are missing."""

    @contextmanager
    def waiting(self, instance: str, task: str, wake: Wake) -> Iterator[None]:
        """Has somebody woken, while the block lasts, when there is news of a task.

        Args:
            instance: Whose account.
            task: The vendor's task id.
            wake: Called in the event loop, with all that the vendor has to say of the task; with `None` where the task
                is to be read again. May be called without need.
        """
        waiters = self._waiters.setdefault((instance, task), [])
        waiters.append(wake)
        try:
            with self.present():
                yield
        finally:
            waiters.remove(wake)
            if not waiters:
                self._waiters.pop((instance, task), None)

    @contextmanager
    def present(self) -> Iterator[None]:
        """Has the journal's news read while the block lasts, and whoever follows a task woken by them."""
        self._present += 1
        if self._reading is None and self._journal.shared:
            self._reading = asyncio.get_running_loop().create_task(self._read())
        try:
            yield
        finally:
            self._present -= 1
            if not self._present and self._reading is not None:
                self._reading.cancel()
                self._reading = None

    def tell(self, instance: str, task: str, raw: RawTask | None = None) -> bool:
        """Wakes whoever waits for a task here. Returns whether anybody does."""
        waiters = list(self._waiters.get((instance, task), ()))
        for wake in waiters:
            wake(raw)
        follower = self._follower(instance)
        followed = follower is not None and follower.wake(task, raw)
        return bool(waiters) or followed

    def tell_of(self, news: News) -> bool:
        """The same of a callback, once for each: the receiver's follow-up and the journal's reader both tell of it."""
        if self._began < news.number <= self._after or news.number in self._seen:
            return self.awaits(news.instance, news.task)
        if self._reading is not None:
            self._seen.add(news.number)
        return self.tell(news.instance, news.task, said_in(news))

    def awaits(self, instance: str, task: str) -> bool:
        """Whether anybody waits for a task here."""
        follower = self._follower(instance)
        return (instance, task) in self._waiters or (follower is not None and follower.follows(task))

    async def _read(self) -> None:
        began = False
        self._began, self._after, self._mark = 0, 0, None
        self._seen.clear()
        while True:
            try:
                if not began:
                    self._began = self._after = max(0, await self._journal.last_news() - _OVERLAP)
                    began = True
                await self._read_on()
            except JournalError:
                # Whoever waits asks the vendor besides, so that nothing is lost by it.
                _log.warning("the journal's news cannot be read", exc_info=True)
            await asyncio.sleep(self._interval)

    async def _read_on(self) -> None:
        read = self._after
        while True:
            page = await self._journal.news(read, _PAGE)
            for news in page:
                self.tell_of(news)
            if len(page) < _PAGE:
                break
            read = page[-1].number
        while self._after + 1 in self._seen:
            self._after += 1
            self._seen.discard(self._after)
        if not self._seen:
            self._mark = None
        elif self._mark is None:
            self._mark = (time.monotonic(), max(self._seen))
        elif time.monotonic() - self._mark[0] > _GRACE:
            # What is missing now nobody will ever have: a callback that came twice uses a number up.
            self._after = max(self._after, self._mark[1])
            self._seen = {number for number in self._seen if number > self._after}
            self._mark = None


def said_in(news: News) -> RawTask | None:
    """All that the vendor has to say of a task, where a callback tells it and can be trusted with it."""
    if news.raw is None or not news.complete:
        return None
    with contextlib.suppress(ValueError):  # of a later version
        return RawTask.model_validate_json(news.raw)
    return None
