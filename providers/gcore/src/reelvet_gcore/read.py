"""Gcore's replies as findings, coverage and transcripts. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelvet.plugins import Capabilities, Looked, Report, final_coverage, plan_coverage
from reelvet.schema import lenient
from reelvet.schema.errors import InvalidJob
from reelvet.schema.media import Channel
from reelvet.schema.result import MediaFacts, Note, Usage
from reelvet.schema.task import RawTask, Status, TaskRef
from reelvet_gcore import detection, transcription, wire
from reelvet_gcore.errors import is_documented_failure, task_error
from reelvet_gcore.frames import Clock, largest_gap
from reelvet_gcore.plugin import CATEGORIES, FLOORS, SPORT
from reelvet_gcore.request import TRANSCRIPTION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelvet.schema.plan import Plan, VendorTask
    from reelvet.taxonomy import LabelMap, Taxonomy

STATUSES = {
    "RECEIVED": Status.QUEUED,
    "PENDING": Status.QUEUED,
    "RETRY": Status.QUEUED,  # failed for a reason of the vendor's own, and waits for another try, up to three times
    "STARTED": Status.RUNNING,
    "PROCESSING": Status.RUNNING,  # the portal's word
    "SUCCESS": Status.SUCCEEDED,
    "FAILURE": Status.FAILED,
    "REVOKED": Status.CANCELED,
    "REVOKE": Status.CANCELED,  # as the guide of 2024 spells it
}
"""https://gcore.com/docs/api-reference/streaming/ai/get-ai-task-result. A word that is not here is not finished."""

_NOT_DONE = {
    Status.FAILED: "the task failed",
    Status.CANCELED: "the task was canceled",
}
# Together they tell a task's reply from those of other endpoints, which have some of these fields too.
_TASK_FIELDS = (
    frozenset({"task_data"}),
    *(frozenset({"status", n}) for n in ("result", "task_id", "processing_time")),
    frozenset({"task_id", "result"}),
)


def raw_task(payload: Any, *, ref: TaskRef, requests: int = 0, request_ids: tuple[str, ...] = ()) -> RawTask:
    """What the vendor says of a task: a reply to "get task", or an item of the list."""
    task = wire.Task.model_validate(payload if isinstance(payload, dict) else {})
    status = state(task)
    failed = status is Status.FAILED
    told = wire.envelope(task.task_data.client_entity_data)
    return RawTask(
        ref=ref,
        status=status,
        native_status=task.status,
        payload=payload,
        request_ids=request_ids,
        requests=requests,
        error=task_error(_reason(task.result)) if failed else None,
        vendor_key=lenient.text(told.get("key")) if told else None,
        created_at=task.processing_time.started_at,
    )


def state(task: wire.Task) -> Status:
    """The vendor's status in our words. Stages may send a task back to waiting: once it has begun, it is running."""
    status = STATUSES.get((task.status or "").strip().upper(), Status.UNKNOWN)
    return Status.RUNNING if status is Status.QUEUED and (task.progress or 0) > 0 else status


def recognize(payload: Any) -> RawTask:
    """A stored reply to "get task", of the present or the legacy API, or the `result` of one by itself.

    Raises:
        InvalidJob: It is neither.
    """
    if _is_task(payload):
        task = wire.Task.model_validate(payload)
        return raw_task(payload, ref=TaskRef(id=task.task_id or "stored", category=category_of(task)))
    failed = is_documented_failure(_reason(payload))
    if failed or transcription.is_one(payload) or detection.is_one(payload):
        # A result exists when the task is done, and not before.
        known = raw_task({"status": "FAILURE" if failed else "SUCCESS", "result": payload}, ref=TaskRef(id="stored"))
        return known.model_copy(update={"native_status": None, "payload": payload})
    raise InvalidJob(
        "the payload is no reply of Gcore's to 'get task': such one has task_data, or status and result",
        way_out="Give what GET /streaming/ai/tasks/{task_id} answered.",
    )


def category_of(task: wire.Task) -> str | None:
    """What the task is, by what it was created with: a category of moderation, or `transcription`."""
    if task.task_data.category is not None:
        return task.task_data.category
    return TRANSCRIPTION if task.name == TRANSCRIPTION else None


def report(
    plan: Plan | None, raws: Sequence[RawTask], capabilities: Capabilities, labels: LabelMap, taxonomy: Taxonomy
) -> Report:
    """What the replies say."""
    reading = _Reading(plan, detection.Words(labels))
    for raw in raws:
        reading.read(raw)
    if plan is not None:
        rows = list(plan.coverage)
    else:
        seen = {label for look in reading.looked for label in look.labels}
        places = [(entry.label, Channel.VISUAL) for entry in capabilities.entries if entry.label in seen]
        rows = plan_coverage(dict.fromkeys(places), capabilities, taxonomy, "gcore")
    return Report(
        findings=reading.findings,
        coverage=final_coverage(rows, reading.looked, reading.findings, capabilities, taxonomy),
        transcripts=reading.transcripts,
        usage=[_usage(raw) for raw in raws],
        warnings=list(dict.fromkeys(reading.notes)),
        media=reading.media(),
        versions={"label_map": str(labels)},
    )


class _Reading:
    """What has been read so far."""

    def __init__(self, plan: Plan | None, words: detection.Words) -> None:
        self._tasks = {task.name: task for task in plan.tasks} if plan is not None else {}
        self._words = words
        self._categories: list[str] = []
        self._gaps: list[float | None] = []
        self.findings: list[Any] = []
        self.looked: list[Looked] = []
        self.transcripts: list[Any] = []
        self.notes: list[Note] = []

    def read(self, raw: RawTask) -> None:
        """One task."""
        if raw.payload is None:
            return
        payload = raw.payload if isinstance(raw.payload, dict) else {}
        task = wire.Task.model_validate(payload if _is_task(payload) else {"result": payload})
        result = task.result
        planned = self._planned(raw, task)
        named = category_of(task) or (planned.category if planned is not None else None)
        if named is None and transcription.is_one(result) and not detection.is_one(result):
            named = TRANSCRIPTION
        category = named or detection.infer(result, self._words, is_legacy=task.name is None)
        if transcription.is_one(result) or (category == TRANSCRIPTION and raw.status is Status.SUCCEEDED):
            self._transcript(raw, task, result)
        if category != TRANSCRIPTION or detection.is_one(result):
            self._detection(raw, task, result, category, planned)

    def _planned(self, raw: RawTask, task: wire.Task) -> VendorTask | None:
        return self._tasks.get(raw.ref.name) or self._tasks.get(raw.ref.category or category_of(task) or "")

    def _transcript(self, raw: RawTask, task: wire.Task, result: Any) -> None:
        transcript, notes = transcription.read(task, result, raw.ref.id)
        self.notes += notes
        if transcript is not None:
            self.transcripts.append(transcript)

    def _detection(
        self, raw: RawTask, task: wire.Task, result: Any, category: str | None, planned: VendorTask | None
    ) -> None:
        clock = Clock.of(category, planned.extra if planned is not None else {})
        found = detection.read(result, category, self._words, clock, task=raw.ref.id, is_legacy=task.name is None)
        self.findings += found.findings
        self.notes += found.notes
        if category not in CATEGORIES:
            if raw.status is Status.SUCCEEDED:
                says = (
                    f"the category {category!r} is in no map"
                    if category
                    else "the reply does not say what was looked for"
                )
                self.notes.append(Note(code="unmapped", says=says))
            return
        self._categories.append(category)
        self._gaps.append(largest_gap(category, planned.extra if planned is not None else {}))
        if raw.status is not Status.SUCCEEDED and raw.status not in _NOT_DONE:
            return  # not finished: nothing was looked at yet
        why, through = _NOT_DONE.get(raw.status), None
        if why is not None and raw.error is not None and raw.error.message:
            why = f"{why}: {raw.error.message}"
        if why is None:
            why = found.doubt or _odd(task)
        if why is None:
            stops = task.task_data.stop_objects or (
                planned.payload.get("stop_objects") if planned is not None else None
            )
            why, through = detection.stopped(found, stops, floor=FLOORS[category])
        self.looked.append(Looked(self._words.labels(category), Channel.VISUAL, through=through, why=why))

    def media(self) -> MediaFacts | None:
        """How the media was sampled, where anything was looked at."""
        if not self._categories:
            return None
        told = []
        stills = [category for category in dict.fromkeys(self._categories) if category != SPORT]
        if stills:
            told.append(f"key frames only, wherever the encoder put them ({', '.join(stills)})")
        if SPORT in self._categories:
            told.append("a sequence of frames, the vendor does not say which (sport)")
        gap = max((gap for gap in self._gaps if gap is not None), default=None) if None not in self._gaps else None
        return MediaFacts(sampling="; ".join(told), largest_gap=gap)


def _is_task(payload: Any) -> bool:
    return isinstance(payload, dict) and any(names <= payload.keys() for names in _TASK_FIELDS)


def _reason(result: Any) -> str | None:
    return lenient.text(result.get("error")) if isinstance(result, dict) else lenient.text(result)


def _odd(task: wire.Task) -> str | None:
    """What speaks against a reply beside its result."""
    if (task.model_extra or {}).get("error"):
        return "the reply holds an error beside its result"
    if task.name == TRANSCRIPTION:
        return "the reply is that of a transcription"
    return None


def _usage(raw: RawTask) -> Usage:
    """Only a task that succeeded is billed; what it is billed is not in any reply."""
    unbilled = raw.status in {Status.FAILED, Status.CANCELED}
    return Usage(provider="gcore", task=raw.ref.id, billed_seconds=0.0 if unbilled else None, requests=raw.requests)


def list_items(page: Any) -> Iterable[Any]:
    """The tasks of a page of the list."""
    items = page.get("results") if isinstance(page, dict) else None
    return items if isinstance(items, list) else []
