"""A scenario as v3 tells it.

https://support.huaweicloud.com/api-moderation/moderation_03_0072.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelvet.schema.media import Channel
from reelvet_huawei.sandbox.moderation_checks import IMAGE_CATEGORIES
from reelvet_huawei.sandbox.seeing import IMAGE_TEXT, frame_times, hits, said, verdict, worst

if TYPE_CHECKING:
    from reelvet.sandbox import Event, Scenario
    from reelvet_huawei.sandbox.seeing import Eyes

_STRETCH = 10
"""Seconds of sound that are judged at a time, as in all published examples."""
_QR_CODE = "qr_code"
_POLITICS = "politics"
_MORE = {"ad_law": "ad"}
"""Labels of sound that a category of another name looks for. Those that have no category at all come with policies only."""


def video(scenario: Scenario, data: dict[str, Any], eyes: Eyes) -> dict[str, Any]:
    """The result of a job of video.

    Args:
        scenario: What is there.
        data: The checked body of the create. A policy is taken to look for all that v3 knows.
        eyes: The vendor's words.
    """
    has_policy = "biz_type" in data
    categories = IMAGE_CATEGORIES if has_policy else tuple(data["image_categories"])
    sounds = None if has_policy else data.get("audio_categories") or []
    frames = [
        frame
        for time in frame_times(scenario, data["data"]["frame_interval"])
        if (frame := _frame(scenario, time, categories, eyes)) is not None
    ]
    stretches = _stretches(scenario, sounds, eyes)
    return {
        "suggestion": worst(item["suggestion"] for item in (*frames, *stretches)),
        "image_detail": frames,
        "audio_detail": stretches,
    }


def audio(scenario: Scenario, data: dict[str, Any], eyes: Eyes) -> dict[str, Any]:
    """The result of a job of audio alone, whose stretches have one label each and no score."""
    stretches = _stretches(scenario, None if "biz_type" in data else data["categories"], eyes)
    details = []
    for stretch in stretches:
        first = next(item for item in stretch["detail"] if item["label"] == stretch["label"])
        detail = {name: value for name, value in stretch.items() if name != "detail"}
        details.append(detail | {"segments": first.get("segments", [])})
    whole = said(scenario, 0.0, scenario.duration)
    return {"suggestion": worst(item["suggestion"] for item in details), "audio_text": whole, "details": details}


def strange_frame(category: str, word: str) -> dict[str, Any]:
    """A frame with a label that is in no documentation."""
    detail = {"confidence": 0.9, "category": category, "label": word, "suggestion": "block"}
    return {"category": category, "suggestion": "block", "time": 0.0, "detail": [detail]}


def strange_sound(word: str) -> dict[str, Any]:
    """The same of a stretch of sound, for a job of audio alone."""
    return {
        "suggestion": "block", "label": word, "audio_text": "", "start_time": 0.0, "end_time": float(_STRETCH), "segments": [],
    }  # fmt: skip


def _frame(scenario: Scenario, time: float, categories: tuple[str, ...], eyes: Eyes) -> dict[str, Any] | None:
    """What is seen and read at a second; frames of `pass` are not listed."""
    detail: list[dict[str, Any]] = []
    text: list[str] = []
    for event in (*scenario.at(time), *scenario.at(time, Channel.OCR)):
        suggestion = verdict(event.score)
        if suggestion is None:
            continue
        for category in categories:
            words = eyes.in_text_v3(event) if category == IMAGE_TEXT else eyes.classes_v3(event, category)
            for word in words:
                hit = {"confidence": event.score, "category": category, "label": word, "suggestion": suggestion}
                detail.append(hit | _where(scenario, event, category, word))
                text += [event.text] if category == IMAGE_TEXT and word != _QR_CODE and event.text else []
    if not detail:
        return None
    gravest = worst(hit["suggestion"] for hit in detail)
    first = max((hit for hit in detail if hit["suggestion"] == gravest), key=lambda hit: hit["confidence"])
    told = {"category": first["category"], "suggestion": gravest, "time": time, "detail": detail}
    return told | ({"ocr_text": "\n".join(dict.fromkeys(text))} if text else {})


def _where(scenario: Scenario, event: Event, category: str, word: str) -> dict[str, Any]:
    """Where it is, and what it says: of faces, of codes and of text alone is that documented."""
    box = None
    if event.box is not None:
        x, y, width, height = event.box.pixels(scenario.width, scenario.height)
        box = {"top_left_x": x, "top_left_y": y, "bottom_right_x": x + width, "bottom_right_y": y + height}
    if category == IMAGE_TEXT and word == _QR_CODE:
        content = {"qr_content": event.text} if event.text else {}
        return content | ({"qr_location": box} if box else {})
    if category == IMAGE_TEXT:
        return {"segments": [{"segment": hit} for hit in hits(event)]}
    return {"face_location": box} if category == _POLITICS and box else {}


def _stretches(scenario: Scenario, categories: list[str] | None, eyes: Eyes) -> list[dict[str, Any]]:
    """What is heard, stretch by stretch; `None`: all that v3 has a word for."""
    found = []
    for start in range(0, max(int(scenario.duration), 1), _STRETCH):
        end = min(float(start + _STRETCH), scenario.duration)
        detail = [
            hit
            for event in scenario.events
            if event.start < end and event.until >= start
            for hit in _heard(event, categories, eyes)
        ]
        if detail:
            gravest = worst(hit["suggestion"] for hit in detail)
            first = max(detail, key=lambda hit: hit["confidence"])
            found.append({
                "suggestion": gravest, "label": first["label"], "audio_text": said(scenario, start, end),
                "start_time": float(start), "end_time": end, "detail": detail,
            })  # fmt: skip
    return found


def _heard(event: Event, categories: list[str] | None, eyes: Eyes) -> list[dict[str, Any]]:
    suggestion = verdict(event.score)
    found = []
    for word in eyes.heard_v3(event) if suggestion is not None else ():
        if categories is None or _MORE.get(word, word) in categories:
            hit = {"confidence": event.score, "label": word, "suggestion": suggestion}
            words = hits(event)  # absent where no word did it but the sense of the whole
            found.append(hit | ({"segments": [{"segment": text} for text in words]} if words else {}))
    return found
