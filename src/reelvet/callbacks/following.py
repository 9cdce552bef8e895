"""What is done about a callback once it was answered. It stands in the journal until then, so that a crash loses none."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from reelvet.http import logger
from reelvet.journal import State
from reelvet.schema.errors import JournalError, ReelvetError

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelvet.journal import News
    from reelvet.moderator import AsyncModerator

LEASE = 60.0
_AT_ONCE = 16
_ROUND = 15.0
"""Seconds between two looks for what others have left."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 300.0
_MOST_TRIES = 24
"""With the pauses between them about an hour and a half."""
_log = logger("callbacks")


class Follower:
    """Follows callbacks up: those that were just kept, and those that an earlier process kept and got no further with.

    Whoever waits for the task here is woken, and reads it again unless the callback tells all and can be trusted. A
    task that no submission knows is given to the one whose key it carries; see `reelvet.moderator.orphans`. What
    waits in another process reads the journal's news by itself.

    Args:
        moderator: Whose submissions and waiters.
        count: Told of each what became of it: the instance, and the outcome.
        lease: Seconds after which another process may follow up what this one was about to.
    """

    def __init__(self, moderator: AsyncModerator, count: Callable[[str, str], None], *, lease: float = LEASE) -> None:
        self._moderator = moderator
        self._count = count
        self._lease = lease
        self._poked = asyncio.Event()
        self._working: dict[int, asyncio.Task[None]] = {}
        self._tries: dict[int, int] = {}
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins, with what is left over from before. Doing so twice does no harm."""
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._run())

    def poke(self) -> None:
        """Says that there is something to follow up."""
        self._poked.set()

    async def aclose(self) -> None:
        """Leaves off. What is not done stays in the journal, for the next one."""
        working = [*self._working.values(), *([self._running] if self._running is not None else [])]
        self._running = None
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._poked.clear()
            room = _AT_ONCE - len(self._working)
            try:
                found = await self._moderator.journal.unfollowed(self._lease, room) if room > 0 else []
            except JournalError:
                _log.warning("callbacks that are to be followed up cannot be read from the journal", exc_info=True)
                found = []
            for news in found:
                if news.number not in self._working:
                    self._working[news.number] = asyncio.create_task(self._follow(news))
            if found and len(self._working) < _AT_ONCE:
                continue  # there may be more
            with contextlib.suppress(TimeoutError):
                # Not `wait_for`: in Python 3.11 it takes no notice of being cancelled while it is poked.
                async with asyncio.timeout(_ROUND):
                    await self._poked.wait()

    async def _follow(self, news: News) -> None:
        try:
            await self._followed(news, await self._outcome(news))
        except JournalError:  # its lease runs out, and it is taken up again
            _log.warning(
                "the callback of task %s of %s stays to be followed up", news.task, news.instance, exc_info=True
            )
        finally:
            self._working.pop(news.number, None)
            self.poke()

    async def _outcome(self, news: News) -> str | None:
        """What became of it; `None`: it is to be looked at again."""
        hearing = self._moderator.hearing
        again = news.number in self._tries
        if hearing.tell(news.instance, news.task) if again else hearing.tell_of(news):
            return "woken"
        try:
            fate = await self._moderator.orphans.place(news)
        except JournalError:
            raise
        except ReelvetError as error:
            _log.warning("the callback of task %s of %s: %s", news.task, news.instance, error.message)
            return None
        except Exception as error:  # noqa: BLE001  (a provider may fail in any way; nobody else is to suffer)
            _log.warning("the callback of task %s of %s: the provider failed with %s", news.task, news.instance, type(error).__name__)  # fmt: skip
            return None
        if fate == "adopted" and hearing.tell(news.instance, news.task):
            return fate
        if fate in {"adopted", "known"} and self._moderator.tells_of_results:
            return fate if await self._concluded(news) else None
        return None if fate == "under way" else fate

    async def _concluded(self, news: News) -> bool:
        """Reads the job of a task that nobody waits for here, so that the platform hears of its result, or the journal has it."""
        record = await self._moderator.journal.of_task(news.instance, news.task)
        if record is None or record.state is State.ENDED:
            return True
        try:
            await self._moderator.status(record.load_ticket())
        except JournalError:
            raise
        except ReelvetError as error:
            _log.warning("the result of job %s cannot be read: %s", record.key, error.message)
            return False
        return True

    async def _followed(self, news: News, outcome: str | None) -> None:
        if outcome is None:
            tries = self._tries[news.number] = self._tries.get(news.number, 0) + 1
            if tries < _MOST_TRIES:
                pause = min(_FIRST_PAUSE * 2 ** (tries - 1), _LONGEST_PAUSE)
                await self._moderator.journal.followed(news, again=pause)
                asyncio.get_running_loop().call_later(pause, self.poke)
                return
            outcome = "given up"
            _log.warning("the callback of task %s of %s is given up", news.task, news.instance)
        self._tries.pop(news.number, None)
        await self._moderator.journal.followed(news)
        self._count(news.instance, outcome)
