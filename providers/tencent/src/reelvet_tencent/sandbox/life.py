"""The life of a task in Tencent's words: how long it takes, and what it is called on the way."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from reelvet.sandbox import Ending, FailureReason, Phase
from reelvet.schema.media import MediaKind
from reelvet_tencent.sandbox.checks import LIVE
from reelvet_tencent.sandbox.models import CURRENT, OLD

if TYPE_CHECKING:
    from datetime import datetime

    from reelvet.sandbox import Scenario, Task
    from reelvet_tencent.sandbox.models import Dialect

PENDING, RUNNING, FINISH, ERROR, CANCELLED = "PENDING", "RUNNING", "FINISH", "ERROR", "CANCELLED"
"""https://cloud.tencent.com/document/api/1265/51878"""

REPULL = 600.0
"""Seconds for which a stream that has ended is pulled again: https://cloud.tencent.com/document/api/1265/51879"""

_HOUR = 3600.0
# The longest streams: CN of today, CN of 2020, international.
_LONGEST = {(CURRENT, "cn"): 24 * _HOUR, (OLD, "cn"): 8 * _HOUR}
_LONGEST_ABROAD = 5 * _HOUR
_TRIED = 60.0
"""Seconds until a stream that cannot be reached is given up: 16 tries are documented, and no pause between them."""

_PACE = 0.2
_LEAST = 1.0

_OF_ALL = {
    FailureReason.UNSUPPORTED_TYPE: ("DECODE_ERROR", "InvalidArgument"),
    FailureReason.UNREACHABLE: ("URL_ERROR", "The file could not be downloaded"),
    FailureReason.DAMAGED: ("DECODE_ERROR", "The file could not be decoded"),
    FailureReason.TOO_LARGE: ("DECODE_ERROR", "The file is too large"),
    FailureReason.INTERNAL: ("TIMEOUT_ERROR", "The task took too long"),
}
# The Chinese edition of today has words for more; `CALLBACK_ERRORR`, as it is spelled there, is caused by nothing here.
_OF_TODAY = {
    FailureReason.TOO_LARGE: ("URL_NOT_SUPPORTED", "The file is too large"),
    FailureReason.INTERNAL: ("MODERATION_ERROR", "Internal error"),
}


def reason(scenario: Scenario, type_: str) -> FailureReason | None:
    """Why a task fails; `None` where it does not. Pictures and streams are no files."""
    if scenario.ending is Ending.FAILS:
        return scenario.reason
    no_video = scenario.kind is MediaKind.IMAGE or (scenario.kind is MediaKind.LIVE and type_ != LIVE)
    return FailureReason.UNSUPPORTED_TYPE if no_video else None


def told(why: FailureReason, dialect: Dialect) -> tuple[str, str]:
    """`ErrorType` and `ErrorDescription`. Of the latter one is known, from an example."""
    wide = dialect.is_current and dialect.edition == "cn"
    return (_OF_TODAY.get(why) if wide else None) or _OF_ALL[why]


def seconds_of_work(scenario: Scenario, type_: str, dialect: Dialect) -> float:
    """How long it is worked at a scenario. Of files nothing is documented; streams take as long as they are."""
    if scenario.ending is Ending.NEVER:
        return math.inf
    if reason(scenario, type_) is not None:
        return _TRIED if type_ == LIVE else _LEAST
    if type_ == LIVE:
        longest = _LONGEST.get((dialect.version, dialect.edition), _LONGEST_ABROAD)
        return min(scenario.duration + REPULL, longest)
    return max(scenario.duration * _PACE, _LEAST)


def status(task: Task, now: float) -> str:
    """The status of a task."""
    phase = task.phase(now)
    if phase is Phase.DONE:
        return ERROR if task.extra["reason"] else FINISH
    return {Phase.QUEUED: PENDING, Phase.RUNNING: RUNNING}.get(phase, CANCELLED)


def updated(task: Task, now: float) -> float:
    """The virtual second of its last change of status."""
    moments = (task.created, task.starts, task.ends, task.canceled or 0.0)
    return max(moment for moment in moments if moment <= now)


def date(task: Task, moment: float) -> datetime:
    """The date of a virtual second."""
    assert task.created_date is not None  # noqa: S101  (for the type checker; whoever was added has one)
    return task.created_date + timedelta(seconds=moment - task.created)


def written(moment: datetime) -> str:
    """A date as the examples write it: `2020-07-13T11:47:01.925Z`."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
