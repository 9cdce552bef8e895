"""Reading what vendors send: any field may be missing, null, empty or of the neighbouring type, and none is lost.

A model made of these never refuses a reply for one odd field: what cannot be read as what it should be is `None`, and
the raw payload, which is kept whole beside it, still has it.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


class Lenient(BaseModel):
    """A part of a vendor's reply. Unknown fields are kept."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True, defer_build=True)


_NUMBERS = (int, float, str)


def text(value: Any) -> str | None:
    """A string, or a number written as one."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def number(value: Any) -> float | None:
    """A finite number, also where it is written as a string."""
    if type(value) is float:  # nearly always
        return value if math.isfinite(value) else None
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        return None
    try:
        read = float(value)
    except (ValueError, OverflowError):
        return None
    return read if math.isfinite(read) else None


def whole(value: Any) -> int | None:
    """A whole number, also where it is written as a string or with a fraction of zero."""
    if isinstance(value, int) and not isinstance(value, bool):
        # Not by way of a float, which loses digits of long ids; beyond 64 bits it is no vendor's number.
        return value if -(2**63) <= value < 2**63 else None
    read = number(value)
    return int(read) if read is not None and read.is_integer() and abs(read) < 2**63 else None


def flag(value: Any) -> bool | None:
    """Yes or no, also as a word or as 1 and 0; `None` where it is neither."""
    if isinstance(value, str):
        value = {"true": True, "false": False, "1": True, "0": False}.get(value.strip().lower())
    return bool(value) if isinstance(value, int) and value in {0, 1} else None


def moment(value: Any) -> datetime | None:
    """A date in ISO 8601 with any number of digits after the second's point; without a zone it is UTC."""
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return read.replace(tzinfo=UTC) if read is not None and read.tzinfo is None else read


def mapping(value: Any) -> dict[str, Any]:
    """An object; an empty one where there is none."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """A list: of one where a single object stands in its place, an empty one where there is none."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, dict) and value else []


Text = Annotated[str | None, BeforeValidator(text)]
Number = Annotated[float | None, BeforeValidator(number)]
Whole = Annotated[int | None, BeforeValidator(whole)]
Flag = Annotated[bool | None, BeforeValidator(flag)]
Date = Annotated[datetime | None, BeforeValidator(moment)]
AsMapping = BeforeValidator(mapping)
"""For a field that is a model of its own: `Annotated[Part, AsMapping]`."""


MOST_DEEP = 100
"""Levels of nesting in a reply; vendors have ten or so, and beyond a few hundred nothing could be written down again."""


_NESTS = (dict, list)


def is_too_deep(value: Any) -> bool:
    """Whether a parsed reply is nested deeper than any vendor's is."""
    level = [value] if isinstance(value, _NESTS) else []
    for _ in range(MOST_DEEP):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, _NESTS)
        ]
        if not level:
            return False
    return True


_LONE = re.compile("[\ud800-\udfff]")


def storable(value: Any) -> Any:
    """The same, with halves of surrogate pairs written as their escapes: JSON may hold them, and UTF-8 may not.

    What needs no change is not copied.
    """
    if isinstance(value, str):
        return _LONE.sub(lambda half: f"\\u{ord(half[0]):04x}", value) if _LONE.search(value) else value
    if isinstance(value, dict):
        read = {storable(key): storable(item) for key, item in value.items()}
        return (
            read
            if any(a is not b for a, b in zip(read.values(), value.values(), strict=False))
            or read.keys() != value.keys()
            else value
        )
    if isinstance(value, list):
        listed = [storable(item) for item in value]
        return listed if any(a is not b for a, b in zip(listed, value, strict=True)) else value
    return value
