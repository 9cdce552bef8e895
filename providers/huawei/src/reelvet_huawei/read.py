"""Huawei's replies as findings and coverage. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

from reelvet.plugins import Capabilities, Looked, Report, final_coverage, plan_coverage
from reelvet.schema import lenient
from reelvet.schema.errors import InvalidJob, ProviderError
from reelvet.schema.media import Channel, MediaKind
from reelvet.schema.result import MediaFacts, Note, Usage
from reelvet.schema.task import RawTask, Status, TaskError, TaskRef
from reelvet_huawei import read_v2, read_v3, wire
from reelvet_huawei.errors import WAYS_OUT, fault_of, kind_of, way_out_of
from reelvet_huawei.plugin import IMAGE_TEXT, V2_CATEGORY, V2_TEXT, V3_AUDIO, V3_IMAGE, V3_TEXT
from reelvet_huawei.states import STATES, STATUSES
from reelvet_huawei.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelvet.schema.plan import Plan, VendorTask
    from reelvet.taxonomy import LabelMap, Taxonomy
    from reelvet_huawei.found import Found
    from reelvet_huawei.plugin import Api

VIDEO, AUDIO = "video", "audio"
ALSO = "also_created"
"""Under this name a task's reference holds further ids that the create was answered with."""
RESULT = "result.json"
"""The name under which a result that was read out of a bucket is attached."""

GONE = {
    "OVERDUE": ("TaskNotFound", "the vendor kept it for 48 hours, and they are over"),
    "DELETED_MISTAKENLY": ("TaskNotFound", "it was deleted at the vendor"),
    "EXCEED_IN_SIZE": ("ReplyTooLarge", "it is too large for the vendor to hand out"),
}
"""`hosting_result.status` -> the error it stands for, and why there is no result."""

_FINAL_V2 = frozenset({"AVAILABLE"})
_FROZEN = "FROZEN"
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_KEEP = "Fetch results in time, or have them written to a bucket of yours too (`obs_output`)"
_CHECK_MEDIA = (
    "Check that the media is there and can be played: at a public URL, or as an object in the same region that the "
    "service has its agency (delegation) for"
)
_ASK_VENDOR = "Ask the vendor why"
_MENDS = (_CHECK_MEDIA, _ASK_VENDOR, _KEEP, *WAYS_OUT)
_READS = "reelvet-huawei[obs] reads it, once it is there, with a key pair that may"


class Able(Protocol):
    """What an API can see, under a policy if there is one."""

    def __call__(self, api: Api, biz_type: str | None, /) -> Capabilities:
        """The capabilities."""
        ...


def api_of(payload: Any) -> Api | None:
    """Which API's reply to a query a payload is; `None` for no such reply."""
    if not isinstance(payload, dict):
        return None
    if "job_id" in payload and ("status" in payload or "result" in payload):
        return "v3"
    if read_v2.is_one(payload) or ("state" in payload and "id" in payload) or "hosting_result" in payload:
        return "v2"
    return None


def raw_task(
    payload: Any,
    *,
    ref: TaskRef,
    requests: int = 0,
    request_ids: tuple[str, ...] = (),
    is_listed: bool = False,
    attachments: dict[str, Any] | None = None,
) -> RawTask:
    """What the vendor says of a task.

    Args:
        payload: The reply to a query, or an item of the list.
        ref: The task.
        requests: How many were made for it.
        request_ids: The vendor's ids of them.
        is_listed: Whether it is an item of the list, in which results never are.
        attachments: What was read besides.
    """
    common: dict[str, Any] = {
        "ref": ref, "payload": payload, "requests": requests, "request_ids": request_ids, "attachments": attachments or {},
    }  # fmt: skip
    shape = payload if isinstance(payload, dict) else {}
    if api_of(payload) == "v3":
        job = wire.Job.model_validate(shape)
        status = STATUSES.get((job.status or "").strip().lower(), Status.UNKNOWN)
        says = "the vendor gives no reason: a failed job of v3 has no field for it"
        error = _failed(shape, None, says) if status is Status.FAILED else None
        return RawTask(
            **common, status=status, native_status=job.status, error=error, created_at=lenient.moment(job.create_time)
        )
    if "state" not in shape and read_v2.is_one(payload):  # the file of a result by itself: there is one when it is done
        return RawTask(**common, status=Status.SUCCEEDED)
    task = wire.VcmTask.model_validate(shape)
    status, error = _state(task, shape, is_listed=is_listed, is_read=bool(attachments))
    hosted = task.hosting_result.status
    shown = " ".join(word for word in (task.state, hosted) if word)
    return RawTask(
        **common,
        status=status,
        native_status=shown or None,
        error=error,
        vendor_key=task.name,
        created_at=task.created_at,
    )


def _failed(shape: dict[str, Any], code: str | None, says: str, mend: str = _CHECK_MEDIA) -> TaskError:
    """Why a task failed, as the reply tells, else by what is known besides; and what to do about it."""
    told, text = fault_of(shape)
    message = f"{(text or says).rstrip('.')}. {way_out_of(told) or mend}."
    return TaskError(code=told or code, message=message, type=kind_of(told).__name__)


def cause(error: TaskError | None) -> str:
    """What an error of `_failed` says without what to do about it."""
    message = error.message if error is not None else ""
    return next((message.partition(f". {mend}")[0] for mend in _MENDS if f". {mend}" in message), message)


def _state(
    task: wire.VcmTask, shape: dict[str, Any], *, is_listed: bool, is_read: bool
) -> tuple[Status, TaskError | None]:
    """The status, and why it failed. A task is done before its result is there, and its result goes before the task."""
    state = (task.state or "").strip().upper()
    status = STATES.get(state, Status.UNKNOWN)
    if status is Status.FAILED:
        is_frozen = state == _FROZEN
        says = task.status or ("the account is frozen" if is_frozen else "the vendor gives no reason")
        return status, _failed(shape, state, says, _ASK_VENDOR if is_frozen else _CHECK_MEDIA)
    if status is not Status.SUCCEEDED or is_listed or is_read or not task.is_hosted:
        return status, None
    hosted = (task.hosting_result.status or "").strip().upper()
    if hosted in GONE and task.output.obs.bucket is None:
        kind, why = GONE[hosted]
        until = f" (until {task.hosting_result.overdue})" if task.hosting_result.overdue else ""
        says = f"the task succeeded and its result is gone: {why}{until}. {_KEEP}."
        return Status.FAILED, TaskError(code=hosted, message=says, type=kind, retryable=False)
    if hosted in GONE:
        return status, None
    if task.hosting_result.data in (None, "") or hosted == "NOT_GENERATED":
        return Status.RUNNING, None
    return (status if hosted in _FINAL_V2 or not hosted else Status.UNKNOWN), None


def recognize(payload: Any) -> RawTask:
    """A stored reply to a query of either API, of a job of audio too, or the file of a v2 result.

    Raises:
        InvalidJob: It is none.
    """
    api = api_of(payload)
    if api is None:
        raise InvalidJob(
            "the payload is no reply of Huawei's to a query of one task: such one has job_id and status, or id and state",
            way_out="Give what GET .../moderation/video/jobs/{job_id} or GET .../video-moderation/tasks/{task_id} answered.",
        )
    name = "job_id" if api == "v3" else "id"
    result = payload.get("result")
    is_audio = api == "v3" and isinstance(result, dict) and "details" in result
    ref = TaskRef(id=lenient.text(payload.get(name)) or "stored", category=AUDIO if is_audio else VIDEO)
    return raw_task(payload, ref=ref)


def report(plan: Plan | None, raws: Sequence[RawTask], able: Able, labels: LabelMap, taxonomy: Taxonomy) -> Report:
    """What the replies say."""
    reading = _Reading(plan, labels, able)
    for raw in raws:
        reading.read(raw)
    capabilities = reading.able
    if plan is not None:
        rows = list(plan.coverage)
    else:
        seen = [(label, look.channel) for look in reading.looked for label in look.labels]
        places = dict.fromkeys(place for place in seen if place in capabilities.by_place)
        rows = plan_coverage(places, capabilities, taxonomy, "huawei")
    return Report(
        findings=reading.findings,
        coverage=final_coverage(rows, reading.looked, reading.findings, capabilities, taxonomy),
        usage=[Usage(provider="huawei", task=raw.ref.id, requests=raw.requests) for raw in raws],
        warnings=list(dict.fromkeys(reading.notes)),
        media=reading.media,
        versions={"label_map": str(labels)},
    )


class _Reading:
    """What has been read so far."""

    def __init__(self, plan: Plan | None, labels: LabelMap, able: Able) -> None:
        self._task: VendorTask | None = plan.tasks[0] if plan is not None and plan.tasks else None
        self._labels = labels
        self._words = Words(labels)
        self._able = able
        told = self._task.extra if self._task is not None else {}
        self.able = able(told.get("api", "v3"), told.get("biz_type"))
        self.media: MediaFacts | None = None
        self.findings: list[Any] = []
        self.looked: list[Looked] = []
        self.notes: list[Note] = []

    def read(self, raw: RawTask) -> None:
        """One task."""
        if raw.status is Status.FAILED and raw.error is not None and raw.error.type == ProviderError.__name__:
            self.notes.append(Note(code="task_failed", says=raw.error.message))
        if others := wire.words(raw.ref.extra.get(ALSO)):
            says = f"the vendor answered one create with {1 + len(others)} tasks; not looked at: {', '.join(others)}"
            self.notes.append(Note(code="also_created", says=says))
        api = api_of(raw.payload)
        if api == "v3":
            self._v3(raw, wire.Job.model_validate(raw.payload))
        elif api == "v2":
            self._v2(raw, raw.payload)

    def _v2(self, raw: RawTask, payload: dict[str, Any]) -> None:
        self.able = self._able("v2", None)
        task = wire.VcmTask.model_validate(payload if "state" in payload or "hosting_result" in payload else {})
        common = task.service_config.common
        is_file = not task.model_fields_set
        result = payload if is_file else raw.attachments.get(RESULT)
        if result is None:
            result = wire.parsed(task.hosting_result.data)
        says_so = common.categories is not None or common.text_categories is not None
        places = self._looked_for_v2(common) if says_so else self._planned("v2")
        if places:
            self._sampled(common.frame_interval, MediaKind.VIDEO)
        if result is not None:
            found = read_v2.read(result, self._words, task=raw.ref.id, pictures=_pictures(task))
            found.strange("the task", task.model_extra)
            found.overhear("the reply", payload, result)
            self._take(raw, places, found)
        elif raw.status is Status.SUCCEEDED:
            place = where(task)
            told = f"the result lies in obs://{place[0]}/{place[1]} and was not read" if place else None
            why = told or "the reply holds no readable result"
            mend = raw.error.message if raw.error is not None else _READS if told else None
            code = "result_elsewhere" if told else "unreadable_result"
            self.notes.append(Note(code=code, says=f"{why}: {mend}" if mend else why))
            self._look(raw, places, why)
        else:
            self._look(raw, places, None)

    def _v3(self, raw: RawTask, job: wire.Job) -> None:
        params = job.request_params
        told = self._task.extra if self._task is not None else {}
        biz_type = params.biz_type or told.get("biz_type")
        self.able = self._able("v3", biz_type)
        if biz_type is None:
            said = (params.image_categories, params.audio_categories, params.categories)
            places = self._planned("v3") if all(one is None for one in said) else self._looked_for_v3(params)
        else:  # the policy decides, whatever was asked: what its declaration says
            places = [(entry.label, channel) for entry in self.able.entries for channel in entry.channels]
        is_audio = raw.ref.category == AUDIO or (isinstance(job.result, dict) and "details" in job.result)
        if places and not is_audio:
            self._sampled(params.data.frame_interval, MediaKind.VIDEO)
        elif is_audio:
            self.media = MediaFacts(kind=MediaKind.AUDIO)
        if job.result is not None or raw.status is Status.SUCCEEDED:
            found = read_v3.read(job.result, self._words, task=raw.ref.id)
            found.strange("the job", job.model_extra)
            found.overhear("the reply", raw.payload)
            self._take(raw, places, found)
        else:
            self._look(raw, places, None)

    def _take(self, raw: RawTask, places: Iterable[tuple[str, Channel]], found: Found) -> None:
        if any(fault_of(raw.payload)):
            found.cast_doubt("the reply holds an error beside its result")
        self.findings += found.findings
        self.notes += found.notes
        if found.doubt is not None and raw.status is Status.SUCCEEDED:
            self.notes.append(Note(code="unreadable_result", says=found.doubt))
        self._look(raw, places, found.doubt, found)

    def _look(
        self, raw: RawTask, places: Iterable[tuple[str, Channel]], doubt: str | None, found: Found | None = None
    ) -> None:
        """What was looked at, and why its silence may say nothing."""
        if raw.status is Status.FAILED:
            doubt = f"the task failed: {cause(raw.error)}" if cause(raw.error) else "the task failed"
        elif raw.status is Status.CANCELED:
            doubt = "the task was canceled"
        elif raw.status is not Status.SUCCEEDED:
            return  # not finished: nothing was looked at yet
        for label, channel in places:
            why = found.silent(label, channel) if doubt is None and found is not None else doubt
            self.looked.append(Looked([label], channel, why=why))

    def _planned(self, api: Api) -> list[tuple[str, Channel]]:
        """What the task was told to look for, where the reply does not repeat it; a plan for the other API says nothing."""
        is_its = self._task is not None and self._task.extra.get("api") == api
        looks_for = self._task.looks_for if self._task is not None and is_its else {}
        return [(label, Channel(channel)) for channel, labels in looks_for.items() for label in labels]

    def _looked_for_v2(self, common: wire.Common) -> list[tuple[str, Channel]]:
        channels = [c for c, on in ((Channel.OCR, common.use_ocr), (Channel.SPEECH, common.use_sis)) if on]
        found = self._places(V2_CATEGORY, wire.words(common.categories), [Channel.VISUAL])
        return found + self._places(V2_TEXT, wire.words(common.text_categories), channels)

    def _looked_for_v3(self, params: wire.Params) -> list[tuple[str, Channel]]:
        images = wire.words(params.image_categories)
        sounds = [*wire.words(params.audio_categories), *wire.words(params.categories)]
        found = self._places(V3_IMAGE, images, [Channel.VISUAL, Channel.OCR])
        if IMAGE_TEXT in images:
            found += self._places(V3_TEXT, None, [Channel.OCR])
        return found + self._places(V3_AUDIO, sounds, [Channel.SPEECH, Channel.SOUND])

    def _places(
        self, field: str, words: Sequence[str] | None, channels: Sequence[Channel]
    ) -> list[tuple[str, Channel]]:
        return [
            (mapping.label, mapping.channel)
            for mapping in self._labels
            if mapping.field == field and (words is None or mapping.native in words)
            if mapping.label is not None and mapping.channel in channels and mapping.channel is not None
        ]

    def _sampled(self, interval: float | None, kind: MediaKind) -> None:
        says = f"a frame every {interval:g} s" if interval is not None else "vendor default"
        self.media = MediaFacts(kind=kind, sampling=says)


def _pictures(task: wire.VcmTask) -> str | None:
    """Where frames that hit were written to: their names in the result stand below the output's folder."""
    output = task.output.obs
    if output.bucket is None or task.service_config.common.upload is not True:
        return None
    path = (output.path or "").rstrip("/")
    return f"obs://{output.bucket}/{path}/" if path else f"obs://{output.bucket}/"


def where(task: wire.VcmTask) -> tuple[str, str] | None:
    """Bucket and folder of the caller's that a result was written to; `None` where that is no bucket's name."""
    output = task.output.obs
    return (output.bucket, output.path or "") if output.bucket and BUCKET.fullmatch(output.bucket) else None
