"""An `AsyncModerator` in a background thread with an event loop of its own."""

from __future__ import annotations

import os
import threading
import weakref
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Coroutine
    from concurrent.futures import Future
    from logging import Logger

    from reelvet.moderator.async_moderator import AsyncModerator

T = TypeVar("T")

_CLOSING = 10.0
CLOSED = "the moderator was closed while it was used"


class Engine:
    """An `AsyncModerator` and the thread it lives in."""

    def __init__(self, moderator: AsyncModerator, *, closes_journal: bool) -> None:
        self.moderator = moderator
        self._closes_journal = closes_journal
        self.pid = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closing = False
        self._running: set[Future[Any]] = set()
        _open_engines.add(self)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine in the thread. Interrupted (Ctrl-C), it cancels the work and waits until it has ended.

        Raises:
            RuntimeError: The moderator is closed meanwhile, or is called from its own thread.
        """
        from concurrent.futures import CancelledError, wait  # noqa: PLC0415  (importing Moderator stays cheap)

        try:
            future = self._start(work)
        except BaseException:
            work.close()
            raise
        try:
            return future.result()
        except CancelledError:
            if self._closing:
                raise RuntimeError(CLOSED) from None
            raise
        except BaseException:
            if not future.done():
                future.cancel()
                wait([future], timeout=_CLOSING)
            raise
        finally:
            self._running.discard(future)

    def _start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        import asyncio  # noqa: PLC0415

        if threading.current_thread() is self._thread:
            raise RuntimeError(
                "the moderator was called from its own thread, where it would wait for itself for ever; "
                "from a progress listener, hand the call to another thread"
            )
        with self._lock:
            if self._closing:
                raise RuntimeError(CLOSED)
            if self._loop is None:
                _close_at_exit()
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_live, args=(self._loop,), name="reelvet", daemon=True)
                self._thread.start()
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
            self._running.add(future)
        return future

    def leave(self, items: AsyncIterator[Any]) -> None:
        """Ends an iteration. Where it was dropped rather than left, that may happen in the engine's own thread."""
        closing = items.aclose()  # type: ignore[attr-defined]
        if threading.current_thread() is self._thread:
            import asyncio  # noqa: PLC0415

            self._left = asyncio.ensure_future(closing)
            return
        try:
            self.run(closing)
        except RuntimeError:
            closing.close()  # closed meanwhile, and everything with it

    def close(self) -> None:
        """Ends the calls that still wait, closes the moderator and ends the thread.

        In a child of a fork there is nothing to end.
        """
        _open_engines.discard(self)
        with self._lock:
            loop, thread, self._closing = self._loop, self._thread, True
        if loop is None or thread is None or self.pid != os.getpid():
            return
        import asyncio  # noqa: PLC0415

        for future in list(self._running):
            future.cancel()
        if thread is threading.current_thread():
            raise RuntimeError("the moderator cannot be closed from its own thread")
        patience = self.moderator.config.polling.settle_window + _CLOSING
        try:
            asyncio.run_coroutine_threadsafe(self._aclose(), loop).result(patience)
        except TimeoutError:
            _log().warning("a provider did not close within %.0f s", patience)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(_CLOSING)

    async def _aclose(self) -> None:
        try:
            await self.moderator.aclose()
        finally:
            if self._closes_journal:
                await self.moderator.journal.close()


def _live(loop: asyncio.AbstractEventLoop) -> None:
    import asyncio  # noqa: PLC0415

    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def _log() -> Logger:
    from reelvet.http import logger  # noqa: PLC0415

    return logger("moderator")


_open_engines: weakref.WeakSet[Engine] = weakref.WeakSet()


def _close_all() -> None:
    for engine in list(_open_engines):
        try:
            engine.close()
        except Exception:  # noqa: BLE001  (at exit nobody could catch it, and the others are to be closed too)
            _log().warning("a moderator did not close", exc_info=True)


@cache
def _close_at_exit() -> None:
    """Has everything closed when the main thread ends, before the interpreter waits for other threads.

    Those that still wait for a job then get a `RuntimeError` rather than keeping the process alive. What is registered
    last is called first, so this comes after the executors have registered theirs: the loops still need them.
    """
    import concurrent.futures.thread  # noqa: F401, PLC0415

    threading._register_atexit(_close_all)  # type: ignore[attr-defined]  # noqa: SLF001
