"""The life of a task in Gcore's words: how long it takes, and what it is called on the way."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reelvet.sandbox import Ending, FailureReason, Phase

if TYPE_CHECKING:
    from datetime import datetime

    from reelvet.sandbox import Scenario, Task

FINAL = ("SUCCESS", "FAILURE", "REVOKED")
KEPT = 30 * 86_400.0
"""Seconds that results are kept: "1 month"."""

# Seconds of work for a second of media. "Approximately 1:5" is documented for hard, soft and sport; the other two are
# what screenshots of the portal show for a clip of 30 seconds.
_PACE = {"nsfw": 0.05, "hard_nudity": 0.2, "soft_nudity": 0.2, "sport": 0.2, "transcription": 0.3}
_LEAST = 1.0
_RECEIVED_FOR = 0.3
_BETWEEN_STAGES = (0.45, 0.55)
_ATTEMPTS = 4  # one, and three that are called RETRY before
_TRIED = 0.7


def seconds_of_work(scenario: Scenario, kind: str, looked_at: float) -> float:
    """How long it is worked at a scenario."""
    if scenario.ending is Ending.NEVER:
        return math.inf
    if scenario.ending is Ending.FAILS and scenario.reason is not FailureReason.INTERNAL:
        return _LEAST
    return max(looked_at * _PACE[kind], _LEAST)


def status(task: Task, now: float) -> tuple[str, int]:
    """The status and the progress of a task.

    Between two stages a task waits again, as is documented: STARTED, PENDING, STARTED.
    """
    phase, part = task.phase(now), task.done_part(now)
    progress = min(max(int(part * 100), 1), 99) if now >= task.starts else 0
    if phase is Phase.CANCELED:
        return "REVOKED", progress
    if phase is Phase.QUEUED:
        return ("RECEIVED" if now - task.created < _RECEIVED_FOR else "PENDING"), 0
    if phase is Phase.DONE:
        return ("FAILURE" if task.extra["outcome"].failed else "SUCCESS"), 100
    if task.scenario.reason is FailureReason.INTERNAL:
        attempt, tried = divmod(part * _ATTEMPTS, 1)
        return ("RETRY" if tried > _TRIED and attempt < _ATTEMPTS - 1 else "STARTED"), progress
    return ("PENDING" if _BETWEEN_STAGES[0] <= part < _BETWEEN_STAGES[1] else "STARTED"), progress


def processing_time(task: Task, now: float) -> dict[str, Any]:
    """When it began and ended. What is shown of a cancelled task is not documented; here it has begun and not ended."""
    began = now >= task.starts
    ended = task.phase(now) is Phase.DONE
    return {
        "started_at": _date(task, task.starts) if began else None,
        "completed_at": _date(task, task.ends) if ended else None,
        "total_time_sec": round(task.ends - task.starts, 3) if ended else None,
    }


def expired(task: Task, now: float) -> bool:
    """Whether it was deleted for its age."""
    until = task.canceled if task.canceled is not None else task.ends
    return now - until > KEPT


def _date(task: Task, moment: float) -> str | None:
    return written(task.created_date + timedelta(seconds=moment - task.created)) if task.created_date else None


def written(date: datetime) -> str:
    """A date as the examples of the documentation write it: with hundredths."""
    return f"{date:%Y-%m-%dT%H:%M:%S}.{date.microsecond // 10_000:02d}Z"
