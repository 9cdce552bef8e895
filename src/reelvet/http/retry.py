"""When a request may be sent again, and after how long. The only place that decides it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reelvet.http.request import Effect
from reelvet.schema.errors import ConnectFailed

if TYPE_CHECKING:
    from reelvet.schema.errors import ProviderError


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently.

    Args:
        attempts: Tries in all; 1 turns retries off.
        base: Seconds before the second try; doubled for each further one.
        cap: Longest wait in seconds, where the vendor names none.
        jitter: Share of the wait that is random, 0 to 1, so that many clients do not come back at once.
        overall: Seconds after the first try began in which the last may begin.
        retry_after_cap: Longest wait in seconds that a vendor may ask for; beyond it the error is raised at once.
    """

    attempts: int = 4
    base: float = 0.5
    cap: float = 20.0
    jitter: float = 0.5
    overall: float = 120.0
    retry_after_cap: float = 60.0

    def __post_init__(self) -> None:
        if (
            self.attempts < 1
            or min(self.base, self.cap, self.overall, self.retry_after_cap) < 0
            or not 0 <= self.jitter <= 1
        ):
            raise ValueError("a retry policy needs at least one attempt, no negative times and a jitter from 0 to 1")

    def repeats(self, effect: Effect, error: ProviderError) -> bool:
        """Whether a request of that effect may be sent again after that error."""
        if not error.retryable or (error.retry_after or 0.0) > self.retry_after_cap:
            return False
        # What may create something is repeated only with certainty that nothing was created: law 5, never pay twice.
        return effect is not Effect.CREATE or isinstance(error, ConnectFailed) or error.created == "no"

    def wait(self, attempt: int, retry_after: float | None = None) -> float:
        """Seconds to wait after the given try (1 is the first), never less than the vendor asked for."""
        exponential = min(self.cap, self.base * 2.0 ** min(attempt - 1, 60))
        share = random.random() * self.jitter  # noqa: S311 - spreads load, guards nothing
        if retry_after is not None:
            return retry_after + min(exponential, self.base) * share
        return exponential * (1 - share)
