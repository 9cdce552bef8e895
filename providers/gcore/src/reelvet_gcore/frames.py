"""From frame numbers to seconds, where the caller says how. Gcore does not document what its frame numbers count.

Its schema speaks of a "video frame number", its portal of "relevant iFrames", and its examples fit either; so nothing
is worked out without being told: https://gcore.com/docs/api-reference/streaming/ai/get-ai-task-result
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

from reelvet_gcore.plugin import SPORT

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Clock:
    """What the caller says of frame numbers."""

    times: tuple[float, ...] = ()
    rate: float | None = None
    first: int = 0

    @classmethod
    def of(cls, category: str | None, extra: Mapping[str, Any]) -> Self:
        """What was said with the job; sport looks at more than key frames, so their times say nothing of it."""
        times = () if category == SPORT else tuple(map(float, extra.get("key_frame_times") or ()))
        return cls(times, extra.get("frame_rate"), extra.get("first_frame", 0))

    def start(self, frame: int | None) -> float | None:
        """Seconds of a frame; `None` where nobody said, or the number is not among those said."""
        if frame is None or (place := frame - self.first) < 0:
            return None
        if self.rate is not None:
            return place / self.rate
        return self.times[place] if place < len(self.times) else None

    @property
    def says(self) -> str | None:
        """How starts are worked out, for a person."""
        if self.rate is not None:
            return (
                f"starts are frame numbers, counted from {self.first}, divided by the frame_rate given: {self.rate:g}"
            )
        if self.times:
            return f"starts are the key_frame_times given, frame numbers counted from {self.first}"
        return None


def largest_gap(category: str, extra: Mapping[str, Any]) -> float | None:
    """Seconds of the longest stretch without a key frame; known where the caller gave their times and the duration."""
    times, duration = extra.get("key_frame_times"), extra.get("duration")
    if category == SPORT or not times or duration is None:
        return None
    edges: list[float] = [0.0, *times, max(float(duration), times[-1])]
    return max((after - before for before, after in pairwise(edges)), default=None)
