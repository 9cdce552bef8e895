"""The sandbox's own time: as fast as the wall's, faster, standing still, or advanced by hand."""

from __future__ import annotations

import math
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reelvet.schema.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable


_MOST = 3e9
"""Seconds by which the clock can be advanced in all: some 95 years."""


class Clock:
    """Virtual seconds, in which tasks live. Safe to use from any thread.

    Two readings differ on purpose. `now` runs `speed` times as fast as the wall, so that a task of minutes is done in
    milliseconds. `date` runs with the wall and jumps only when it is advanced, so that what a client compares with its
    own clock (when was this task created?) stays comparable at any speed.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._lock = threading.RLock()
        self._usual = _checked(speed, "speed")
        self._listeners: list[Callable[[], None]] = []
        self._reset()

    def _reset(self) -> None:
        self._speed = self._usual
        self._since = time.monotonic()
        self._until_then = 0.0
        self._advanced = 0.0

    @property
    def speed(self) -> float:
        """Virtual seconds in one second of the wall; 0 stands still."""
        return self._speed

    @speed.setter
    def speed(self, value: float) -> None:
        with self._lock:
            self._until_then = self.now()
            self._since = time.monotonic()
            self._speed = _checked(value, "speed")
        self._tell()

    def now(self) -> float:
        """Virtual seconds since the clock was made or reset."""
        with self._lock:
            return self._until_then + (time.monotonic() - self._since) * self._speed

    def date(self) -> datetime:
        """The date of the wall, plus what was advanced by hand."""
        return datetime.now(UTC) + timedelta(seconds=self._advanced)

    def advance(self, seconds: float) -> None:
        """Lets time pass at once."""
        seconds = _checked(seconds, "seconds")
        with self._lock:
            if self._advanced + seconds > _MOST:
                raise ConfigurationError(
                    f"seconds is {seconds:g}, which ends beyond any date",
                    field="seconds",
                    way_out=f"Stay below {_MOST:g} in all.",
                )
            self._until_then += seconds
            self._advanced += seconds
        self._tell()

    def pause(self) -> None:
        """Stands still until `resume`; `advance` goes on working."""
        self.speed = 0.0

    def resume(self) -> None:
        """Runs at its usual speed again."""
        self.speed = self._usual

    def reset(self) -> None:
        """Begins anew, at its usual speed."""
        with self._lock:
            self._reset()
        self._tell()

    def wall_until(self, moment: float) -> float:
        """Seconds of the wall until `now` is `moment`; infinite while the clock stands."""
        with self._lock:
            left = moment - self.now()
            if left <= 0:
                return 0.0
            return left / self._speed if self._speed else math.inf

    def on_change(self, listener: Callable[[], None]) -> None:
        """Has a listener told, in whichever thread, that time has jumped or changed its speed."""
        self._listeners.append(listener)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def _checked(value: Any, field: str) -> float:
    if not (isinstance(value, int | float) and math.isfinite(value) and value >= 0):
        raise ConfigurationError(
            f"{field} is {value!r}", field=field, way_out="Give a number that is not negative; time does not run back."
        )
    return float(value)
