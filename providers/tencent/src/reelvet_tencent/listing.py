"""The vendor's list of tasks, read page by page."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from reelvet.schema import lenient
from reelvet.schema.task import RawTask, TaskRef
from reelvet_tencent import read, wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from reelvet.plugins import TimeWindow

PAGE = 100
"""Tasks per page of the list, at most: https://www.tencentcloud.com/document/api/1140/51172"""

_MOST_PAGES = 1000
_MOST_STALE = 5
"""Pages in a row without anything new, after which a list is taken to have ended."""


async def tasks(page_of: Callable[..., Awaitable[Any]], window: TimeWindow) -> AsyncIterator[RawTask]:
    """The tasks of a window, page by page.

    The last page has no token, by the documentation; in its example it has one. So it ends with a token that was
    there before, or after some pages without anything new: one of those may be a page that came twice.

    Args:
        page_of: Asks for a page; see `TencentProvider.list_page`.
        window: Of when the tasks are.
    """
    seen: set[str] = set()
    tokens: set[str] = set()
    stale = 0
    token: str | None = None
    until = window.until
    for _ in range(_MOST_PAGES):
        payload = await page_of(
            limit=PAGE,
            page_token=token,
            start_time=_written(math.floor(window.since.timestamp())),
            end_time=_written(math.ceil(until.timestamp())) if until is not None else None,
        )
        response = read.unwrapped(payload)
        page = wire.DescribeTasksResponse.model_validate(response)
        fresh = 0
        for item in lenient.items(response.get("Data")):
            data = wire.TaskData.model_validate(lenient.mapping(item))
            if data.task_id and data.task_id.strip() and data.task_id not in seen:
                seen.add(data.task_id)
                fresh += 1
                extra = {"key": data.data_id} if data.data_id else {}
                ref = TaskRef(id=data.task_id, category=data.type or None, extra=extra)
                yield read.raw_task(item, ref=ref, requests=1)
        stale = 0 if fresh else stale + 1
        token = page.page_token
        if not token or token in tokens or stale == _MOST_STALE:
            return
        tokens.add(token)


def _written(seconds: float) -> str:
    """A moment as the vendor's examples write it, with its zone."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
