"""Requests per second, of each action by itself. https://cloud.tencent.com/document/product/1278/109059."""

from __future__ import annotations

import time
from collections import defaultdict, deque


class Rates:
    """Admits so many requests of each action in any second of the wall."""

    def __init__(self, per_second: float | None) -> None:
        self._most = per_second
        self._times: dict[str, deque[float]] = defaultdict(deque)

    def admit(self, operation: str) -> bool:
        """Counts a request in, or refuses it; what is refused does not count."""
        now, times = time.monotonic(), self._times[operation]
        while times and now - times[0] >= 1.0:
            times.popleft()
        if self._most is not None and len(times) >= self._most:
            return False
        times.append(now)
        return True
