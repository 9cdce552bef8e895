"""TOML that can be pasted into `reelvet.toml`."""

from __future__ import annotations

import json
from typing import Any


def table(path: list[str], values: dict[str, Any]) -> list[str]:
    """The lines of a table, and of those below it."""
    plain = {key: value for key, value in values.items() if not isinstance(value, dict)}
    lines = [
        f"[{'.'.join(map(key_of, path))}]",
        *(f"{key_of(key)} = {value_of(value)}" for key, value in plain.items()),
    ]
    for key, value in values.items():
        if isinstance(value, dict):
            lines += ["", *table([*path, key], value)]
    return lines


def value_of(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key_of(key)} = {value_of(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(value_of, value)) + "]"
    return json.dumps(value)


def key_of(key: str) -> str:
    """A key, quoted where it must be."""
    return key if key.replace("-", "").replace("_", "").isalnum() and key.isascii() else json.dumps(key)
