"""A result of Content Moderation v3, of a job of video or of audio alone: findings.

https://support.huaweicloud.com/api-moderation/moderation_03_0072.html
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any

from reelvet.schema import lenient
from reelvet.schema.media import Channel
from reelvet.schema.result import Box, Verdict
from reelvet_huawei import wire
from reelvet_huawei.found import Found, Spot, listed, suggestion, when
from reelvet_huawei.plugin import IMAGE_TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelvet_huawei.words import Meaning, Words


_LISTS = {"image_detail", "audio_detail", "details"}


def read(result: Any, words: Words, *, task: str) -> Found:
    """What a result says.

    Args:
        result: `result` of the reply.
        words: The label map.
        task: The vendor's job id.
    """
    found = Found(task, Channel.SPEECH if isinstance(result, dict) and "details" in result else Channel.VISUAL)
    if not isinstance(result, dict):
        found.doubt = "the reply holds no result"
        return found
    for number, item in enumerate(listed(found, result.get("image_detail"), "image_detail")):
        _frame(found, words, f"result.image_detail[{number}]", item)
    for name in ("audio_detail", "details"):  # of a job of video, of a job of audio alone
        for number, item in enumerate(listed(found, result.get(name), name)):
            _sound(found, words, f"result.{name}[{number}]", item)
    found.strange("result", {name: value for name, value in result.items() if name not in _LISTS})
    found.conclude("result.suggestion", result.get("suggestion"))
    return found


def _frame(found: Found, words: Words, place: str, item: Any) -> None:
    frame = wire.Frame.model_validate(item if isinstance(item, dict) else {"unreadable": item})
    before = len(found.findings)
    whole = _spot(frame, frame.category, frame.ocr_text)
    found.strange(place, frame.model_extra)
    for number, entry in found.entries(f"{place}.detail", whole, frame.detail):
        hit = wire.ImageHit.model_validate(entry)
        category = hit.category or frame.category
        is_clean = words.is_clean(category, hit.label)
        if suggestion(hit.suggestion) is Verdict.PASS or (is_clean and hit.suggestion is None):
            continue  # should the frame be listed for nothing else, its own category counts below
        if is_clean:
            found.note("contradiction", f"{place}.detail[{number}] is {hit.label} and says {hit.suggestion}; it counts")
        spot = _spot(frame, category, frame.ocr_text)
        spot = spot if hit.qr_content is None else replace(spot, text=hit.qr_content)
        here = f"{place}.detail[{number}]"
        meanings = _meanings(found, words, here, category, hit.label)
        found.refine(category, words.category("v3", category), meanings, spot)
        found.add(
            here, spot, meanings, label=category, sub_label=hit.label, confidence=hit.confidence, says=hit.suggestion,
            matches=_segments(hit.segments), box=_box(hit.face_location) or _box(hit.qr_location),
            extra=_boxless(hit) | (hit.model_extra or {}),
        )  # fmt: skip
    told = {finding.native.label for finding in found.findings[before:]}
    if frame.category is not None and frame.category not in told and suggestion(frame.suggestion) is not Verdict.PASS:
        found.add(f"{place}.category", whole, words.category("v3", frame.category), label=frame.category)
    elif len(found.findings) == before and suggestion(frame.suggestion) is not Verdict.PASS:
        found.unexplained = found.unexplained or f"{place} does not say what was found"
        found.add(place, _spot(frame, None, frame.ocr_text), (), label=frame.suggestion)
    found.hold(f"{place}.suggestion", whole, before)


def _spot(frame: wire.Frame, category: str | None, text: str | None) -> Spot:
    channel = Channel.OCR if category == IMAGE_TEXT else Channel.VISUAL
    return Spot(channel, **when(frame.time), text=text if channel is Channel.OCR else None, says=frame.suggestion)


def _meanings(found: Found, words: Words, place: str, category: str | None, label: str | None) -> Sequence[Meaning]:
    parents = words.category("v3", category)
    meanings = words.inner(category, label)
    if not meanings and parents and label not in {None, category}:
        found.note("unrefined_label", f"{place}: {label!r} is in no map, so it counts as {category!r}")
    return meanings or parents


def _sound(found: Found, words: Words, place: str, item: Any) -> None:
    sound = wire.Sound.model_validate(item if isinstance(item, dict) else {"unreadable": item})
    before = len(found.findings)
    spot = Spot(Channel.SPEECH, **when(sound.start_time, sound.end_time), text=sound.audio_text, says=sound.suggestion)
    found.strange(place, sound.model_extra)
    for number, entry in found.entries(f"{place}.detail", spot, sound.detail):
        hit = wire.SoundHit.model_validate(entry)
        here = f"{place}.detail[{number}]"
        matches = _segments(hit.segments)
        _heard(found, words, here, sound, hit.label, confidence=hit.confidence, says=hit.suggestion, matches=matches)
    told = {finding.native.label for finding in found.findings[before:]}
    unsaid = sound.label is not None and sound.label not in told
    if (unsaid or not told) and suggestion(sound.suggestion) is not Verdict.PASS:
        if sound.label is None:
            found.unexplained = found.unexplained or f"{place} does not say what was found"
        _heard(found, words, f"{place}.label", sound, sound.label, matches=_segments(sound.segments))
    found.hold(f"{place}.suggestion", spot, before)


def _heard(
    found: Found,
    words: Words,
    place: str,
    sound: wire.Sound,
    label: str | None,
    *,
    confidence: Any = None,
    says: str | None = None,
    matches: Sequence[str] = (),
) -> None:
    known = words.sound(label)
    channel = known[0][2] if known else Channel.SPEECH
    spot = Spot(channel, **when(sound.start_time, sound.end_time), text=sound.audio_text, says=sound.suggestion)
    meanings = [(unified, relation) for unified, relation, _ in known]
    found.add(place, spot, meanings, label=label, confidence=confidence, says=says, matches=matches)


def _segments(value: Any) -> list[str]:
    found = []
    for item in value if isinstance(value, list) else lenient.items(value):
        text = lenient.text(item.get("segment")) if isinstance(item, dict) else lenient.text(item)
        if text is not None:
            found.append(text)
    return found


def _box(value: Any) -> Box | None:
    """A rectangle from two of its corners, in pixels; `None` where they are not known, or are those of none."""
    corners = wire.Corners.model_validate(value if isinstance(value, dict) else {})
    left, top, right, bottom = corners.top_left_x, corners.top_left_y, corners.bottom_right_x, corners.bottom_right_y
    if left is None or top is None or right is None or bottom is None:
        return None
    width, height = right - left, bottom - top
    is_one = 0 <= width < inf and 0 <= height < inf
    return Box(x=left, y=top, width=width, height=height) if is_one else None


def _boxless(hit: wire.ImageHit) -> dict[str, Any]:
    """The places of a hit that are no rectangles, as the vendor has them."""
    places = {"face_location": hit.face_location, "qr_location": hit.qr_location}
    return {name: place for name, place in places.items() if place and _box(place) is None}
