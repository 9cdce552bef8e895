"""One configured account, with its provider."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from reelvet.plugins import Progress, ProviderContext
from reelvet.schema.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelvet.config import Config
    from reelvet.http import Fetcher, Session
    from reelvet.plugins import Provider, Registry


class Instance:
    """A provider made with one instance's settings, opened when it is first needed."""

    def __init__(self, name: str, config: Config, registry: Registry, *, credentials: bool = True) -> None:
        self.name = name
        self._config = config
        self._listeners: dict[str, Callable[[Progress], None]] = {}
        self._opening = asyncio.Lock()
        self._opened_by: int | None = None
        plugin = config.plugin_of(name, registry)
        settings = config.settings(name, registry, credentials=credentials)
        context = ProviderContext(
            instance=name, taxonomy=registry.taxonomy, session=self._session, fetcher=self._fetcher, progress=self._tell
        )
        self.spec = registry.spec(plugin)
        self.provider: Provider = registry.load(plugin)(settings, context)
        # Worked out now: a label map that cannot be read stops the start, not the first video.
        self.capabilities = self.provider.effective()
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
        """The provider, opened in the running event loop."""
        async with self._opening:
            if self._opened_by != os.getpid():
                await self.provider.open()
                self._opened_by = os.getpid()
        return self.provider

    async def close(self) -> None:
        """Closes the provider, if it was opened in this process."""
        if self._opened_by == os.getpid():
            self._opened_by = None
            await self.provider.close()

    def listen(self, task: str, listener: Callable[[Progress], None] | None) -> None:
        """Has a task's progress told to a listener; `None` ends that."""
        if listener is None:
            self._listeners.pop(task, None)
        else:
            self._listeners[task] = listener

    def _tell(self, progress: Progress) -> None:
        listener = self._listeners.get(progress.task)
        if listener is not None:
            listener(progress)

    def _session(self, **how: Any) -> Session:
        from reelvet.http import Session  # noqa: PLC0415  (HTTP is loaded when it is first spoken)

        return Session(instance=self.name, provider=self.provider.id, **how)

    def _fetcher(self) -> Fetcher:
        from reelvet.http import Fetcher  # noqa: PLC0415

        return Fetcher(allow=self._config.fetch.allow)
