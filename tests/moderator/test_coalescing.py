"""Submitted together, sent together: how many calls a vendor gets, and that each task keeps its own fate."""

from __future__ import annotations

import asyncio
import sys
import time
import types
from dataclasses import dataclass, field

import pytest

from reelvet import AsyncModerator, Config, ModerationJob
from reelvet.moderator.coalescing import Coalescer
from reelvet.plugins import (
    BatchRule,
    Capabilities,
    Capability,
    Created,
    Health,
    Provider,
    ProviderSpec,
    Registry,
    Rejected,
    Report,
    Unknown,
    ask,
)
from reelvet.schema.errors import InvalidRequest, ProviderError, SubmitOutcomeUnknown
from reelvet.schema.media import Channel
from reelvet.schema.plan import Plan, VendorTask
from reelvet.schema.task import RawTask, Status, TaskRef

LABEL = "violence.graphic.blood_gore"


@dataclass
class Vendor:
    calls: list[list[str]] = field(default_factory=list)
    delay: float = 0.0
    refused: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()
    fails: Exception | None = None
    forgets: bool = False


VENDOR = Vendor()


class Bulk(Provider):
    """Takes several tasks in one call."""

    id = "bulk"

    def effective(self):
        return Capabilities(entries=(Capability(LABEL, (Channel.VISUAL,)),))

    def plan(self, job):
        asked = ask(job, self.effective(), self.context.taxonomy, provider=self.id)
        share = job.metadata.get("share", "s")
        task = VendorTask(
            name="t", vendor_key=job.vendor_key, payload={"url": str(job.media.url)}, share_key=share or None
        )
        return Plan(provider=self.id, tasks=(task,), coverage=tuple(asked.coverage))

    def read(self, plan, raws):
        return Report()

    async def submit(self, tasks):
        VENDOR.calls.append([task.vendor_key for task in tasks])
        await asyncio.sleep(VENDOR.delay)
        if VENDOR.fails is not None:
            raise VENDOR.fails
        outcomes = [self._outcome(task) for task in tasks]
        return outcomes[1:] if VENDOR.forgets else outcomes

    def _outcome(self, task):
        if task.vendor_key in VENDOR.refused:
            return Rejected(InvalidRequest(f"no {task.vendor_key}", created="no"))
        if task.vendor_key in VENDOR.unsure:
            return Unknown(ProviderError(f"unsure of {task.vendor_key}"))
        return Created(TaskRef(id=f"id-{task.vendor_key}", name=task.name))

    async def fetch(self, ref):
        return RawTask(ref=ref, status=Status.SUCCEEDED)

    async def check(self):
        return Health(True, "fine")


@pytest.fixture
def vendor():
    VENDOR.__dict__.update(Vendor().__dict__)
    return VENDOR


@pytest.fixture
async def bulk(vendor):
    module = types.ModuleType("reelvet_bulk_test")
    module.Bulk = Bulk
    sys.modules[module.__name__] = module
    registry = Registry()
    registry.register(
        ProviderSpec(id="bulk", title="Bulk", provider="reelvet_bulk_test:Bulk", batch=BatchRule(10, window=0.01))
    )
    config = Config.parse({"use": "bulk", "providers": {"bulk": {}}, "polling": {"settle_window": 0.1}})
    async with AsyncModerator(config, registry=registry) as moderator:
        yield moderator


def job(key, share="s", **more):
    media = {"url": f"https://cdn.example.com/{key}.mp4"}
    return ModerationJob(media=media, key=str(key), detect=[LABEL], metadata={"share": share}, **more)


async def test_jobs_submitted_together_are_sent_together(bulk, vendor):
    tickets = await asyncio.gather(*(bulk.submit(job(n)) for n in range(25)))
    assert sorted(map(len, vendor.calls)) == [5, 10, 10]
    assert [ticket.tasks[0].ref.id for ticket in tickets] == [f"id-{n}" for n in range(25)]


async def test_a_lone_job_waits_for_nobody(bulk, vendor):
    await bulk.submit(job("warm"))
    begun = time.perf_counter()
    await bulk.submit(job("a"))
    assert time.perf_counter() - begun < 0.1
    assert vendor.calls == [["warm"], ["a"]]


async def test_a_full_call_does_not_wait_for_the_window():
    sent = []

    async def send(tasks):
        sent.append(len(tasks))
        return [Created(TaskRef(id=task.vendor_key)) for task in tasks]

    coalescer = Coalescer(BatchRule(3, window=60))
    tasks = [VendorTask(name="t", vendor_key=str(n), share_key="s") for n in range(6)]
    outcomes = await asyncio.wait_for(coalescer.submit(tasks, send), 5)
    assert sent == [3, 3]
    assert [outcome.ref.id for outcome in outcomes] == list("012345")


async def test_jobs_later_than_the_window_have_a_call_of_their_own(bulk, vendor):
    first = asyncio.create_task(bulk.submit(job("a")))
    await asyncio.sleep(0.1)
    await asyncio.gather(first, bulk.submit(job("b")))
    assert vendor.calls == [["a"], ["b"]]


async def test_what_may_not_share_a_call_does_not(bulk, vendor):
    await asyncio.gather(*(bulk.submit(job(n, share=f"s{n % 2}")) for n in range(6)), bulk.submit(job("x", share="")))
    assert sorted(map(sorted, vendor.calls)) == [["0", "2", "4"], ["1", "3", "5"], ["x"]]


async def test_two_equal_keys_never_share_a_call():
    sent = []

    async def send(tasks):
        sent.append([task.vendor_key for task in tasks])
        return [Created(TaskRef(id=task.payload)) for task in tasks]

    tasks = [VendorTask(name="t", vendor_key=key, share_key="s", payload=f"{n}") for n, key in enumerate("aabba")]
    outcomes = await Coalescer(BatchRule(10)).submit(tasks, send)
    assert sorted(sent) == [["a"], ["a", "b"], ["a", "b"]]
    assert [outcome.ref.id for outcome in outcomes] == list("01234")


async def test_outcomes_are_kept_apart(bulk, vendor):
    vendor.refused, vendor.unsure = frozenset("b"), frozenset("c")
    found = await asyncio.gather(*(bulk.submit(job(key)) for key in "abc"), return_exceptions=True)
    assert len(vendor.calls) == 1
    assert found[0].tasks[0].ref.id == "id-a"
    assert isinstance(found[1], InvalidRequest)
    assert isinstance(found[2], SubmitOutcomeUnknown)
    assert "unsure of c" in str(found[2])
    vendor.refused = frozenset()
    await bulk.submit(job("b"))  # nothing was created, so it may be tried again
    assert len(vendor.calls) == 2


@pytest.mark.parametrize(
    ("error", "raised"),
    [(InvalidRequest("all of it", created="no"), InvalidRequest), (ProviderError("lost"), SubmitOutcomeUnknown),
     (RuntimeError("a bug"), SubmitOutcomeUnknown)],
)  # fmt: skip
async def test_an_exception_is_the_fate_of_every_task_of_the_call_and_of_no_other(bulk, vendor, error, raised):
    vendor.fails, vendor.delay = error, 0.05
    doomed = [asyncio.create_task(bulk.submit(job(key))) for key in "ab"]
    while not vendor.calls:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.06)
    vendor.fails = None
    assert (await bulk.submit(job("c"))).tasks[0].ref.id == "id-c"
    found = await asyncio.gather(*doomed, return_exceptions=True)
    assert [type(one) for one in found] == [raised, raised]
    assert found[0] is not found[1]


async def test_a_provider_that_answers_for_fewer_leaves_all_of_the_call_unknown(bulk, vendor):
    vendor.forgets = True
    found = await asyncio.gather(*(bulk.submit(job(key)) for key in "ab"), return_exceptions=True)
    assert {type(one) for one in found} == {SubmitOutcomeUnknown}


async def test_a_caller_that_leaves_while_the_call_is_under_way_takes_nobody_along(bulk, vendor):
    vendor.delay = 0.1
    leaving, staying = (asyncio.create_task(bulk.submit(job(key))) for key in "ab")
    while not vendor.calls:
        await asyncio.sleep(0.001)
    leaving.cancel()
    assert (await staying).tasks[0].ref.id == "id-b"
    assert (await bulk.submit(job("a"))).tasks[0].ref.id == "id-a"
    assert vendor.calls == [["a", "b"]]


async def test_what_is_cancelled_before_it_is_sent_is_not_sent():
    sent = []

    async def send(tasks):
        sent.append([task.vendor_key for task in tasks])
        return [Created(TaskRef(id=task.vendor_key)) for task in tasks]

    coalescer = Coalescer(BatchRule(10, window=0.05))
    leaving, staying = (
        asyncio.create_task(coalescer.submit([VendorTask(name="t", vendor_key=key, share_key="s")], send))
        for key in "ab"
    )
    await asyncio.sleep(0)
    leaving.cancel()
    assert [outcome.ref.id for outcome in await staying] == ["b"]
    assert sent == [["b"]]


async def test_without_a_rule_a_job_is_one_call():
    async def send(tasks):
        return [Created(TaskRef(id=f"{len(tasks)}")) for _ in tasks]

    tasks = [VendorTask(name="t", vendor_key="a", share_key="s")] * 3
    assert [outcome.ref.id for outcome in await Coalescer(None).submit(tasks, send)] == ["3", "3", "3"]


async def _calls(window, pauses):
    """The calls that come of tasks with such a pause after each."""
    sent = []

    async def send(tasks):
        sent.append(len(tasks))
        return [Created(TaskRef(id=task.vendor_key)) for task in tasks]

    coalescer = Coalescer(BatchRule(100, window=window))

    async def submit(number):
        for _ in range(4):
            await asyncio.sleep(0)  # a submission takes some turns of the loop before it comes here
        await coalescer.submit([VendorTask(name="t", vendor_key=str(number), share_key="s")], send)

    waiting = []
    for number, pause in enumerate(pauses):
        waiting.append(asyncio.create_task(submit(number)))
        await pause()
    await asyncio.gather(*waiting)
    return sent


async def test_a_call_waits_as_long_as_tasks_keep_coming():
    assert await _calls(0.2, [lambda: asyncio.sleep(0.11)] * 5) == [5]


async def test_a_call_does_not_wait_for_ever():
    sent = await _calls(0.01, [lambda: asyncio.sleep(0.006)] * 40)
    assert sum(sent) == 40
    assert len(sent) > 1


async def test_a_loop_too_busy_for_others_to_come_does_not_part_them():
    async def busy():
        await asyncio.sleep(0.001)
        time.sleep(0.09)  # noqa: ASYNC251  (as what plans the next job may)

    assert await _calls(0.04, [busy] * 4) == [4]


class Gate:
    """Lets one call go at a time, when it is told to."""

    def __init__(self):
        self._open = asyncio.Semaphore(0)
        self.asked = 0

    async def leave(self):
        self.asked += 1
        await self._open.acquire()

    async def let_one_go(self):
        self._open.release()
        for _ in range(10):
            await asyncio.sleep(0)


async def _sent_by(gate, rule=None):
    sent = []

    async def send(tasks):
        sent.append([task.vendor_key for task in tasks])
        return [Created(TaskRef(id=task.vendor_key)) for task in tasks]

    coalescer = Coalescer(rule or BatchRule(3, window=0.0))

    def submit(keys, share="s"):
        tasks = [VendorTask(name="t", vendor_key=key, share_key=share) for key in keys]
        return asyncio.ensure_future(coalescer.submit(tasks, send, gate.leave))

    return sent, submit


async def until(is_so):
    for _ in range(1000):
        if is_so():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never was so")


async def test_a_call_that_waits_for_leave_is_filled_until_it_may_go():
    gate = Gate()
    sent, submit = await _sent_by(gate)
    first = submit("a")
    await until(lambda: gate.asked == 1)
    others = submit("bcd")
    await gate.let_one_go()
    assert sent == [["a", "b", "c"]]
    assert [outcome.ref.id for outcome in await first] == ["a"]
    await until(lambda: gate.asked == 2)
    await gate.let_one_go()
    assert [outcome.ref.id for outcome in await others] == ["b", "c", "d"]
    assert sent == [["a", "b", "c"], ["d"]]


async def test_leave_is_for_one_call():
    gate = Gate()
    sent, submit = await _sent_by(gate)
    tasks = [submit("a", "s"), submit("b", "other")]
    await until(lambda: gate.asked == 1)
    await gate.let_one_go()
    assert sent == [["a"]]
    await until(lambda: gate.asked == 2)
    await gate.let_one_go()
    await asyncio.gather(*tasks)
    assert sent == [["a"], ["b"]]


async def test_what_is_cancelled_while_its_call_waits_for_leave_is_not_sent():
    gate = Gate()
    sent, submit = await _sent_by(gate)
    leaving, staying = submit("a"), submit("b")
    await until(lambda: gate.asked == 1)
    leaving.cancel()
    await gate.let_one_go()
    assert [outcome.ref.id for outcome in await staying] == ["b"]
    assert sent == [["b"]]


async def test_the_rest_of_a_call_waits_for_its_window_and_for_no_longer_than_until_it_is_full():
    gate = Gate()
    sent, submit = await _sent_by(gate, BatchRule(3, window=60))
    tasks = [submit("abcd")]
    await until(lambda: gate.asked == 1)
    await gate.let_one_go()
    assert sent == [["a", "b", "c"]]
    tasks.append(submit("ef"))
    await until(lambda: gate.asked == 2)
    await gate.let_one_go()
    await asyncio.gather(*tasks)
    assert sent == [["a", "b", "c"], ["d", "e", "f"]]


async def test_a_provider_that_fails_in_leave_is_asked_to_submit_all_the_same(bulk, vendor, monkeypatch):
    async def fails(self):
        raise RuntimeError("a bug")

    monkeypatch.setattr(Bulk, "leave", fails)
    assert (await bulk.submit(job("a"))).tasks[0].ref.id == "id-a"
