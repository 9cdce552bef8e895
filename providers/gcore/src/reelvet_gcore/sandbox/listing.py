"""GET /streaming/ai/tasks: filters, search, order, pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from reelvet_gcore.sandbox.checks import MODERATION, ORDERINGS, STATUSES, TRANSCRIPTION, Refused, one_of, whole_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reelvet.sandbox import Task

_LIMIT = 10
_DAY = len("2026-06-26")

Row = tuple["Task", dict[str, Any]]
"""A task and the item that stands for it."""


def chosen(rows: Sequence[Row], arguments: Mapping[str, str]) -> list[Row]:
    """The rows that the filters let through, in the order that is asked for.

    Raises:
        Refused: A filter has a value that is none of the documented ones.
    """
    one_of("status", arguments.get("status"), STATUSES)
    one_of("task_name", arguments.get("task_name"), (TRANSCRIPTION, MODERATION))
    one_of("ordering", arguments.get("ordering"), ORDERINGS)
    found = [row for row in rows if _passes(row, arguments)]
    ordering = arguments.get("ordering")
    if ordering is None:  # what has not started yet is the newest
        return sorted(found, key=lambda row: (min(row[0].starts, row[0].created + 1e9), row[0].created), reverse=True)
    return sorted(found, key=lambda row: _sort_key(row, ordering))


def _passes(row: Row, arguments: Mapping[str, str]) -> bool:
    task, item = row
    wanted = {"task_id": item["task_id"], "status": item["status"], "task_name": _name(item)}
    return (
        all(arguments.get(name) in {None, "", value} for name, value in wanted.items())
        and _found(arguments.get("search", ""), item)
        and _dated(arguments.get("date_created"), task.created_date)
    )


def _name(item: dict[str, Any]) -> str:
    """Legacy tasks may hold no name: it is that of the method they were created by."""
    data = item["task_data"]
    return str(data.get("task_name") or (TRANSCRIPTION if "category" not in data else MODERATION))


def _found(search: str, item: dict[str, Any]) -> bool:
    """Full or partial, in id, name, status and data; whether case matters is not documented, and here it does not."""
    texts = (item["task_id"], _name(item), item["status"], *map(str, item["task_data"].values()))
    return any(search.lower() in text.lower() for text in texts)


def _dated(wanted: str | None, created: datetime | None) -> bool:
    """Documented as a date in ISO 8601 and no more. Here a day means that day in UTC, and a time that second."""
    if wanted is None or created is None:
        return True
    try:
        date = datetime.fromisoformat(wanted.replace(" ", "+"))
    except ValueError:
        raise Refused("date_created must be a date in ISO 8601 format") from None
    if len(wanted) == _DAY:
        return created.date() == date.date()
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return created.replace(microsecond=0) == date.replace(microsecond=0)


def _sort_key(row: Row, ordering: str) -> tuple[Any, ...]:
    task, item = row
    if ordering == "started_at":
        return (task.starts, task.created)
    return (_name(item) if ordering == "task_name" else item[ordering], task.created)


def page_of(rows: Sequence[Row], arguments: Mapping[str, str]) -> dict[str, Any] | None:
    """One page; `None` past the last one. Its neighbours are named as `page=2`, which is no URL.

    Raises:
        Refused: `page` or `limit` is no positive integer.
    """
    page = whole_number(arguments.get("page"), "page", 1)
    limit = whole_number(arguments.get("limit"), "limit", _LIMIT)
    pages = max(-(-len(rows) // limit), 1)
    if page > pages:
        return None
    return {
        "count": len(rows),
        "next": f"page={page + 1}" if page < pages else None,
        "previous": f"page={page - 1}" if page > 1 else None,
        "results": [item for _, item in rows[(page - 1) * limit : page * limit]],
    }
