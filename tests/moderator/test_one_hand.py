"""Within one moderator, too, a submission is in one hand at a time."""

from __future__ import annotations

import asyncio

import pytest

from reelvet import AsyncModerator, ModerationJob
from reelvet.config.sections import SettleConfig
from reelvet.schema.errors import SubmitOutcomeUnknown

JOB = ModerationJob(media="https://cdn.example.com/clip.mp4", detect=["sexual.explicit.pornography"], key="k1")
AFTER = 0.3


@pytest.fixture
def settling(config):
    """A configuration that sends again what is not found."""
    polling = config.polling.model_copy(update={"settle_window": 0.05})
    return config.model_copy(
        update={"polling": polling, "settle": SettleConfig.model_validate({"after": AFTER, "then": "resubmit"})}
    )


async def told(awaitable):
    try:
        return (await awaitable).tasks[0].ref.id
    except SubmitOutcomeUnknown:
        return None


async def settle(moderator):
    return [settled.outcome async for settled in moderator.settle()]


async def test_who_settles_and_who_submits_at_the_same_time_send_it_once(settling, registry, vendor, monkeypatch):
    acme = registry.load("acme")
    find = acme.find

    async def slow(*args):
        await asyncio.sleep(0.2)  # time enough for another to come to the same record
        return await find(*args)

    monkeypatch.setattr(acme, "find", slow)
    async with AsyncModerator(settling, registry=registry) as moderator:
        vendor.script, vendor.create_delay = ["lose"], 0.2
        assert await told(moderator.submit(JOB)) is None
        await asyncio.sleep(AFTER)
        await asyncio.gather(settle(moderator), told(moderator.submit(JOB)))
        assert await told(moderator.submit(JOB)) == "t1"
    assert len(vendor.creates) == 2  # the one that was lost, and one more


async def test_what_is_just_being_submitted_is_left_alone_by_who_settles(settling, registry, vendor):
    async with AsyncModerator(settling, registry=registry) as moderator:
        vendor.create_delay = 0.3
        submitting = asyncio.create_task(told(moderator.submit(JOB)))
        await asyncio.sleep(0.1)
        assert await settle(moderator) == ["under way"]
        assert await submitting == "t1"
    assert len(vendor.creates) == 1
