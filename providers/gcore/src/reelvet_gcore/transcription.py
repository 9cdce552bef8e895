"""Gcore's transcriptions and translations, of the present and the legacy API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelvet.schema import lenient
from reelvet.schema.result import Note, Transcript, TranscriptSegment
from reelvet_gcore import wire
from reelvet_gcore.languages import to_bcp47

if TYPE_CHECKING:
    from collections.abc import Iterable

_FIELDS = ("speech_detected", "subtitles", "vttContent", "concatenated_text")


def is_one(result: Any) -> bool:
    """Whether a result is that of a transcription."""
    return isinstance(result, dict) and any(name in result for name in _FIELDS)


def read(task: wire.Task, result: Any, task_id: str) -> tuple[Transcript | None, list[Note]]:
    """The transcript, and what there is to say of it."""
    if not is_one(result):
        return None, [Note(code="unreadable_result", says="the task succeeded, and its reply holds no transcript")]
    spoken, segments = lenient.flag(result.get("speech_detected")), tuple(_segments(result.get("subtitles")))
    text = lenient.text(result.get("concatenated_text"))
    notes = []
    if spoken is False and not text and not segments:
        notes.append(Note(code="no_speech", says="the vendor heard no speech"))
    elif not text and not segments:
        notes.append(Note(code="unreadable_result", says="the transcript of the reply is empty, and no flag says why"))
    elif spoken is False:
        notes.append(
            Note(code="contradiction", says="the reply has speech_detected false and a transcript; it is kept")
        )
    language, source = _languages(task, result.get("languages"))
    return Transcript(
        language=language,
        translated_from=source,
        text=text if text is not None else " ".join(segment.text for segment in segments),
        vtt=lenient.text(result.get("vttContent")),
        segments=segments,
        task=task_id,
    ), notes


def _segments(subtitles: Any) -> Iterable[TranscriptSegment]:
    if isinstance(subtitles, dict) and subtitles:
        subtitles = [subtitles]
    for item in subtitles if isinstance(subtitles, list) else []:
        if isinstance(item, dict):
            yield TranscriptSegment(
                start=wire.seconds(item.get("start_time")),
                end=wire.seconds(item.get("end_time")),
                text=lenient.text(item.get("text")) or "",
            )
        elif (said := lenient.text(item)) is not None:
            yield TranscriptSegment(text=said)


def _languages(task: wire.Task, told: Any) -> tuple[str | None, str | None]:
    """The language of the text, and that of the speech where the text is a translation.

    The reply's list holds the languages asked for, or those heard, the most frequent first:
    https://gcore.com/docs/api-reference/streaming/ai/get-ai-task-result
    """
    listed = [code for item in (told if isinstance(told, list) else [told]) if (code := lenient.text(item))]
    target, audio = task.task_data.subtitles_language, task.task_data.audio_language
    if target is None:
        code = audio if audio in listed or not listed else listed[0]
        return (to_bcp47(code) if code else None), None
    language = to_bcp47(target)
    others = [code for code in ([audio] if audio else listed) if to_bcp47(code) != language]
    return language, to_bcp47(others[0]) if len(others) == 1 else None
