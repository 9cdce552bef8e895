"""Keeps the declared limits as the server sees them.

A window has as many slots as it allows requests. A slot is taken by a request and is free again one window after the
reply has come: the server counted the request before that, so two requests in one slot are never less than a window apart,
whatever the network does in between, and no window holds more requests than there are slots. A leaky bucket cannot
promise this: with a burst of the size of the rate it lets twice the rate through in one window.

For a slow reply the slot is free a window and `LAG` windows after the request was sent, so that at least
1 / (1 + `LAG`) of the limit can be used; the promise then holds if the request reached the server within that lag. Sent is
what the socket was given: between that and leave lies a connection to be made, in an event loop that may be busy.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from reelvet.http.limits import Limit, Limits

LAG = 0.25


def _nobody_asks() -> None:
    """What is called where no rate counts."""


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

    @asynccontextmanager
    async def passage(self, operation: str) -> AsyncIterator[Callable[[], None]]:
        """Wait for leave to send one request of that operation; the block is the request.

        Gives what is to be called when it has been sent. If it never is, the request counts as sent when it was answered.
        """
        gates = self._gates_of(operation)
        if gates:
            async with self._passage(gates) as sent:
                yield sent
        else:
            async with self._connections or nullcontext():
                yield _nobody_asks

    async def room(self, operation: str) -> None:
        """Wait until a request of that operation could pass at once. Nothing is taken: another may be quicker."""
        gates = self._gates_of(operation)
        while (full := next((gate for gate in gates if not gate.has_room()), None)) is not None:
            await full.room()

    @asynccontextmanager
    async def _passage(self, gates: Sequence[_Gate]) -> AsyncIterator[Callable[[], None]]:
        held: list[asyncio.Semaphore] = []  # given back at the end
        try:
            await self._enter(gates, held)
            # The clocks start only when all slots are held: waiting for one must not use up another.
            flights = [(gate, _Flight()) for gate in gates]

            def sent() -> None:
                for gate, flight in flights:
                    gate.sent(flight)

            try:
                yield sent
            finally:
                for gate, flight in flights:
                    gate.end(flight)
        finally:
            for semaphore in held:
                semaphore.release()

    async def _enter(self, gates: Sequence[_Gate], held: list[asyncio.Semaphore]) -> None:
        taken: list[_Gate] = []
        try:
            for gate in gates:
                if gate.concurrency:
                    await gate.concurrency.acquire()
                    held.append(gate.concurrency)
            for gate in gates:
                await gate.take()
                taken.append(gate)
            # Last, so that those who wait for their vendor's limit keep no connection from others.
            if self._connections:
                await self._connections.acquire()
                held.append(self._connections)
        except BaseException:
            # Cancelled while waiting: nothing was sent, so the slots are free at once.
            for gate in taken:
                gate.give_back()
            raise

    def _gates_of(self, operation: str) -> list[_Gate]:
        return [gate for gate in (self._gate(operation), self._total) if gate]

    def _gate(self, operation: str) -> _Gate | None:
        if (known := self._gates.get(operation)) is not None:
            return known
        limit = self._limits.of(operation)
        if limit is None:
            return None
        return self._gates.setdefault(operation, _Gate(limit))


class _Flight:
    """A request on its way, in one slot."""

    __slots__ = ("is_over", "sent_at")

    def __init__(self) -> None:
        self.sent_at: float | None = None
        self.is_over = False
        """Whether the slot is no longer its own."""


class _Gate:
    """The slots of one limit. There is a timer only while somebody waits.

    A slot is free, taken by somebody who has not sent yet, in flight, or resting until its window is over. Those in flight
    stand in the order in which they were sent, those that rest in the order in which they came back, so the first of each
    is the one that is free first.
    """

    def __init__(self, limit: Limit) -> None:
        self._per = limit.per
        self._free = limit.requests  # `None`: no limit of rate
        self._flying: deque[_Flight] = deque()
        self._resting: deque[float] = deque()  # when each is free
        self._waiting: deque[tuple[asyncio.Future[None], bool]] = deque()  # whether it takes the slot
        self._timer: asyncio.TimerHandle | None = None
        self.concurrency = asyncio.Semaphore(limit.concurrency) if limit.concurrency else None

    def has_room(self) -> bool:
        """Whether a slot is free, and nobody waits for one."""
        if self._free is None:
            return True
        if self._waiting:
            return False
        self._collect()
        return self._free > 0

    async def take(self) -> None:
        """Wait for a slot and take it."""
        if self._free is None:
            return
        if self.has_room():
            self._free -= 1
            return
        await self._wait(takes=True)

    async def room(self) -> None:
        """Wait for a slot in turn, and leave it."""
        if not self.has_room():
            await self._wait(takes=False)

    def give_back(self) -> None:
        """A slot that was taken for nothing is free."""
        if self._free is not None:
            self._free += 1
            self._serve()

    def sent(self, flight: _Flight) -> None:
        """A request has gone out in a slot that was taken."""
        if self._free is not None and flight.sent_at is None and not flight.is_over:
            flight.sent_at = self._now()
            self._flying.append(flight)
            if self._waiting and self._timer is None:
                self._serve()  # now it is known when a slot is free

    def end(self, flight: _Flight) -> None:
        """The reply has come, or none will. After a slow one the slot may have been free for long."""
        if self._free is None or flight.is_over:
            return
        now = self._now()
        if flight.sent_at is None or now - flight.sent_at < self._per * LAG:
            flight.is_over = True
            self._resting.append(now + self._per)
            self._serve()  # it is free sooner than it seemed

    async def _wait(self, *, takes: bool) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((future, takes))
        self._serve()
        try:
            await future
        except asyncio.CancelledError:
            if takes and future.done() and not future.cancelled():
                self.give_back()  # it was its turn just now
            raise

    def _collect(self) -> None:
        """Counts those slots as free whose time has come."""
        if self._free is None:
            return
        now = self._now()
        while self._resting and self._resting[0] <= now:
            self._resting.popleft()
            self._free += 1
        while self._flying:
            first = self._flying[0]
            if not first.is_over:
                if self._due(first) > now:
                    return
                first.is_over = True
                self._free += 1
            self._flying.popleft()

    def _due(self, flight: _Flight) -> float:
        return (flight.sent_at or 0.0) + self._per * (1 + LAG)

    def _serve(self) -> None:
        """Lets through who can pass, and sets the timer for the next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._collect()
        while self._waiting and (self._free or self._waiting[0][0].done()):
            future, takes = self._waiting.popleft()
            if future.done():
                continue  # cancelled
            future.set_result(None)
            if takes and self._free is not None:
                self._free -= 1
        if self._waiting:
            due = [*([self._resting[0]] if self._resting else [])]
            due += [self._due(self._flying[0])] if self._flying else []
            if due:  # else all are taken, and nothing was sent yet
                self._timer = asyncio.get_running_loop().call_at(min(due), self._serve)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
