"""The callbacks that tasks have promised: planned when a task is created, and again when it moves in the queue."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reelvet_tencent.sandbox import callbacks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reelvet.sandbox import Delivery, Emulator, Task
    from reelvet_tencent.sandbox.models import Dialect


@dataclass(slots=True)
class _Promise:
    task: Task
    dialect: Dialect
    ends: float
    planned: list[tuple[float, Delivery]] = field(default_factory=list)
    """For when it was meant, which a fault may make later, and what is sent."""


class Posting:
    """What is still to be called back."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._promises: dict[str, _Promise] = {}

    def clear(self) -> None:
        """Forgets all."""
        self._promises.clear()

    def promise(self, task: Task, dialect: Dialect) -> None:
        """Plans the callbacks of a task that was created now."""
        if "CallbackUrl" in task.data:
            promise = _Promise(task, dialect, task.ends)
            self._plan(promise)
            self._promises[task.id] = promise

    def keep(self) -> None:
        """Follows the queue: what is cancelled calls no more, what moved calls at another time."""
        now = self._emulator.world.clock.now()
        for promise in list(self._promises.values()):
            if promise.task.canceled is not None:
                self._withdraw(delivery for meant, delivery in promise.planned if meant > now)
                del self._promises[promise.task.id]
            elif promise.task.ends != promise.ends:
                old = promise.planned
                self._withdraw(delivery for _, delivery in old)
                promise.planned, promise.ends = [], promise.task.ends
                late = max((delivery.at - meant for meant, delivery in old), default=0.0)
                self._plan(promise, late=late, copies=max(len(old), 1))  # a file has one callback: these are its copies

    def _plan(self, promise: _Promise, *, late: float = 0.0, copies: int = 1) -> None:
        task, deliveries = promise.task, self._emulator.world.outbox.deliveries
        for moment, body in callbacks.planned(task, self._emulator.world.clock, promise.dialect):
            before = len(deliveries)
            for _ in range(copies):
                sent = callbacks.headers(body, task.extra["seed"])
                self._emulator.call_back(task.data["CallbackUrl"], sent, body, at=moment + late)
            promise.planned += [(moment, delivery) for delivery in deliveries[before:]]

    def _withdraw(self, deliveries: Iterable[Delivery]) -> None:
        outbox = self._emulator.world.outbox
        gone = {id(delivery) for delivery in deliveries if not delivery.settled}
        outbox.deliveries[:] = [delivery for delivery in outbox.deliveries if id(delivery) not in gone]
