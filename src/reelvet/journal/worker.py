"""One thread that talks to the database, so that nothing blocks an event loop, and many calls share one commit."""

from __future__ import annotations

import asyncio
import queue
import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from reelvet.schema.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

_MOST = 256
"""Calls that share one transaction at most."""
_TRIES = 6
_PASSING = ("40001", "40P01", "55P03")
"""PostgreSQL: a transaction that lost against another one may be tried again, whole."""


@dataclass(slots=True, eq=False)
class _Call:
    work: Callable[[sa.Connection], Any]
    writes: bool
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]

    def deliver(self, value: Any, error: BaseException | None) -> None:
        if self.future.done():
            return  # whoever asked is gone
        if error is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(value)


class Worker:
    """Runs calls against one database in a thread of its own, those that wait together in one transaction.

    Args:
        connect: Opens the database and makes its tables; called in the thread.
    """

    def __init__(self, connect: Callable[[], sa.Engine]) -> None:
        self._connect = connect
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._engine: sa.Engine | None = None
        self._connection: sa.Connection | None = None

    async def run(self, work: Callable[[sa.Connection], T], *, writes: bool = True) -> T:
        """What a call comes to, once it is committed.

        Args:
            work: Given the connection. May be called again, if the transaction is.
            writes: Whether it changes anything.

        Raises:
            JournalError: It came to nothing.
        """
        loop = asyncio.get_running_loop()
        call = _Call(work, writes, loop, loop.create_future())
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._live, name="reelvet journal", daemon=True)
                self._thread.start()
            self._calls.put(call)
        value: T = await call.future
        return value

    async def close(self) -> None:
        """Lets what was asked for end, and closes the database."""
        with self._starting:
            thread, self._thread = self._thread, None
            if thread is not None:
                self._calls.put(None)
        if thread is not None:
            await asyncio.to_thread(thread.join)

    # --- the thread ---

    def _live(self) -> None:
        ends = False
        while not ends:
            batch = [self._calls.get()]
            while len(batch) < _MOST:
                try:
                    batch.append(self._calls.get_nowait())
                except queue.Empty:
                    break
            ends = None in batch
            self._run([call for call in batch if call is not None])
        self._hang_up()

    def _connected(self) -> sa.Connection:
        """The one connection: asking the pool for it each time would cost as much as a statement."""
        if self._connection is None:
            if self._engine is None:
                self._engine = self._connect()
            self._connection = self._engine.connect()
        return self._connection

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _hang_up(self) -> None:
        self._let_go()
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()

    def _run(self, batch: Sequence[_Call]) -> None:
        if not batch:
            return
        try:
            values = self._commit(batch)
        except Exception as error:  # noqa: BLE001  (told to whoever asked)
            if len(batch) > 1:  # one that fails takes none of the others with it
                for call in batch:
                    self._run([call])
                return
            _deliver(batch, [None] * len(batch), _told(error))
        else:
            _deliver(batch, values, None)

    def _commit(self, batch: Sequence[_Call]) -> list[Any]:
        writes = any(call.writes for call in batch)
        for number in range(1, _TRIES + 1):
            try:
                connection = self._connected().execution_options(reelvet_writes=writes)
                with connection.begin():
                    return [call.work(connection) for call in batch]
            except sa.exc.DBAPIError as error:
                self._let_go()
                if number == _TRIES or not _is_passing(error):
                    raise
                time.sleep(0.01 * 2**number * random.uniform(0.5, 1.0))  # noqa: S311
        raise AssertionError  # pragma: no cover


def _deliver(batch: Sequence[_Call], values: Sequence[Any], error: BaseException | None) -> None:
    """Hands outcomes over, waking each event loop once."""
    for loop in {call.loop for call in batch}:
        here = [(call, value) for call, value in zip(batch, values, strict=True) if call.loop is loop]
        try:
            loop.call_soon_threadsafe(_hand_over, here, error)
        except RuntimeError:
            continue  # closed meanwhile: nobody waits any more


def _hand_over(calls: Sequence[tuple[_Call, Any]], error: BaseException | None) -> None:
    for call, value in calls:
        call.deliver(value, error)


def _is_passing(error: sa.exc.DBAPIError) -> bool:
    """Whether the same transaction may well succeed in a moment."""
    said = str(error.orig)
    return (
        error.connection_invalidated
        or getattr(error.orig, "sqlstate", None) in _PASSING
        or "database is locked" in said
    )


def _told(error: Exception) -> JournalError:
    if isinstance(error, JournalError):
        return error
    # The statement's parameters may hold a ticket; the driver's own words do not.
    said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    told = JournalError(f"the journal's database failed: {type(error).__name__}: {said}")
    told.__cause__ = error if not isinstance(error, sa.exc.StatementError) else error.orig
    return told
