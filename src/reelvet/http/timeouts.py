"""How long one try may take. There is no way to have none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds, each larger than 0.

    Args:
        connect: To find the address, connect and agree on TLS.
        read: Between two pieces of the reply, the wait for the first included.
        write: Between two pieces of a large body.
        total: For the whole try.
    """

    connect: float = 10.0
    read: float = 30.0
    write: float = 30.0
    total: float = 60.0

    def __post_init__(self) -> None:
        if not all(0 < seconds < float("inf") for seconds in (self.connect, self.read, self.write, self.total)):
            raise ValueError("every timeout is a number of seconds larger than 0")
