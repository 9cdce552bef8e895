"""The parent's side: a pool of worker processes that look at files.

Each worker loads the model once and then does one run after another. Nothing heavy is imported here: no decoder, no model,
no numpy.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import string
import subprocess
import sys
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self, cast

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

# A worker needs to find its libraries and to name files; it needs no credential, so none of the rest is handed on.
_ENVIRONMENT = {
    *("PATH", "LANG", "LANGUAGE", "TMPDIR", "TMP", "TEMP", "TZ"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "SYSTEMROOT", "WINDIR"),
}
_ENVIRONMENT_PREFIXES = ("LC_", "OPENBLAS_", "OMP_")
_START = 60.0  # seconds in which a worker must have loaded its model
_GRACE = 3.0  # seconds in which a canceled worker must have stopped
_ID_CHARACTERS = frozenset(string.ascii_letters + string.digits + "-_.")
_LINE = 1 << 20  # bytes of the longest event
_STDERR = 2000  # characters of a dead worker's last words that are kept
_BOOT = (
    "import json, sys\n"
    "sys.path[:] = json.loads(sys.argv[1])\n"
    "from reelvet_local.worker import main\n"
    "main(sys.argv[2:])\n"
)
_forked: list[object] = []  # what a fork inherited: kept, as its finalisers would signal the parent's children


def _absolute(path: str | Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - Path.resolve would look at the disk and follow links


class WorkerError(Exception):
    """A worker could not be started, or died.

    Attributes:
        failure: Code and message.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class _Worker:
    """One child process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.detector: DetectorInfo | None = None
        self._orders = cast("asyncio.StreamWriter", process.stdin)
        self._events = cast("asyncio.StreamReader", process.stdout)
        self._stderr = ""
        self._listener = asyncio.create_task(self._listen(cast("asyncio.StreamReader", process.stderr)))

    @classmethod
    async def start(cls, detector: str, max_memory: int | None) -> _Worker:
        settings = {"parent": os.getpid(), "detector": detector, "max_memory": max_memory}
        # The parent's own search path, so that a detector is found wherever the parent would find it; relative entries
        # would mean something else in the worker's directory.
        search = [_absolute(entry) for entry in sys.path if entry]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-c",
            _BOOT,
            json.dumps(search),
            json.dumps(settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            limit=_LINE,
            env={
                k: v for k, v in os.environ.items() if k.upper() in _ENVIRONMENT or k.startswith(_ENVIRONMENT_PREFIXES)
            },
            cwd=_absolute(os.sep),
            # Ctrl-C in a terminal goes to the whole group: what becomes of the workers is the parent's decision.
            start_new_session=True,
        )
        worker = cls(process)
        try:
            event = await worker.receive(_START)
        except BaseException:
            await worker.kill()
            raise
        if event["event"] == "fatal":
            await worker.kill()
            raise WorkerError(Failure(event["code"], event["message"]))
        info = event["detector"]
        worker.detector = DetectorInfo(info["name"], info["version"], tuple(info["labels"]))
        return worker

    async def _listen(self, stderr: asyncio.StreamReader) -> None:
        while chunk := await stderr.read(4096):
            self._stderr = (self._stderr + chunk.decode(errors="replace"))[-_STDERR:]

    def send(self, order: Mapping[str, Any]) -> None:
        """Give an order. If the worker is dead, `receive` says so."""
        self._orders.write(json.dumps(order).encode() + b"\n")

    async def receive(self, seconds: float) -> dict[str, Any]:
        """The next event.

        Raises:
            WorkerError: The worker is dead, or said nothing for so many seconds.
        """
        try:
            line = await asyncio.wait_for(self._events.readline(), seconds)
        except TimeoutError:
            raise WorkerError(Failure("worker_died", f"The worker made no progress for {seconds:g} s")) from None
        if not line.endswith(b"\n"):
            raise WorkerError(Failure("worker_died", await self._obituary()))
        event: dict[str, Any] = json.loads(line)
        return event

    async def _obituary(self) -> str:
        await self._reap()
        code = self.process.returncode
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            why = f"was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
        else:
            why = f"ended with code {code}"
        words = self._stderr.strip()
        return f"The worker {why}" + (f": {words}" if words else "")

    def end(self) -> None:
        """Kill the process, without waiting for it."""
        with suppress(ProcessLookupError):  # it went by itself
            self.process.kill()

    async def kill(self) -> None:
        """Kill the process and wait for it."""
        self.end()
        await self._reap()

    async def _reap(self) -> None:
        self._orders.close()
        await self.process.wait()
        await self._listener


@dataclass(slots=True)
class _Run:
    """What is known of a run in progress."""

    id: str
    worker: _Worker | None = None
    canceled: bool = False
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
        self._idle: list[_Worker] = []
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
        if not run.canceled:
            run.canceled = True
            if run.worker is not None:
                run.worker.send({"cancel": run_id})
                run.deadline = asyncio.get_running_loop().call_later(_GRACE, run.worker.end)
        return True

    async def run(
        self,
        path: str | Path,
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
            path: The file.
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
            OSError: The directory for thumbnails cannot be made.
            RuntimeError: The engine is closed.
        """
        self._check()
        run = _Run(run_id or uuid.uuid4().hex)
        if run.id in self._runs:
            raise ValueError(f"run_id {run.id!r} is still running")
        if not set(run.id) <= _ID_CHARACTERS:
            raise ValueError(f"run_id {run.id!r}: only ASCII letters, digits, '-', '_' and '.' (it names files)")
        if not 0.0 <= report_floor <= 1.0:
            raise ValueError(f"report_floor = {report_floor!r} is not between 0 and 1")
        order = {
            "run": run.id,
            "path": _absolute(path),
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
                directory = _absolute(thumbnails)
                await asyncio.to_thread(os.makedirs, directory, exist_ok=True)
                order["thumbnails"] = directory
            async with self._free:
                return await self._run(run, order, on_progress)
        finally:
            del self._runs[run.id]

    async def _run(self, run: _Run, order: dict[str, Any], on_progress: Callable[[Progress], object] | None) -> Outcome:
        try:
            if not run.canceled:
                run.worker = await self._hire()
            if run.canceled or run.worker is None:
                return Outcome("canceled")
            run.worker.send(order)
            outcome = await self._follow(run, run.worker, on_progress)
            self._idle.append(run.worker)
            run.worker = None
        except WorkerError as error:
            failed: Status = "canceled" if run.canceled else "failed"
            failure = None if run.canceled else error.failure
            info = run.worker.detector if run.worker else None
            return Outcome(failed, failure, run.facts, tuple(run.hits), through=run.seconds, detector=info)
        else:
            return outcome
        finally:
            if run.deadline is not None:
                run.deadline.cancel()
            if run.worker is not None:  # in the middle of something, or dead
                await run.worker.kill()

    async def _follow(self, run: _Run, worker: _Worker, on_progress: Callable[[Progress], object] | None) -> Outcome:
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

    async def _hire(self) -> _Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.process.returncode is None:
                return worker
            await worker.kill()
        return await _Worker.start(self._detector, self._max_memory)
