"""Many jobs at a time."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest

from reelvet import ModerationJob, Moderator, Status
from reelvet.schema.errors import InvalidRequest

URL = "https://cdn.example.com/clip.mp4"


def jobs(count):
    for number in range(count):
        yield ModerationJob(media=URL, detect=["sexual.explicit.pornography"], key=f"k{number}")


async def test_each_job_ends_once_and_failures_are_items(moderator, vendor):
    vendor.script = ["ok", "reject", "ok"]
    items = [item async for item in moderator.moderate_many(jobs(5), concurrency=1)]
    assert sorted(item.job.key for item in items) == ["k0", "k1", "k2", "k3", "k4"]
    failed = [item for item in items if item.error]
    assert [item.job.key for item in failed] == ["k1"]
    assert isinstance(failed[0].error, InvalidRequest)
    assert failed[0].result is None
    assert all(item.result.status is Status.SUCCEEDED and item.ticket for item in items if not item.error)


async def test_jobs_are_taken_only_as_there_is_room(moderator, vendor):
    vendor.states = ["work", "work", "done"]
    taken, ended, most = 0, 0, 0

    def counted():
        nonlocal taken, most
        for job in jobs(30):
            taken += 1
            most = max(most, taken - ended)
            yield job

    async for _ in moderator.moderate_many(counted(), concurrency=3):
        ended += 1
    assert ended == 30
    assert most <= 3 + 1


async def test_they_come_in_the_order_in_which_they_end(moderator, vendor):
    slow, quick = jobs(2)

    async def source():
        vendor.states = ["work"] * 30 + ["done"]
        yield slow
        while not vendor.tasks:
            await asyncio.sleep(0.01)
        vendor.states = ["done"]
        yield quick

    keys = [item.job.key async for item in moderator.moderate_many(source(), concurrency=2)]
    assert keys == [quick.key, slow.key]


async def test_leaving_early_stops_the_rest(moderator, vendor):
    vendor.states = ["done"]
    async for _ in (items := moderator.moderate_many(jobs(1000), concurrency=2)):
        break
    await items.aclose()
    assert len(vendor.creates) < 20


async def test_a_concurrency_below_one_is_refused(moderator):
    with pytest.raises(ValueError, match="at least 1"):
        async for _ in moderator.moderate_many(jobs(1), concurrency=0):
            pass


def test_the_facade_does_the_same(config, registry, vendor):
    with Moderator(config, registry=registry) as moderator:
        assert sorted(item.job.key for item in moderator.moderate_many(jobs(4), concurrency=2)) == [
            "k0",
            "k1",
            "k2",
            "k3",
        ]
        for _ in moderator.moderate_many(jobs(4)):
            break


async def test_jobs_come_as_fast_as_there_is_room_though_the_loop_is_busy(moderator, vendor):
    """Each visit to the thread of a generator may wait for a busy loop: all that there is room for come in one."""
    submitted, begun = [], []
    submit = moderator.submit

    async def slowly(job):
        begun.append(asyncio.get_running_loop().time())
        ticket = await submit(job)
        submitted.append(job.key)
        return ticket

    moderator.submit = slowly
    switching = sys.getswitchinterval()
    sys.setswitchinterval(0.2)  # a thread waits that long for a loop that never rests
    busy = True

    async def spin():
        while busy:
            await asyncio.sleep(0)

    spinning = asyncio.create_task(spin())
    try:
        assert len([item async for item in moderator.moderate_many(jobs(8), concurrency=8)]) == 8
    finally:
        busy = False
        sys.setswitchinterval(switching)
        await spinning
    assert begun[-1] - begun[0] < 0.2


async def test_a_job_is_begun_though_the_next_one_is_long_in_coming(moderator, vendor):
    gone = threading.Event()

    def slow():
        yield next(jobs(1))
        gone.wait(5)

    items = moderator.moderate_many(slow())
    assert (await asyncio.wait_for(anext(items), 4)).job.key == "k0"
    gone.set()
    assert [item async for item in items] == []


@pytest.mark.parametrize("kind", ["iterator", "async"])
async def test_what_the_source_raises_is_raised(moderator, vendor, kind):
    def broken():
        yield from jobs(2)
        raise LookupError("the database is gone")

    async def broken_async():
        for job in broken():
            yield job

    with pytest.raises(LookupError, match="database"):
        async for _ in moderator.moderate_many(broken() if kind == "iterator" else broken_async()):
            pass
