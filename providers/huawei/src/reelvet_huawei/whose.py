"""Whose reply it is, and what may be done on its word. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from reelvet.schema import lenient
from reelvet.schema.task import Status
from reelvet_huawei import read, wire
from reelvet_huawei.states import STATES

if TYPE_CHECKING:
    from reelvet_huawei.plugin import Api

ID = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
"""A slash in an id would be signed otherwise than it is sent; no id of the vendor's has one."""
FIELD: dict[Api, str] = {"v2": "id", "v3": "job_id"}
"""Under which name each API tells the id of a task."""


def is_anothers(payload: Any, task_id: str, api: Api) -> bool:
    """Whether a reply names another task than the one that was asked for; one that names none may be its.

    Args:
        payload: The reply.
        task_id: The task that was asked for.
        api: The API that was asked.
    """
    shape = lenient.mapping(payload)
    told = shape.get(FIELD[read.api_of(shape) or api])
    return told is not None and lenient.text(told) != task_id


def may_be_deleted(payload: Any, task_id: str) -> bool:
    """Whether a task of v2 certainly goes on, by the reply to a query for it: a hosted result goes with its task.

    Its state must be one that is known and not final, its id that of the task, and there must be no sign of a result.

    Args:
        payload: The reply.
        task_id: The task.
    """
    shape = lenient.mapping(payload)
    task = wire.VcmTask.model_validate(shape)
    status = STATES.get((task.state or "").strip().upper(), Status.UNKNOWN)
    hosted = shape.get("hosting_result")
    is_waited_for = not hosted or (
        isinstance(hosted, dict)
        and str(hosted.get("status") or "NOT_GENERATED").strip().upper() == "NOT_GENERATED"
        and not hosted.get("data")
    )
    goes_on = status is not Status.UNKNOWN and not status.final
    return goes_on and task.id == task_id and is_waited_for and not shape.get("result")


def created(body: Any, api: Api) -> list[str]:
    """The ids that a reply to a create names, each once and the first first; empty where that is none of the vendor's.

    v2 answers with a list of one; its client's reference has an object.

    Args:
        body: The reply.
        api: The API that was asked.
    """
    items = body if isinstance(body, list) else [body]
    told = [lenient.text(lenient.mapping(item).get(FIELD[api])) for item in items]
    ids = list(dict.fromkeys(one for one in told if one))
    return ids if ids and ID.fullmatch(ids[0]) else []
