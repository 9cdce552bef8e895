"""Declared limits as the server sees them: its own clock decides, over every window and not only those that start on a second."""

import asyncio
import time

import pytest

from reelvet.http import Effect, Limit, Limits, Request, RetryPolicy, Session, Throttle
from reelvet.schema.errors import VendorUnavailable


def most_in_a_window(times, per=1.0):
    times = sorted(times)
    return max(sum(1 for later in times if 0 <= later - at < per) for at in times)


def read(server, operation="Describe"):
    return Request.build("GET", server.url, effect=Effect.READ, operation=operation)


@pytest.mark.parametrize("workers", [1, 50])
async def test_no_window_holds_more_than_the_rate_and_most_of_the_rate_is_used(server, workers):
    """20 per second for three seconds, from one caller in a row and from fifty at once."""
    async with Session(provider="acme", limits=Limits({"*": Limit(20)})) as session:
        end = time.monotonic() + 3.0

        async def work():
            while time.monotonic() < end:
                await session.send(read(server))

        tasks = [asyncio.create_task(work()) for _ in range(workers)]
        await asyncio.sleep(3.0)
        times = [got.at for got in server.received]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert most_in_a_window(times) <= 20
    assert len(times) >= 0.75 * 20 * 3


async def test_the_window_holds_when_the_server_is_slow_to_see_the_first_burst(server, wires):
    """The first burst is seen and answered late, the second at once: they still lie a window apart."""
    seen = []

    async def late_at_first(got, writer):
        if len(server.received) <= 5:
            await asyncio.sleep(0.1)
        seen.append(time.monotonic())
        writer.write(wires[0]())

    server.replies = [late_at_first]
    async with Session(provider="acme", limits=Limits({"*": Limit(5, per=0.5)})) as session:
        await asyncio.gather(*(session.send(read(server)) for _ in range(15)))
    assert len(seen) == 15
    assert most_in_a_window(seen, per=0.5) <= 5


async def test_slow_replies_do_not_halve_the_rate(server, wires):
    """A reply that takes as long as the window keeps its slot only a quarter of a window longer."""

    async def slow(got, writer):
        await asyncio.sleep(0.5)
        writer.write(wires[0]())

    server.replies = [slow]
    async with Session(provider="acme", limits=Limits({"*": Limit(4, per=0.5)})) as session:
        await asyncio.gather(*(session.send(read(server)) for _ in range(16)))
    times = [got.at for got in server.received]
    assert most_in_a_window(times, per=0.5) <= 4
    assert max(times) - min(times) < 3 * 0.5 / 0.75


async def test_operations_have_windows_of_their_own_and_share_the_total(server):
    limits = Limits({"*": Limit(3), "Create": Limit(2)}, total=Limit(6))
    async with Session(provider="acme", limits=limits) as session:
        operations = ["Create"] * 4 + ["List"] * 5 + ["Get"] * 5
        tasks = [
            asyncio.create_task(session.send(read(server, operation).with_headers({"X-Op": operation})))
            for operation in operations
        ]
        await asyncio.gather(*tasks)
    by_operation = {}
    for got in server.received:
        by_operation.setdefault(got.header(b"X-Op"), []).append(got.at)
    assert {name: len(times) for name, times in by_operation.items()} == {b"Create": 4, b"List": 5, b"Get": 5}
    assert most_in_a_window(by_operation[b"Create"]) <= 2
    assert most_in_a_window(by_operation[b"List"]) <= 3
    assert most_in_a_window(by_operation[b"Get"]) <= 3
    assert most_in_a_window([got.at for got in server.received]) <= 6


async def test_concurrency_is_kept(server, wires):
    now = most = 0

    async def counting(got, writer):
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.05)
        now -= 1
        writer.write(wires[0]())

    server.replies = [counting]
    async with Session(provider="acme", limits=Limits({"*": Limit(concurrency=3)})) as session:
        await asyncio.gather(*(session.send(read(server)) for _ in range(12)))
    assert most == 3


async def test_retries_are_throttled_too(server, wires):
    server.replies = [wires[0](b"", 503)]
    policy = RetryPolicy(attempts=6, base=0, cap=0)
    async with Session(provider="acme", limits=Limits({"*": Limit(2, per=0.3)}), retry=policy) as session:
        with pytest.raises(VendorUnavailable):
            await session.send(read(server))
    assert len(server.received) == 6
    assert most_in_a_window([got.at for got in server.received], per=0.3) <= 2


async def test_quick_replies_use_nearly_the_whole_rate(server):
    """Ten windows of two: the lag is for slow replies alone."""
    begun = time.monotonic()
    async with Session(provider="acme", limits=Limits({"*": Limit(2, per=0.2)})) as session:
        await asyncio.gather(*(session.send(read(server)) for _ in range(20)))
    assert 1.8 <= time.monotonic() - begun < 2.15


async def test_a_caller_that_gives_up_waiting_takes_no_slot():
    """Those that wait for the total hold slots of their operation: they give them back, or none would ever be free again."""
    throttle = Throttle(Limits({"*": Limit(3, per=0.1)}, total=Limit(1, per=0.3)))

    async def go():
        async with throttle.passage("a"):
            return asyncio.get_running_loop().time()

    first = await go()
    waiting = [asyncio.create_task(go()) for _ in range(3)]
    await asyncio.sleep(0.15)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    second = await asyncio.wait_for(go(), 5)
    assert 0.29 <= second - first < 0.6


async def test_room_is_waited_for_and_left_to_others():
    throttle = Throttle(Limits({"a": Limit(1, per=0.1)}, total=Limit(2, per=0.3)))
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await throttle.room("a")
    await throttle.room("a")
    assert loop.time() - begun < 0.05
    async with throttle.passage("a"):
        pass
    await throttle.room("a")
    assert 0.09 <= loop.time() - begun < 0.25
    async with throttle.passage("a"):
        pass
    await throttle.room("b")
    assert 0.29 <= loop.time() - begun < 0.5


async def test_a_slot_counts_from_when_the_request_was_sent():
    """A connection that takes long to be made uses up nothing of the lag."""
    throttle = Throttle(Limits({"*": Limit(1, per=0.2)}))
    loop = asyncio.get_running_loop()
    at = []

    async def slow():
        async with throttle.passage("a") as sent:
            await asyncio.sleep(0.15)  # three quarters of a window to connect
            at.append(loop.time())
            sent()
            await asyncio.sleep(0.3)  # a slow reply

    async def next_one():
        async with throttle.passage("a"):
            at.append(loop.time())

    first = asyncio.create_task(slow())
    await asyncio.sleep(0)
    await asyncio.gather(first, next_one())
    assert 0.24 <= at[1] - at[0] < 0.35


@pytest.mark.parametrize("wrong", [{"requests": 0}, {"requests": 1, "per": 0}, {"concurrency": 0}])
def test_a_limit_that_lets_nothing_through_is_refused(wrong):
    with pytest.raises(ValueError, match="through"):
        Limit(**wrong)
