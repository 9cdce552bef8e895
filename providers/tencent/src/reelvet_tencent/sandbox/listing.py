"""DescribeTasks: filters and pages. https://www.tencentcloud.com/document/api/1140/51172."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from reelvet_tencent.sandbox.refusal import wrong_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reelvet.sandbox import Task

DEFAULT_DAYS = 3
"""How far back the list goes where no StartTime is given."""

Row = tuple["Task", dict[str, Any]]
"""A task and what is said of it."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time of creation that is asked for."""

    since: datetime | None
    until: datetime | None

    def holds(self, date: datetime | None, now: datetime) -> bool:
        """Whether a task of that date is in it."""
        since = self.since or now - timedelta(days=DEFAULT_DAYS)
        return date is not None and since <= date and (self.until is None or date <= self.until)


def chosen(
    tasks: Iterable[Task],
    window: Window,
    now: datetime,
    filters: dict[str, Any],
    told: Callable[[Task], dict[str, Any]],
) -> list[Row]:
    """The tasks that the filters let through, the newest first; the order is not documented."""
    rows = [(task, told(task)) for task in tasks if window.holds(task.created_date, now)]
    return [row for row in reversed(rows) if _passes(row[1], filters)]


def _passes(item: dict[str, Any], filters: dict[str, Any]) -> bool:
    wanted = {"Type": "Type", "Suggestion": "Suggestion", "TaskStatus": "Status"}
    biz_types = filters.get("BizType")  # one of today, a list in 2020
    return all(filters.get(name) in {None, item[field]} for name, field in wanted.items()) and (
        not biz_types or item["BizType"] in ([biz_types] if isinstance(biz_types, str) else biz_types)
    )


def page_of(rows: Sequence[Row], limit: int, token: str | None, *, token_at_end: bool) -> dict[str, Any]:
    """One page. Its token names the last task on it, so that tasks that are created meanwhile move nothing.

    Raises:
        Refused: The token is none that was given out.
    """
    start = 0
    if token:
        ids = [task.id for task, _ in rows]
        last = _read(token)
        if last not in ids:
            raise wrong_value("PageToken", "it is none that was given out")
        start = ids.index(last) + 1
    page = rows[start : start + limit]
    more = start + limit < len(rows)
    # "Empty on the last page", says the text; the example has one there.
    shows = bool(page) and (more or token_at_end)
    return {
        "Total": str(len(rows)),
        "Data": [item for _, item in page],
        "PageToken": _written(page[-1][0].id) if shows else "",
    }


def _written(id_: str) -> str:
    return base64.urlsafe_b64encode(id_.encode()).decode().rstrip("=")


def _read(token: str) -> str | None:
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
