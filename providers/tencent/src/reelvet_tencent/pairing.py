"""Which result of a create is whose. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelvet_tencent.wire import TaskResult


def pair(keys: Sequence[str], results: Sequence[TaskResult]) -> list[TaskResult | None]:
    """The result of each key, by DataId alone: that results come in the order of the tasks is not documented.

    A DataId that occurs twice answers for nobody, nor does a result whose task another result has too: one of them is
    wrong, and which cannot be told.

    Args:
        keys: The DataIds that were sent, each once.
        results: What the vendor answered.
    """
    by_key = Counter(result.data_id for result in results)
    by_task = Counter((result.task_id or "").strip() for result in results)
    sound = {
        result.data_id: result
        for result in results
        if by_key[result.data_id] == 1 and (not (id_ := (result.task_id or "").strip()) or by_task[id_] == 1)
    }
    return [sound.get(key) for key in keys]
