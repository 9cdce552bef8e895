"""How many tasks run at a vendor that lets none wait, as far as this moderator has sent them: it is sent no more.

It would refuse one more, and Tencent does so with the code of too many requests, after which it would be sent again and
again. What others have running there only the vendor knows, so it may refuse all the same.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from reelvet.plugins import Created
from reelvet.schema.errors import RateLimited, TaskNotFound
from reelvet.schema.task import RawTask

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelvet.plugins import Capabilities, Outcome, Provider
    from reelvet.schema.media import MediaKind
    from reelvet.schema.task import TaskRef

_FRESH = 30.0
"""Seconds for which a task that was looked at is taken to go on."""

_AT_ONCE = 10
"""Tasks that are looked at at a time: the reply for a stream may be large."""


@dataclass(slots=True)
class _Running:
    ref: TaskRef
    looked_at: float = 0.0


@dataclass(slots=True, eq=False)
class Place:
    """Room for the tasks of one job, until they are created; given back at the end of the block but for those that are."""

    places: Places
    kind: MediaKind
    tasks: int

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.places.reserved.discard(self)

    def keep(self, outcomes: Iterable[Outcome]) -> None:
        """Those that were created run from now on. One of unknown fate has no id by which its end could be seen."""
        for outcome in outcomes if self in self.places.reserved else ():
            if isinstance(outcome, Created):
                self.places.running.setdefault(self.kind, {})[outcome.ref.id] = _Running(outcome.ref)


@dataclass(slots=True, eq=False)
class Places:
    """The places of one instance."""

    able: Capabilities
    running: dict[MediaKind, dict[str, _Running]] = field(default_factory=dict)
    """Tasks that were created and whose end nobody has seen, the oldest first."""
    reserved: set[Place] = field(default_factory=set)
    _looking: asyncio.Task[None] | None = None

    async def take(self, kind: MediaKind, tasks: int, provider: Provider, instance: str) -> Place:
        """Places for the tasks of a job. Where there are too few, those that run are looked at: some may have ended.

        Raises:
            RateLimited: As many run as the vendor runs at a time. Nothing was sent.
        """
        place, most = Place(self, kind, tasks), self._most(kind)
        if most is None:
            return place
        if self._taken(kind) + tasks > most:
            await self._look(kind, provider)
        if self._taken(kind) + tasks > most:
            raise RateLimited(
                f"of tasks with {kind} media the vendor runs {most} at a time and lets none wait, and {self._taken(kind)} run that were sent from here: it was not sent",
                provider.id, instance, created="no",
                way_out="Cancel one (`reelvet cancel`), or wait until one ends; if the vendor agreed to more, say so in the instance's settings.",
            )  # fmt: skip
        self.reserved.add(place)
        return place

    def ended(self, raws: Iterable[RawTask]) -> None:
        """Gives back the places of those that have ended."""
        for raw in raws:
            if raw.status.final:
                self._free(raw.ref.id)

    def _most(self, kind: MediaKind) -> int | None:
        return next((one.tasks for one in self.able.parallel if one.kind is kind and not one.waits), None)

    def _taken(self, kind: MediaKind) -> int:
        return len(self.running.get(kind, ())) + sum(place.tasks for place in self.reserved if place.kind is kind)

    def _free(self, id_: str) -> None:
        for running in self.running.values():
            running.pop(id_, None)

    async def _look(self, kind: MediaKind, provider: Provider) -> None:
        """Looks at what runs, once for all who wait for it."""
        looking = self._looking
        if looking is None or looking.done() or looking.get_loop() is not asyncio.get_running_loop():
            old = time.monotonic() - _FRESH
            due = [one for one in self.running.get(kind, {}).values() if not one.looked_at or one.looked_at < old]
            looking = self._looking = asyncio.create_task(self._look_at(due, provider))
        await asyncio.shield(looking)

    async def _look_at(self, due: Sequence[_Running], provider: Provider) -> None:
        for first in range(0, len(due), _AT_ONCE):
            some = due[first : first + _AT_ONCE]
            found = await asyncio.gather(*(provider.fetch(one.ref) for one in some), return_exceptions=True)
            for one, told in zip(some, found, strict=True):
                one.looked_at = time.monotonic()
                if isinstance(told, TaskNotFound) or (isinstance(told, RawTask) and told.status.final):
                    self._free(one.ref.id)
