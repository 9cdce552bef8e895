"""What is new about a job, as its vendor tells it: nothing of a reply is kept but digests of what was told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from reelvet.moderator import waiting
from reelvet.moderator.assembling import combine, media_of, queue_notes, read, statuses_of_absent
from reelvet.moderator.seen import Seen
from reelvet.moderator.waiting import existing
from reelvet.schema.delta import Delta
from reelvet.schema.task import Status

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from datetime import datetime

    from reelvet.config import PollingConfig
    from reelvet.moderator.instance import Instance
    from reelvet.plugins import Progress
    from reelvet.schema.plan import Plan
    from reelvet.schema.result import ModerationResult, Note
    from reelvet.schema.task import RawTask
    from reelvet.schema.ticket import Ticket

    _News = tuple[int, RawTask]


async def watch(
    ticket: Ticket,
    plan: Plan | None,
    instance: Instance,
    polling: PollingConfig,
    *,
    timeout: float | None,
    expires_at: datetime | None,
    on_progress: Callable[[Progress], None] | None,
    conclude: Callable[[list[RawTask], list[Note]], ModerationResult],
) -> AsyncGenerator[Delta]:
    """What is new, as it becomes known; the last one has the result.

    Args:
        ticket: The job's handle.
        plan: Its plan.
        instance: Whose account.
        polling: How often to ask.
        timeout: Seconds to watch at most; the job goes on.
        expires_at: The job's deadline; past it the tasks are canceled.
        on_progress: Told how far each task is.
        conclude: Makes the judged result of the last word on every task.

    Raises:
        WaitTimeout: The time was up first.
        ProviderError: Asking failed for good, for every task.
    """
    # One reply at a time: a task is asked again when what it said has been taken, so that a slow reader piles nothing up.
    news: asyncio.Queue[_News] = asyncio.Queue(1)

    async def hear(place: int, raw: RawTask) -> None:
        await news.put((place, raw))

    telling = _Telling(ticket, plan, instance)
    following = asyncio.create_task(
        waiting.wait(
            ticket, plan, instance, polling,
            timeout=timeout, expires_at=expires_at, on_progress=on_progress, hear=hear,
        )
    )  # fmt: skip
    try:
        while (told := await _next(news, following)) is not None:
            delta = telling.tell(*told)
            del told  # not kept while somebody thinks about the delta
            if delta is not None:
                yield delta
            del delta
        yield telling.conclude(conclude(*await following))
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _next(news: asyncio.Queue[_News], following: asyncio.Task[Any]) -> _News | None:
    """The next reply; `None` once there will be none."""
    hearing = asyncio.ensure_future(news.get())
    try:
        await asyncio.wait({hearing, following}, return_when=asyncio.FIRST_COMPLETED)
        if hearing.done():
            return hearing.result()
        return None if news.empty() else news.get_nowait()
    finally:
        hearing.cancel()


class _Telling:
    """From replies to deltas. Pure but for what it remembers."""

    def __init__(self, ticket: Ticket, plan: Plan | None, instance: Instance) -> None:
        self._ticket = ticket
        self._plan = plan
        self._provider = instance.provider
        self._seen = Seen()
        self._statuses: dict[int, Status] = dict.fromkeys(range(len(existing(ticket))), Status.QUEUED)
        self._others = statuses_of_absent(ticket)
        self._status: Status | None = None

    def tell(self, place: int, raw: RawTask) -> Delta | None:
        """What a reply has that is new; `None` if nothing."""
        self._statuses[place] = raw.status
        if all(status.final for status in self._statuses.values()):
            return None  # the job's end is told with its result
        report = read(self._provider, self._plan, [raw])
        notes = queue_notes([raw], media_of(self._ticket, report).kind, self._provider)
        delta = Delta(
            key=self._ticket.key,
            status=combine([*self._statuses.values(), *self._others]),
            findings=self._seen.findings(report.findings),
            transcripts=self._seen.transcripts(report.transcripts),
            warnings=self._seen.notes([*report.warnings, *notes]),
        )
        is_news = delta.status is not self._status or delta.findings or delta.transcripts or delta.warnings
        self._status = delta.status
        return delta if is_news else None

    def conclude(self, result: ModerationResult) -> Delta:
        """The last delta: the result, and what of it was not told before."""
        return Delta(
            key=result.key,
            status=result.status,
            findings=self._seen.findings(result.findings),
            transcripts=self._seen.transcripts(result.transcripts),
            warnings=self._seen.notes(result.warnings),
            result=result,
        )
