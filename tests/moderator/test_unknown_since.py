"""`after` counts from when nobody knew any more, and not from the intent, which may have waited long to be sent."""

from __future__ import annotations

import asyncio

import pytest

from reelvet import AsyncModerator, ModerationJob
from reelvet.config.sections import SettleConfig
from reelvet.journal import MemoryJournal, Place
from reelvet.schema.errors import SubmitOutcomeUnknown

JOB = ModerationJob(media="https://cdn.example.com/clip.mp4", detect=["sexual.explicit.pornography"], key="k1")
AFTER = 0.6


async def test_what_was_sent_a_moment_before_the_crash_is_not_sent_again_for_its_old_intent(
    config, registry, vendor, monkeypatch
):
    journal, acme = MemoryJournal(), registry.load("acme")
    submit, polling = acme.submit, config.polling.model_copy(update={"settle_window": 0.05})
    settle = SettleConfig.model_validate({"after": AFTER, "then": "resubmit"})
    config = config.model_copy(update={"polling": polling, "settle": settle})
    vendor.list_lag = AFTER - 0.2

    async def late(*args):
        await asyncio.sleep(AFTER + 0.1)  # for leave of the vendor's rate
        return await submit(*args)

    async def never(*_, **__):
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(acme, "submit", late)
        patch.setattr(journal, "keep", never)
        dying = AsyncModerator(config, registry=registry, journal=journal)
        flight = asyncio.create_task(dying.submit(JOB))
        while not vendor.creates:
            await asyncio.sleep(0.01)
        going = [flight, dying._submissions.settler._running, *(t for _, t in dying._submissions._flights.values())]
        for task in going:
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)
        await asyncio.gather(*(instance.close() for instance in dying._instances.values()))
    journal._held.entries[Place("k1")].lease_until = 0.0

    async with AsyncModerator(config, registry=registry, journal=journal) as moderator:
        with pytest.raises(SubmitOutcomeUnknown):
            await moderator.submit(JOB)
        await asyncio.sleep(AFTER)
        ticket = await moderator.submit(JOB)
    assert ticket.tasks[0].ref.id == "t1"
    assert len(vendor.creates) == 1
