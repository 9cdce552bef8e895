"""Requests per second, as vendors count them: in any window of one second, by the wall."""

from __future__ import annotations

import time
from collections import deque


class RateWindow:
    """Admits so many requests in any one second."""

    def __init__(self, per_second: float) -> None:
        self._most = per_second
        self._times: deque[float] = deque()

    def admit(self) -> bool:
        """Counts a request in, or refuses it; what is refused does not count."""
        now = time.monotonic()
        while self._times and now - self._times[0] >= 1.0:
            self._times.popleft()
        if len(self._times) >= self._most:
            return False
        self._times.append(now)
        return True
