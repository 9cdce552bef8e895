"""Reading the vendor's list where many tasks are in flight: one request tells of a hundred."""

from __future__ import annotations

import asyncio
import contextvars
import math
import statistics
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from reelvet.http import logger
from reelvet.plugins import TimeWindow
from reelvet.schema.errors import LookupUnsupported, ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reelvet.moderator.followed import Followed
    from reelvet.moderator.pace import Pace
    from reelvet.plugins import Provider
    from reelvet.schema.task import RawTask

_log = logger("moderator")
_BEFORE = timedelta(seconds=15)
"""By which a window begins earlier than the task was submitted, by the clock here: the vendor's is another."""

_SLOWEST = 0.05
"""The share of tasks that is left out of the window where it could be half as long without them: a list is not read back
by a day for one task that never ends."""

_OTHERS = 30
"""Times as many tasks as are waited for, of which the list is too much: it is mostly others', or what has ended."""

_SHORT = 5.0
"""Seconds that most tasks must last: of shorter ones a list shows little but those that have ended."""

_LOOK_AGAIN = 0.5
"""Seconds until it is looked at again whether they do."""

_REST = 60.0
"""Seconds until the list is tried again after it failed."""

_LONGEST = 300.0
"""Seconds that one reading may take."""

_SAMPLE = 200
_BREATH = 10
"""Tasks of a list between which others have their turn."""


class Sweeper:
    """Reads the list as long as there are enough tasks, and says which of them need not be asked for by themselves.

    Args:
        provider: Whose list.
        pace: How often.
        followed: What is waited for, by id.
        least: How many tasks are enough.
        seen: Given each of them that the list shows.
        released: Called when the list is no longer read, and tasks are still waited for.
    """

    def __init__(
        self,
        provider: Provider,
        pace: Pace,
        followed: Mapping[str, Followed],
        *,
        least: int,
        seen: Callable[[Followed, RawTask], None],
        released: Callable[[], None],
    ) -> None:
        self._provider = provider
        self._pace = pace
        self._followed = followed
        self._least = least
        self._seen = seen
        self._released = released
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._not_before = -math.inf
        self._too_few = math.inf
        """How many were waited for when the list was mostly others'."""
        self._swept_at = -math.inf
        """When the last complete reading began."""
        self._cut = -math.inf
        """Tasks submitted before are not in the window."""
        self._hint: float | None = None

    def consider(self) -> None:
        """Begins to read the list, if that is worth it."""
        if self._task is not None or len(self._followed) < self._least:
            return
        if self._loop.time() >= self._not_before or len(self._followed) >= 2 * self._too_few:
            if not self._pays():
                self._not_before = self._loop.time() + _LOOK_AGAIN
                return
            self._too_few = math.inf
            self._swept_at = self._cut = -math.inf
            # In a context of its own: it is no part of the span of whoever happened to be the last to come.
            self._task = self._loop.create_task(self._run(), context=contextvars.Context())

    def stop(self) -> None:
        """Reads no more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def reaches(self, followed: Followed) -> bool:
        """Whether the list is read as far back as that task."""
        return self._task is not None and followed.submitted_at >= self._cut

    def covers(self, followed: Followed) -> bool:
        """Whether a task need not be asked for: the list shows it, or cannot have shown it yet."""
        since = followed.submitted_at if followed.listed_at is None else followed.listed_at
        return self.reaches(followed) and since >= self._swept_at

    async def _run(self) -> None:
        rest = 0.0
        try:
            # Not given up at once below the number it began with: jobs come and go.
            while len(self._followed) * 2 >= self._least and self._pays():
                await asyncio.sleep(self._pause())
                async with asyncio.timeout(_LONGEST):
                    if not await self._sweep():
                        rest, self._too_few = _REST, len(self._followed)
                        break
        except LookupUnsupported:
            rest = math.inf
        except (ProviderError, TimeoutError) as error:
            rest = max(_REST, getattr(error, "retry_after", None) or 0.0)
            _log.info("%s: the list of tasks could not be read: %s", self._provider.id, error)
        except Exception:  # noqa: BLE001  (a provider's bug; the tasks are still asked for one by one)
            rest = math.inf
            _log.warning("%s failed to read the list of tasks", self._provider.id, exc_info=True)
        self._task = None
        self._not_before = self._loop.time() + rest
        self._released()
        if 0 < rest < math.inf:
            self._loop.call_later(rest, self.consider)

    def _some(self) -> Iterable[Followed]:
        return islice(self._followed.values(), 0, None, max(1, len(self._followed) // _SAMPLE))

    def _pays(self) -> bool:
        """Whether tasks last long enough for a list to show them while they run; where that is not known, they may."""
        now = self._loop.time()
        last = [
            max(now - one.submitted_at, self._pace.soonest(one.ref.category, one.media))
            if self._pace.knows(one.ref.category)
            else math.inf
            for one in self._some()
        ]
        return bool(last) and statistics.median(last) >= _SHORT

    def _pause(self) -> float:
        now = self._loop.time()
        tasks = [(now - one.submitted_at, self._pace.soonest(one.ref.category, one.media)) for one in self._some()]
        return self._pace.between_lists(tasks, hint=self._hint)

    async def _sweep(self) -> bool:
        """Reads the list once. False if it is mostly others'."""
        began = self._loop.time()
        times = sorted(one.submitted_at for one in self._followed.values())
        if not times:
            return True
        cut, without_slowest = times[0], times[min(max(1, int(len(times) * _SLOWEST)), len(times) - 1)]
        if (began - without_slowest) * 2 < began - cut:
            cut = without_slowest
        left = sum(1 for time in times if cut <= time <= began)
        most = max(len(times), self._least) * _OTHERS
        hints, read = [], 0
        window = TimeWindow(datetime.now(UTC) - timedelta(seconds=began - cut) - _BEFORE)
        listed = aiter(self._provider.sweep(window))
        try:
            async for raw in listed:
                read += 1
                if read % _BREATH == 0:
                    await asyncio.sleep(0)
                one = self._followed.get(raw.ref.id)
                if one is not None and one.listed_at != began:
                    one.listed_at = began
                    self._seen(one, raw)
                    if raw.poll_after and not raw.status.final:
                        hints.append(raw.poll_after)
                    left -= cut <= one.submitted_at <= began
                if not left:
                    break  # all have been seen; what the list has further back is nobody's
                if read >= most:
                    return False
        finally:
            close = getattr(listed, "aclose", None)
            if close is not None:
                await close()
        self._swept_at, self._cut = began, cut
        self._hint = min(hints, default=None)
        return True
