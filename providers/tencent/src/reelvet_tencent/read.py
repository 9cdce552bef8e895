"""Tencent's replies as findings, coverage and transcripts. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reelvet.plugins import Looked, Report, final_coverage, plan_coverage
from reelvet.schema import lenient
from reelvet.schema.errors import InvalidJob
from reelvet.schema.media import Channel, MediaKind
from reelvet.schema.result import CoverageState, MediaFacts, Note, Usage
from reelvet.schema.task import RawTask, Status, TaskRef
from reelvet_tencent import finding, transcription, words
from reelvet_tencent.errors import task_error
from reelvet_tencent.making import Making
from reelvet_tencent.plugin import LIVE_VIDEO, VIDEO, VIDEO_AIGC
from reelvet_tencent.shape import is_empty
from reelvet_tencent.times import Clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelvet.schema.plan import Plan, VendorTask
    from reelvet.schema.result import Coverage
    from reelvet.taxonomy import LabelMap, Taxonomy
    from reelvet_tencent.policies import Policies
    from reelvet_tencent.shape import Told

STATUSES = {
    "PENDING": Status.QUEUED,
    "RUNNING": Status.RUNNING,
    "FINISH": Status.SUCCEEDED,
    "ERROR": Status.FAILED,
    "CANCELLED": Status.CANCELED,
}
"""https://cloud.tencent.com/document/api/1265/51878. A word that is not here is not finished."""

_TYPES = frozenset({VIDEO, LIVE_VIDEO, VIDEO_AIGC, "VIDEO_LLM"})
_LISTS = {
    Channel.VISUAL: "ImageSegments",
    Channel.OCR: "ImageSegments",
    Channel.SPEECH: "AudioSegments",
    Channel.SOUND: "AudioSegments",
}
MOST_OF_CALLBACK = 30
"""Pictures and sounds that a callback names: https://cloud.tencent.com/document/practice/1265/104001"""

_SAMPLING = "pictures and slices of sound as the policy of the BizType says"
# With the task's id each tells the reply to DescribeTaskDetail, or a callback, from those of other actions.
_TELLING = frozenset({"Status", "Suggestion", "ImageSegments", "AudioSegments", "VideoSegments"})


def unwrapped(payload: Any) -> dict[str, Any]:
    """What stands in `Response`, or a callback's body, which has no such wrapper."""
    if not isinstance(payload, dict):
        return {}
    return lenient.mapping(payload["Response"]) if "Response" in payload else payload


def raw_task(payload: Any, *, ref: TaskRef, requests: int = 0, request_ids: tuple[str, ...] = ()) -> RawTask:
    """What the vendor says of a task: a reply to DescribeTaskDetail, an item of the list, or a callback."""
    inner = unwrapped(payload)  # not as a model: all of its segments would be read, only to be read again
    text, word = lenient.text, lenient.text(inner.get("Status"))
    status = STATUSES.get((word or "").strip().upper(), Status.UNKNOWN)
    pause = lenient.whole(inner.get("TryInSeconds"))
    failed = status is Status.FAILED
    return RawTask(
        ref=ref,
        status=status,
        native_status=word,
        payload=payload,
        request_ids=request_ids,
        requests=requests,
        error=task_error(text(inner.get("ErrorType")), text(inner.get("ErrorDescription"))) if failed else None,
        poll_after=float(pause) if pause is not None and pause > 0 and not status.final else None,
        vendor_key=text(inner.get("DataId")) or None,
        created_at=lenient.moment(inner.get("CreatedAt")),
    )


def recognize(payload: Any) -> RawTask:
    """A stored reply to DescribeTaskDetail of either version, with or without `Response`, so a callback too.

    Raises:
        InvalidJob: It is neither.
    """
    inner = unwrapped(payload)
    task_id = lenient.text(inner.get("TaskId"))
    if not task_id or "Error" in inner or not _TELLING.intersection(inner):
        raise InvalidJob(
            "the payload is no reply of Tencent's to 'get task': such one has TaskId and Status",
            way_out="Give what DescribeTaskDetail answered, or the body of a callback.",
        )
    request_id = lenient.text(inner.get("RequestId"))
    ref = TaskRef(id=task_id, category=lenient.text(inner.get("Type")) or None)
    return raw_task(payload, ref=ref, request_ids=(request_id,) if request_id else ())


def report(
    plan: Plan | None, raws: Sequence[RawTask], policies: Policies, labels: LabelMap, taxonomy: Taxonomy
) -> Report:
    """What the replies say."""
    reading = _Reading(plan, policies, words.Words(labels))
    for raw in raws:
        reading.read(raw)
    rows = list(plan.coverage) if plan is not None else list(reading.rows(labels, taxonomy))
    able = policies.able(reading.biz_type(plan))
    rows = final_coverage(rows, reading.looked, reading.findings, able, taxonomy)
    return Report(
        findings=reading.findings,
        coverage=[_as_hit(row) for row in rows],
        transcripts=reading.transcripts,
        usage=[Usage(provider="tencent", task=raw.ref.id, requests=raw.requests) for raw in raws],
        warnings=list(dict.fromkeys([*reading.vocabulary.notes, *reading.notes])),
        media=reading.media,
        versions={"label_map": str(labels)},
    )


@dataclass(frozen=True, slots=True)
class _Task:
    """One task, as its reply and its plan tell it."""

    raw: RawTask
    inner: dict[str, Any]
    detail: Told
    planned: VendorTask | None

    @property
    def type(self) -> str:
        return (
            self.detail.get("Type")
            or self.raw.ref.category
            or (self.planned.category if self.planned else None)
            or VIDEO
        )

    @property
    def lists_all(self) -> bool:
        """Whether pictures and sounds in which nothing was found were asked for too."""
        planned = self.planned.extra if self.planned is not None else {}
        return bool(self.raw.ref.extra.get("all_segments") or planned.get("all_segments"))

    def segments(self, channel: Channel) -> Sequence[Told]:
        """The pictures or the sounds, whichever a channel is looked for in."""
        return self.detail.get(_LISTS[channel]) or ()

    @property
    def is_live(self) -> bool:
        return self.type.startswith("LIVE")

    @property
    def kind(self) -> MediaKind:
        return MediaKind.LIVE if self.is_live else MediaKind.VIDEO

    @property
    def biz_type(self) -> str | None:
        # What it was sent with counts; a reply that names another one is another policy's.
        return self.detail.get("BizType") or (self.planned.payload.get("BizType") if self.planned else None)


def _as_hit(row: Coverage) -> Coverage:
    """A hit is one, also where silence would say nothing from the first second on."""
    hit = row.state is CoverageState.HIT and row.through == 0
    return row.model_copy(update={"through": None}) if hit else row


class _Reading:
    """What has been read so far."""

    def __init__(self, plan: Plan | None, policies: Policies, vocabulary: words.Words) -> None:
        self._planned = {task.name: task for task in plan.tasks} if plan is not None else {}
        self._has_plan = plan is not None
        self._policies = policies
        self._tasks: list[_Task] = []
        self.vocabulary = vocabulary
        self.findings: list[Any] = []
        self.looked: list[Looked] = []
        self.transcripts: list[Any] = []
        self.notes: list[Note] = []
        self.media: MediaFacts | None = None

    def read(self, raw: RawTask) -> None:
        """One task."""
        inner = unwrapped(raw.payload)
        if not inner:
            return
        detail = finding.whole(inner)
        planned = self._planned.get(raw.ref.name) or self._planned.get(raw.ref.category or detail.get("Type") or "")
        task = _Task(raw, inner, detail, planned)
        self._tasks.append(task)
        extra = planned.extra if planned is not None else {}
        lasts = lenient.whole((detail.get("MediaInfo") or {}).get("Duration"))
        duration = float(lasts) if lasts and not task.is_live else None
        began = lenient.moment(extra.get("stream_started_at"))
        clock = Clock(live=task.is_live, duration=duration, began=began)
        make = Making(self.vocabulary, clock, task=raw.ref.id, generated=task.type == VIDEO_AIGC)
        finding.find(make, detail, inner, final=raw.status.final)
        self._errors(task, make)
        self.findings += make.findings
        self.notes += make.notes
        if not self._has_plan or extra.get("transcript"):
            transcript, notes = transcription.read(detail, clock, raw.ref.id)
            self.transcripts += [transcript] if transcript is not None else []
            self.notes += notes
        self._look(task, clock, make.doubts)
        self._tell(task)
        self.media = self.media or _media(task, duration)

    def _errors(self, task: _Task, make: Making) -> None:
        """A task that has ended well and names an error besides has done one of the two; a callback is no part of it."""
        if (task.detail.get("ErrorType") or "").startswith("CALLBACK"):
            return
        told = [name for name in ("ErrorType", "ErrorDescription") if not is_empty(task.inner.get(name))]
        if told and task.raw.status is Status.SUCCEEDED:
            says = f"the reply holds an error beside its verdict: {task.inner[told[0]]!r}"
            make.doubt(Channel, says)
            self.notes.append(Note(code="contradiction", says=says))

    def _look(self, task: _Task, clock: Clock, doubts: dict[Channel, str]) -> None:
        raw, declared = task.raw, self._policies.is_declared(task.biz_type) or task.type == VIDEO_AIGC
        if not raw.status.final:
            return  # nothing was looked at to the end yet
        why: str | None = None
        if raw.status is not Status.SUCCEEDED:
            why = "the task was canceled" if raw.status is Status.CANCELED else "the task failed"
            if raw.error is not None and raw.error.message:
                why = f"{why}: {raw.error.message}"
        elif not declared:
            why = f"what the policy of BizType {task.biz_type!r} looks at is not declared"
            says = f"{why}, so its silence says nothing: declare it in `biz_types`"
            self.notes.append(Note(code="undeclared_policy", says=says))
        elif (odd := _odd(task)) is not None:
            why = odd
            self.notes.append(Note(code="contradiction", says=odd))
        elif task.planned is None and task.type not in _TYPES:
            why = f"what a task of type {task.type!r} looks at is not known"  # as one that only listens
            self.notes.append(Note(code="unknown_type", says=why))
        able = self._policies.able(task.biz_type).for_kind(task.kind)
        for channel, labels in self._policies.looks_for(task.type, able).items():
            reason = why or doubts.get(channel) or _unlisted(task.inner, channel) or _none(task, channel)
            watched, unsure = _watched(task, clock, channel)
            reason = reason or unsure
            # From the first second on, where a task that ended well does not say: no policy may take that for a look.
            through = 0.0 if reason is not None and raw.status is Status.SUCCEEDED else watched
            if reason is None and task.inner is raw.payload:
                reason = _cut(task.inner, channel)
            self.looked.append(Looked(labels, channel, through=through, why=reason))

    def _tell(self, task: _Task) -> None:
        if task.is_live and task.raw.status.final:
            says = "a stream is looked at while it can be pulled, and what was missed while it could not is not told"
            self.notes.append(Note(code="stream_gaps", says=says))
        planned = task.planned.payload.get("BizType") if task.planned is not None else None
        told = task.detail.get("BizType")
        if planned and told and planned != told:
            says = f"it was sent for BizType {planned!r}, and the reply is of {told!r}"
            self.notes.append(Note(code="contradiction", says=says))

    def biz_type(self, plan: Plan | None) -> str | None:
        """The BizType whose policy was asked."""
        if plan is not None:
            return next((task.payload.get("BizType") for task in plan.tasks if task.category != VIDEO_AIGC), None)
        return next((task.biz_type for task in self._tasks), None)

    def rows(self, labels: LabelMap, taxonomy: Taxonomy) -> Iterable[Coverage]:
        """For tasks made elsewhere: what their policies look at or, where that is not declared, what Tencent may."""
        for task in self._tasks:
            able = self._policies.able(task.biz_type).for_kind(task.kind)
            places = [
                (label, channel)
                for channel, found in self._policies.looks_for(task.type, able).items()
                for label in found
                if self._policies.is_declared(task.biz_type) or task.type == VIDEO_AIGC or _is_main(label, labels)
            ]
            yield from plan_coverage(places, able, taxonomy, "tencent")


def _odd(task: _Task) -> str | None:
    """What about a task that ended well contradicts that it did, or is not what was sent."""
    failed, type_ = task.detail.get("ErrorType"), task.detail.get("Type")
    if failed and not failed.startswith("CALLBACK"):  # what failed then is not the moderation
        return f"the reply says {task.detail.get('Status')} and {failed}"
    if task.planned is not None and type_ and type_ != task.planned.category:
        return f"it was sent as {task.planned.category}, and the reply is of {type_}"
    return None


def _is_main(label: str, labels: LabelMap) -> bool:
    return any(mapping.label == label for mapping in labels if mapping.field == "Label")


def _watched(task: _Task, clock: Clock, channel: Channel) -> tuple[float | None, str | None]:
    """Seconds through which a stream was looked at, or why they are not known; of a file all of it was.

    They are known where all of its pictures or sounds are listed, and its beginning is.
    """
    if not task.is_live:
        return None, None
    unsure = "how far the stream was looked at is not known"
    if not task.lists_all:
        return None, f"{unsure}: that is told by `all_segments`"
    if clock.began is None:
        return None, f"{unsure}: that takes when it began, as `stream_started_at`"
    whens = [clock.at(one.get("OffsetTime")) for one in task.segments(channel)]
    if any(when.at_date is not None and when.at_date < clock.began for when in whens):
        return None, f"{unsure}: some of it is from before it is said to have begun"
    starts = [when.start for when in whens if when.start is not None]
    return (max(starts), None) if starts else (None, f"{unsure}: nothing of it has a date")


def _none(task: _Task, channel: Channel) -> str | None:
    """Why a channel's silence says nothing: all there is was to be listed, and nothing was there."""
    if not task.lists_all or task.segments(channel) or task.inner is task.raw.payload:  # a callback lists hits only
        return None
    return f"all {_LISTS[channel]} were asked for, and the reply has none"


def _unlisted(inner: dict[str, Any], channel: Channel) -> str | None:
    """Why a channel's silence says nothing: the reply has no list of what was found there. `null` is an empty one."""
    listed = inner.get(_LISTS[channel], "")
    return None if listed is None or isinstance(listed, list) else f"the reply has no {_LISTS[channel]}"


def _cut(inner: dict[str, Any], channel: Channel) -> str | None:
    """Why the silence of a callback says nothing: it is full."""
    if len(inner.get(_LISTS[channel]) or ()) < MOST_OF_CALLBACK:
        return None
    return f"a callback names the first {MOST_OF_CALLBACK} {_LISTS[channel]} only"


def _media(task: _Task, duration: float | None) -> MediaFacts:
    info, given = task.detail.get("MediaInfo") or {}, task.detail.get("InputInfo") or {}
    bucket = lenient.mapping(given.get("BucketInfo"))
    place = lenient.text(bucket.get("Object")) or ""
    source = given.get("Url") or (f"cos://{bucket.get('Bucket')}/{place.lstrip('/')}" if place else None)
    return MediaFacts(
        source=source,
        kind=task.kind,
        duration=duration,
        width=lenient.whole(info.get("Width")) or None,
        height=lenient.whole(info.get("Height")) or None,
        sampling=_SAMPLING,
    )
