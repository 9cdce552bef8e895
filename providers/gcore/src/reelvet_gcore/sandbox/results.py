"""A scenario as Gcore would tell it: categories, floors, key frames, subtitles."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reelvet.sandbox import Ending, FailureReason
from reelvet.schema.media import Channel, MediaKind
from reelvet_gcore.sandbox import languages
from reelvet_gcore.sandbox.checks import stops

if TYPE_CHECKING:
    from reelvet.sandbox import NativeWords, Scenario, Speech
    from reelvet_gcore.sandbox.languages import Language

FLAGS = {
    "nsfw": "nsfw_detected",
    "hard_nudity": "nudity_detected",
    "soft_nudity": "nudity_detected",
    "sport": "sport_detected",
}
_NSFW_FLOOR = 0.5  # more than this
_FLOOR = 0.3  # at least this
_SPORT_NEEDS = 10.0  # seconds of video: "at least 10-15"
_MOST_LANGUAGES = 5

_FAILURES = {
    FailureReason.UNSUPPORTED_TYPE: "Unsupported file type: {url}",  # the one that is documented
    FailureReason.UNREACHABLE: "Cannot download file: {url}",
    FailureReason.DAMAGED: "Cannot decode file: {url}",
    FailureReason.TOO_LARGE: "File is too large: {url}",
    FailureReason.INTERNAL: "Internal error",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes out of a task."""

    result: dict[str, Any]
    """As it stands in the reply."""
    failed: bool = False
    looked_at: float = 0.0
    """Seconds of media that were looked at."""


def moderation(scenario: Scenario, category: str, words: NativeWords, stop_objects: str | None) -> Outcome:
    """What a category finds.

    `frame_number` is documented as a number and nothing else. Here it is the index of the key frame, counted from 0, and
    for `sport`, which looks at a sequence, the frame at which an activity begins.
    """
    found = _sports(scenario, words) if category == "sport" else _at_key_frames(scenario, category, words)
    frames, looked_at = _until_stop(found, stops(stop_objects), scenario.duration)
    listed = list(dict.fromkeys(frame["label"] for frame in frames))
    return Outcome({FLAGS[category]: bool(frames), "detection_results": listed, "frames": frames}, looked_at=looked_at)


def _at_key_frames(scenario: Scenario, category: str, words: NativeWords) -> list[tuple[float, dict[str, Any]]]:
    found = []
    for number, time in enumerate(scenario.key_frame_times):
        scores: dict[str, float] = {}
        for event in scenario.at(time):
            for word in words.of(event.label, f"category={category}", Channel.VISUAL):
                scores[word.native] = max(event.score, scores.get(word.native, 0.0))
        for label, score in scores.items():
            if score > _NSFW_FLOOR if category == "nsfw" else score >= _FLOOR:
                found.append((time, _frame(label, number, score)))
    return found


def _sports(scenario: Scenario, words: NativeWords) -> list[tuple[float, dict[str, Any]]]:
    if scenario.kind is MediaKind.IMAGE or scenario.duration < _SPORT_NEEDS:
        return []
    return [
        (event.start, _frame(word.native, round(event.start * scenario.fps), event.score))
        for event in sorted(scenario.events, key=lambda event: event.start)
        if event.channel is Channel.VISUAL and event.score >= _FLOOR
        for word in words.of(event.label, "category=sport", Channel.VISUAL)
    ]


def _frame(label: str, number: int, score: float) -> dict[str, Any]:
    return {"label": label, "frame_number": number, "confidence": score}


def _until_stop(
    found: list[tuple[float, dict[str, Any]]], wanted: dict[str, float | None], duration: float
) -> tuple[list[dict[str, Any]], float]:
    """What is reported until a stop tag is found above its threshold, its own frame whole; without a threshold, any hit.

    Returns:
        The frames, and how far was looked.
    """
    stop = next(
        (
            time
            for time, frame in found
            if frame["label"] in wanted and ((limit := wanted[frame["label"]]) is None or frame["confidence"] > limit)
        ),
        None,
    )
    frames = [frame for time, frame in found if stop is None or time <= stop]
    return frames, duration if stop is None else stop


def failure(scenario: Scenario, url: str) -> Outcome | None:
    """Why nothing comes out at all."""
    if scenario.ending is Ending.FAILS and scenario.reason is not None:
        return _failed(_FAILURES[scenario.reason].format(url=url))
    if scenario.kind is MediaKind.LIVE or url.partition("?")[0].lower().endswith(".zip"):
        return _failed(_FAILURES[FailureReason.UNSUPPORTED_TYPE].format(url=url))
    return None


def _failed(error: str) -> Outcome:
    return Outcome({"error": error}, failed=True)


def transcript(scenario: Scenario, audio_language: str | None, subtitles_language: str | None) -> Outcome:
    """What is said, in the language that is wanted. An unsupported pair fails; its words are the emulator's own."""
    spoken = Counter(language for speech in scenario.speech if (language := languages.of_tag(speech.language)))
    detected = [language for language, _ in spoken.most_common(_MOST_LANGUAGES)]
    main = languages.of_code(audio_language) if audio_language else next(iter(detected), None)
    wanted = languages.of_code(subtitles_language) if subtitles_language else main
    if (audio_language or (subtitles_language and detected)) and not languages.supported(main, wanted):
        shown = audio_language or (detected[0].bibliographic if detected else "auto")
        pair = f"{shown} => {subtitles_language}" if subtitles_language else shown
        return _failed(f"Language is not supported: {pair}")
    heard = () if scenario.kind is MediaKind.IMAGE else scenario.speech
    into = languages.of_code(subtitles_language) if subtitles_language else None
    subtitles = [
        {"start_time": _time(speech.start), "end_time": _time(speech.end), "text": _said(speech, into)}
        for speech in heard
    ]
    named = [code for code in dict.fromkeys((audio_language, subtitles_language)) if code]
    return Outcome(
        {
            "speech_detected": bool(subtitles),
            "concatenated_text": " ".join(subtitle["text"] for subtitle in subtitles),
            "subtitles": subtitles,
            "vttContent": _vtt(subtitles),
            "languages": (named or [language.bibliographic for language in detected]) if subtitles else [],
        },
        looked_at=scenario.duration,
    )


def _said(speech: Speech, into: Language | None) -> str:
    spoken = languages.of_tag(speech.language)
    if into is None or spoken is into:
        return speech.text
    known = {languages.of_tag(tag): text for tag, text in speech.translations.items()}
    return known.get(into) or f"[{into.bibliographic}] {speech.text}"


def _time(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def _vtt(subtitles: list[dict[str, str]]) -> str:
    cues = (
        f"{number}\n{cue['start_time']} --> {cue['end_time']}\n{cue['text']}\n\n"
        for number, cue in enumerate(subtitles, 1)
    )
    return "WEBVTT\n\n" + "".join(cues)


def legacy(result: dict[str, Any]) -> dict[str, Any]:
    """A result as GET /streaming/ai/results/{id} spelled it in 2024."""
    if "frames" in result:
        return {
            "detection_results": [
                {"class": frame["label"], "score": frame["confidence"], "frame-no": frame["frame_number"]}
                for frame in result["frames"]
            ]
        }
    return {name: value for name, value in result.items() if name not in {"speech_detected", "languages"}}
