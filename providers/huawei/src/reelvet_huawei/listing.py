"""The list of v2's tasks, page by page, as the vendor's generic list has them.

The page of v2's own list names no parameters and points to the generic one's, which the API Explorer has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelvet.schema import lenient
from reelvet.schema.task import TaskRef
from reelvet_huawei import read
from reelvet_huawei.errors import unexpected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from reelvet.http import Reply
    from reelvet.plugins import TimeWindow
    from reelvet.schema.task import RawTask

_MOST_PAGES = 1000
_COUNTS = ("count", "content")
"""The client's reference calls it `content` in an example."""


async def tasks(
    ask: Callable[[dict[str, Any]], Awaitable[Reply]], window: TimeWindow, *, size: int, name_like: str | None = None
) -> AsyncIterator[RawTask]:
    """The tasks of a window, the latest first, each once.

    It ends where as many have come as the vendor counts, or with a page that brings nothing new: an empty one, or the
    first again, should the vendor not heed where a page is to begin. A page may hold less than was asked for.

    Args:
        ask: Fetches the page of a query.
        window: When they were created.
        size: How many a page is to hold.
        name_like: A part of their names.

    Raises:
        UnexpectedReply: A page is no list.
    """
    seen: set[str] = set()
    offset = 0
    for _ in range(_MOST_PAGES):
        query = {
            "name_like": name_like,
            "created_since": int(window.since.timestamp() * 1000),
            "created_until": int(window.until.timestamp() * 1000) if window.until is not None else None,
            "order": "created_at:DESC",
            "offset": offset,
            "limit": size,
        }
        reply = await ask(query)
        items, count = _page(reply)
        known = len(seen)
        for item in items:
            task_id = lenient.text(lenient.mapping(item).get("id"))
            if not task_id or task_id in seen:
                continue
            seen.add(task_id)
            ids = (reply.request_id,) if reply.request_id else ()
            ref = TaskRef(id=task_id, category=read.VIDEO)
            raw = read.raw_task(item, ref=ref, requests=1, request_ids=ids, is_listed=True)
            if _is_within(raw, window):
                yield raw
        offset += len(items)
        if len(seen) == known or (count is not None and offset >= count):
            return


def _page(reply: Reply) -> tuple[list[Any], int | None]:
    """What a page holds, and how many the vendor counts in all."""
    body = reply.json()
    page = lenient.mapping(body)
    count = next((found for name in _COUNTS if (found := lenient.whole(page.get(name))) is not None), None)
    told = page.get("tasks")
    if isinstance(told, list) or (isinstance(told, dict) and told):
        return lenient.items(told), count
    if told is None and count == 0:
        return [], count
    error = unexpected(reply, "lists no tasks")
    error.retryable = True
    raise error


def _is_within(raw: RawTask, window: TimeWindow) -> bool:
    """Whether it was created in the window; one without a date may have been."""
    if raw.created_at is None:
        return True
    return raw.created_at >= window.since and (window.until is None or raw.created_at <= window.until)
