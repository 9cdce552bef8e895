"""The moderator for code without an event loop: the same methods over the same code.

Each `Moderator` has one background thread with an event loop of its own, started when it is first needed. So it works
in threads, inside a running loop (Jupyter), and after a fork (gunicorn, Celery): a child starts its own thread.
"""

from __future__ import annotations

import os
import threading
import weakref
from functools import cache
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import (
        AsyncIterable,
        AsyncIterator,
        Callable,
        Coroutine,
        Generator,
        Iterable,
        Iterator,
        Sequence,
    )
    from concurrent.futures import Future
    from datetime import datetime, timedelta
    from logging import Logger
    from pathlib import Path

    from reelvet.config import Config
    from reelvet.journal import Journal
    from reelvet.moderator.async_moderator import AsyncModerator
    from reelvet.moderator.deciding import Decision
    from reelvet.moderator.many import Moderated
    from reelvet.moderator.purging import Erasure
    from reelvet.moderator.settling import Settled
    from reelvet.plugins import Health, Learned, Progress, Registry
    from reelvet.policy import Policy
    from reelvet.schema.delta import Delta
    from reelvet.schema.job import ModerationJob
    from reelvet.schema.plan import Plan
    from reelvet.schema.result import ModerationResult
    from reelvet.schema.task import RawTask
    from reelvet.schema.ticket import Ticket

T = TypeVar("T")

_CLOSING = 10.0
_CLOSED = "the moderator was closed while it was used"


class Moderator:
    """Jobs in, verdicts out, through one configured instance.

    ```python
    with Moderator.from_config() as moderator:
        result = moderator.moderate(ModerationJob(media="https://cdn.example.com/clip.mp4"))
    ```

    Safe to share between threads. Closed by `close`, by leaving the `with` block, or at exit.

    Args and errors: as `AsyncModerator`.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        use: str | None = None,
        registry: Registry | None = None,
        policies: Sequence[Policy] | None = None,
        credentials: bool = True,
        journal: Journal | None = None,
    ) -> None:
        self._how: dict[str, Any] = {"use": use, "registry": registry, "policies": policies, "credentials": credentials}
        self._config = config
        self._starting = threading.Lock()
        self._journal = journal
        self._closes_journal = journal is None
        self._engine: _Engine | None = None
        self._moderator()  # what the configuration names must be usable now

    @classmethod
    def from_config(
        cls, path: Path | str | None = None, *, use: str | None = None, profile: str | None = None, **arguments: Any
    ) -> Self:
        """See `AsyncModerator.from_config`."""
        from reelvet.config import Config  # noqa: PLC0415  (importing Moderator stays cheap)

        return cls(Config.load(path, profile=profile, use=use, **arguments))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes what was opened and ends the thread. The moderator may be used again afterwards."""
        with self._starting:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._moderator().config

    @property
    def registry(self) -> Registry:
        """The installed providers."""
        return self._moderator().registry

    @property
    def use(self) -> str:
        """The instance jobs go to."""
        return self._moderator().use

    @property
    def journal(self) -> Journal:
        """Where submissions are kept."""
        return self._moderator().journal

    def plan(self, job: ModerationJob, *, use: str | None = None) -> Plan:
        """See `AsyncModerator.plan`."""
        return self._moderator().plan(job, use=use)

    def normalize(self, payload: Any, *, use: str | None = None, job: ModerationJob | None = None) -> ModerationResult:
        """See `AsyncModerator.normalize`."""
        return self._moderator().normalize(payload, use=use, job=job)

    def moderate(
        self, job: ModerationJob, *, timeout: float | None = None, on_progress: Callable[[Progress], None] | None = None
    ) -> ModerationResult:
        """See `AsyncModerator.moderate`. `on_progress` is called from the background thread."""
        return self._run(lambda moderator: moderator.moderate(job, timeout=timeout, on_progress=on_progress))

    def submit(self, job: ModerationJob, *, use: str | None = None) -> Ticket:
        """See `AsyncModerator.submit`."""
        return self._run(lambda moderator: moderator.submit(job, use=use))

    def wait(
        self, ticket: Ticket, *, timeout: float | None = None, on_progress: Callable[[Progress], None] | None = None
    ) -> ModerationResult:
        """See `AsyncModerator.wait`. `on_progress` is called from the background thread."""
        return self._run(lambda moderator: moderator.wait(ticket, timeout=timeout, on_progress=on_progress))

    def watch(
        self, ticket: Ticket, *, timeout: float | None = None, on_progress: Callable[[Progress], None] | None = None
    ) -> Generator[Delta, None, None]:
        """See `AsyncModerator.watch`. `on_progress` is called from the background thread."""
        return self._iterate(lambda moderator: moderator.watch(ticket, timeout=timeout, on_progress=on_progress))

    def notify(self, task: str, raw: RawTask | None = None, *, use: str | None = None) -> bool:
        """See `AsyncModerator.notify`. From any thread."""

        async def notify(moderator: AsyncModerator) -> bool:
            return moderator.notify(task, raw, use=use)

        return self._run(notify)

    def status(self, ticket: Ticket) -> ModerationResult:
        """See `AsyncModerator.status`."""
        return self._run(lambda moderator: moderator.status(ticket))

    def cancel(self, ticket: Ticket) -> ModerationResult:
        """See `AsyncModerator.cancel`."""
        return self._run(lambda moderator: moderator.cancel(ticket))

    def settle(self, *, key: str | None = None, use: str | None = None) -> Generator[Settled, None, None]:
        """See `AsyncModerator.settle`."""
        return self._iterate(lambda moderator: moderator.settle(key=key, use=use))

    def decide(self, key: str, decision: Decision, *, attempt: int = 1, tasks: Sequence[str] = ()) -> Settled:
        """See `AsyncModerator.decide`."""
        return self._run(lambda moderator: moderator.decide(key, decision, attempt=attempt, tasks=tasks))

    def find(
        self, key: str, *, attempt: int = 1, use: str | None = None, since: datetime | None = None
    ) -> list[Ticket]:
        """See `AsyncModerator.find`."""
        return self._run(lambda moderator: moderator.find(key, attempt=attempt, use=use, since=since))

    def learn(self, payloads: Sequence[Any] = (), *, tasks: Sequence[str] = (), use: str | None = None) -> Learned:
        """See `AsyncModerator.learn`."""
        return self._run(lambda moderator: moderator.learn(payloads, tasks=tasks, use=use))

    def moderate_many(
        self, jobs: Iterable[ModerationJob] | AsyncIterable[ModerationJob], *, concurrency: int = 8
    ) -> Iterator[Moderated]:
        """See `AsyncModerator.moderate_many`."""
        return self._iterate(lambda moderator: moderator.moderate_many(jobs, concurrency=concurrency))

    def check(self, *, use: str | None = None) -> Health:
        """See `AsyncModerator.check`."""
        return self._run(lambda moderator: moderator.check(use=use))

    def purge(
        self,
        *,
        key: str | None = None,
        user: str | None = None,
        older_than: timedelta | None = None,
        local_only: bool = False,
        dry_run: bool = False,
    ) -> list[Erasure]:
        """See `AsyncModerator.purge`."""
        how: dict[str, Any] = {"key": key, "user": user, "older_than": older_than}
        return self._run(lambda moderator: moderator.purge(**how, local_only=local_only, dry_run=dry_run))

    # --- the thread ---

    def _run(self, call: Callable[[AsyncModerator], Coroutine[Any, Any, T]]) -> T:
        moderator = self._moderator()
        engine = self._engine
        if engine is None:
            raise RuntimeError(_CLOSED)
        return engine.run(call(moderator))

    def _iterate(self, begin: Callable[[AsyncModerator], AsyncIterator[T]]) -> Generator[T, None, None]:
        items = begin(self._moderator())
        engine = self._engine
        try:
            while (item := self._run(lambda _: _next(items))) is not None:
                yield item
                del item  # not kept while the next one is waited for
        finally:
            if engine is not None and engine is self._engine:
                engine.leave(items)

    def _moderator(self) -> AsyncModerator:
        with self._starting:
            if self._engine is None or self._engine.pid != os.getpid():
                from reelvet.moderator.async_moderator import AsyncModerator  # noqa: PLC0415  (importing Moderator stays cheap)

                if self._journal is not None and self._engine is not None:
                    self._journal = self._journal.forked()
                moderator = AsyncModerator(self._config, **self._how, journal=self._journal)
                self._journal = moderator.journal  # one in memory outlives a close
                self._engine = _Engine(moderator, closes_journal=self._closes_journal)
                # The registry is found once; a child of a fork makes everything else anew.
                self._how["registry"] = self._engine.moderator.registry
                self._config = self._engine.moderator.config
            return self._engine.moderator


async def _next(items: AsyncIterator[T]) -> T | None:
    return await anext(items, None)


class _Engine:
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
                raise RuntimeError(_CLOSED) from None
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
                raise RuntimeError(_CLOSED)
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


_open_engines: weakref.WeakSet[_Engine] = weakref.WeakSet()


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
