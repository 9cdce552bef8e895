"""What a journal holds. Plain data, so that a journal of one's own needs to know nothing of reelvet."""

from __future__ import annotations

import os
import socket
import uuid
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from reelvet.schema.ticket import Ticket


class State(StrEnum):
    """How far the submission of a job is."""

    INTENT = "intent"
    """It is about to be sent, or was: nobody has said yet what became of it."""
    PARKED = "parked"
    """It may or may not exist at the vendor: looked for and not found, or there is nobody to ask. Somebody must decide."""
    SUBMITTED = "submitted"
    """What exists at the vendor is known, and stands in the ticket."""
    REVIEW = "review"
    """It is left as it is, and its video handed to a person."""
    ENDED = "ended"
    """There is a result."""

    @property
    def settled(self) -> bool:
        """Whether it is known what the submission came to, or was decided that nobody asks any more."""
        return self not in UNSETTLED


UNSETTLED = frozenset({State.INTENT, State.PARKED})


class Place(NamedTuple):
    """Where a submission stands: one key, one attempt."""

    key: str
    attempt: int = 1


class PlannedTask(NamedTuple):
    """A vendor task of an intent: by what it can be found again."""

    name: str
    category: str | None
    vendor_key: str


@dataclass(frozen=True, slots=True)
class Record:
    """One submission."""

    key: str
    attempt: int
    fingerprint: str
    """Of the job: another job under the same key and attempt is refused."""
    provider: str
    instance: str
    state: State
    ticket: bytes
    """The ticket as JSON. Of an intent, one whose tasks are all `unknown`."""
    plan: tuple[PlannedTask, ...] = ()
    """What is, or was, about to be created."""
    begun_at: float = 0.0
    """When the tasks of unknown fate were about to be sent: seconds since 1970, by the clock of whoever sent them."""
    owner: str | None = None
    """Who is at work on it."""
    lease_left: float = 0.0
    """Seconds for which the owner may still be taken to be at work; given by the journal, by its own clock."""
    user: str | None = None
    """The job's `user`, by which it can be erased."""
    verdict: str | None = None
    """Of the result, where there is one."""

    @property
    def place(self) -> Place:
        """Its key and attempt."""
        return Place(self.key, self.attempt)

    def load_ticket(self) -> Ticket:
        """The ticket. Raises `InvalidTicket` for one of a later version."""
        return Ticket.load(self.ticket)

    def with_state(self, state: State, ticket: bytes | None = None, **changes: object) -> Record:
        """The same further on, or back."""
        return replace(self, state=state, ticket=self.ticket if ticket is None else ticket, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records are meant. What is not said selects all."""

    states: frozenset[State] | None = None
    instance: str | None = None
    key: str | None = None
    user: str | None = None
    begun_before: float | None = None
    """Seconds since 1970."""
    ownerless: bool = False
    """Only those that nobody is at work on."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something the platform is to be told, once."""

    id: str
    """Equal for the same event: what is in the outbox, or was, is not put there again."""
    type: str
    body: bytes
    """JSON."""
    place: Place | None = None
    tries: int = 0
    says: str | None = None
    """Why the last try failed."""


@dataclass(frozen=True, slots=True)
class News:
    """A vendor's callback, kept before it was answered."""

    event_id: str
    """Equal for two deliveries of one event."""
    instance: str
    task: str
    """The vendor's task id."""
    category: str | None = None
    """The vendor's category or task type, where the callback told it."""
    key: str | None = None
    """The job's key, where a signed callback carried it."""
    raw: bytes | None = None
    """The `RawTask` as JSON, where the callback can be trusted with it and it holds no secret; else the task is to be read again."""
    complete: bool = False
    """Whether `raw` is all that the vendor has to say."""
    number: int = 0
    """Given by the journal, rising."""


@dataclass(frozen=True)
class WorkerId:
    """Who is at work: a name that no two processes share, and that tells on the same machine whether its process lives."""

    host: str = field(default_factory=socket.gethostname)
    process: int = field(default_factory=os.getpid)
    unique: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    @cached_property
    def name(self) -> str:
        """As it stands in a journal."""
        return f"{self.host}/{self.process}/{self.unique}"

    def outlived(self, owner: str) -> bool:
        """Whether an owner certainly is no more: a process of this machine that has ended.

        A lease that nobody renews runs out by itself; this only spares the wait after a crash.
        """
        host, _, rest = owner.rpartition("/")[0].rpartition("/")
        if host != self.host or not rest.isdigit() or os.name != "posix":
            return False
        try:
            os.kill(int(rest), 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return False
