"""Many jobs at a time are waited for by the list."""

from __future__ import annotations

import asyncio
from collections import Counter

from reelvet import AsyncModerator, Config, ModerationJob


async def test_many_jobs_are_waited_for_by_the_list(reelvet_sandbox):
    reelvet_sandbox.set_up("tencent", parallel=None, per_second=None)
    config = reelvet_sandbox.config("tencent")
    config["providers"]["tencent"]["requests_per_second"] = 100_000
    config["polling"] |= {"first": 0.3, "most": 5.0}
    async with AsyncModerator(Config.parse(config)) as moderator:
        jobs = [ModerationJob(media=f"https://cdn.example.com/{number}.mp4") for number in range(40)]
        results = await asyncio.gather(*(moderator.moderate(job) for job in jobs))
    assert {result.verdict for result in results} == {"pass"}
    asked = Counter(request.operation for request in reelvet_sandbox.requests("tencent"))
    assert asked["list"]
    assert asked.total() <= 3 * len(jobs)
