"""The local provider: a model on your own machine, in child processes of its own."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections import OrderedDict
from contextlib import AsyncExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelvet.plugins import Capabilities, Capability, Created, Health, Outcome, Progress, Provider, Rejected, Report
from reelvet.schema.errors import ConfigurationError, FetchError, InvalidJob, MediaRejected, TaskNotFound
from reelvet.schema.media import Channel, MediaKind
from reelvet.schema.task import RawTask, Status, TaskRef
from reelvet.schema.urls import mask_url
from reelvet.taxonomy import LabelMap
from reelvet_local import read, request, wire
from reelvet_local.errors import fetch_error, task_error
from reelvet_local.plugin import CAPABILITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelvet.schema.job import ModerationJob
    from reelvet.schema.plan import Plan, VendorTask
    from reelvet.schema.task import TaskError
    from reelvet_local.engine import Engine
    from reelvet_local.outcome import Outcome as Looked
    from reelvet_local.outcome import Progress as Position
    from reelvet_local.settings import LocalSettings

_MOST_ENDED = 64
_DOWNLOADED = 0.1  # of the progress bar, for media that must be downloaded first


class LocalProvider(Provider):
    """Looks at the pictures of a video, on this machine. Its work is done by whoever waits."""

    id = "local"
    settings: LocalSettings

    def effective(self) -> Capabilities:
        """One entry for each label that the detector's map knows, seen from `report_floor` on."""
        entries = [
            Capability(
                mapping.label,
                channels=(mapping.channel or Channel.VISUAL,),
                relation=mapping.relation,
                floor=self.settings.report_floor or None,
                kinds=(MediaKind.VIDEO, MediaKind.IMAGE),
                switch=mapping.native,
            )
            for mapping in self._labels
            if mapping.label is not None
        ]
        return CAPABILITIES.with_entries(entries)

    def plan(self, job: ModerationJob) -> Plan:
        """One task, and nothing that goes over the wire."""
        return request.plan(
            job, self.settings, self._effective, self._labels, self.context.taxonomy, instance=self.context.instance
        )

    def read(self, plan: Plan | None, raws: Sequence[RawTask]) -> Report:
        """Findings and coverage of the engine's replies."""
        return read.report(plan, raws, self._effective, self._labels, self.context.taxonomy)

    def recognize(self, payload: Any) -> RawTask:
        """A stored reply of the engine."""
        known = wire.parse(payload)
        if known.status is None:
            raise InvalidJob("not a reply of the local engine: it has no status")
        error = task_error(known.error) if known.error else None
        return RawTask(
            ref=TaskRef(id="stored", name=request.TASK),
            status=read.status(known.status),
            native_status=known.status,
            payload=payload,
            error=error,
        )

    async def open(self) -> None:
        """Nothing is started yet: the first run does that."""
        from reelvet_local.engine import Engine  # noqa: PLC0415  (planning and reading need no engine)

        settings = self.settings
        self._engine: Engine = Engine(
            workers=settings.workers,
            detector=settings.detector,
            max_pixels=settings.max_pixels,
            max_memory=settings.max_memory or None,
        )
        self._runs: dict[str, asyncio.Task[RawTask]] = {}
        self._progress: dict[str, str] = {}
        self._ended: OrderedDict[str, RawTask] = OrderedDict()

    async def close(self) -> None:
        """Ends the child processes."""
        await self._engine.close()

    async def submit(self, tasks: Sequence[VendorTask]) -> Sequence[Outcome]:
        """Accepts the work; it is done by whoever waits for the ticket. A file that is not there is refused at once."""
        return [await self._accept(task) for task in tasks]

    async def _accept(self, task: VendorTask) -> Outcome:
        source = task.payload["source"]
        if "://" not in source:
            fault = await asyncio.to_thread(_file_fault, Path(source))
            if fault:
                return Rejected(MediaRejected(fault, self.id, self.context.instance, code="unreadable", created="no"))
        id_ = "local-" + hashlib.sha256(task.vendor_key.encode()).hexdigest()[:24]
        return Created(TaskRef(id=id_, name=task.name))

    async def run(self, ref: TaskRef, task: VendorTask) -> RawTask:
        """Looks at the media. Canceled, it keeps what was seen so far for `cancel` to give."""
        if ref.id not in self._runs:
            self._runs[ref.id] = asyncio.create_task(self._work(ref, task))
            self._runs[ref.id].add_done_callback(lambda run: self._end(ref.id, run))
        run = self._runs[ref.id]
        try:
            return await asyncio.shield(run)
        except asyncio.CancelledError:
            await self._stop(ref.id, run)
            raise

    async def fetch(self, ref: TaskRef) -> RawTask:
        """Whether the task is being worked on in this process."""
        if ref.id in self._ended:
            return self._ended[ref.id]
        if ref.id in self._runs:
            return RawTask(
                ref=ref, status=Status.RUNNING, native_status=self._progress.get(ref.id, "running"), poll_after=0.5
            )
        return RawTask(ref=ref, status=Status.QUEUED, native_status="waits for someone to wait for it")

    async def cancel(self, ref: TaskRef) -> RawTask:
        """Stops the work, if it is going on in this process, and gives what was seen so far."""
        run = self._runs.get(ref.id)
        if run is not None:
            await self._stop(ref.id, run)
        return self._ended.get(ref.id) or RawTask(ref=ref, status=Status.CANCELED, native_status="canceled")

    async def check(self) -> Health:
        """Loads the model in a child process."""
        from reelvet_local.engine import WorkerError  # noqa: PLC0415  (see open)

        try:
            model = await self._engine.detector()
        except WorkerError as error:
            return Health(
                False,
                f"the model cannot be loaded: {error}",
                "Check `detector` in [providers.local], or reinstall reelvet-local.",
            )
        return Health(True, f"the model {model.name} {model.version} is loaded")

    # --- inside ---

    @cached_property
    def _labels(self) -> LabelMap:
        path = self.settings.labels
        if path is None:
            return LabelMap.load("reelvet_local", self.context.taxonomy)
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            field = f"providers.{self.context.instance}.labels"
            raise ConfigurationError(f"{field} = {str(path)!r} cannot be read: {error.strerror}", field=field) from None
        return LabelMap.parse(text, self.context.taxonomy, origin=str(path))

    @cached_property
    def _effective(self) -> Capabilities:
        return self.effective()

    async def _work(self, ref: TaskRef, task: VendorTask) -> RawTask:
        how = task.payload
        remote = "://" in how["source"]
        async with AsyncExitStack() as stack:
            path = Path(how["source"])
            if remote:
                try:
                    path = await self._download(ref, how["source"], stack)
                except FetchError as error:
                    return self._failed(ref, fetch_error(error), {"source": mask_url(how["source"])})
            outcome = await self._engine.run(
                path,
                run_id=ref.id,
                sampling=how["sampling"],
                interval=how["interval"],
                max_gap=how["max_gap"],
                stop_on=how["stop_on"],
                report_floor=how["report_floor"],
                thumbnails=how["thumbnails"],
                never_kept=how["never_kept"],
                on_progress=lambda position: self._told(ref, position, after=_DOWNLOADED if remote else 0.0),
            )
        return _raw(ref, outcome, how["report_floor"], requests=int(remote))

    async def _download(self, ref: TaskRef, url: str, stack: AsyncExitStack) -> Path:
        if self.context.fetcher is None:
            raise TaskNotFound("no fetcher was lent to it", self.id, self.context.instance)
        directory = tempfile.TemporaryDirectory(prefix="reelvet-", ignore_cleanup_errors=True)
        stack.push_async_callback(asyncio.to_thread, directory.cleanup)
        path = Path(directory.name) / "media"
        self.context.progress(Progress(ref.id, 0.0, "downloading"))
        await self.context.fetcher().fetch(
            url, to=path, max_bytes=self.settings.max_bytes, timeout=self.settings.download_timeout
        )
        return path

    def _told(self, ref: TaskRef, position: Position, *, after: float) -> None:
        share = (
            min(position.seconds / position.duration, 1.0)
            if position.seconds is not None and position.duration
            else None
        )
        says = (
            f"{position.frames} frames"
            if position.seconds is None
            else f"{position.seconds:.0f} s, {position.frames} frames"
        )
        self._progress[ref.id] = says
        self.context.progress(Progress(ref.id, None if share is None else after + (1 - after) * share, says))

    async def _stop(self, id_: str, run: asyncio.Task[RawTask]) -> None:
        if not self._engine.cancel(id_):
            run.cancel()  # it is still downloading
        await asyncio.wait([run])

    def _end(self, id_: str, run: asyncio.Task[RawTask]) -> None:
        self._runs.pop(id_, None)
        self._progress.pop(id_, None)
        if not run.cancelled() and run.exception() is None and run.result().status is Status.CANCELED:
            self._ended[id_] = run.result()
            if len(self._ended) > _MOST_ENDED:
                self._ended.popitem(last=False)

    def _failed(self, ref: TaskRef, error: TaskError, payload: dict[str, Any]) -> RawTask:
        return RawTask(ref=ref, status=Status.FAILED, native_status="failed", payload=payload, error=error, requests=1)


def _file_fault(path: Path) -> str | None:
    if path.is_dir():
        return f"{path} is a directory, not a file"
    return None if path.is_file() else f"there is no file {path}"


def _raw(ref: TaskRef, outcome: Looked, report_floor: float, *, requests: int) -> RawTask:
    payload = {**outcome.as_dict(), "report_floor": report_floor}
    error = task_error(wire.Failure(code=outcome.error.code, message=outcome.error.message)) if outcome.error else None
    return RawTask(
        ref=ref,
        status=read.status(outcome.status),
        native_status=outcome.status,
        payload=payload,
        error=error,
        requests=requests,
    )
