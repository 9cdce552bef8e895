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
        "again", "alive_at", "begun_at", "context", "ends", "failures", "is_over", "is_scout", "kind", "listed_at", "media", "ref",
        "submitted_at", "task", "teaches", "timer",
    )  # fmt: skip

    def __init__(self, ref: TaskRef, *, now: float, age: float, kind: MediaKind, media: float | None) -> None:
        self.ref = ref
        self.ends: tuple[asyncio.Future[RawTask], ...] = ()
        """What each who waits is to be given the last word by."""
        self.is_over = False
        self.is_scout = True
        """Whether it is asked for even while nobody knows how long such tasks take."""
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
        self.teaches = True
        """Whether how long it takes is remembered."""
        self.failures = 0
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

    def end(self, last: RawTask | Exception) -> None:
        """Tells everybody the last word, or what nothing helps against."""
        self.is_over = True
        for end in self.ends:
            if not end.done() and isinstance(last, Exception):
                end.set_exception(last)
                end.exception()  # who waits may have left for another reason; asyncio would complain that nobody saw it
            elif not end.done() and not isinstance(last, Exception):
                end.set_result(last)

    def took(self, now: float) -> float | None:
        """Seconds from its submission to its end, which lies between when it was last seen alive and now.

        `None` where nobody can say: it had ended, perhaps long ago, before anybody looked.
        """
        age = now - self.submitted_at
        since = self.alive_at if self.alive_at is not None else self.begun_at
        least = since - self.submitted_at
        return None if self.alive_at is None and least > age / 2 else (least + age) / 2
