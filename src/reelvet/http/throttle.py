"""Keeps the declared limits as the server sees them.

A window has as many slots as it allows requests. A slot is taken by a request and is free again one window after the
reply has come: the server counted the request before that, so two requests in one slot are never less than a window apart,
whatever the network does in between, and no window holds more requests than there are slots. A leaky bucket cannot
promise this: with a burst of the size of the rate it lets twice the rate through in one window.

For a slow reply the slot is free a window and `LAG` windows after the request was begun, so that at least
1 / (1 + `LAG`) of the limit can be used; the promise then holds if the request reached the server within that lag.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from reelvet.http.limits import Limit, Limits

LAG = 0.25


class Throttle:
    """Lets requests pass as `limits` allow, first come first served. Belongs to one event loop.

    Args:
        limits: As the vendor declares them.
        connections: Most requests at a time, of all operations; `None` for no limit.
    """

    def __init__(self, limits: Limits, *, connections: int | None = None) -> None:
        self._limits = limits
        self._connections = asyncio.Semaphore(connections) if connections else None
        self._gates: dict[str, _Gate] = {}
        self._total = _Gate(limits.total) if limits.total else None

    def passage(self, operation: str) -> AbstractAsyncContextManager[None]:
        """Wait for leave to send one request of that operation; the block is the request."""
        gates = [gate for gate in (self._gate(operation), self._total) if gate]
        if gates:
            return self._passage(gates)
        return self._connections or nullcontext()

    @asynccontextmanager
    async def _passage(self, gates: Sequence[_Gate]) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for gate in gates:
                if gate.concurrency:
                    await stack.enter_async_context(gate.concurrency)
            taken: list[_Gate] = []
            try:
                for gate in gates:
                    if gate.slots:
                        await gate.slots.acquire()
                        taken.append(gate)
                # Last, so that those who wait for their vendor's limit keep no connection from others.
                if self._connections:
                    await stack.enter_async_context(self._connections)
            except BaseException:
                # Cancelled while waiting: nothing was sent, so the slots are free at once.
                for gate in taken:
                    gate.free()
                raise
            # The clocks start only when all slots are held: waiting for one must not use up another.
            timers = [(gate, gate.free_after(gate.per * (1 + LAG))) for gate in taken]
            loop = asyncio.get_running_loop()
            begun = loop.time()
            try:
                yield
            finally:
                for gate, timer in timers:
                    if loop.time() - begun < gate.per * LAG:
                        timer.cancel()
                        gate.free_after(gate.per)

    def _gate(self, operation: str) -> _Gate | None:
        limit = self._limits.of(operation)
        if limit is None:
            return None
        return self._gates.setdefault(operation, _Gate(limit))


class _Gate:
    def __init__(self, limit: Limit) -> None:
        self.per = limit.per
        self.slots = asyncio.Semaphore(limit.requests) if limit.requests else None
        self.concurrency = asyncio.Semaphore(limit.concurrency) if limit.concurrency else None

    def free(self) -> None:
        if self.slots:
            self.slots.release()

    def free_after(self, seconds: float) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, self.free)
