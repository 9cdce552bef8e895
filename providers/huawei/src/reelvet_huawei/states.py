"""The vendor's words for how far a task is, in ours."""

from __future__ import annotations

from typing import Any

from reelvet.schema import lenient
from reelvet.schema.task import Status

STATES = {
    "PENDING": Status.QUEUED,
    "PENDING_CREATE": Status.QUEUED,
    "SCHEDULING": Status.QUEUED,
    "STARTING": Status.QUEUED,
    "RECOVERING": Status.RUNNING,
    "UPGRADING": Status.RUNNING,
    "RUNNING": Status.RUNNING,
    "STOPPING": Status.RUNNING,
    "FREEZING": Status.RUNNING,
    "DELETING": Status.RUNNING,
    "PENDING_DELETE": Status.RUNNING,
    "DELETE_FAIL": Status.RUNNING,
    "SUCCEEDED": Status.SUCCEEDED,
    "STOPPED": Status.CANCELED,
    "FAILED": Status.FAILED,
    "CREATE_FAILED": Status.FAILED,
    "CREATE_FAIL": Status.FAILED,
    "START_FAILED": Status.FAILED,
    "ABNORMAL": Status.FAILED,
    "FROZEN": Status.FAILED,
}
"""Of v2: the fifteen that the API names, and five of its client's and of older examples. What is not here is not finished.

https://support.huaweicloud.com/en-us/api-vas/vas_03_0148.html lists them; their grouping is ours.
"""

STATUSES = {"running": Status.RUNNING, "succeeded": Status.SUCCEEDED, "failed": Status.FAILED}
"""Of v3: https://support.huaweicloud.com/api-moderation/moderation_03_0072.html"""


def status_of(payload: Any) -> Status:
    """How far the task is that a reply of either API is about; `UNKNOWN` for a word not known, or none."""
    shape = lenient.mapping(payload)
    if "job_id" in shape:
        return STATUSES.get((lenient.text(shape.get("status")) or "").strip().lower(), Status.UNKNOWN)
    return STATES.get((lenient.text(shape.get("state")) or "").strip().upper(), Status.UNKNOWN)
