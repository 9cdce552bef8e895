"""The parent's side: a pool of worker processes that look at files.

Each worker loads the model once and then does one run after another. Nothing heavy is imported here: no decoder, no model,
no numpy.
"""

from __future__ import annotations

import asyncio
import os
import string
import uuid
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, BinaryIO, Self, cast

from reelvet_local.child import Worker, WorkerError, absolute
from reelvet_local.detector import DEFAULT_DETECTOR
from reelvet_local.outcome import DetectorInfo, Facts, Failure, Hit, Outcome, Progress
from reelvet_local.sampling import DEFAULT_INTERVAL, DEFAULT_MAX_GAP, SamplingRule

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path
    from types import TracebackType

    from reelvet_local.outcome import Rule, Status

MAX_PIXELS = 7680 * 4320  # 8K UHD
MAX_MEMORY = 4 << 30

_GRACE = 3.0  # seconds in which a canceled worker must have stopped
_ID_CHARACTERS = frozenset(string.ascii_letters + string.digits + "-_.")
_forked: list[object] = []  # what a fork inherited: kept, as its finalisers would signal the parent's children


@dataclass(slots=True)
class _Run:
    """What is known of a run in progress."""

    id: str
    worker: Worker | None = None
    file: BinaryIO | None = None
    canceled: asyncio.Event = field(default_factory=asyncio.Event)
    deadline: asyncio.TimerHandle | None = None  # when a canceled worker that does not answer is killed
    facts: Facts | None = None
    hits: list[Hit] = field(default_factory=list)
    seconds: float | None = None


class Engine:
    """A pool of worker processes. An async context manager; workers start when they are first needed.

    Args:
        workers: Processes at most. Each keeps one core busy decoding and one scoring. Default: half the cores.
        detector: Dotted path `package.module:Class` of the model.
        max_pixels: Width times height at most; larger media are refused before a frame is allocated.
        max_memory: Bytes of data a worker may hold (POSIX), or `None` for no limit.
        stall_timeout: Seconds without a sign of progress after which a worker is given up.
    """

    def __init__(
        self,
        *,
        workers: int | None = None,
        detector: str = DEFAULT_DETECTOR,
        max_pixels: int = MAX_PIXELS,
        max_memory: int | None = MAX_MEMORY,
        stall_timeout: float = 60.0,
    ) -> None:
        if workers is not None and workers < 1:
            raise ValueError(f"workers = {workers!r} is below 1")
        self._size = workers or max(1, (os.cpu_count() or 1) // 2)
        self._detector = detector
        self._max_pixels = max_pixels
        self._max_memory = max_memory
        self._stall = stall_timeout
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._free = asyncio.Semaphore(self._size)
        self._idle: list[Worker] = []
        self._runs: dict[str, _Run] = {}
        self._closed = False

    def _check(self) -> None:
        if self._pid != os.getpid():
            # Forked: the workers are the parent's. Start over with own ones, and never touch those.
            _forked.append((self._idle, self._runs, self._free))
            self._reset()
        if self._closed:
            raise RuntimeError("The engine is closed")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End all workers. What still runs fails with `worker_died`."""
        if self._pid != os.getpid() or self._closed:
            return
        self._closed = True
        workers = [*self._idle, *(run.worker for run in self._runs.values() if run.worker)]
        self._idle.clear()
        await asyncio.gather(*(worker.kill() for worker in workers))

    async def detector(self) -> DetectorInfo:
        """Load the model, if no worker has it loaded, and say which it is.

        Raises:
            WorkerError: It cannot be loaded.
        """
        self._check()
        async with self._free:
            worker = await self._hire()
            self._idle.append(worker)
        return cast("DetectorInfo", worker.detector)

    def cancel(self, run_id: str) -> bool:
        """Stop a run. Its `run` then returns with status `canceled` and what it had found.

        Returns:
            Whether there is such a run.
        """
        run = self._runs.get(run_id)
        if run is None:
            return False
        if not run.canceled.is_set():
            run.canceled.set()
            if run.worker is not None:
                run.worker.send({"cancel": run_id})
                run.deadline = asyncio.get_running_loop().call_later(_GRACE, run.worker.end)
        return True

    async def run(
        self,
        media: str | Path | BinaryIO,
        *,
        sampling: Rule = "interval",
        interval: float = DEFAULT_INTERVAL,
        max_gap: float = DEFAULT_MAX_GAP,
        stop_on: Mapping[str, float] | None = None,
        report_floor: float = 0.5,
        thumbnails: str | Path | None = None,
        never_kept: Collection[str] = (),
        on_progress: Callable[[Progress], object] | None = None,
        run_id: str | None = None,
    ) -> Outcome:
        """Look at one file. Waits for a free worker first.

        Whatever is wrong with the file, the model or the worker is told by the outcome. If the task is canceled, the
        worker is killed, and replaced for the next run.

        Args:
            media: The file; or one that is open for reading (POSIX), so that it needs no name.
            sampling: `interval` or `keyframes`: see `reelvet_local.sampling.SamplingRule`.
            interval: Seconds.
            max_gap: Seconds, for `keyframes`.
            stop_on: Native label -> score at which decoding stops.
            report_floor: Frames with a score at or above it are hits; 0 reports every frame looked at.
            thumbnails: Directory for a JPEG of each frame with a hit; made if missing. `None`: no pictures.
            never_kept: Native labels of whose hits no picture is made, whatever else is on the frame.
            on_progress: Called a few times a second, in the event loop.
            run_id: Name for `cancel`, and prefix of the thumbnails. Default: a random one.

        Raises:
            ValueError: A number is out of range, or the id is taken.
            RuntimeError: The engine is closed.
        """
        self._check()
        file = None if isinstance(media, str | os.PathLike) else media
        run = _Run(run_id or uuid.uuid4().hex, file=file)
        if run.id in self._runs:
            raise ValueError(f"run_id {run.id!r} is still running")
        if not set(run.id) <= _ID_CHARACTERS:
            raise ValueError(f"run_id {run.id!r}: only ASCII letters, digits, '-', '_' and '.' (it names files)")
        if not 0.0 <= report_floor <= 1.0:
            raise ValueError(f"report_floor = {report_floor!r} is not between 0 and 1")
        order = {
            "run": run.id,
            "path": absolute(media) if isinstance(media, str | os.PathLike) else None,
            "rule": asdict(SamplingRule(sampling, interval, max_gap)),
            "stop_on": dict(stop_on or {}),
            "report_floor": report_floor,
            "thumbnails": None,
            "never_kept": sorted(never_kept),
            "max_pixels": self._max_pixels,
        }
        self._runs[run.id] = run
        try:
            if thumbnails is not None:
                order["thumbnails"] = absolute(thumbnails)
                try:
                    # Others on this machine have no business with what is found.
                    await asyncio.to_thread(os.makedirs, absolute(thumbnails), mode=0o700, exist_ok=True)
                except OSError as error:
                    says = f"The directory {str(thumbnails)!r} cannot be made: {error.strerror}"
                    return Outcome("failed", Failure("thumbnails", says))
            if not await self._turn(run):
                return Outcome("canceled")
            try:
                return await self._run(run, order, on_progress)
            finally:
                self._free.release()
        finally:
            del self._runs[run.id]

    async def _turn(self, run: _Run) -> bool:
        """Wait for a free worker. Gives whether there is one, and not a cancel first."""
        turn, cancel = asyncio.ensure_future(self._free.acquire()), asyncio.ensure_future(run.canceled.wait())
        try:
            await asyncio.wait([turn, cancel], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if not turn.cancel():
                self._free.release()
            raise
        finally:
            cancel.cancel()
        return turn.done() or not turn.cancel()

    async def _run(self, run: _Run, order: dict[str, Any], on_progress: Callable[[Progress], object] | None) -> Outcome:
        try:
            if not run.canceled.is_set():
                run.worker = await self._hire()
            if run.canceled.is_set() or run.worker is None:
                return Outcome("canceled")
            run.worker.send(order, run.file)
            outcome = await self._follow(run, run.worker, on_progress)
            self._idle.append(run.worker)
            run.worker = None
        except WorkerError as error:
            failed: Status = "canceled" if run.canceled.is_set() else "failed"
            failure = None if run.canceled.is_set() else error.failure
            info = run.worker.detector if run.worker else None
            return Outcome(failed, failure, run.facts, tuple(run.hits), through=run.seconds, detector=info)
        else:
            return outcome
        finally:
            if run.deadline is not None:
                run.deadline.cancel()
            if run.worker is not None:  # in the middle of something, or dead
                await run.worker.kill()

    async def _follow(self, run: _Run, worker: Worker, on_progress: Callable[[Progress], object] | None) -> Outcome:
        while True:
            event = await worker.receive(self._stall)
            match event["event"]:
                case "started":
                    run.facts = Facts(**event["facts"])
                case "hit":
                    run.hits.append(Hit(**event["hit"]))
                case "progress":
                    run.seconds = event["seconds"]
                    if on_progress is not None:
                        on_progress(Progress(event["seconds"], event["duration"], event["frames"]))
                case "done":
                    outcome = Outcome.from_dict({**event, "hits": [], "detector": None})
                    return replace(outcome, hits=tuple(run.hits), detector=worker.detector)

    async def _hire(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.process.returncode is None:
                return worker
            await worker.kill()
        return await Worker.start(self._detector, self._max_memory)
