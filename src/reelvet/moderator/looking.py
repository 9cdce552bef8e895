"""Tasks of unknown fate, looked up at their vendor by the key they were sent with."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from reelvet.http import logger
from reelvet.plugins import TimeWindow
from reelvet.schema.errors import ProviderError, ReelvetError, UnexpectedReply

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reelvet.moderator.instance import Instance
    from reelvet.schema.task import RawTask, TaskRef

# Vendors' clocks and lists lag: a task is looked for from a little before it was sent.
BEFORE = timedelta(minutes=5)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0
_log = logger("moderator")
ABSENT = "it is not found at the vendor (yet)"


class Sent(Protocol):
    """A task as it was sent."""

    @property
    def name(self) -> str:
        """Unique within its plan."""

    @property
    def category(self) -> str | None:
        """The vendor's category or task type, where it has one."""

    @property
    def vendor_key(self) -> str:
        """The key that was sent with it."""


@dataclass(slots=True)
class Search:
    """What a search came to."""

    found: dict[str, TaskRef] = field(default_factory=dict)
    """Name of a task -> the task at the vendor."""
    answered: bool = False
    """Whether the vendor said of each of the others, the last time, that it does not have it (yet)."""
    why: str = ABSENT
    """Of those that were not found: why not."""


async def search(
    tasks: Sequence[Sent], instance: Instance, since: datetime, *, window: float, taken: set[str]
) -> Search:
    """Looks tasks up, again and again over the window, since vendors' lists lag.

    Args:
        tasks: Those of unknown fate.
        instance: Whose account.
        since: When they were sent.
        window: Seconds in which to look; there is one look at least, and the last is at its very end.
        taken: Ids of the vendor's tasks that stand for others already; those found are added.
    """
    result = Search()
    if "find" not in instance.capabilities.operations:
        result.why = f"{instance.provider.id} cannot look a task up by its key"
        return result
    until, pause = time.monotonic() + window, _FIRST_PAUSE
    while True:
        left = [task for task in tasks if task.name not in result.found]
        if not await _look(left, instance, since, result, taken):
            return result
        if len(result.found) == len(tasks):
            return result
        rest = until - time.monotonic()
        if rest <= 0:
            return result
        await asyncio.sleep(min(pause, rest))
        pause = min(pause * 2, _LONGEST_PAUSE)


async def _look(tasks: Sequence[Sent], instance: Instance, since: datetime, result: Search, taken: set[str]) -> bool:
    """One look. Returns whether another makes sense."""
    result.answered = False
    for key in dict.fromkeys(task.vendor_key for task in tasks):
        try:
            raws = list(await instance.provider.find(key, TimeWindow(since - BEFORE)))
        except ProviderError as error:
            result.why = f"it could not be looked up: {error.message}"
            # A page in place of the list may be a passing one, and looking again is free.
            return error.retryable or isinstance(error, UnexpectedReply)
        except ReelvetError as error:
            result.why = f"it could not be looked up: {error.message}"
            return False
        except Exception as error:  # noqa: BLE001  (whatever the look-up stumbles over, the task stays unknown)
            _log.debug("a provider failed in find", exc_info=True)
            result.why = f"the provider failed to look it up: {type(error).__name__}"
            return False
        for task in tasks:
            if task.vendor_key == key and (raw := _match(task, raws, since, taken)) is not None:
                taken.add(raw.ref.id)
                result.found[task.name] = raw.ref.model_copy(update={"name": task.name})
    result.answered, result.why = True, ABSENT
    return True


def _match(task: Sent, raws: Sequence[RawTask], since: datetime, taken: set[str]) -> RawTask | None:
    """The vendor's task that answers for one of ours.

    The provider compares keys exactly; this is the second lock on the same door, for vendors whose search does not. Not
    one that is older than what was sent, and one of the vendor's for one of ours.
    """
    for raw in raws:
        is_older = raw.created_at is not None and raw.created_at < since - BEFORE
        of_category = task.category in {None, raw.ref.category}
        if (
            raw.ref.id
            and raw.ref.id not in taken
            and raw.vendor_key == task.vendor_key
            and of_category
            and not is_older
        ):
            return raw
    return None
