"""The faults that wait to strike."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from reelvet.sandbox.faults import Fault
from reelvet.schema.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_Kind = TypeVar("_Kind", bound=Fault)


@dataclass(slots=True, eq=False)
class Planted:
    """A fault that was asked for, and how far it has got."""

    id: int
    fault: Fault
    left: int | None
    """How often it will still strike; `None`: always."""
    to_skip: int
    struck: int = 0

    def dump(self) -> dict[str, Any]:
        """As JSON-safe data."""
        return {"id": self.id, "left": self.left, "struck": self.struck, **self.fault.model_dump(mode="json")}


class Garden:
    """All planted faults. What is spent is gone; the caller holds the lock."""

    def __init__(self) -> None:
        self._planted: list[Planted] = []
        self._ids = itertools.count(1)

    def __iter__(self) -> Iterator[Planted]:
        return iter(self._planted)

    def plant(self, fault: Fault) -> Planted:
        """Has a fault wait for requests that it fits."""
        planted = Planted(next(self._ids), fault, fault.times, fault.skip)
        self._planted.append(planted)
        return planted

    def take(
        self, kind: type[_Kind], provider: str, operation: str | None, fits: Callable[[_Kind], bool] = lambda _: True
    ) -> list[_Kind]:
        """The faults of a kind that strike now, each counted down.

        Args:
            kind: The kind, or `Fault` for all.
            provider: Whose emulator it is.
            operation: Which operation is called.
            fits: Whether there is something to strike; a fault that does not fit waits for its turn.
        """
        struck = []
        for planted in list(self._planted):
            fault = planted.fault
            if (
                not isinstance(fault, kind)
                or fault.provider not in {None, provider}
                or fault.operation not in {None, operation}
                or not fits(fault)
            ):
                continue
            if planted.to_skip:
                planted.to_skip -= 1
                continue
            planted.struck += 1
            if planted.left is not None:
                planted.left -= 1
                if not planted.left:
                    self._planted.remove(planted)
            struck.append(fault)
        return struck

    def remove(self, id_: int) -> None:
        """Takes one away.

        Raises:
            ConfigurationError: None of that number waits.
        """
        for planted in self._planted:
            if planted.id == id_:
                self._planted.remove(planted)
                return
        raise ConfigurationError(
            f"no fault {id_} is waiting", field="id", way_out="GET /faults lists them; what is spent is gone."
        )

    def clear(self) -> None:
        """Takes all away."""
        self._planted.clear()
