"""Many tasks followed at once, in virtual time: what it costs, how late it is, and what a list that fails changes."""

from __future__ import annotations

import asyncio
import gc
import math
import random
import selectors
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace

import pytest

from reelvet.config import PollingConfig
from reelvet.moderator.following import Follower
from reelvet.moderator.pace import Pace
from reelvet.schema.errors import InvalidRequest, LookupUnsupported, RateLimited, VendorUnavailable
from reelvet.schema.media import MediaKind
from reelvet.schema.task import RawTask, Status, TaskRef

PAGE = 100


class _Virtual(asyncio.SelectorEventLoop):
    """A loop in which nobody waits: its time is that of its next timer as soon as nothing else is to be done."""

    def __init__(self):
        loop = self
        loop.now = 0.0

        class Selector(selectors.DefaultSelector):
            def select(self, timeout=None):
                loop.now += timeout or 0.0
                return super().select(0)

        super().__init__(Selector())

    def time(self):
        return self.now


def virtual(main):
    with asyncio.Runner(loop_factory=_Virtual) as runner:
        return runner.run(main())


class Vendor:
    """Tasks that end when their time has come, and a list that shows them after `lag` seconds."""

    def __init__(self, *, lag=0.0, operations=("sweep",), first=1.0, most=60.0, list_from=20):
        self.loop = asyncio.get_running_loop()
        self.ends, self.made, self.asked = {}, {}, Counter()
        self.lag, self.fails, self.heard, self.others = lag, None, [], 0
        self.windows = []
        self.capabilities = SimpleNamespace(operations=frozenset(operations), queue_of=lambda kind: None)
        self.provider, self.id = self, "stub"
        polling = PollingConfig(first=first, most=most, list_from=list_from)
        self.follower = Follower(self, polling, Pace(polling.first, polling.most))

    # as an instance

    def is_heard(self, task):
        return True

    def tell(self, progress):
        self.heard.append(progress.task)

    # as a provider

    async def fetch(self, ref):
        self.asked["fetch"] += 1
        await asyncio.sleep(0.05)
        return self._raw(ref.id)

    async def sweep(self, window):
        self.windows.append((datetime.now(UTC) - window.since).total_seconds())
        if self.fails is not None:
            self.asked["list"] += 1
            raise self.fails
        since = self.loop.time() - self.windows[-1]
        shown = [id_ for id_, at in self.made.items() if since <= at <= self.loop.time() - self.lag]
        shown = [f"other-{number}" for number in range(self.others)] + shown
        for number, id_ in enumerate(shown):
            if number % PAGE == 0:
                self.asked["list"] += 1
                await asyncio.sleep(0.1)
            yield self._raw(id_)

    def _raw(self, id_):
        status = Status.SUCCEEDED if self.loop.time() >= self.ends.get(id_, 0.0) else Status.RUNNING
        return RawTask(ref=TaskRef(id=id_), status=status, native_status=status)

    # as somebody who waits

    async def moderate(self, id_, seconds, **how):
        """Seconds by which its end was noticed late."""
        self.made[id_], self.ends[id_] = self.loop.time(), self.loop.time() + seconds
        followed, end = self.follower.follow(TaskRef(id=id_), datetime.now(UTC), kind=MediaKind.VIDEO, **how)
        try:
            await end
        finally:
            self.follower.leave(followed, end)
        return self.loop.time() - self.ends[id_]


async def jobs(vendor, callers, each, *, median=60.0, sigma=0.5):
    """Requests per job, the submit included, and the mean delay as a share of a task's time."""
    draw, delays, asked = random.Random(3), [], vendor.asked.total()  # noqa: S311

    async def caller(number):
        for _ in range(each):
            seconds = draw.lognormvariate(math.log(median), sigma)
            delays.append(await vendor.moderate(f"{number}-{len(vendor.made)}", seconds) / seconds)

    await asyncio.gather(*(caller(number) for number in range(callers)))
    return 1 + (vendor.asked.total() - asked) / len(delays), sum(delays) / len(delays)


def test_a_thousand_jobs_cost_little_and_are_noticed_soon_cold_and_warm():
    async def main():
        vendor = Vendor(lag=2.0)
        for each in (1, 2):
            requests, delay = await jobs(vendor, 1000, each)
            assert requests <= 3, requests
            assert delay <= 0.10, delay
        assert vendor.asked["fetch"] <= 1.2 * 3000

    virtual(main)


def test_without_a_list_the_others_learn_from_the_first():
    async def main():
        vendor = Vendor(operations=())
        cold, late = await jobs(vendor, 300, 1)
        warm, delay = await jobs(vendor, 300, 2)
        assert (cold, warm) < (12, 9)
        assert max(late, delay) <= 0.13

    virtual(main)


def test_few_jobs_are_asked_for_by_themselves():
    async def main():
        vendor = Vendor()
        await jobs(vendor, 5, 2)
        assert vendor.asked["list"] == 0

    virtual(main)


def test_a_task_that_the_list_never_shows_is_noticed_all_the_same():
    async def main():
        vendor = Vendor(lag=math.inf)
        _, delay = await jobs(vendor, 50, 1)
        assert delay <= 0.5

    virtual(main)


@pytest.mark.parametrize(
    "error", [LookupUnsupported("none"), VendorUnavailable("down"), InvalidRequest("no"), ValueError("a bug")]
)
def test_a_list_that_fails_is_left_alone_and_each_is_asked_for(error):
    async def main():
        vendor = Vendor()
        vendor.fails = error
        _, delay = await jobs(vendor, 50, 1)
        assert delay <= 0.15
        assert vendor.asked["list"] <= 6

    virtual(main)


def test_a_list_of_mostly_others_tasks_is_not_read_again_soon():
    async def main():
        vendor = Vendor()
        vendor.others = 5000
        await jobs(vendor, 30, 1)
        assert vendor.asked["list"] <= 45  # of 51 pages each time, and every few seconds

    virtual(main)


def test_one_task_that_never_ends_does_not_have_the_list_read_back_to_it():
    async def main():
        vendor = Vendor()
        forever = asyncio.create_task(vendor.moderate("forever", math.inf))
        await asyncio.sleep(20_000)
        await jobs(vendor, 100, 2)
        assert max(vendor.windows) < 1000
        forever.cancel()

    virtual(main)


def test_a_hint_goes_before_the_pace_and_a_refusal_says_when_to_come_back():
    async def main():
        vendor, at = Vendor(operations=()), []
        answers = [RateLimited("slowly", retry_after=40.0), 70.0, 200.0]

        async def fetch(ref):
            at.append(vendor.loop.time())
            answer = answers.pop(0) if answers else None
            if isinstance(answer, Exception):
                raise answer
            return RawTask(ref=ref, status=Status.RUNNING if answer else Status.SUCCEEDED, poll_after=answer)

        vendor.fetch = fetch
        await vendor.moderate("a", 0)
        pauses = [later - earlier for earlier, later in pairwise(at)]
        assert pauses == [pytest.approx(hint, rel=0.1) for hint in (40, 70, 200)]

    virtual(main)


def test_news_from_elsewhere_wakes_who_waits_with_no_poll_in_between():
    async def main():
        vendor = Vendor(first=3600.0, most=3600.0)
        waiter = asyncio.create_task(vendor.moderate("a", 1000))
        await asyncio.sleep(10)
        last = RawTask(ref=TaskRef(id="a"), status=Status.SUCCEEDED, payload={"whole": True})
        assert vendor.follower.wake("a", last)
        assert await waiter == pytest.approx(-990)
        assert vendor.asked == {}

        waiter = asyncio.create_task(vendor.moderate("b", 100))
        await asyncio.sleep(101)
        assert vendor.follower.wake("b")  # it says only that there is news
        assert await waiter < 1.5
        assert vendor.asked == {"fetch": 1}

        assert not vendor.follower.wake("c")  # sooner than anybody waits
        assert await vendor.moderate("c", 0) < 0.1

    virtual(main)


def test_whoever_leaves_leaves_nothing_behind():
    async def main():
        vendor = Vendor()
        waiting = [asyncio.create_task(vendor.moderate(str(number), math.inf)) for number in range(500)]
        twice = asyncio.create_task(vendor.moderate("0", math.inf))
        await asyncio.sleep(100)
        assert len(vendor.follower) == 500
        waiting[0].cancel()
        await asyncio.sleep(0)
        assert len(vendor.follower) == 500  # another still waits for it
        for task in [*waiting, twice]:
            task.cancel()
        await asyncio.gather(*waiting, twice, return_exceptions=True)
        assert len(vendor.follower) == 0
        await asyncio.sleep(0)
        gc.collect()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    virtual(main)


def test_an_old_ticket_teaches_nothing_of_how_long_tasks_take():
    async def main():
        vendor = Vendor(operations=())
        for number in range(10):
            ref, submitted = TaskRef(id=str(number)), datetime.now(UTC) - timedelta(days=1)
            followed, end = vendor.follower.follow(ref, submitted, kind=MediaKind.VIDEO)
            await end
            vendor.follower.leave(followed, end)
        assert vendor.loop.time() < 2
        assert await vendor.moderate("new", 3) < 2

    virtual(main)
