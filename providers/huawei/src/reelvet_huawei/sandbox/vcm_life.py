"""The life of a v2 task: its state, its dates, and what is kept of its result.

https://support.huaweicloud.com/en-us/api-vas/vas_03_0148.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reelvet.sandbox import Phase

if TYPE_CHECKING:
    from datetime import datetime

    from reelvet.sandbox import Task
    from reelvet_huawei.sandbox.switches import HuaweiSetup

KEPT = 48 * 3600.0
"""Seconds that a hosted result is kept; the SDK's text says so."""
_DELETING = 2.0
_BUCKET = "iva-hosting"


def is_hosted(task: Task) -> bool:
    """Whether the vendor was asked to keep the result."""
    return "hosting" in task.data["output"]


def is_gone(task: Task, now: float) -> bool:
    """Whether it was deleted. With a hosted result that is accepted at first (202), and then takes a moment."""
    deleted = task.extra.get("deleted")
    return deleted is not None and now >= deleted + (_DELETING if is_hosted(task) else 0.0)


def own_state(task: Task, now: float) -> str:
    """The state of a task by itself. What the other states stand for is documented nowhere; the setup shows them."""
    phase = task.phase(now)
    if "deleted" in task.extra:
        return "DELETING"
    if phase is Phase.QUEUED:
        return "PENDING" if now - task.created < task.queue / 2 else "STARTING"
    if phase is Phase.RUNNING:
        return "RUNNING"
    return "FAILED" if task.extra["reason"] is not None else "SUCCEEDED"


def told(task: Task, now: float, setup: HuaweiSetup) -> dict[str, Any]:
    """A task as the list has it."""
    state = setup.state or own_state(task, now)
    data = {name: value for name, value in task.data.items() if name != "output"}
    item = {
        **data, "id": task.id, "output": _output(task, now, setup), "state": state,
        "created_at": _date(task, task.created), "updated_at": _date(task, _touched(task, now)),
    }  # fmt: skip
    item.setdefault("description", "")
    if state == "FAILED" and setup.says_why and task.extra["error"] is not None:
        item["error"] = dict(task.extra["error"])
    return item


def hosting_result(task: Task, now: float, setup: HuaweiSetup, *, expired: bool) -> dict[str, Any]:
    """What is kept of its result: nothing yet, the result, or nothing any more.

    Only the text of a result that is available is published; what else stands in the other statuses is not.
    """
    if not _is_generated(task, now, setup):
        return {"status": "NOT_GENERATED"}
    until = {"overdueDate": _date(task, _generated(task, setup) + KEPT)}
    if expired or now >= _generated(task, setup) + KEPT:
        return {**until, "status": "OVERDUE"}
    if setup.hosted != "AVAILABLE":
        return {**until, "status": setup.hosted}
    return {**until, "status": "AVAILABLE"}


def _output(task: Task, now: float, setup: HuaweiSetup) -> dict[str, Any]:
    """The output that was asked for, with where the hosted result lies once it does."""
    output = dict(task.data["output"])
    if "hosting" not in output:
        return output
    if _is_generated(task, now, setup):
        place = {"bucket": _BUCKET, "path": f"hosting/{task.id}/result.json"}
        output["hosting"] = {"obs": [place], "result_json_overdue_at": _date(task, _generated(task, setup) + KEPT)}
    elif own_state(task, now) == "FAILED":
        output["hosting"] = {"obs": [""]}  # as in the one published example of a failure
    return output


def is_written(task: Task, now: float, setup: HuaweiSetup) -> bool:
    """Whether its result lies in the caller's bucket, where that was asked for. It stays there when the task is deleted."""
    return "obs" in task.data["output"] and _is_generated(task, now, setup)


def _is_generated(task: Task, now: float, setup: HuaweiSetup) -> bool:
    return task.extra["reason"] is None and now >= _generated(task, setup) and task.canceled is None


def _generated(task: Task, setup: HuaweiSetup) -> float:
    return task.ends + setup.hosting_seconds


def _touched(task: Task, now: float) -> float:
    moments = (task.created, task.starts, task.ends, task.extra.get("deleted", 0.0))
    return max(moment for moment in moments if moment <= now)


def _date(task: Task, moment: float) -> str:
    date: datetime | None = task.created_date
    return f"{date + timedelta(seconds=moment - task.created):%Y-%m-%dT%H:%M:%SZ}" if date is not None else ""
