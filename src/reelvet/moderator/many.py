"""Many jobs at a time, in the order in which they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reelvet.schema.errors import ReelvetError

if TYPE_CHECKING:
    from reelvet.moderator.async_moderator import AsyncModerator
    from reelvet.schema.job import ModerationJob
    from reelvet.schema.result import ModerationResult
    from reelvet.schema.ticket import Ticket


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
    exhausted = False
    try:
        while running or not exhausted:
            while not exhausted and len(running) < concurrency:
                job = await anext(source, None)
                if job is None:
                    exhausted = True
                else:
                    running.add(asyncio.create_task(_one(moderator, job)))
            if running:
                ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in ended:
                    yield task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _one(moderator: AsyncModerator, job: ModerationJob) -> Moderated:
    ticket: Ticket | None = None
    try:
        ticket = await moderator.submit(job)
        return Moderated(job, ticket, await moderator.wait(ticket), None)
    except ReelvetError as error:
        return Moderated(job, ticket or getattr(error, "ticket", None), None, error)


async def _taken(jobs: Iterable[ModerationJob] | AsyncIterable[ModerationJob]) -> AsyncIterator[ModerationJob]:
    if isinstance(jobs, AsyncIterable):
        async for job in jobs:
            yield job
        return
    iterator = iter(jobs)
    # A generator may read from a disk or a database: not in the event loop.
    while (taken := await asyncio.to_thread(lambda: next(iterator, None))) is not None:
        yield taken
