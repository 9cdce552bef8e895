"""What was said, out of a reply: `AudioText`, the texts of the slices of sound, and of a stream `Asrs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelvet.schema.result import Note, Transcript, TranscriptSegment
from reelvet_tencent import times

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelvet_tencent.shape import Told
    from reelvet_tencent.times import Clock

LONGEST = 1000
"""Characters of `AudioText`: "the first 1000". https://cloud.tencent.com/document/api/1265/51878"""


def read(detail: Told, clock: Clock, task: str) -> tuple[Transcript | None, list[Note]]:
    """The transcript, if anything was said; and what is missing of it."""
    sounds, audio_text = detail.get("AudioSegments") or (), detail.get("AudioText")
    segments = tuple(segment for one in sounds for segment in _slice(one, clock))
    said = [text for one in sounds if (text := (one.get("Result") or {}).get("Text"))]
    spoken = " ".join(text.strip() for text in said)
    heard = " ".join(one["Text"].strip() for one in detail.get("Asrs") or () if one.get("Text"))
    text = audio_text or heard or spoken
    notes = []
    if len(audio_text or "") >= LONGEST:
        text = max(text, heard, spoken, key=len)
        if text == audio_text:
            says = (
                f"the vendor gives the first {LONGEST} characters of what was said; with all_segments it gives the rest"
            )
            notes.append(Note(code="transcript_cut", says=says))
    if not text.strip():
        return None, []
    return Transcript(language=_language(sounds), text=text, segments=segments, task=task), notes


def _slice(one: Told, clock: Clock) -> Iterator[TranscriptSegment]:
    result = one.get("Result") or {}
    when = clock.at(one.get("OffsetTime"))
    start = when.start
    if sentences := result.get("Sentences"):
        # Whether they count from the media's beginning or the slice's is not documented: in the first it is the same.
        for sentence in sentences:
            begins = clock.within(times.of_text(sentence.get("StartTime")))
            ends = clock.within(times.of_text(sentence.get("EndTime")))
            if sentence.get("Text"):
                first = start == 0
                yield TranscriptSegment(
                    start=begins if first else None, end=ends if first else None, text=sentence["Text"]
                )
    elif result.get("Text"):
        length = clock.length(result.get("Duration"), when)
        end = start + length if start is not None and length is not None else None
        yield TranscriptSegment(start=start, end=end, text=result["Text"])


def _language(sounds: Iterable[Told]) -> str | None:
    """The language, where one was recognized and no other: its codes are those of ISO 639-3, as `cmn`."""
    found = {
        label
        for segment in sounds
        for one in (segment.get("Result") or {}).get("LanguageResults") or ()
        if (label := one.get("Label")) and label.isascii() and label.isalpha() and len(label) in {2, 3}
    }
    return found.pop() if len(found) == 1 else None
