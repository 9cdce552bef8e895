"""The local provider: a model on your own machine, in child processes of its own."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from contextlib import AsyncExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from reelvet.plugins import Capabilities, Capability, Created, Health, Outcome, Progress, Provider, Rejected, Report
from reelvet.schema.errors import ConfigurationError, FetchError, InvalidJob, MediaRejected, TaskConflict, TaskNotFound
from reelvet.schema.media import Channel, MediaKind
from reelvet.schema.task import RawTask, Status, TaskRef
from reelvet.schema.urls import mask_url
from reelvet.taxonomy import LabelMap
from reelvet_local import read, request, wire
from reelvet_local.errors import fetch_error, task_error
from reelvet_local.plugin import CAPABILITIES
from reelvet_local.runs import OtherWorkError, Runs
from reelvet_local.spool import Spool, sweep

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelvet.plugins import Fault
    from reelvet.schema.job import ModerationJob
    from reelvet.schema.plan import Plan, VendorTask
    from reelvet.schema.task import TaskError
    from reelvet_local.engine import Engine
    from reelvet_local.outcome import Outcome as Looked
    from reelvet_local.outcome import Progress as Position
    from reelvet_local.settings import LocalSettings

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
            raise InvalidJob("not a reply of the local engine: it has no status", field="status", way_out=wire.WAY_OUT)
        error = task_error(known.error) if known.error else None
        return RawTask(
            ref=TaskRef(id="stored", name=request.TASK),
            status=read.status(known.status),
            native_status=known.status,
            payload=payload,
            error=error,
        )

    def examine(self) -> Iterable[Fault]:
        """Whether the detector can be imported, its labels are mapped, and directories can be written to."""
        from reelvet_local.examine import examine  # noqa: PLC0415  (for whoever looks for faults)

        return examine(self.settings, self._labels)

    async def open(self) -> None:
        """Nothing is started yet: the first run does that. What killed processes left of downloads is deleted."""
        from reelvet_local.engine import Engine  # noqa: PLC0415  (planning and reading need no engine)

        await asyncio.to_thread(sweep)

        settings = self.settings
        self._engine: Engine = Engine(
            workers=settings.workers,
            detector=settings.detector,
            max_pixels=settings.max_pixels,
            max_memory=settings.max_memory or None,
        )
        self._runs = Runs(self._engine.cancel)
        self._progress: dict[str, str] = {}

    async def close(self) -> None:
        """Ends the child processes."""
        await self._engine.close()
        await self._runs.close()

    async def submit(self, tasks: Sequence[VendorTask]) -> Sequence[Outcome]:
        """Accepts the work; it is done by whoever waits for the ticket. A file that is not there is refused at once."""
        return [await self._accept(task) for task in tasks]

    async def _accept(self, task: VendorTask) -> Outcome:
        source = task.payload["source"]
        if "://" not in source:
            fault = await asyncio.to_thread(_file_fault, Path(source))
            if fault:
                refused = MediaRejected(
                    fault,
                    self.id,
                    self.context.instance,
                    code="unreadable",
                    created="no",
                    way_out="Give the path of one file.",
                )
                return Rejected(refused)
        return Created(TaskRef(id=_id(task), name=task.name))

    async def run(self, ref: TaskRef, task: VendorTask) -> RawTask:
        """Looks at the media. All who wait for a task share the work; it is given up when the last of them leaves."""
        try:
            return await self._runs.join(ref, task.payload, lambda: self._work(ref, task))
        except OtherWorkError:
            raise TaskConflict(
                "other work is going on under the id of this task",
                self.id,
                self.context.instance,
                retryable=True,
                way_out="Wait until that has ended, or give the job a key of its own.",
            ) from None

    async def fetch(self, ref: TaskRef) -> RawTask:
        """Whether the task is being worked on in this process."""
        if self._runs.running(ref.id):
            says = self._progress.get(ref.id, "running")
            return RawTask(ref=ref, status=Status.RUNNING, native_status=says, poll_after=0.5)
        waits = RawTask(ref=ref, status=Status.QUEUED, native_status="waits for someone to wait for it")
        return self._runs.canceled(ref.id) or waits

    async def cancel(self, ref: TaskRef) -> RawTask:
        """Stops the work, if it is going on in this process, and gives what was seen so far."""
        nothing = RawTask(ref=ref, status=Status.CANCELED, native_status="canceled")
        return await self._runs.cancel(ref.id) or nothing

    async def check(self) -> Health:
        """Loads the model in a child process."""
        from reelvet_local.child import WorkerError  # noqa: PLC0415  (see open)

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
        except (OSError, UnicodeDecodeError) as error:
            field = f"providers.{self.context.instance}.labels"
            why = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise ConfigurationError(
                f"{field} = {str(path)!r} cannot be read: {why}",
                field=field,
                way_out="Name an existing labels.csv.",
            ) from None
        return LabelMap.parse(text, self.context.taxonomy, origin=str(path))

    @cached_property
    def _effective(self) -> Capabilities:
        return self.effective()

    async def _work(self, ref: TaskRef, task: VendorTask) -> RawTask:
        how = task.payload
        remote = "://" in how["source"]
        raw = None
        try:
            async with AsyncExitStack() as stack:
                stack.callback(self._progress.pop, ref.id, None)
                media: Path | BinaryIO = Path(how["source"])
                if remote:
                    try:
                        media = await self._download(ref, how["source"], stack)
                    except FetchError as error:
                        return self._failed(ref, fetch_error(error), {"source": mask_url(how["source"])})
                outcome = await self._engine.run(
                    media,
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
                raw = _raw(ref, outcome, how["report_floor"], requests=int(remote))
        except asyncio.CancelledError:
            if raw is None:
                raise
        return raw

    async def _download(self, ref: TaskRef, url: str, stack: AsyncExitStack) -> Path | BinaryIO:
        """The media in a file whose name is gone already, so that nothing stays behind if this process is killed."""
        if self.context.fetcher is None:
            raise TaskNotFound(
                "no fetcher was lent to it",
                self.id,
                self.context.instance,
                way_out="Give the `ProviderContext` a `fetcher`, or the job a file.",
            )
        spool = await asyncio.to_thread(Spool)
        stack.push_async_callback(asyncio.to_thread, spool.remove)
        self.context.progress(Progress(ref.id, 0.0, "downloading"))
        await self.context.fetcher().fetch(
            url, to=spool.path, max_bytes=self.settings.max_bytes, timeout=self.settings.download_timeout
        )
        if os.name != "posix":  # no open file can be handed over
            return spool.path
        media = await asyncio.to_thread(spool.path.open, "rb")
        stack.callback(media.close)
        await asyncio.to_thread(spool.remove)
        return media

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

    def _failed(self, ref: TaskRef, error: TaskError, payload: dict[str, Any]) -> RawTask:
        return RawTask(ref=ref, status=Status.FAILED, native_status="failed", payload=payload, error=error, requests=1)


def _id(task: VendorTask) -> str:
    """Equal for the same work under the same key: another process may go on with the ticket."""
    what = json.dumps([task.vendor_key, task.payload], sort_keys=True, default=str)
    return "local-" + hashlib.sha256(what.encode()).hexdigest()[:24]


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
