"""One task that somebody waits for."""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from reelvet.schema.media import MediaKind
    from reelvet.schema.task import RawTask, TaskRef


class Followed:
    """What is known of a task while it is waited for. There may be tens of thousands, so it is small. Times are the loop's."""

    __slots__ = (
        "again", "alive_at", "begun_at", "context", "end", "failures", "kind", "listed_at", "media", "ref", "submitted_at",
        "task", "timer", "waiters",
    )  # fmt: skip

    def __init__(
        self,
        ref: TaskRef,
        end: asyncio.Future[RawTask],
        *,
        now: float,
        age: float,
        kind: MediaKind,
        media: float | None,
    ) -> None:
        self.ref = ref
        self.end = end
        """The last word on it."""
        self.submitted_at = now - age
        self.begun_at = now
        """Since when it is followed."""
        self.kind = kind
        self.media = media
        """Seconds that its media lasts, where that is known."""
        self.alive_at: float | None = None
        """When it was last seen not to have ended."""
        self.listed_at: float | None = None
        """When the reading of the list began in which it was last seen."""
        self.failures = 0
        self.waiters = 1
        self.again = False
        """Whether there was news while it was asked for, so that the reply may be older."""
        self.timer: asyncio.TimerHandle | None = None
        self.task: asyncio.Task[None] | None = None
        """What asks for it now."""
        self.context = contextvars.copy_context()
        """Of whoever waits first: its requests belong to that span."""

    def rest(self) -> None:
        """Has nothing more done for it."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if self.task is not None:
            self.task.cancel()

    def took(self, now: float) -> float | None:
        """Seconds from its submission to its end, which lies between when it was last seen alive and now.

        `None` where nobody can say: it had ended, perhaps long ago, before anybody looked.
        """
        age = now - self.submitted_at
        since = self.alive_at if self.alive_at is not None else self.begun_at
        least = since - self.submitted_at
        return None if self.alive_at is None and least > age / 2 else (least + age) / 2
