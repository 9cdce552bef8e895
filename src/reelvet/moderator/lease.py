"""That a submission is this moderator's to make, told to other processes for as long as it lives."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reelvet.http import logger
from reelvet.journal import WorkerId
from reelvet.schema.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelvet.journal import Journal, Place, Record
    from reelvet.schema.plan import VendorTask

LEASE = 15.0
"""Seconds after which others may take over what a process that died, or is frozen, was about to submit."""

_RENEWALS = 3
_log = logger("moderator")


@dataclass(slots=True, eq=False)
class Hold:
    """One submission that is this moderator's."""

    place: Place
    known_until: float
    """The monotonic time until which nobody else can have taken it over."""


class Lease:
    """The submissions that one moderator is at work on, and until when each certainly is its own.

    Args:
        journal: Where they stand.
        seconds: How long a lease lasts that is not renewed.
    """

    def __init__(self, journal: Journal, seconds: float = LEASE) -> None:
        self._journal = journal
        self.seconds = seconds
        self._worker = WorkerId()
        self.owner = self._worker.name
        self._holds: dict[Place, Hold] = {}
        self._keys: dict[str, Hold] = {}
        self._beating: asyncio.Task[None] | None = None

    def is_over(self, record: Record) -> bool:
        """Whether nobody is at work on a record any more, this moderator itself included.

        Whoever finds that so holds the record's place before anything else can run, or two would go on at once.
        """
        if self.holds(record.place):
            return False
        owner = record.owner
        return owner is None or record.lease_left <= 0 or owner == self.owner or self._worker.outlived(owner)

    def holds(self, place: Place) -> bool:
        """Whether this moderator is at work on a submission."""
        return place in self._holds

    def may_send(self, task: VendorTask) -> bool:
        """Whether no other can have taken over the submission of a task.

        A process that was frozen for longer than its leases last finds here that it may have lost them.
        """
        hold = self._keys.get(task.vendor_key)
        return hold is not None and time.monotonic() < hold.known_until

    @contextmanager
    def held(self, place: Place, since: float, keys: Iterable[str]) -> Iterator[None]:
        """Keeps a lease alive while the block runs, and others of this moderator away.

        Args:
            place: Of what.
            since: The monotonic time before the lease was asked for.
            keys: The vendor keys of its tasks.
        """
        hold = Hold(place, since + self.seconds)
        keys = tuple(keys)
        self._holds[place] = hold
        self._keys.update(dict.fromkeys(keys, hold))
        if self._beating is None:
            self._beating = asyncio.get_running_loop().create_task(self._beat())
        try:
            yield
        finally:
            if self._holds.get(place) is hold:
                del self._holds[place]
            for key in keys:
                if self._keys.get(key) is hold:
                    del self._keys[key]
            if not self._holds and self._beating is not None:
                self._beating.cancel()
                self._beating = None

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.seconds / _RENEWALS)
            before = time.monotonic()
            try:
                renewed = await self._journal.renew(self.owner, self.seconds)
            except JournalError:
                _log.warning("the journal cannot be reached; what is being submitted may be taken over", exc_info=True)
                continue
            for hold in self._holds.values():
                if hold.place in renewed:
                    hold.known_until = before + self.seconds
