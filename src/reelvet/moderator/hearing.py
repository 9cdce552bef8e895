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

    Wake = Callable[[RawTask | None], None]

INTERVAL = 0.5
"""Seconds between two looks into the journal, while somebody waits."""
_OVERLAP = 64
"""News from before the first waiter that are told all the same: one may have come while it began to wait."""
_GRACE = 5.0
"""Seconds in which a lower number may still appear after a higher one: it was given first, and is committed last."""
_log = logger("moderator")


class Hearing:
    """Who waits for which task, and what is new for them.

    While anybody waits and other processes write into the journal, its news are read every so often: a small query of
    the database, and none of a vendor. Used from one event loop.

    Args:
        journal: Where callbacks are kept.
        interval: Seconds between two looks into it.
    """

    def __init__(self, journal: Journal, *, interval: float = INTERVAL) -> None:
        self._journal = journal
        self._interval = interval
        self._waiters: dict[tuple[str, str], list[Wake]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._seen: set[int] = set()

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
        if self._reading is None and self._journal.shared:
            self._reading = asyncio.get_running_loop().create_task(self._read())
        try:
            yield
        finally:
            waiters.remove(wake)
            if not waiters:
                self._waiters.pop((instance, task), None)
            if not self._waiters and self._reading is not None:
                self._reading.cancel()
                self._reading = None

    def tell(self, instance: str, task: str, raw: RawTask | None = None) -> bool:
        """Wakes whoever waits for a task here. Returns whether anybody does."""
        waiters = list(self._waiters.get((instance, task), ()))
        for wake in waiters:
            wake(raw)
        return bool(waiters)

    def tell_of(self, news: News) -> bool:
        """The same of a callback, once for each: the receiver's follow-up and the journal's reader both tell of it."""
        if news.number in self._seen:
            return (news.instance, news.task) in self._waiters
        if self._reading is not None:
            self._seen.add(news.number)
        return self.tell(news.instance, news.task, said_in(news))

    def awaits(self, instance: str, task: str) -> bool:
        """Whether anybody waits for a task here."""
        return (instance, task) in self._waiters

    async def _read(self) -> None:
        after, gap_since = None, 0.0
        self._seen.clear()
        while True:
            try:
                if after is None:
                    after = max(0, await self._journal.last_news() - _OVERLAP)
                for news in await self._journal.news(after):
                    if news.number not in self._seen:
                        self.tell_of(news)
            except JournalError:
                # Whoever waits asks the vendor besides, so that nothing is lost by it.
                _log.warning("the journal's news cannot be read", exc_info=True)
            else:
                after, gap_since = self._moved_on(after, gap_since)
            await asyncio.sleep(self._interval)

    def _moved_on(self, after: int, gap_since: float) -> tuple[int, float]:
        """Up to where all was told; and since when a number is missing below one that is there."""
        while after + 1 in self._seen:
            after += 1
            self._seen.discard(after)
            gap_since = 0.0
        if not self._seen:
            return after, 0.0
        if not gap_since:
            return after, time.monotonic()
        if time.monotonic() - gap_since > _GRACE:  # nobody will ever have it: a callback that came twice uses one up
            return min(self._seen) - 1, 0.0
        return after, gap_since


def said_in(news: News) -> RawTask | None:
    """All that the vendor has to say of a task, where a callback tells it and can be trusted with it."""
    if news.raw is None or not news.complete:
        return None
    with contextlib.suppress(ValueError):  # of a later version
        return RawTask.model_validate_json(news.raw)
    return None
