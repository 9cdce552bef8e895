"""The card by which a provider is known without importing it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reelvet.plugins.capabilities import Capabilities

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelvet.schema.plan import VendorTask
    from reelvet.taxonomy import Label


@dataclass(frozen=True, slots=True)
class DataHandling:
    """Where the media goes and how long it stays, as the vendor says."""

    place: str
    """Where it is processed, in words."""
    retention: str
    """How long media, results and evidence are kept, in words; `not documented` where nobody says."""
    source: str
    """The page that says so."""


def _share_key(task: VendorTask) -> str | None:
    return task.share_key


@dataclass(frozen=True, slots=True)
class BatchRule:
    """How many tasks a vendor takes in one call: what is submitted at the same time is then sent together.

    The provider's `submit` is given tasks of one share key and of different vendor keys, perhaps of several jobs, and
    answers for each of them.
    """

    max: int
    """Tasks per call."""
    share_key: Callable[[VendorTask], str | None] = _share_key
    """Tasks for which it is equal may go in one call; `None` for one that goes alone. By default the task's own."""
    window: float = 0.003
    """Seconds for which a task waits for others; as long as others come, up to ten times that."""


@dataclass(frozen=True)
class ProviderSpec:
    """A provider, before any of its code is imported."""

    id: str
    """Lower case, permanent: it stands in other people's databases."""
    title: str
    provider: str
    """`package.module:Class` of the `Provider`."""
    capabilities: Capabilities | Callable[[], Capabilities] = field(default_factory=Capabilities)
    """The maximum; a callable is called when they are first asked for."""
    settings: str | None = None
    """`package.module:Class` of the pydantic model of `[providers.<instance>]`."""
    options: str | None = None
    """`package.module:Class` of the pydantic model of `ModerationJob.options[<id>]`."""
    sandbox: str | None = None
    """`package.module:Class` of the vendor's emulator."""
    batch: BatchRule | None = None
    """Set where the vendor takes several tasks in one call."""
    data_handling: DataHandling | None = None
    labels: tuple[Label, ...] = ()
    """Labels of its own, below `x.<id>.`."""
    needs_account: bool = True
    """Whether it must be configured before it can be used."""

    @property
    def at_most(self) -> Capabilities:
        """What any instance can do at most."""
        return self.capabilities() if callable(self.capabilities) else self.capabilities
