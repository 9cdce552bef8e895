"""The interface of a journal."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from reelvet.journal.record import Event, News, Place, Record, Selection


class Journal(ABC):
    """What was submitted, by key and attempt; what the platform is still to be told; what vendors have called back with.

    Whatever a method has returned from is kept: a process that dies in the next instant finds it again. Several threads,
    event loops and, where `shared`, processes and machines may use one at a time.

    Raises:
        JournalError: By every method: what it was to keep is not kept, or may not be.
    """

    private: bool
    """Whether nobody but this user can read it, so that it may hold a URL with its signature unsealed."""
    shared: bool
    """Whether other processes see what is in it."""

    # never twice

    @abstractmethod
    async def begin(self, record: Record, lease: float) -> Record:
        """Enters an intent, unless its place is taken.

        Args:
            record: What is about to be sent, with its owner.
            lease: Seconds for which the owner has it, unless renewed.

        Returns:
            What stands there now. Its owner tells whose it is.
        """

    @abstractmethod
    async def get(self, place: Place) -> Record | None:
        """What stands at a place."""

    @abstractmethod
    async def take(self, record: Record, owner: str, lease: float) -> Record | None:
        """Makes somebody the owner of a record, if it still is as it was found and its owner's lease has run out.

        A record whose owner certainly is no more is given with `lease_left=0`, and taken whatever its lease.

        Returns:
            The record as it is now; `None` if somebody else was faster.
        """

    @abstractmethod
    async def renew(self, owner: str, lease: float) -> set[Place]:
        """Prolongs all of an owner's leases. What it no longer owns is not among those that are returned."""

    @abstractmethod
    async def keep(self, record: Record, tasks: Sequence[str] = (), events: Sequence[Event] = ()) -> bool:
        """Writes what a submission came to, and puts events in the outbox, together. Ends the lease, but for an intent.

        What is settled is never written over by what is not.

        Args:
            record: The record, with its new state and ticket, by the owner that it had.
            tasks: Ids of the tasks that exist, by which `of_task` finds it.
            events: What the platform is to be told of it.

        Returns:
            `False` if somebody else has taken it over and settled it meanwhile: it is left as it is.
        """

    @abstractmethod
    async def drop(self, record: Record) -> bool:
        """Forgets a submission that certainly created nothing, if it still is its owner's."""

    # looking around

    @abstractmethod
    def records(self, selection: Selection) -> AsyncIterator[Record]:
        """Those that are meant, the oldest first."""

    @abstractmethod
    async def of_task(self, instance: str, task: str) -> Record | None:
        """The submission that a vendor's task belongs to."""

    # what came of it

    @abstractmethod
    async def conclude(
        self,
        place: Place,
        *,
        verdict: str | None,
        result: bytes | None = None,
        events: Sequence[Event] = (),
        ticket: bytes | None = None,
    ) -> None:
        """Writes that there is a result, the result itself where it is to be kept, and what the platform is to be told of it.

        A submission that is not settled stays so: what is entered of it says nothing of what there is a result of. A
        ticket takes the place of the one that is kept, where that held what is not needed any more.
        """

    @abstractmethod
    async def result(self, place: Place) -> bytes | None:
        """A result that was kept."""

    # callbacks

    @abstractmethod
    async def hear(self, news: News) -> bool:
        """Keeps a callback, which is to be followed up at once. `False`: it was there before."""

    @abstractmethod
    async def unfollowed(self, lease: float, limit: int = 50) -> list[News]:
        """Callbacks that are to be followed up now, leased to whoever asks; the oldest first.

        One whose lease runs out before it was `followed` is given again: whoever had it is no more.
        """

    @abstractmethod
    async def followed(self, news: News, again: float | None = None) -> None:
        """A callback was followed up. With `again`, it is to be followed up once more, after so many seconds."""

    @abstractmethod
    async def news(self, after: int, limit: int = 500) -> list[News]:
        """Callbacks with a number above one, in order."""

    @abstractmethod
    async def last_news(self) -> int:
        """The highest number that was given; 0 before the first."""

    # the outbox

    @abstractmethod
    async def post(self, events: Sequence[Event]) -> None:
        """Puts events in the outbox; what is there, or was sent, is not put there again."""

    @abstractmethod
    async def due(self, owner: str, lease: float, limit: int = 50) -> list[Event]:
        """Events that are to be sent now, leased to whoever asks; the oldest first."""

    @abstractmethod
    async def sent(self, event: Event) -> None:
        """An event was taken. Its id is remembered, its body is not."""

    @abstractmethod
    async def put_off(self, event: Event, delay: float | None, says: str) -> None:
        """An event was not taken: it is due again after some seconds; `None`: never."""

    @abstractmethod
    async def outbox(self) -> dict[str, int]:
        """How many events are `waiting`, `sent`, `given_up`."""

    @abstractmethod
    async def failing(self, limit: int = 20) -> list[Event]:
        """Events whose last try failed, those that were given up too; those that were tried most often first."""

    @abstractmethod
    async def revive(self) -> int:
        """Has events that were given up be due again, as if they had never been tried. How many there are."""

    # erasure

    @abstractmethod
    async def erase(self, places: Sequence[Place]) -> int:
        """Forgets submissions and all that belongs to them: tasks, results, callbacks, events. How many there were."""

    # its own life

    @abstractmethod
    async def close(self) -> None:
        """Lets go of what it holds open."""

    def forked(self) -> Journal:
        """The same journal for a child of a fork, which must not use its parent's connections."""
        return self
