"""The shapes of Huawei's replies, read leniently: any field may be missing, null, or of a neighbouring type.

Two APIs: VCM v2, whose result is JSON in a string or a file in a bucket, and Content Moderation v3 with its jobs of
video and of audio.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field

from reelvet.schema import lenient
from reelvet.schema.lenient import AsMapping, Date, Flag, Lenient, Number, Text

RAW_ONLY = {
    # v2
    "name": "the key comes back from the job itself; by it tasks are found",
    "description": "the caller's own text",
    "service_version": "always 1.2 for video",
    "created_at": "by it tasks are found in a window of time",
    "updated_at": "when the vendor touched it last; the result's own dates are the caller's",
    "input.type": "the media's source comes back from the job itself",
    "input.data.bucket": "as above",
    "input.data.path": "as above",
    "input.data.index": "as above; what it means is not documented",
    "output.obs.bucket": "where the result was written to; read where it says so, and where frames lie",
    "output.obs.path": "as above",
    "output.hosting.obs.bucket": "the vendor's own bucket, which is not the caller's to read",
    "output.hosting.obs.path": "as above",
    "output.hosting.result_json_overdue_at": "hosting_result says it too; in the vendor's example they differ",
    "hosting_result.overdueDate": "until when the result is kept; told where it is gone",
    "hosting_result.fileSize": "the length of the result's text",
    "service_config.common.upload": "whether frames are kept; decides whether there is evidence",
    "video_path": "the media's source comes back from the job itself",
    # v3
    "request_id": "the request that created the job; part of what callbacks sign",
    "create_time": "by it a callback is verified",
    "update_time": "tells two callbacks of one job apart",
    "craete_time": "as create_time, misspelled by the streams' callbacks",
    "request_params.callback": "where the vendor was asked to report to",
    "request_params.event_type": "what the job was created with",
    "request_params.data.url": "the media's source comes back from the job itself",
    "result.audio_text": "the words of the segments, again, as one text",
}
"""Leaves of a reply that no unified field carries, and why."""


_MOST_OF_A_WORD = 60


def _verdict(value: Any) -> str | None:
    """A verdict's word. What stands there and is none is a word too, one that nobody knows; only nothing is none."""
    if not value and value is not False and value != 0:
        return None
    said = lenient.text(value)
    return (said.strip() or None) if said is not None else json.dumps(value)[:_MOST_OF_A_WORD]


Verdict = Annotated[str | None, BeforeValidator(_verdict)]


class Place(Lenient):
    """An object or a folder in OBS."""

    bucket: Text = None
    path: Text = None


class Common(Lenient):
    """What a v2 task was told to look for."""

    frame_interval: Number = None
    categories: Any = None
    text_categories: Any = None
    use_ocr: Flag = None
    use_sis: Flag = None
    upload: Flag = None


class ServiceConfig(Lenient):
    """Its envelope."""

    common: Annotated[Common, AsMapping] = Field(default_factory=Common)


class Output(Lenient):
    """Where the result of a v2 task goes."""

    obs: Annotated[Place, AsMapping] = Field(default_factory=Place)
    hosting: Any = None


class HostingResult(Lenient):
    """The result as the vendor keeps it."""

    status: Text = None
    data: Any = None
    overdue: Text = Field(
        None, validation_alias=AliasChoices("overdueDate", "overdue_date", "result_json_overdue_at", "overdue")
    )


class Fault(Lenient):
    """Why a v2 task failed; only the vendor's generic specification has it."""

    code: Text = None
    message: Text = None


class VcmTask(Lenient):
    """The reply of v2 to "query a task", or an item of its list, which has no `hosting_result`."""

    id: Text = None
    name: Text = None
    state: Text = None
    status: Text = None
    created_at: Date = None
    output: Annotated[Output, AsMapping] = Field(default_factory=Output)
    service_config: Annotated[ServiceConfig, AsMapping] = Field(default_factory=ServiceConfig)
    hosting_result: Annotated[HostingResult, AsMapping] = Field(default_factory=HostingResult)
    error: Annotated[Fault, AsMapping] = Field(default_factory=Fault)

    @property
    def is_hosted(self) -> bool:
        """Whether the vendor was asked to keep the result."""
        return self.output.hosting is not None or "hosting_result" in self.model_fields_set


class VcmFrame(Lenient):
    """One interval of a v2 result."""

    frame_begin: Any = None
    frame_end: Any = None
    frame_suggestion: Verdict = None
    frame_img_path: Text = None
    suspect_categories: Any = None
    detail: Any = None


class VcmVoice(Lenient):
    """One stretch of speech of a v2 result."""

    voice_begin: Any = None
    voice_end: Any = None
    voice_suggestion: Verdict = None
    content: Text = None
    detail: Any = None


class Source(Lenient):
    """What a v3 job was given."""

    url: Text = None
    frame_interval: Number = None


class Params(Lenient):
    """What a v3 job was created with."""

    data: Annotated[Source, AsMapping] = Field(default_factory=Source)
    biz_type: Text = None
    callback: Text = None
    image_categories: Any = None
    audio_categories: Any = None
    categories: Any = None


class Job(Lenient):
    """The reply of v3 to "query a job", and the body of its callback."""

    job_id: Text = None
    request_id: Text = None
    status: Text = None
    create_time: Text = Field(None, validation_alias=AliasChoices("create_time", "craete_time"))
    update_time: Text = None
    request_params: Annotated[Params, AsMapping] = Field(default_factory=Params)
    result: Any = None


class Corners(Lenient):
    """A rectangle in a frame."""

    top_left_x: Number = None
    top_left_y: Number = None
    bottom_right_x: Number = None
    bottom_right_y: Number = None


class ImageHit(Lenient):
    """One label in a frame of v3."""

    category: Text = None
    label: Text = None
    confidence: Any = None
    suggestion: Verdict = None
    face_location: Any = None
    qr_location: Any = None
    qr_content: Text = None
    segments: Any = None


class Frame(Lenient):
    """One frame of v3 in which something was found."""

    category: Text = None
    suggestion: Verdict = None
    time: Any = None
    ocr_text: Text = None
    detail: Any = None


class SoundHit(Lenient):
    """One label in a stretch of sound of v3."""

    label: Text = None
    confidence: Any = None
    suggestion: Verdict = None
    segments: Any = None


class Sound(Lenient):
    """One stretch of sound of v3 in which something was found; jobs of audio alone have no `detail` in it."""

    label: Text = None
    suggestion: Verdict = None
    audio_text: Text = None
    start_time: Any = None
    end_time: Any = None
    segments: Any = None
    detail: Any = None


def are_words(value: Any) -> bool:
    """Whether there is nothing but words, or nothing."""
    items = value if isinstance(value, list) else [value]
    return all(isinstance(item, str) or not item for item in items)


def words(value: Any) -> list[str]:
    """Words in a list, or in a string with commas."""
    found = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    return [word.strip() for word in found if isinstance(word, str) and word.strip()]


def parsed(value: Any) -> Any:
    """JSON that may stand in a string; `None` where it is none, or nested deeper than any reply is."""
    if not isinstance(value, str | bytes):
        return value
    try:
        read = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return None if lenient.is_too_deep(read) else lenient.storable(read)
