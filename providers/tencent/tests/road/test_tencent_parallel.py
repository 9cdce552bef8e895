"""A hundred streams at a time and none waits, ten files and the others wait: what is sent of them, and what is not."""

from __future__ import annotations

import asyncio

import pytest

from reelvet import MediaKind, Status
from reelvet.schema import errors as e


@pytest.fixture
def stream(job, reelvet_sandbox):
    reelvet_sandbox.clock.pause()
    return lambda key: job({"url": "https://cdn.example.com/stream.flv", "kind": "live"}, key=key)


async def test_no_more_streams_are_sent_than_run_at_a_time(configured, stream, creates, calls):
    """The emulator allows a hundred, as the vendor does; this instance keeps to it by itself."""
    async with configured() as moderator:
        told = await asyncio.gather(*(moderator.submit(stream(f"key-{n}")) for n in range(105)), return_exceptions=True)
        refused = [one for one in told if isinstance(one, e.RateLimited)]
        assert (creates(), len(refused)) == (100, 5)
        assert sum(len(body["Tasks"]) for body in calls()) == 100
        for error in refused:
            assert "of tasks with live media the vendor runs 100 at a time" in error.message
            assert "reelvet cancel" in error.way_out
            assert (error.created, error.retryable, error.instance) == ("no", True, "tencent")


@pytest.mark.parametrize("how", ["cancel", "status", "wait", "nobody looks", "gone"])
async def test_the_place_of_a_stream_that_ended_is_free_whoever_sees_it_end(
    configured, stream, creates, reelvet_sandbox, how
):
    async with configured(parallel_streams=1) as moderator:
        ticket = await moderator.submit(stream("key-1"))
        with pytest.raises(e.RateLimited, match="runs 1 at a time"):
            await moderator.submit(stream("key-2"))
        assert (await moderator.status(ticket)).status is not Status.SUCCEEDED
        with pytest.raises(e.RateLimited):
            await moderator.submit(stream("key-2"))
        if how == "cancel":
            await moderator.cancel(ticket)
        else:
            reelvet_sandbox.clock.advance(100_000)
            if how == "status":
                await moderator.status(ticket)
            elif how == "wait":
                await moderator.wait(ticket)
            else:
                moderator._instance("tencent").places.running[MediaKind.LIVE][ticket.tasks[0].ref.id].looked_at = 0.0
                if how == "gone":
                    reelvet_sandbox.fault("tencent", "expired", operation="get")
        await moderator.submit(stream("key-2"))
        assert creates() == 2


async def test_a_stream_that_was_not_created_takes_no_place(account, configured, stream, creates):
    account(activated=False)
    async with configured(parallel_streams=1) as moderator:
        for _ in range(2):
            with pytest.raises(e.FeatureDisabled):
                await moderator.submit(stream("key-1"))
        account(activated=True)
        await moderator.submit(stream("key-1"))
    assert creates() == 1


async def test_files_are_sent_however_many_run(configured, job, creates, reelvet_sandbox):
    reelvet_sandbox.clock.pause()
    async with configured(parallel_files=3) as moderator:
        tickets = await asyncio.gather(*(moderator.submit(job(key=f"key-{n}")) for n in range(25)))
        assert creates() == 25
        (note,) = (note for note in (await moderator.status(tickets[-1])).warnings if note.code == "queued")
        assert note.says == "queued: the vendor runs 3 at a time"
