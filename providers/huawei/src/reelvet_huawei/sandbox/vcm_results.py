"""A scenario as v2 tells it, in the shape of its one published result.

https://support.huaweicloud.com/en-us/api-vas/vas_03_0148.html. The classes of a picture stand there for `ad` alone; here
those of the other categories are written in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reelvet.schema.media import Channel
from reelvet_huawei.sandbox.seeing import frame_times, hits, said, verdict, worst
from reelvet_huawei.sandbox.vcm_checks import CATEGORIES

if TYPE_CHECKING:
    from reelvet.sandbox import Event, Scenario
    from reelvet_huawei.sandbox.seeing import Eyes

_NORMAL = "normal"
_INTERVAL = 5
"""Where there is no `service_config`, and so no interval; the default is documented nowhere."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What a task looks for, and where it keeps what it sees."""

    categories: list[str]
    texts: list[str]
    interval: int
    folder: str


def result(scenario: Scenario, data: dict[str, Any], eyes: Eyes, folder: str) -> dict[str, Any]:
    """What result.json holds.

    Args:
        scenario: What is there.
        data: The body of the create.
        eyes: The vendor's words.
        folder: The folder of pictures, below the output's path.
    """
    common = (data.get("service_config") or {}).get("common") or {}
    categories = _words(common, "categories") or list(CATEGORIES)
    texts = _words(common, "text_categories")
    interval = common.get("frame_interval", _INTERVAL)
    read = texts if common.get("use_ocr") == "true" else []
    heard = texts if common.get("use_sis") == "true" else []
    look = _Look(categories, read, interval, folder)
    times = frame_times(scenario, interval)
    frames = [frame for time in times if (frame := _frame(scenario, time, look, eyes)) is not None]
    voices = _voices(scenario, heard, eyes)
    suggestions = [frame["frame_suggestion"] for frame in frames] + [voice["voice_suggestion"] for voice in voices]
    source = data["input"]["data"][0]
    return {
        "result": {"frames": frames, "suggestion": worst(suggestions), "voices": voices},
        "video_path": source.get("path") or source.get("url"),
    }


def strange_frame(category: str, word: str, folder: str) -> dict[str, Any]:
    """A frame with a class that is in no documentation."""
    classes = [{"confidence": 0.9, "label": word}, {"confidence": 0.1, "label": _NORMAL}]
    told = {"detail": {category: classes}, "frame_begin": 0.0, "frame_end": 1.0}
    return _judged(told, "block", [category], folder)


def _frame(scenario: Scenario, time: float, look: _Look, eyes: Eyes) -> dict[str, Any] | None:
    """What is seen at a second; `None` where that is nothing. Whether frames of `pass` are listed is not documented."""
    detail: dict[str, Any] = {}
    suspects: list[str] = []
    suggestions: list[str] = []
    for category in look.categories:
        scores: dict[str, float] = {category: 0.0}
        for event in scenario.at(time):
            for word in eyes.classes_v2(event, category):
                scores[word] = max(event.score, scores.get(word, 0.0))
        most = max(scores.values())
        if most and not scores[category]:
            del scores[category]  # another class tells it
        classes = [{"confidence": score, "label": label} for label, score in scores.items()]
        detail[category] = [*classes, {"confidence": round(1 - most, 6), "label": _NORMAL}]
        if (suggestion := verdict(most)) is not None:
            suspects.append(category)
            suggestions.append(suggestion)
    for event in scenario.at(time, Channel.OCR):
        suggestion = verdict(event.score)
        for category in eyes.text_v2(event, Channel.OCR):
            if category in look.texts and suggestion is not None:
                detail.setdefault(f"ocr_{category}", []).append({"text": event.text or ""})
                suspects.append(f"ocr_{category}")
                suggestions.append(suggestion)
    if not suspects:
        return None
    told = {"detail": detail, "frame_begin": time, "frame_end": min(time + look.interval, scenario.duration)}
    return _judged(told, worst(suggestions), suspects, look.folder)


def _judged(told: dict[str, Any], suggestion: str, suspects: list[str], folder: str) -> dict[str, Any]:
    picture = f"{folder}/{int(told['frame_begin'])}_{suspects[0].removeprefix('ocr_')}.jpg"
    return told | {
        "frame_img_path": picture,
        "frame_suggestion": suggestion,
        "suspect_categories": list(dict.fromkeys(suspects)),
    }


def _voices(scenario: Scenario, texts: list[str], eyes: Eyes) -> list[dict[str, Any]]:
    """What is said and hit. Whether the rest is listed too is not documented."""
    voices: dict[tuple[float, float], dict[str, Any]] = {}
    for event in scenario.events:
        suggestion = verdict(event.score)
        found = [category for category in eyes.text_v2(event, Channel.SPEECH) if category in texts]
        if not found or suggestion is None:
            continue
        start, end = _stretch(scenario, event)
        content = said(scenario, start, end) or event.text or ""
        voice = voices.setdefault((start, end), {
            "content": content, "detail": {}, "voice_begin": start, "voice_end": end, "voice_suggestion": suggestion,
        })  # fmt: skip
        voice["voice_suggestion"] = worst((voice["voice_suggestion"], suggestion))
        for category in found:
            voice["detail"].setdefault(category, []).extend(hits(event))
    return [voices[key] for key in sorted(voices)]


def _stretch(scenario: Scenario, event: Event) -> tuple[float, float]:
    """The stretch of speech that an event is in, or its own."""
    for speech in scenario.speech:
        if speech.start <= event.until and speech.end >= event.start:
            return speech.start, speech.end
    return event.start, event.until


def _words(common: dict[str, Any], name: str) -> list[str]:
    return [word for word in (common.get(name) or "").split(",") if word]
