"""The shapes of Tencent's replies, of the versions 2021-09-22 and 2020-12-29, read leniently.

The same in both editions: what one lacks is missing. https://cloud.tencent.com/document/api/1265/51878
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from reelvet.schema.lenient import AsMapping, Date, Text, Whole
from reelvet_tencent.parts import AudioSegments, HitSnippetInfo, ImageSegments, Part, Parts, Texts, VideoSegment

RAW_ONLY = {
    "DataId": "the key by which the task is found again, which the caller knows",
    "Name": "the name that the caller gave it",
    "CreatedAt": "when the vendor made the task; the result's own dates are the caller's",
    "UpdatedAt": "when the vendor last changed the task",
    "TryInSeconds": "when to ask again, to which polling keeps",
    "MediaInfo.Codecs": "no unified field has codecs",
    "MediaInfo.Thumbnail": "a picture of the media in which nothing need have been found",
    "InputInfo.Type": "how the media was given, which its place says too",
    "InputInfo.BucketInfo.Region": "the bucket's region, which the caller knows",
    "Asrs.CreatedAt": "when the text was made, which is not when it was said",
    "SegmentCosUrlList.ImageAllUrl": "a file whose format is not documented",
    "SegmentCosUrlList.AudioAllUrl": "a file whose format is not documented",
    "SegmentCosUrlList.ImageBlockUrl": "a file whose format is not documented",
    "SegmentCosUrlList.AudioBlockUrl": "a file whose format is not documented",
    "SegmentCosUrlList.AsrUrl": "a file whose format is not documented",
}
"""Leaves of a reply that no unified field carries, and why."""


class TaskLabel(Part):
    """One label that was found, over the whole of the media."""

    label: Text = None
    suggestion: Text = None
    score: Any = None
    sub_label: Text = None


class MediaInfo(Part):
    """The media."""

    codecs: Text = None
    duration: Whole = None
    width: Whole = None
    height: Whole = None
    thumbnail: Text = None


class InputInfo(Part):
    """Where the media was."""

    type: Text = None
    url: Text = None
    bucket_info: Any = None
    image_url_list: Texts = ()
    text_content: Text = None
    title: Text = None
    extra: Text = None


class RcbAsr(Part):
    """What was said, up to some moment of a stream."""

    text: Text = None
    created_at: Date = None


class SegmentCosUrlList(Part):
    """Links to files with all segments, and with those that hit; their format is not documented."""

    image_all_url: Text = None
    audio_all_url: Text = None
    image_block_url: Text = None
    audio_block_url: Text = None
    asr_url: Text = None


class TaskResult(Part):
    """What became of one task of a create."""

    data_id: Text = None
    task_id: Text = None
    code: Text = None
    message: Text = None


class TaskData(Part):
    """One task of the list, without segments."""

    task_id: Text = None
    data_id: Text = None
    biz_type: Text = None
    name: Text = None
    status: Text = None
    type: Text = None
    suggestion: Text = None
    labels: Annotated[tuple[TaskLabel, ...], Parts] = ()
    media_info: Annotated[MediaInfo, AsMapping] = Field(default_factory=MediaInfo)
    input_info: Annotated[InputInfo, AsMapping] = Field(default_factory=InputInfo)
    created_at: Date = None
    updated_at: Date = None


class DescribeTaskDetailResponse(Part):
    """The reply to DescribeTaskDetail, and the body of a callback."""

    task_id: Text = None
    data_id: Text = None
    biz_type: Text = None
    name: Text = None
    status: Text = None
    type: Text = None
    suggestion: Text = None
    labels: Annotated[tuple[TaskLabel, ...], Parts] = ()
    media_info: Annotated[MediaInfo, AsMapping] = Field(default_factory=MediaInfo)
    input_info: Annotated[InputInfo, AsMapping] = Field(default_factory=InputInfo)
    created_at: Date = None
    updated_at: Date = None
    try_in_seconds: Whole = None
    image_segments: Annotated[tuple[ImageSegments, ...], Parts] = ()
    audio_segments: Annotated[tuple[AudioSegments, ...], Parts] = ()
    error_type: Text = None
    error_description: Text = None
    label: Text = None
    audio_text: Text = None
    asrs: Annotated[tuple[RcbAsr, ...], Parts] = ()
    segment_cos_url_list: Annotated[SegmentCosUrlList, AsMapping] = Field(default_factory=SegmentCosUrlList)
    video_segments: Annotated[tuple[VideoSegment, ...], Parts] = ()
    hit_snippet_infos: Annotated[tuple[HitSnippetInfo, ...], Parts] = ()
    request_id: Text = None


class DescribeTasksResponse(Part):
    """A page of the list."""

    total: Text = None
    data: Annotated[tuple[TaskData, ...], Parts] = ()
    page_token: Text = None
    request_id: Text = None


class CreateVideoModerationTaskResponse(Part):
    """The reply to CreateVideoModerationTask."""

    results: Annotated[tuple[TaskResult, ...], Parts] = ()
    request_id: Text = None


class CancelTaskResponse(Part):
    """The reply to CancelTask."""

    request_id: Text = None
