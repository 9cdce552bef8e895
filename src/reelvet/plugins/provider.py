"""The contract of a provider: what maps is pure, what talks is async, and the two never mix."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from reelvet.schema.errors import (
    CallbackUnsupported,
    CancelUnsupported,
    DeleteUnsupported,
    LookupUnsupported,
    OperationUnsupported,
    ProviderError,
)
from reelvet.schema.task import RawTask, TaskRef
from reelvet.taxonomy import Taxonomy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

    from pydantic import SecretStr

    from reelvet.http import Fetcher, Session
    from reelvet.plugins.capabilities import Capabilities
    from reelvet.plugins.declared import DeclaredPolicy
    from reelvet.schema.job import ModerationJob
    from reelvet.schema.plan import Plan, VendorTask
    from reelvet.schema.result import Coverage, Finding, MediaFacts, Note, Transcript, Usage


# --- what a submit comes to, per task ---


@dataclass(frozen=True, slots=True)
class Created:
    """The task exists at the vendor."""

    ref: TaskRef


@dataclass(frozen=True, slots=True)
class Done:
    """The vendor answered at once."""

    raw: RawTask


@dataclass(frozen=True, slots=True)
class Rejected:
    """The task certainly does not exist."""

    error: ProviderError


@dataclass(frozen=True, slots=True)
class Unknown:
    """The task may exist: it must be looked up, never sent again."""

    error: ProviderError


Outcome = Created | Done | Rejected | Unknown


# --- what else crosses the contract ---


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """A stretch of time in which a task was submitted."""

    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """What a free call at the vendor shows."""

    ok: bool
    says: str
    """One sentence for a person."""
    way_out: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with an instance's settings, as it can be seen from here."""

    says: str
    """What is wrong, in a sentence for a person, with the value where it is no secret."""
    way_out: str
    """How to mend it."""
    field: str | None = None
    """The setting that it is about, as it is called in the instance's table."""


@dataclass(frozen=True, slots=True)
class Callback:
    """A verified callback."""

    ref: TaskRef
    raw: RawTask | None
    """What the callback says of the task; `None` where it only says that there is news."""
    trusted: bool
    """Whether the signature covers the content; if not, the task is to be read again."""
    key: str | None = None
    """The job's key, where the callback carries it."""
    event_id: str = ""
    """Equal for two deliveries of one event."""
    complete: bool = True
    """Whether `raw` is all that the vendor has to say; if not, the task is to be read again, however trusted."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a provider reads out of the vendor's answers."""

    findings: Sequence[Finding] = ()
    coverage: Sequence[Coverage] = ()
    transcripts: Sequence[Transcript] = ()
    usage: Sequence[Usage] = ()
    warnings: Sequence[Note] = ()
    media: MediaFacts | None = None
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Learned:
    """What policies kept at the vendor seem to look at, for a person to check."""

    setting: str
    """The key of the instance's table under which its policies are declared by name."""
    policies: Mapping[str, DeclaredPolicy]
    """The vendor's name of a policy -> the declaration."""
    notes: Sequence[Note] = ()
    """What was seen and is in no declaration."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a task is."""

    task: str
    """The vendor's task id."""
    done: float | None = None
    """0-1; `None` where nobody knows."""
    says: str = ""
    """A few words for a person."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ProviderContext:
    """What the moderator lends to a provider."""

    instance: str
    taxonomy: Taxonomy = field(default_factory=Taxonomy.default)
    clock: Callable[[], datetime] = _now
    session: Callable[..., Session] | None = None
    """Makes an HTTP session that reports and limits as this instance; closed by the provider."""
    fetcher: Callable[[], Fetcher] | None = None
    """Makes the guarded fetcher for URLs that others can influence."""
    progress: Callable[[Progress], None] = lambda _: None
    """Told how far a task is; cheap, may be called often."""


class Provider(ABC):
    """One vendor account. Cheap to make; opened and closed by the moderator.

    `effective`, `plan`, `read`, `parse_callback`, `recognize` and `learn` are pure: no I/O, the same answer for the same input. `examine` looks
    at this machine alone.
    """

    id: str
    """The provider's id, as in its `ProviderSpec`."""

    sandbox: bool = False
    """Whether what it talks to is an emulator, or a base URL that is not the vendor's."""

    def __init__(self, settings: Any, context: ProviderContext) -> None:
        self.settings = settings
        self.context = context

    # pure

    @abstractmethod
    def effective(self) -> Capabilities:
        """What this instance can see and do, with its settings."""

    @abstractmethod
    def plan(self, job: ModerationJob) -> Plan:
        """The vendor tasks of a job, with placeholders for what needs I/O.

        Uses settings only, and never refuses: what cannot be done stands in `unsupported`.
        """

    @abstractmethod
    def read(self, plan: Plan | None, raws: Sequence[RawTask]) -> Report:
        """What the vendor's answers say.

        Args:
            plan: The plan they belong to; `None` for tasks made elsewhere, whose payload shows what they looked for.
            raws: One per task. Not finished ones are read as far as they go.
        """

    def vendor_key_of(self, key: str) -> str:
        """A key as the vendor holds it, for vendors that cannot hold every key: what `find` looks for. By default as it is."""
        return key

    def parse_callback(
        self, body: bytes, headers: Mapping[str, str], query: Mapping[str, str], secrets: Sequence[SecretStr]
    ) -> Callback:
        """A verified callback.

        Raises:
            CallbackUnsupported: The vendor sends none.
            CallbackForged: It is not signed by any of the secrets, or was tampered with.
            CallbackRejected: It is malformed.
        """
        raise CallbackUnsupported("sends no callbacks", self.id, self.context.instance)

    def recognize(self, payload: Any) -> RawTask:
        """A stored reply to the vendor's "get task", in any dialect of it, as a `RawTask`. Pure.

        Raises:
            InvalidJob: It is no such reply.
        """
        return RawTask.model_validate(payload)

    def learn(self, raws: Sequence[RawTask]) -> Learned:
        """What the policies behind some tasks seem to look at, by what they were seen to do. Pure.

        For a vendor whose API does not say what a policy that is kept there looks at; such a provider has the operation
        `learn`. Nothing is in the declaration that was not seen.

        Args:
            raws: Tasks that were read as `in_full` says, as a rule.

        Raises:
            OperationUnsupported: Nothing is looked for by such policies, or their declaration cannot be learned.
        """
        raise OperationUnsupported("has no policies whose declaration could be learned", self.id, self.context.instance)

    def in_full(self, ref: TaskRef) -> TaskRef:
        """The same task, to be read with what was looked at and found harmless, where that is left out unless asked for."""
        return ref

    # looks around

    def examine(self) -> Iterable[Fault]:
        """What can be seen to be wrong with the settings without talking to anybody; by default nothing.

        Called by `reelvet doctor` alone, with the settings complete, and before `open`. May import modules and look
        at this machine's disk, and leaves both as they were; calls nobody, and starts nothing. What the settings
        model refuses, and references that lead nowhere, have been told already.
        """
        return ()

    # talks

    async def open(self) -> None:  # noqa: B027  (most providers have nothing to do here)
        """Called once before the first operation, in the event loop that will use it."""

    async def close(self) -> None:  # noqa: B027  (as above)
        """Called once at the end; leaves nothing running."""

    async def prepare(self, plan: Plan) -> Plan:
        """Fills the plan's placeholders. By default there are none."""
        return plan

    async def leave(self) -> None:  # noqa: B027  (most vendors are sent one task at a time)
        """Waits until `submit` would send at once, as far as the vendor's rates go; by default it does not wait.

        Asked of a provider with a `BatchRule`: while it waits, tasks that may share the call still join it.
        """

    @abstractmethod
    async def submit(self, tasks: Sequence[VendorTask]) -> Sequence[Outcome]:
        """Creates tasks at the vendor.

        Returns:
            One outcome per task, in order. A failure of a task is an outcome, not an exception.
        """

    @abstractmethod
    async def fetch(self, ref: TaskRef) -> RawTask:
        """What the vendor says of a task now.

        Raises:
            ProviderError: The call failed; the task is as it was.
        """

    async def run(self, ref: TaskRef, task: VendorTask) -> RawTask:
        """Does the work of a task here and now, for a provider that does its own work; called by whoever waits.

        A provider without the operation `run` is polled with `fetch` instead.
        """
        return await self.fetch(ref)

    async def cancel(self, ref: TaskRef) -> RawTask:
        """Stops a task.

        Raises:
            CancelUnsupported: The vendor has no cancel.
            TaskConflict: It has ended already.
        """
        raise CancelUnsupported("has no cancel", self.id, self.context.instance)

    async def find(self, key: str, window: TimeWindow) -> Sequence[RawTask]:
        """Tasks whose vendor key equals `key` exactly.

        Raises:
            LookupUnsupported: The vendor keeps no key, or has no list.
        """
        raise LookupUnsupported("cannot look a task up by its key", self.id, self.context.instance)

    def sweep(self, window: TimeWindow) -> AsyncIterator[RawTask]:
        """The states of all tasks of a window, from the vendor's list.

        Raises:
            LookupUnsupported: The vendor has no list.
        """
        raise LookupUnsupported("has no list of tasks", self.id, self.context.instance)

    async def delete(self, ref: TaskRef) -> None:
        """Has the vendor forget a task.

        Raises:
            DeleteUnsupported: The vendor has no delete.
        """
        raise DeleteUnsupported("has no delete", self.id, self.context.instance)

    @abstractmethod
    async def check(self) -> Health:
        """A free call that proves credentials and reach. Never raises for what it was made to find out."""
