"""What a job came to, kept and told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reelvet.events import Telling
from reelvet.http import logger
from reelvet.journal import Place
from reelvet.schema.errors import JournalError

if TYPE_CHECKING:
    from reelvet.config import Config
    from reelvet.events import Deliverer
    from reelvet.journal import Journal
    from reelvet.schema.result import ModerationResult

_PATIENCE = 5.0
_log = logger("moderator")


class Reporting:
    """Writes results into the journal, and has the platform told, where the configuration says so.

    Args:
        config: The configuration.
        journal: Where submissions are kept.
        sends: Whether this moderator talks to anybody at all.

    Raises:
        ConfigurationError: Nothing can be sent as `[events]` has it.
    """

    def __init__(self, config: Config, journal: Journal, *, sends: bool = True) -> None:
        self._config = config
        self._journal = journal
        self.telling = Telling(config.events)
        self._deliverer: Deliverer | None = None
        self._writing: set[asyncio.Task[None]] = set()
        if sends and config.events is not None:
            from reelvet.events import Deliverer  # noqa: PLC0415  (an extra, needed only here)

            self._deliverer = Deliverer.of(config, journal)

    @property
    def keeps_results(self) -> bool:
        """Whether anybody is told of results, or the journal keeps them."""
        return self._config.events is not None or self._config.journal.keep_results

    def start(self) -> None:
        """Begins to send what is in the outbox, where that is this process's to do."""
        if self._deliverer is not None:
            self._deliverer.start()

    async def conclude(self, result: ModerationResult, attempt: int) -> None:
        """Keeps that a job has ended, and what is to be told of it. What fails here takes nothing from the result."""
        if not result.status.final and result.verdict is None:
            return
        events = self.telling.events_for_result(result, attempt)
        stored = result.dump_json().encode() if self._config.journal.keep_results else None
        verdict = result.verdict.value if result.verdict is not None else None
        writing = asyncio.create_task(self._write(Place(result.key, attempt), verdict, stored, events))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)
        if events or stored is not None:
            # That it has ended is a help; an event that is lost is a platform that is never told.
            await asyncio.shield(writing)
        if events and self._deliverer is not None:
            self._deliverer.wake()

    async def aclose(self) -> None:
        """Lets what is being written and sent end."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=_PATIENCE)
        if self._deliverer is not None:
            await self._deliverer.aclose(_PATIENCE)

    async def _write(self, place: Place, verdict: str | None, stored: bytes | None, events: list) -> None:  # type: ignore[type-arg]
        try:
            await self._journal.conclude(place, verdict=verdict, result=stored, events=events)
        except JournalError:
            _log.warning("the journal could not keep what job %s came to", place.key, exc_info=True)
