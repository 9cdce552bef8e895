"""GET .../tasks: filters, order, pages.

The page of v2 names no parameter and points to the generic service's, whose specification the API Explorer has. `count`
is all that the filters let through, and not the page alone: the SDK's text says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args

from reelvet_huawei.sandbox.refusals import invalid
from reelvet_huawei.sandbox.switches import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reelvet.sandbox import Task

_STATES: tuple[str, ...] = get_args(State)
_ID_LIKE = "^[0-9a-z]{1,32}$"
_ORDER = re.compile(r"(name|created_at|updated_at):(ASC|DESC)")
_USUAL = "created_at:DESC"
_MOST_OFFSET, _LIMIT, _MOST_LIMIT = 100_000, 100, 1000
_MOST_DATE = 2**63 - 1

Row = tuple["Task", dict[str, Any]]
"""A task and the item that stands for it."""


def page_of(rows: Sequence[Row], arguments: Mapping[str, str]) -> dict[str, Any]:
    """The page that is asked for.

    Raises:
        Refused: A parameter has a value that is none of the documented ones.
    """
    found = _chosen(rows, arguments)
    name, _, direction = _order(arguments).partition(":")
    found.sort(key=lambda row: _key(row, name), reverse=direction == "DESC")
    offset = _number(arguments, "offset", 0, 0, _MOST_OFFSET)
    limit = _number(arguments, "limit", _LIMIT, 1, _MOST_LIMIT)
    return {"count": len(found), "tasks": [item for _, item in found[offset : offset + limit]]}


def _chosen(rows: Sequence[Row], arguments: Mapping[str, str]) -> list[Row]:
    """Whether case matters in a part of a name is not documented; here it does."""
    state = arguments.get("state")
    if state is not None and state not in _STATES:
        raise invalid(f"parameter [state] must be one of {', '.join(_STATES)}.")
    id_like = arguments.get("id_like", "")
    if "id_like" in arguments and not re.fullmatch(_ID_LIKE, id_like):
        raise invalid(f"parameter [id_like] does not match {_ID_LIKE}.")
    since = _number(arguments, "created_since", 0, 0, _MOST_DATE)
    until = _number(arguments, "created_until", _MOST_DATE, 0, _MOST_DATE)
    return [
        (task, item)
        for task, item in rows
        if state in {None, item["state"]}
        and arguments.get("service_version") in {None, item["service_version"]}
        and arguments.get("name_like", "") in item["name"]
        and id_like in item["id"]
        and since <= _milliseconds(task) <= until
    ]


def _order(arguments: Mapping[str, str]) -> str:
    order = arguments.get("order", _USUAL)
    if not _ORDER.fullmatch(order):
        raise invalid(f"parameter [order] does not match ^{_ORDER.pattern}$.")
    return order


def _key(row: Row, name: str) -> tuple[Any, ...]:
    task, item = row
    return (task.created,) if name == "created_at" else (item[name], task.created)


def _number(arguments: Mapping[str, str], name: str, usual: int, least: int, most: int) -> int:
    text = arguments.get(name)
    if text is None:
        return usual
    if not re.fullmatch(r"[0-9]{1,19}", text) or not least <= int(text) <= most:
        raise invalid(f"parameter [{name}] must be an integer from {least} to {most}.")
    return int(text)


def _milliseconds(task: Task) -> int:
    return int(task.created_date.timestamp() * 1000) if task.created_date is not None else 0
