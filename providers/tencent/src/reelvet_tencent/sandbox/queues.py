"""Files wait for one of so many hands; streams run at once. https://cloud.tencent.com/document/api/1265/51879."""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING

from reelvet.sandbox import Phase, Task, Tasks

if TYPE_CHECKING:
    from reelvet.sandbox import Clock


class Queues(Tasks):
    """All tasks, those of files in a queue. Of those that wait, the larger `Priority` goes first, then the older one."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._clock = clock
        self.hands: int | None = None
        """How many files are looked at at a time; `None`: all."""

    def cancel(self, task: Task) -> None:
        """Stops a task, as of now; what waits behind it moves up."""
        super().cancel(task)
        self.line_up()

    def streams(self) -> int:
        """How many streams are being looked at."""
        return sum(bool(task.extra["live"]) for task in self.unfinished())

    def line_up(self) -> None:
        """Says when each file is looked at: once for all that were added together, as every file that waits is gone through."""
        if self.hands is None:
            return
        now = self._clock.now()
        files = [task for task in self if not task.extra["live"]]
        waiting = [task for task in files if task.phase(now) is Phase.QUEUED]
        busy = sorted(task.ends for task in files if task.phase(now) is Phase.RUNNING)
        free = (busy + [now] * (self.hands - len(busy)))[-self.hands :]
        heapq.heapify(free)
        coming = deque(sorted(waiting, key=_earliest))
        ready: list[tuple[int, int, Task]] = []
        moment, number = now, 0
        while coming or ready:
            moment = max(moment, heapq.heappop(free))
            if not ready:
                moment = max(moment, _earliest(coming[0]))
            while coming and _earliest(coming[0]) <= moment:
                task = coming.popleft()
                number += 1
                heapq.heappush(ready, (-task.data.get("Priority", 0), number, task))
            chosen = heapq.heappop(ready)[2]
            chosen.starts, chosen.ends = moment, moment + chosen.work
            heapq.heappush(free, chosen.ends)


def _earliest(task: Task) -> float:
    return task.created + task.queue
