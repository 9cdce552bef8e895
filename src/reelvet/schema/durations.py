"""Lengths of time as people write them: `10m`, `30d`, or a number of seconds."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_WRITTEN = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[smhd]?)", re.IGNORECASE)
_LONGEST = 366 * 100 * _UNITS["d"]


def read_duration(value: Any) -> Any:
    """A length of time.

    Raises:
        ValueError: It is none.
    """
    if isinstance(value, timedelta):
        return value
    text = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    written = _WRITTEN.fullmatch(text)
    seconds = float(written["number"]) * _UNITS[written["unit"].lower() or "s"] if written else None
    if seconds is None or seconds > _LONGEST:
        raise ValueError(f"{value!r} is no length of time; write it as 90 (seconds), '45s', '10m', '12h' or '30d'")
    return timedelta(seconds=seconds)


Duration = Annotated[timedelta, BeforeValidator(read_duration)]
"""A `timedelta`; `10m` and the like are understood, and a number is seconds."""
