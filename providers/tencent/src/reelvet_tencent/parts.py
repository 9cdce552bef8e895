"""The shapes of what is in Tencent's replies per picture, slice of sound and stretch, read leniently.

Classes and fields are called as the vendor calls them (https://cloud.tencent.com/document/api/1265/51878), so that a test
can hold them against the models of its own client. Anything may be missing, null, empty or of a neighbouring type.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from reelvet.schema import lenient
from reelvet.schema.lenient import AsMapping, Date, Lenient, Number, Text, Whole

UNREADABLE = "Unreadable"
"""The name under which an item of a list is kept that is no object."""


_LISTS = (list, tuple)


def as_parts(value: Any) -> tuple[dict[str, Any], ...]:
    """A list of parts, where a single one may stand in its place. What is no object is kept in one."""
    items = lenient.items(value) if value is None or value == "" or isinstance(value, list | dict) else [value]
    return tuple(item if isinstance(item, dict) else {UNREADABLE: item} for item in items)


def flag(value: Any) -> bool | None:
    """A hit flag: up unless it is 0, and `None` where there is none. One that nobody knows is up."""
    if value is None or value in ("", [], {}):
        return None
    known = lenient.flag(value)
    return known if known is not None else lenient.number(value) != 0


def texts(value: Any) -> tuple[str, ...]:
    """The texts of a list, where a single one may stand in its place."""
    items = value if isinstance(value, _LISTS) else [value]
    return tuple([word for item in items if (word := lenient.text(item))])


Parts = BeforeValidator(as_parts)
"""For a list of parts: none of them is lost because it is no object."""

HitFlag = Annotated[bool | None, BeforeValidator(flag)]
Texts = Annotated[tuple[str, ...], BeforeValidator(texts)]


class Part(Lenient):
    """A part of a reply, its fields spelled as the vendor spells them."""

    model_config = ConfigDict(alias_generator=to_pascal)  # type: ignore[pydantic-alias]


class TextPosition(Part):
    """Where in a text a word stands."""

    start: Whole = None
    end: Whole = None


class OcrHitInfo(Part):
    """A word of a library that was read or heard."""

    type: Text = None
    keyword: Text = None
    lib_name: Text = None
    positions: Annotated[tuple[TextPosition, ...], Parts] = ()


class Position(Part):
    """Where in a text a snippet stands."""

    start: Whole = None
    end: Whole = None


class Rect(Part):
    """Where in a picture a snippet stands."""

    x: Number = None
    y: Number = None
    width: Number = None
    height: Number = None
    rotate: Number = None


class Duration(Part):
    """When a snippet is said."""

    start: Number = None
    end: Number = None


class HitSnippetInfo(Part):
    """A snippet of what was read, heard or seen that hit."""

    target: Text = None
    snippet: Text = None
    scene: Text = None
    atomic_category: Text = None
    atomic_name: Text = None
    atomic_id: Text = None
    unit_id: Text = None
    unit_name: Text = None
    particle_id: Text = None
    positions: Annotated[tuple[Position, ...], Parts] = ()
    rect: Annotated[Rect, AsMapping] = Field(default_factory=Rect)
    duration: Annotated[Duration, AsMapping] = Field(default_factory=Duration)
    score: Any = None


class Tag(Part):
    """What was recognized, and when."""

    name: Text = None
    score: Any = None
    start_time: Number = None
    end_time: Number = None


class RecognitionResult(Part):
    """What was recognized of one kind, as a voice's age."""

    label: Text = None
    tags: Annotated[tuple[Tag, ...], Parts] = ()


class ImageResultsResultDetailLocation(Part):
    """Where in a picture a detail stands: pixels, turned counter-clockwise."""

    x: Number = None
    y: Number = None
    width: Number = None
    height: Number = None
    rotate: Number = None


class ImageResultsResultDetail(Part):
    """One thing in a picture."""

    name: Text = None
    text: Text = None
    location: Annotated[ImageResultsResultDetailLocation, AsMapping] = Field(
        default_factory=ImageResultsResultDetailLocation
    )
    label: Text = None
    lib_id: Text = None
    lib_name: Text = None
    keywords: Texts = ()
    suggestion: Text = None
    score: Any = None
    sub_label_code: Text = None
    sub_label: Text = None
    ocr_hit_infos: Annotated[tuple[OcrHitInfo, ...], Parts] = ()


class ImageResultResult(Part):
    """One scene's look at a picture."""

    scene: Text = None
    hit_flag: HitFlag = None
    suggestion: Text = None
    label: Text = None
    sub_label: Text = None
    score: Any = None
    names: Texts = ()
    text: Text = None
    details: Annotated[tuple[ImageResultsResultDetail, ...], Parts] = ()
    hit_type: Text = None


class ImageResult(Part):
    """What a picture comes to."""

    hit_flag: HitFlag = None
    label: Text = None
    suggestion: Text = None
    score: Any = None
    results: Annotated[tuple[ImageResultResult, ...], Parts] = ()
    url: Text = None
    extra: Text = None
    sub_label: Text = None
    recognition_results: Annotated[tuple[RecognitionResult, ...], Parts] = ()
    hit_type: Text = None
    request_id: Text = None
    hit_snippet_infos: Annotated[tuple[HitSnippetInfo, ...], Parts] = ()


class ImageSegments(Part):
    """One picture of the media."""

    offset_time: Text = None
    result: Annotated[ImageResult, AsMapping] = Field(default_factory=ImageResult)
    created_at: Date = None
    offsetus_time: Text = None


class AudioResultDetailTextResult(Part):
    """A hit in what is said."""

    label: Text = None
    keywords: Texts = ()
    lib_id: Text = None
    lib_name: Text = None
    score: Any = None
    lib_type: Whole = None
    suggestion: Text = None
    sub_label: Text = None
    hit_infos: Annotated[tuple[OcrHitInfo, ...], Parts] = ()


class AudioResultDetailMoanResult(Part):
    """A moan."""

    label: Text = None
    score: Any = None
    start_time: Number = None
    end_time: Number = None
    sub_label_code: Text = None
    sub_label: Text = None
    suggestion: Text = None


class AudioResultDetailLanguageResult(Part):
    """A language that is spoken."""

    label: Text = None
    score: Any = None
    start_time: Number = None
    end_time: Number = None
    sub_label_code: Text = None


class SpeakerResult(Part):
    """A speaker that was recognized."""

    label: Text = None
    score: Any = None
    start_time: Number = None
    end_time: Number = None


class TravelResult(Part):
    """A hit of the audio moderation for rides."""

    label: Text = None
    sub_label: Text = None
    risk_level: Text = None
    audio_role: Text = None
    audio_text: Text = None
    start_time: Number = None
    end_time: Number = None


class LabelResult(Part):
    """A hit of a further classifier."""

    scene: Text = None
    suggestion: Any = None
    label: Text = None
    name: Text = None
    score: Any = None
    start_time: Number = None
    end_time: Number = None


class Sentence(Part):
    """A sentence, with when it is said."""

    text: Text = None
    start_time: Text = None
    end_time: Text = None


class AudioResult(Part):
    """What a slice of sound comes to."""

    hit_flag: HitFlag = None
    label: Text = None
    suggestion: Text = None
    score: Any = None
    text: Text = None
    url: Text = None
    duration: Text = None
    extra: Text = None
    text_results: Annotated[tuple[AudioResultDetailTextResult, ...], Parts] = ()
    moan_results: Annotated[tuple[AudioResultDetailMoanResult, ...], Parts] = ()
    language_results: Annotated[tuple[AudioResultDetailLanguageResult, ...], Parts] = ()
    sub_label: Text = None
    recognition_results: Annotated[tuple[RecognitionResult, ...], Parts] = ()
    speaker_results: Annotated[tuple[SpeakerResult, ...], Parts] = ()
    travel_results: Annotated[tuple[TravelResult, ...], Parts] = ()
    sub_tag: Text = None
    sub_tag_code: Text = None
    label_results: Annotated[tuple[LabelResult, ...], Parts] = ()
    hit_type: Text = None
    sentences: Annotated[tuple[Sentence, ...], Parts] = ()
    request_id: Text = None
    hit_snippet_infos: Annotated[tuple[HitSnippetInfo, ...], Parts] = ()


class AudioSegments(Part):
    """One slice of sound of the media."""

    offset_time: Text = None
    result: Annotated[AudioResult, AsMapping] = Field(default_factory=AudioResult)
    created_at: Date = None


class VideoLLMDetail(Part):
    """What a language model says of a stretch under one of the policy's labels."""

    label_name: Text = None
    reason: Text = None
    target_text: Texts = ()
    suggestion: Text = None
    extra: Text = None


class VideoSegmentResult(Part):
    """What a language model makes of a stretch."""

    hit_flag: HitFlag = None
    suggestion: Text = None
    text: Text = None
    detail: Annotated[tuple[VideoLLMDetail, ...], Parts] = ()
    video_url: Text = None
    audio_url: Text = None
    duration: Text = None
    request_id: Text = None


class VideoSegment(Part):
    """One stretch of the media, as a language model sees it."""

    result: Annotated[VideoSegmentResult, AsMapping] = Field(default_factory=VideoSegmentResult)
    offset_time: Text = None
    created_at: Date = None
