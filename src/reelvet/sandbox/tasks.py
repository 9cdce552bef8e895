"""The tasks of an emulator: queued, running, done, as virtual time goes by."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from reelvet.sandbox.clock import Clock
    from reelvet.sandbox.scenario import Scenario


class Phase(StrEnum):
    """How far a task is, in no vendor's words."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELED = "canceled"


@dataclass(slots=True, eq=False)
class Task:
    """One task. Times are virtual seconds; `starts` and `ends` are set by `Tasks`."""

    id: str
    operation: str
    """The operation that created it."""
    data: dict[str, Any]
    """What it was created with, in the vendor's shape."""
    scenario: Scenario
    queue: float
    """Seconds that it waits at least before it is worked at."""
    work: float
    """Seconds of work; infinite for one that never ends."""
    extra: dict[str, Any] = field(default_factory=dict)
    """What else the emulator keeps of it."""
    created: float = 0.0
    created_date: datetime | None = None
    listed_from: float = 0.0
    """When lists begin to show it."""
    canceled: float | None = None
    starts: float = math.inf
    ends: float = math.inf

    def phase(self, now: float) -> Phase:
        """How far it is."""
        if self.canceled is not None and self.canceled <= now:
            return Phase.CANCELED
        if now < self.starts:
            return Phase.QUEUED
        return Phase.RUNNING if now < self.ends else Phase.DONE

    def done_part(self, now: float) -> float:
        """How much of its work is done, 0-1."""
        until = min(now, self.ends if self.canceled is None else self.canceled)
        if until <= self.starts:
            return 0.0
        return min((until - self.starts) / self.work, 1.0) if self.work > 0 else 1.0


class Tasks:
    """All tasks of one emulator, at most so many of them running at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: dict[str, Task] = {}
        self.parallel: int | None = None
        """How many run at a time; `None`: all."""

    def __iter__(self) -> Iterator[Task]:
        return iter(self._tasks.values())

    def __len__(self) -> int:
        return len(self._tasks)

    def get(self, id_: str) -> Task | None:
        """The task of that id."""
        return self._tasks.get(id_)

    def add(self, task: Task) -> Task:
        """Takes a new task in, as of now."""
        task.created, task.created_date = self._clock.now(), self._clock.date()
        task.listed_from = max(task.listed_from, task.created)
        self._tasks[task.id] = task
        self._plan(task)
        return task

    def cancel(self, task: Task) -> None:
        """Stops a task, as of now; what waits behind it moves up."""
        task.canceled = self._clock.now()
        self._plan(task)

    def unfinished(self) -> list[Task]:
        """Those that wait or run."""
        now = self._clock.now()
        return [task for task in self if task.phase(now) in {Phase.QUEUED, Phase.RUNNING}]

    def listed(self) -> list[Task]:
        """Those that lists show by now."""
        now = self._clock.now()
        return [task for task in self if task.listed_from <= now]

    def clear(self) -> None:
        """Forgets all."""
        self._tasks.clear()

    def _plan(self, changed: Task) -> None:
        """First come, first served, over as many hands as there are; where there are enough, nobody waits for another."""
        hands = [0.0] * (self.parallel or 0)
        for task in self if hands else (changed,):
            free = heapq.heappop(hands) if hands else 0.0
            start = max(task.created + task.queue, free)
            given_up = math.inf if task.canceled is None else task.canceled
            began = start < given_up
            task.starts = start if began else math.inf
            task.ends = task.starts + task.work
            if self.parallel:
                heapq.heappush(hands, min(task.ends, given_up) if began else free)
