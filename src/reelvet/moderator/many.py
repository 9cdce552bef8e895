"""Many jobs at a time, in the order in which they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reelvet.http import logger
from reelvet.schema.errors import InvalidJob, ReelvetError
from reelvet.schema.job import ModerationJob

if TYPE_CHECKING:
    from reelvet.moderator.async_moderator import AsyncModerator
    from reelvet.schema.result import ModerationResult
    from reelvet.schema.ticket import Ticket

_END: Any = object()
_NO_JOB = "Give `ModerationJob` objects; `ModerationJob.parse` makes one of JSON or of a mapping."
_BUG = "The log of reelvet.moderator has the traceback; update the provider's distribution, or tell its authors."
_log = logger("moderator")


@dataclass(frozen=True, slots=True)
class Moderated:
    """One of many jobs, ended."""

    job: ModerationJob
    ticket: Ticket | None
    """`None` if it could not be submitted."""
    result: ModerationResult | None
    error: ReelvetError | None
    """Why there is no result."""


async def moderate_many(
    moderator: AsyncModerator, jobs: Iterable[ModerationJob] | AsyncIterable[ModerationJob], concurrency: int
) -> AsyncIterator[Moderated]:
    """See `AsyncModerator.moderate_many`."""
    if concurrency < 1:
        raise ValueError(f"concurrency must be at least 1, not {concurrency}")
    source = _taken(jobs)
    running: set[asyncio.Task[Moderated]] = set()
    taking: asyncio.Task[ModerationJob] | None = None
    exhausted = False
    try:
        while running or not exhausted:
            if taking is None and not exhausted and len(running) < concurrency:
                taking = asyncio.create_task(_next(source))
            # What has ended is given at once, however long the source thinks about the next job.
            await asyncio.wait({*running, *([taking] if taking else [])}, return_when=asyncio.FIRST_COMPLETED)
            if taking is not None and taking.done():
                job, taking = taking.result(), None
                if job is _END:
                    exhausted = True
                else:
                    running.add(asyncio.create_task(_one(moderator, job)))
            for ended in [task for task in running if task.done()]:
                running.discard(ended)
                yield ended.result()
    finally:
        left = [*running, *([taking] if taking else [])]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


async def _one(moderator: AsyncModerator, job: Any) -> Moderated:
    if not isinstance(job, ModerationJob):
        return Moderated(job, None, None, InvalidJob(f"{type(job).__name__} is no ModerationJob", way_out=_NO_JOB))
    ticket: Ticket | None = None
    try:
        ticket = await moderator.submit(job)
        return Moderated(job, ticket, await moderator.wait(ticket), None)
    except ReelvetError as error:
        return Moderated(job, ticket or getattr(error, "ticket", None), None, error)
    except Exception as error:  # noqa: BLE001  (a provider's bug in one job must not end the others)
        _log.warning("a job failed by a bug", exc_info=True)
        return Moderated(job, ticket, None, ReelvetError(f"the provider failed: {type(error).__name__}", way_out=_BUG))


async def _next(source: AsyncIterator[ModerationJob]) -> ModerationJob:
    job: ModerationJob = await anext(source, _END)
    return job


async def _taken(jobs: Iterable[ModerationJob] | AsyncIterable[ModerationJob]) -> AsyncIterator[ModerationJob]:
    if isinstance(jobs, AsyncIterable):
        async for job in jobs:
            yield job
        return
    iterator = iter(jobs)
    # A generator may read from a disk or a database: not in the event loop.
    while (taken := await asyncio.to_thread(lambda: next(iterator, _END))) is not _END:
        yield taken
