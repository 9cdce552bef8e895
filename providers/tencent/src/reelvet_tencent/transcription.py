"""What was said, out of a reply: `AudioText`, the texts of the slices of sound, and of a stream `Asrs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelvet.schema.result import Note, Transcript, TranscriptSegment
from reelvet_tencent import times

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelvet_tencent.parts import AudioSegments
    from reelvet_tencent.times import Clock
    from reelvet_tencent.wire import DescribeTaskDetailResponse

LONGEST = 1000
"""Characters of `AudioText`: "the first 1000". https://cloud.tencent.com/document/api/1265/51878"""


def read(detail: DescribeTaskDetailResponse, clock: Clock, task: str) -> tuple[Transcript | None, list[Note]]:
    """The transcript, if anything was said; and what is missing of it."""
    segments = tuple(segment for one in detail.audio_segments for segment in _slice(one, clock))
    spoken = " ".join(one.result.text.strip() for one in detail.audio_segments if one.result.text)
    heard = " ".join(one.text.strip() for one in detail.asrs if one.text)
    text = detail.audio_text or heard or spoken
    notes = []
    if len(detail.audio_text or "") >= LONGEST:
        text = max(text, heard, spoken, key=len)
        if text == detail.audio_text:
            says = (
                f"the vendor gives the first {LONGEST} characters of what was said; with all_segments it gives the rest"
            )
            notes.append(Note(code="transcript_cut", says=says))
    if not text.strip():
        return None, []
    return Transcript(language=_language(detail), text=text, segments=segments, task=task), notes


def _slice(one: AudioSegments, clock: Clock) -> Iterator[TranscriptSegment]:
    start = clock.at(one.offset_time).start
    if one.result.sentences:
        # Whether they count from the media's beginning or the slice's is not documented: in the first it is the same.
        for sentence in one.result.sentences:
            begins = clock.within(times.of_text(sentence.start_time))
            ends = clock.within(times.of_text(sentence.end_time))
            if sentence.text:
                first = start == 0
                yield TranscriptSegment(
                    start=begins if first else None, end=ends if first else None, text=sentence.text
                )
    elif one.result.text:
        length = clock.length(one.result.duration, one.offset_time)
        end = start + length if start is not None and length is not None else None
        yield TranscriptSegment(start=start, end=end, text=one.result.text)


def _language(detail: DescribeTaskDetailResponse) -> str | None:
    """The language, where one was recognized and no other: its codes are those of ISO 639-3, as `cmn`."""
    found = {
        one.label
        for segment in detail.audio_segments
        for one in segment.result.language_results
        if one.label and one.label.isascii() and one.label.isalpha() and len(one.label) in {2, 3}
    }
    return found.pop() if len(found) == 1 else None
