"""Faults that change a reply: fields, lists, the body."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reelvet.sandbox import faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reelvet.sandbox.emulator import Reply

_MISSING = object()


def parts(path: str) -> list[str]:
    """A place in JSON: `a.b.0`, or `/a/b/0` with the escapes of a JSON pointer."""
    if path.startswith("/"):
        return [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")]
    return path.split(".")


def places(value: Any, path: str, *, may_add: bool = False) -> list[tuple[Any, Any]]:
    """Each place that a path stands for, as `(object or list, key)`."""
    found = [(None, None, value)]
    steps = parts(path)
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        found = [
            (inner, key, item) for _, _, inner in found for key, item in _below(inner, step, may_add=may_add and last)
        ]
    return [(holder, key) for holder, key, _ in found]


def _below(value: Any, step: str, *, may_add: bool) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        if step == "*":
            yield from value.items()
        elif step in value or may_add:
            yield step, value.get(step)
    elif isinstance(value, list):
        if step == "*":
            yield from enumerate(value)
        elif step.isdigit() and int(step) < len(value):
            yield int(step), value[int(step)]


def _change(content: Any, path: str, change: Callable[[Any, Any], Any], *, may_add: bool = False) -> Any:
    """The content with every place that a path stands for changed; the original stays as it is."""
    content = copy.deepcopy(content)
    # From the end, so that removing an item of a list does not move those that are still to be removed.
    for holder, key in reversed(places(content, path, may_add=may_add)):
        new = change(holder, key)
        if new is _MISSING:
            del holder[key]
        else:
            holder[key] = new
    return content


def _backwards(items: Any) -> Any:
    return items[::-1] if isinstance(items, list) else items


def _without(items: Any, dropped: tuple[int, ...]) -> Any:
    if not isinstance(items, list):
        return items
    gone = {index % len(items) for index in dropped if -len(items) <= index < len(items)}
    return [item for index, item in enumerate(items) if index not in gone]


def changes(fault: faults.Fault, content: Any) -> bool:
    """Whether a fault has something to change in a reply."""
    match fault:
        case faults.SetField():
            return bool(places(content, fault.path, may_add=True))
        case faults.MissingField() | faults.NullField():
            return bool(places(content, fault.path))
        case faults.Shuffled() | faults.DroppedItems():
            return any(isinstance(holder[key], list) and holder[key] for holder, key in places(content, fault.path))
        case faults.NotJson() | faults.ContentType():
            return True
        case _:
            return False


def damaged(reply: Reply, fault: faults.Fault) -> Reply:
    """A reply with a fault in it."""
    content, raw, headers = reply.content, reply.raw, dict(reply.headers)
    match fault:
        case faults.SetField(path=path, value=value):
            content = _change(content, path, lambda *_: copy.deepcopy(value), may_add=True)
        case faults.MissingField(path=path):
            content = _change(content, path, lambda *_: _MISSING)
        case faults.NullField(path=path):
            content = _change(content, path, lambda *_: None)
        case faults.Shuffled(path=path):
            content = _change(content, path, lambda holder, key: _backwards(holder[key]))
        case faults.DroppedItems(path=path, items=items):
            content = _change(content, path, lambda holder, key: _without(holder[key], items))
        case faults.NotJson(text=text):
            raw, headers["content-type"] = text.encode(), "text/html"
        case faults.ContentType(value=value):
            headers["content-type"] = value
    return replace(reply, content=content, raw=raw, headers=headers)
