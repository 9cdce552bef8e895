"""The shapes of Gcore's replies, read leniently: any field may be missing, null, or of a neighbouring type.

Three spellings of a detection are understood: the present one, that of the schemas before 2026-06-29, and that of the
endpoint `detect-nudity` of 2024.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, NamedTuple, Self

from pydantic import Field

from reelvet.schema.lenient import AsMapping, Date, Lenient, Number, Text, number

ENVELOPE = "reelvet"
"""The mark of what reelvet writes into `client_entity_data`; its value is the envelope's version."""

RAW_ONLY = {
    "progress": "how far a running task is; with it a waiting one is known to have begun",
    "processing_time.started_at": "by it tasks are found in a window of time",
    "processing_time.completed_at": "when the vendor was done; the result's own dates are the caller's",
    "processing_time.total_time_sec": "how long the vendor took, which is no length of the media",
    "task_data.client_id": "the account's number, which the caller knows",
    "task_data.client_user_id": "the job's user comes back from the job itself",
    "task_data.url": "the media's source comes back from the job itself",
    "task_data.task_name": "tells transcriptions apart where the result does not",
    "task_name": "older replies say it here and not in task_data",
}
"""Leaves of a reply that no unified field carries, and why."""


_LONGEST_PART = 6


def seconds(value: Any) -> float | None:
    """Seconds from `HH:mm:ss.fff`, as subtitles have it."""
    if not isinstance(value, str):
        return None
    parts = value.strip().replace(",", ".").split(":")
    digits = [part for part in parts[:-1] if part.isascii() and part.isdigit() and len(part) <= _LONGEST_PART]
    last = number(parts[-1]) if parts[-1][:1].isdigit() else None
    if last is None or len(digits) != len(parts) - 1 or len(parts) not in {2, 3}:
        return None
    total = 0.0
    for part in digits:
        total = total * 60 + int(part)
    return round(total * 60 + last, 3)


class TaskData(Lenient):
    """What the task was created with."""

    task_name: Text = None
    category: Text = None
    stop_objects: Text = None
    audio_language: Text = None
    subtitles_language: Text = None
    client_entity_data: Text = None


class ProcessingTime(Lenient):
    """When it ran."""

    started_at: Date = None


class Task(Lenient):
    """The reply to "get task", or an item of the list, which has no `result`."""

    task_id: Text = None
    task_name: Text = None
    status: Text = None
    progress: Number = None
    task_data: Annotated[TaskData, AsMapping] = Field(default_factory=TaskData)
    processing_time: Annotated[ProcessingTime, AsMapping] = Field(default_factory=ProcessingTime)
    result: Any = None

    @property
    def name(self) -> str | None:
        """The task's name, wherever the reply has it."""
        return self.task_data.task_name or self.task_name


_PRESENT = frozenset({"label", "confidence", "frame_number"})


class Frame(NamedTuple):
    """One label in one frame, in any of the three spellings. Plain, since a reply has thousands and none is kept."""

    label: Any
    confidence: Any
    frame_number: Any
    extra: dict[str, Any]
    """What else it says, and the whole of what is no object."""

    @classmethod
    def of(cls, item: Any) -> Self:
        """The frame of an item; of several spellings of one field the first counts, and the others are kept."""
        if isinstance(item, dict) and item.keys() == _PRESENT:  # all but a few
            return cls(item["label"], item["confidence"], item["frame_number"], {})
        rest = dict(item) if isinstance(item, dict) else {"unreadable": item}
        return cls(
            _first(rest, "label", "class"),
            _first(rest, "confidence", "score"),
            _first(rest, "frame_number", "frame-number", "frame-no"),
            rest,
        )


def _first(rest: dict[str, Any], *names: str) -> Any:
    """Takes the first of the names that is there."""
    for name in names:
        if name in rest:
            return rest.pop(name)
    return None


def envelope(data: str | None) -> dict[str, Any] | None:
    """What reelvet wrote into `client_entity_data`; `None` for anybody else's text."""
    if data is None or ENVELOPE not in data:
        return None
    try:
        read = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) and ENVELOPE in read else None
