"""The work going on in this process: shared by all who wait for it, and given up when the last of them leaves."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reelvet.schema.task import RawTask, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from reelvet.schema.task import TaskRef

_MOST_KEPT = 64


class OtherWorkError(Exception):
    """Another work is going on under that id."""


@dataclass(slots=True, eq=False)
class _Run:
    what: Any
    task: asyncio.Task[RawTask]
    waiters: int = 0
    abandoned: bool = False  # nobody waits any more: it is being stopped
    canceled: bool = False  # somebody asked for that


class Runs:
    """Runs by the id of their task.

    Args:
        halt: Stops the work of an id in its own way; gives whether there was something to stop.
    """

    def __init__(self, halt: Callable[[str], bool]) -> None:
        self._halt = halt
        self._runs: dict[str, _Run] = {}
        self._canceled: OrderedDict[str, RawTask] = OrderedDict()
        self._left: OrderedDict[str, RawTask] = OrderedDict()  # what those who left had got so far

    def running(self, id_: str) -> bool:
        """Whether work is going on."""
        return id_ in self._runs

    def canceled(self, id_: str) -> RawTask | None:
        """What a canceled run had got, if there was one."""
        return self._canceled.get(id_)

    async def join(self, ref: TaskRef, what: Any, work: Callable[[], Coroutine[Any, Any, RawTask]]) -> RawTask:
        """Wait for the work, which is begun if it is not going on.

        Args:
            ref: The task.
            what: What the work is about; equal for equal work.
            work: Begins it.

        Raises:
            OtherWorkError: Under this id other work is going on.
        """
        while (run := self._runs.get(ref.id)) is not None and run.abandoned:
            await asyncio.wait([run.task])
        if run is None:
            run = self._begin(ref, what, work)
        elif run.what != what:
            raise OtherWorkError(ref.id)
        run.waiters += 1
        try:
            return await asyncio.shield(run.task)
        except asyncio.CancelledError:
            this = asyncio.current_task()
            if run.canceled and run.task.cancelled() and this is not None and not this.cancelling():
                return _nothing(ref)  # not this waiter was canceled, but the run before it had begun
            raise
        finally:
            run.waiters -= 1
            if not run.waiters and not run.task.done():
                run.abandoned = True
                await self._stop(ref.id, run)

    async def cancel(self, id_: str) -> RawTask | None:
        """Stop the work, whoever waits for it. Gives what it came to; `None` if there was none."""
        run = self._runs.get(id_)
        if run is not None:
            run.canceled = True
            await self._stop(id_, run)
            if not run.task.cancelled() and run.task.exception() is None:
                return run.task.result()
        elif id_ in self._left:
            _keep(self._canceled, id_, self._left.pop(id_))
        return self._canceled.get(id_)

    async def close(self) -> None:
        """Break off what is still going on."""
        tasks = [run.task for run in self._runs.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, ref: TaskRef, what: Any, work: Callable[[], Coroutine[Any, Any, RawTask]]) -> _Run:
        self._canceled.pop(ref.id, None)
        self._left.pop(ref.id, None)
        run = _Run(what, asyncio.create_task(self._work(ref, work)))
        self._runs[ref.id] = run
        run.task.add_done_callback(lambda _: self._end(ref.id, run))
        return run

    async def _work(self, ref: TaskRef, work: Callable[[], Coroutine[Any, Any, RawTask]]) -> RawTask:
        try:
            return await work()
        except asyncio.CancelledError:
            run = self._runs.get(ref.id)
            if run is None or not (run.canceled or run.abandoned):
                raise
            return _nothing(ref)

    async def _stop(self, id_: str, run: _Run) -> None:
        if not self._halt(id_):
            run.task.cancel()  # it is not so far yet: the file is being fetched
        await asyncio.wait([run.task])

    def _end(self, id_: str, run: _Run) -> None:
        del self._runs[id_]
        if run.task.cancelled() or run.task.exception() is not None or run.task.result().status is not Status.CANCELED:
            return
        _keep(self._canceled if run.canceled else self._left, id_, run.task.result())


def _nothing(ref: TaskRef) -> RawTask:
    return RawTask(ref=ref, status=Status.CANCELED, native_status="canceled")


def _keep(kept: OrderedDict[str, RawTask], id_: str, raw: RawTask) -> None:
    kept[id_] = raw
    if len(kept) > _MOST_KEPT:
        kept.popitem(last=False)
