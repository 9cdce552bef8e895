"""Which tasks share a call of create, and which result of it is whose. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from reelvet.schema import lenient
from reelvet_tencent.plugin import MOST_TASKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reelvet.schema.plan import VendorTask
    from reelvet.schema.task import TaskRef
    from reelvet_tencent.wire import TaskResult


def calls_of(tasks: Sequence[VendorTask]) -> Iterable[list[int]]:
    """The numbers of the tasks of each call: of one share key, no two of one vendor key, ten at most."""
    calls: list[tuple[str | None, set[str], list[int]]] = []
    for number, task in enumerate(tasks):
        for share_key, keys, numbers in calls:
            if share_key == task.share_key is not None and task.vendor_key not in keys and len(numbers) < MOST_TASKS:
                keys.add(task.vendor_key)
                numbers.append(number)
                break
        else:
            calls.append((task.share_key, {task.vendor_key}, [number]))
    return [numbers for _, _, numbers in calls]


def task_id(result: TaskResult) -> str:
    """The task of a result; empty where it names none."""
    return (result.task_id or "").strip()


def pair(keys: Sequence[str], results: Sequence[TaskResult]) -> list[TaskResult | None]:
    """The result of each key, by DataId alone: that results come in the order of the tasks is not documented.

    A DataId that occurs twice answers for nobody, nor does a result whose task another result has too: one of them is
    wrong, and which cannot be told.

    Args:
        keys: The DataIds that were sent, each once.
        results: What the vendor answered.
    """
    by_key = Counter(result.data_id for result in results)
    by_task = Counter(task_id(result) for result in results)
    sound = {
        result.data_id: result
        for result in results
        if by_key[result.data_id] == 1 and (not (id_ := task_id(result)) or by_task[id_] == 1)
    }
    return [sound.get(key) for key in keys]


def named(response: Mapping[str, Any], ref: TaskRef) -> str | None:
    """The task that a reply is about; where it does not say, the one that was asked for."""
    told = response.get("TaskId")
    return ref.id if told in (None, "") else lenient.text(told)


def kept_with(key: str, *, whole: bool) -> dict[str, Any]:
    """What else is kept with the id of a task: whose it is, and whether it is to be read with all segments."""
    return {"key": key, "all_segments": True} if whole else {"key": key}
