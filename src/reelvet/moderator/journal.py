"""What was submitted, by key: the same job twice is one submission, another job under the same key is refused."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reelvet.schema.errors import KeyConflict

if TYPE_CHECKING:
    import asyncio

    from reelvet.schema.job import ModerationJob
    from reelvet.schema.ticket import Ticket

_MOST_ENTRIES = 10_000


@dataclass(slots=True)
class Entry:
    """One key and attempt."""

    fingerprint: str
    submission: asyncio.Task[Ticket] | None = field(default=None, repr=False)
    """The one submission, while it is under way or if it ended in the dark; whoever asks again awaits the same."""
    _kept: Ticket | bytes | None = field(default=None, repr=False)

    def keep(self, ticket: Ticket) -> None:
        """Keeps what the submission came to, small: most entries are never asked for again."""
        self._kept = ticket if ticket.secret_url is not None else zlib.compress(ticket.dump_json().encode(), level=1)
        self.submission = None

    @property
    def settled(self) -> bool:
        """Whether it is known what the submission came to."""
        return self._kept is not None

    @property
    def ticket(self) -> Ticket | None:
        """What the submission came to; `None` until it has."""
        if isinstance(self._kept, bytes):
            from reelvet.schema.ticket import Ticket  # noqa: PLC0415  (needed only when a job comes twice)

            return Ticket.load(zlib.decompress(self._kept))
        return self._kept


class MemoryJournal:
    """The keys of one moderator, the most recent ones, in memory."""

    def __init__(self, most: int = _MOST_ENTRIES) -> None:
        self._entries: OrderedDict[tuple[str, int], Entry] = OrderedDict()
        self._most = most

    def enter(self, job: ModerationJob) -> Entry:
        """The entry of a job's key and attempt, made if there is none.

        Raises:
            KeyConflict: The key and attempt stand for another job.
        """
        place = (job.key, job.attempt)
        entry = self._entries.get(place)
        if entry is None:
            entry = self._entries[place] = Entry(job.fingerprint)
            self._forget()
        elif entry.fingerprint != job.fingerprint:
            raise KeyConflict(job.key, attempt=job.attempt)
        self._entries.move_to_end(place)
        return entry

    def drop(self, job: ModerationJob, entry: Entry) -> None:
        """Forgets a submission that certainly created nothing, so that it may be tried again."""
        if self._entries.get((job.key, job.attempt)) is entry:
            del self._entries[job.key, job.attempt]

    def settled(self) -> MemoryJournal:
        """A journal of what is settled in this one, for a child of a fork: what is under way is the parent's."""
        journal = MemoryJournal(self._most)
        journal._entries.update((place, entry) for place, entry in self._entries.items() if entry.settled)
        return journal

    def _forget(self) -> None:
        if len(self._entries) <= self._most:
            return
        # Never one that is under way, or whose outcome is not known: it would be submitted again.
        oldest = next((place for place, entry in self._entries.items() if entry.settled), None)
        if oldest is not None:
            del self._entries[oldest]
