"""What the emulators of one sandbox share."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

from reelvet.sandbox.catalogue import Catalogue
from reelvet.sandbox.clock import Clock
from reelvet.sandbox.outbox import Outbox
from reelvet.sandbox.planted import Garden
from reelvet.taxonomy import Taxonomy

if TYPE_CHECKING:
    from reelvet.sandbox.received import Received


class World:
    """The clock, the scenarios, the faults, what was received and what is to be delivered.

    Emulators run in the thread of the server, tests in theirs: whoever reads or changes something holds `lock`.
    """

    def __init__(self, *, speed: float = 1.0, taxonomy: Taxonomy | None = None) -> None:
        self.lock = threading.RLock()
        self.taxonomy = taxonomy or Taxonomy.default()
        self.clock = Clock(speed)
        self.catalogue = Catalogue(self.taxonomy)
        self.faults = Garden()
        self.outbox = Outbox(self.clock, self.faults, self.lock)
        self.received: list[Received] = []
        self.numbers = itertools.count(1)

    def reset(self) -> None:
        """As at the start; scenarios that were there at the start stay."""
        with self.lock:
            self.faults.clear()
            self.outbox.clear()
            self.received.clear()
            self.catalogue.reset()
            self.clock.reset()
