"""One configured account, with its provider."""

from __future__ import annotations

import asyncio
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from reelvet.http import logger, telemetry
from reelvet.moderator.coalescing import Coalescer
from reelvet.moderator.following import Follower
from reelvet.moderator.pace import Pace
from reelvet.moderator.places import Places
from reelvet.plugins import ProviderContext
from reelvet.schema.errors import ConfigurationError
from reelvet.taxonomy import UNMAPPED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reelvet.config import Config
    from reelvet.http import Fetcher, Session
    from reelvet.moderator.hearing import Hearing
    from reelvet.plugins import Progress, Provider, Registry
    from reelvet.schema.result import ModerationResult


_log = logger("moderator")


class Instance:
    """A provider made with one instance's settings, opened when it is first needed."""

    def __init__(self, name: str, config: Config, registry: Registry, *, credentials: bool = True) -> None:
        self.name = name
        self.hearing: Hearing | None = None
        self._config = config
        self._listeners: dict[str, list[Callable[[Progress], None]]] = {}
        self._pace = Pace(config.polling.first, config.polling.most)
        self._following: tuple[tuple[int, asyncio.AbstractEventLoop], Follower] | None = None
        self._opening: tuple[tuple[int, asyncio.AbstractEventLoop], asyncio.Future[None]] | None = None
        plugin = config.plugin_of(name, registry)
        settings = config.settings(name, registry, credentials=credentials)
        context = ProviderContext(
            instance=name, taxonomy=registry.taxonomy, session=self._session, fetcher=self._fetcher, progress=self.tell
        )
        self.spec = registry.spec(plugin)
        self.provider: Provider = registry.load(plugin)(settings, context)
        self.coalescer = Coalescer(self.spec.batch)
        # Worked out now: a label map that cannot be read stops the start, not the first video.
        self.capabilities = self.provider.effective()
        self.places = Places(self.capabilities)
        if config.production and self.provider.sandbox:
            raise ConfigurationError(
                f"instance {name!r} talks to an emulator or to a base URL that is not the vendor's, and the configuration is marked production",
                field=f"providers.{name}.base_url", source=config.source, way_out="Remove base_url, or choose another profile.",
            )  # fmt: skip

    @property
    def labels(self) -> dict[str, str | bool | int | float | None]:
        """What spans and metrics say of it."""
        return {"reelvet.instance": self.name, "reelvet.provider": self.provider.id}

    async def open(self) -> Provider:
        """The provider, opened in the running event loop, and anew in another process or loop."""
        here = (os.getpid(), asyncio.get_running_loop())
        if self._opening is None or self._opening[0] != here:
            self._opening = (here, asyncio.ensure_future(self.provider.open()))
        opening = self._opening[1]
        try:
            await asyncio.shield(opening)
        except BaseException:
            if opening.done() and (opening.cancelled() or opening.exception()):
                self._opening = None  # the next one tries again
            raise
        return self.provider

    async def close(self) -> None:
        """Closes the provider, if it was opened in this process and loop."""
        opened, self._opening = self._opening, None
        if opened is not None and opened[0] == (os.getpid(), asyncio.get_running_loop()):
            await opened[1]
            await self.provider.close()

    @property
    def follower(self) -> Follower:
        """What follows the tasks that are waited for in the running event loop."""
        here = (os.getpid(), asyncio.get_running_loop())
        if self._following is None or self._following[0] != here:
            self._following = (here, Follower(self, self._config.polling, self._pace))
        return self._following[1]

    def measure(self, result: ModerationResult) -> None:
        """Counts a job that ended."""
        told = {**self.labels, "reelvet.status": result.status.value, "reelvet.verdict": result.verdict or "none"}
        telemetry.count("reelvet.jobs", told, description="jobs that ended")
        if unmapped := sum(1 for finding in result.findings if finding.label == UNMAPPED):
            telemetry.count(
                "reelvet.unmapped", self.labels, amount=unmapped, description="findings whose vendor label no map knows"
            )

    @contextmanager
    def listening(self, task: str, listener: Callable[[Progress], None] | None) -> Iterator[None]:
        """Has a task's progress told to a listener while the block lasts. Several may listen to one task."""
        self.listen(task, listener)
        try:
            yield
        finally:
            self.forget(task, listener)

    def listen(self, task: str, listener: Callable[[Progress], None] | None) -> None:
        """Has a task's progress told to a listener until `forget`."""
        if listener is not None:
            self._listeners.setdefault(task, []).append(listener)

    def forget(self, task: str, listener: Callable[[Progress], None] | None) -> None:
        """The listener is told no more."""
        listeners = self._listeners.get(task, [])
        if listener in listeners:
            listeners.remove(listener)
        if not listeners:
            self._listeners.pop(task, None)

    def is_heard(self, task: str) -> bool:
        """Whether anybody listens to a task."""
        return task in self._listeners

    def tell(self, progress: Progress) -> None:
        """Tells who listens. A listener that fails is told no more; the job is not its business."""
        for listener in list(self._listeners.get(progress.task, ())):
            try:
                listener(progress)
            except Exception:  # noqa: BLE001  (the caller's own code)
                self._listeners[progress.task].remove(listener)
                _log.warning("a progress listener failed and is told no more", exc_info=True)

    def _session(self, **how: Any) -> Session:
        from reelvet.http import Session  # noqa: PLC0415  (HTTP is loaded when it is first spoken)

        return Session(instance=self.name, provider=self.provider.id, **how)

    def _fetcher(self) -> Fetcher:
        from reelvet.http import Fetcher  # noqa: PLC0415

        return Fetcher(allow=self._config.fetch.allow)
