"""What a vendor allows, declared as data: the throttle keeps to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `requests` in any `per` seconds, and at most `concurrency` at a time.

    Args:
        requests: `None` for no limit of rate. All of them may go out at once, then none until the window has passed.
        per: Length of the window in seconds.
        concurrency: `None` for no limit.
    """

    requests: int | None = None
    per: float = 1.0
    concurrency: int | None = None

    def __post_init__(self) -> None:
        if (self.requests is not None and self.requests < 1) or self.per <= 0:
            raise ValueError(
                "a limit lets at least one request through in a window longer than 0 s; write slower rates with a longer `per`"
            )
        if self.concurrency is not None and self.concurrency < 1:
            raise ValueError("a concurrency of less than one lets nothing through")


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one instance.

    Args:
        operations: By the operation's name. `*` holds for each operation that is not named, each counted by itself.
        total: Holds for all operations together.
    """

    operations: Mapping[str, Limit] = field(default_factory=dict)
    total: Limit | None = None

    def of(self, operation: str) -> Limit | None:
        """The limit of one operation, without the total."""
        return self.operations.get(operation, self.operations.get("*"))
